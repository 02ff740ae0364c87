//! Verifies a table and writes its entries to a new one, snappy-compressed:
//!
//! ```text
//! cargo run -p strata-table --example rewrite -- IN.ldb OUT.ldb [--reverse]
//! ```
//!
//! The new table has filters if the old one has. `--reverse` says that the keys descend bytewise.

use std::env;
use std::error::Error;
use std::fs::File;
use std::path::Path;

use strata_dbformat::{BytewiseComparator, Comparator, ReverseBytewiseComparator};
use strata_table::{Table, TableFile, TableOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [from, to] => rewrite(from, to, BytewiseComparator),
        [from, to, "--reverse"] => rewrite(from, to, ReverseBytewiseComparator),
        _ => Err("usage: rewrite IN.ldb OUT.ldb [--reverse]".into()),
    }
}

fn rewrite(from: &str, to: &str, comparator: impl Comparator + Copy) -> Result<(), Box<dyn Error>> {
    let table = Table::open(File::open(from)?, comparator)?;
    println!("{from}: {:?}", table.verify()?);

    let options = TableOptions {
        bloom_bits_per_key: table.has_filter().then_some(10),
        ..TableOptions::default()
    };
    // In the directory of the new table, so that it can be moved to its name.
    let directory = Path::new(to).parent().ok_or("the new table needs a name")?;
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    let mut copy = TableFile::create(directory, comparator, options)?;
    let mut entries = table.entries();
    while let Some(entry) = entries.next_entry()? {
        copy.add(entry.internal_key, entry.value)?;
    }
    match copy.finish()? {
        Some(pending) => println!("{to}: {:?}", pending.persist(to)?),
        None => println!("{to}: not written, as {from} has no entries"),
    }
    Ok(())
}

//! A durable ordered store on the write buffer, and a small program to try it with:
//!
//! ```console
//! $ cargo run --example store -- /tmp/fruit put apple red pear green
//! $ cargo run --example store -- /tmp/fruit delete apple
//! $ cargo run --example store -- /tmp/fruit flush
//! $ cargo run --example store -- /tmp/fruit scan
//! ```
//!
//! The store itself is in `store.rs`; read that.

mod store;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use strata_dbformat::escape;
use strata_files::FileDirectory;
use strata_write_batch::WriteBatch;
use strata_write_buffer::WriteBufferOptions;

use store::{Result, Store};

const USAGE: &str = "\
usage: store DIRECTORY COMMAND
  put KEY VALUE [KEY VALUE ...]   gives keys values, all at once
  delete KEY [KEY ...]            deletes keys, all at once
  get KEY                         prints a key's value
  scan [FROM [TO]]                prints keys and values in order, from FROM to before TO
  flush                           writes what is in memory to a table";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("store: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<ExitCode> {
    let &[directory, command, ref rest @ ..] = arguments else {
        return Err(USAGE.into());
    };
    std::fs::create_dir_all(directory)?;
    let directory = Arc::new(FileDirectory::new(directory));
    let store = Store::open(directory, WriteBufferOptions::default(), &mut |report| {
        eprintln!("store: {report}");
    })?;
    match (command, rest) {
        ("put", pairs) if !pairs.is_empty() && pairs.len() % 2 == 0 => {
            let mut batch = WriteBatch::new();
            for pair in pairs.chunks_exact(2) {
                batch.put(pair[0].as_bytes(), pair[1].as_bytes())?;
            }
            store.write(&batch, true)?;
        }
        ("delete", keys) if !keys.is_empty() => {
            let mut batch = WriteBatch::new();
            for key in keys {
                batch.delete(key.as_bytes())?;
            }
            store.write(&batch, true)?;
        }
        ("get", &[key]) => match store.get(key.as_bytes())? {
            Some(value) => println!("{}", escape(&value)),
            None => {
                eprintln!("store: there is no '{key}'");
                return Ok(ExitCode::FAILURE);
            }
        },
        ("scan", &[]) => scan(&store, None, None)?,
        ("scan", &[from]) => scan(&store, Some(from), None)?,
        ("scan", &[from, to]) => scan(&store, Some(from), Some(to))?,
        ("flush", &[]) => flush(&store)?,
        _ => return Err(USAGE.into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn scan(store: &Store, from: Option<&str>, to: Option<&str>) -> Result<()> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let from = from.map_or(Unbounded, |from| Included(from.as_bytes()));
    let to = to.map_or(Unbounded, |to| Excluded(to.as_bytes()));
    let mut output = io::stdout().lock();
    let mut cursor = store.scan((from, to))?;
    cursor.seek_to_first()?;
    while let Some(entry) = cursor.entry() {
        writeln!(
            output,
            "{} => {}",
            escape(entry.user_key),
            escape(entry.value)
        )?;
        cursor.next()?;
    }
    Ok(())
}

/// Flushes, and waits for it: the flusher ends with the program.
fn flush(store: &Store) -> Result<()> {
    store.flush()?;
    while store.buffer().memtables().len() > 1 {
        if let Some(error) = store.buffer().flushes().last_error {
            return Err(error.to_string().into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

//! `strata dump`: every entry.

use std::io::{self, Write};

use serde::Serialize;
use strata_dbformat::SequenceNumber;
use strata_memtable::Entry;

use crate::args::DumpArguments;
use crate::failure::Failure;
use crate::load::Loaded;
use crate::notation::spelled;
use crate::show::write_json_line;
use crate::status::Status;

/// One entry, for machines.
#[derive(Serialize)]
struct Line {
    sequence: u64,
    #[serde(rename = "type")]
    value_type: &'static str,
    key: String,
    value: String,
}

pub(crate) fn run(arguments: &DumpArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let loaded = Loaded::new(&arguments.source)?;
    let at = arguments.at.unwrap_or(SequenceNumber::MAX);
    let mut last_key: Option<&[u8]> = None;
    for entry in loaded.entries().filter(|entry| entry.sequence() <= at) {
        if arguments.visible {
            let is_shadowed = last_key.is_some_and(|key| loaded.is_same_key(key, entry.user_key()));
            last_key = Some(entry.user_key());
            if is_shadowed || entry.is_tombstone() {
                continue;
            }
        }
        print(entry, arguments, output).map_err(Failure::output)?;
    }
    output.flush().map_err(Failure::output)?;
    loaded.report.warn();
    Ok(Status::of_drops(!loaded.report.dropped.is_empty()))
}

fn print(entry: Entry<'_>, arguments: &DumpArguments, output: &mut impl Write) -> io::Result<()> {
    let value_type = if entry.is_tombstone() { "del" } else { "put" };
    if arguments.json {
        let line = Line {
            sequence: entry.sequence().get(),
            value_type,
            key: spelled(entry.user_key(), true),
            value: spelled(entry.value(), true),
        };
        return write_json_line(output, &line);
    }
    let key = spelled(entry.user_key(), arguments.hex);
    write!(output, "'{key}' @ {} : {value_type}", entry.sequence())?;
    if !entry.is_tombstone() {
        write!(output, " => '{}'", spelled(entry.value(), arguments.hex))?;
    }
    writeln!(output)
}

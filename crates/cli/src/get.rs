//! `strata get`: one key.

use std::io::Write;

use strata_dbformat::SequenceNumber;

use crate::args::GetArguments;
use crate::failure::Failure;
use crate::load::Loaded;
use crate::notation::{parse_hex, parse_shown, spelled};
use crate::show::argument_bytes;
use crate::status::Status;

pub(crate) fn run(arguments: &GetArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let text = argument_bytes(&arguments.key);
    let key = match arguments.hex {
        true => parse_hex(text),
        false => parse_shown(text),
    };
    let key = key
        .map_err(|error| Failure::new(format!("{} is no key: {error}", arguments.key.display())))?;
    let loaded = Loaded::new(&arguments.source)?;
    let snapshot = arguments.at.unwrap_or(SequenceNumber::MAX);
    let (text, status) = match loaded.get(&key, snapshot) {
        Some(entry) if entry.is_tombstone() => (
            format!("(deleted by sequence number {})", entry.sequence()),
            Status::Deleted,
        ),
        Some(entry) => (spelled(entry.value(), arguments.hex), Status::Done),
        None => ("(absent)".to_owned(), Status::Absent),
    };
    writeln!(output, "{text}")
        .and_then(|()| output.flush())
        .map_err(Failure::output)?;
    loaded.report.warn();
    Ok(status)
}

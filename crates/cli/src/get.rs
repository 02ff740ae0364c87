//! `strata get`: one key.

use std::borrow::Cow;
use std::io::Write;

use strata_dbformat::SequenceNumber;

use crate::args::GetArguments;
use crate::failure::Failure;
use crate::load::Loaded;
use crate::show::{argument_bytes, from_hex, shown};
use crate::status::Status;

pub(crate) fn run(arguments: &GetArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let key = match arguments.hex {
        true => Cow::Owned(from_hex(&arguments.key.to_string_lossy())?),
        false => Cow::Borrowed(argument_bytes(&arguments.key)),
    };
    let loaded = Loaded::new(&arguments.source)?;
    let snapshot = arguments.at.unwrap_or(SequenceNumber::MAX);
    let (text, status) = match loaded.get(&key, snapshot) {
        Some(entry) if entry.is_tombstone() => (
            format!("(deleted by sequence number {})", entry.sequence()),
            Status::Deleted,
        ),
        Some(entry) => (shown(entry.value(), arguments.hex), Status::Done),
        None => ("(absent)".to_owned(), Status::Absent),
    };
    writeln!(output, "{text}")
        .and_then(|()| output.flush())
        .map_err(Failure::output)?;
    loaded.report.warn();
    Ok(status)
}

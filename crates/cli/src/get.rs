//! `strata get`: one key.

use std::io::Write;

use strata_dbformat::SequenceNumber;

use crate::args::{Encoding, GetArguments};
use crate::failure::Failure;
use crate::lines::{Notation, write_value};
use crate::open::{Opened, Teller};
use crate::show::{key_argument, tell};
use crate::status::Status;

pub(crate) fn run(arguments: &GetArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let notation = match (arguments.hex, arguments.decode) {
        (true, _) => Notation::Hex,
        (false, Some(Encoding::Chrome)) => Notation::Chrome,
        (false, None) => Notation::Shown,
    };
    let key = key_argument(&arguments.key, notation)?;
    let opened = Opened::new(&arguments.input)?;
    let mut teller = Teller::of(&opened);
    let snapshot = arguments.at.unwrap_or(SequenceNumber::MAX);
    let got = opened
        .database
        .get(&key, snapshot, &opened.read, &mut |report| {
            teller.take(&report);
        })?;
    teller.refuse_foreign(&opened)?;
    let written = match &got.found {
        Some(found) if !found.is_tombstone => {
            if got.may_be_elsewhere {
                tell("what could not be read may hold a newer version of this key");
            }
            match arguments.raw {
                true => output.write_all(&found.value),
                false => write_value(&mut *output, &found.value, notation).map(|encoding| {
                    if let Some(encoding) = encoding {
                        tell(format_args!("the value is a string in {encoding}"));
                    }
                }),
            }
            .map(|()| Status::Done)
        }
        _ if got.may_be_elsewhere => {
            tell(
                "the key is not in what could be read, and what could not be read may hold it: \
                 see above",
            );
            return Ok(Status::Dropped);
        }
        Some(found) => {
            let what = format!("(deleted by sequence number {})", found.sequence);
            say(&what, arguments.raw, output).map(|()| Status::Deleted)
        }
        None => say("(absent)", arguments.raw, output).map(|()| Status::Absent),
    };
    written.map_err(Failure::output)
}

/// Says that there is no value: where the value would be, but not among raw bytes.
fn say(what: &str, is_raw: bool, output: &mut impl Write) -> std::io::Result<()> {
    if is_raw {
        tell(what);
        return Ok(());
    }
    writeln!(output, "{what}")
}

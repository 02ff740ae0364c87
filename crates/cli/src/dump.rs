//! `strata dump`: every entry, or every edit of a manifest.

use std::io::Write;

use strata_database::{Arrangement, Entries, Entry, KeySelection, StoredKind};
use strata_dbformat::SequenceNumber;

use crate::args::{DumpArguments, Encoding, RangeArguments};
use crate::failure::Failure;
use crate::lines::{Format, Item, Lines, Notation, Style};
use crate::open::{Opened, Teller};
use crate::show::{key_argument, tell};
use crate::status::Status;

pub(crate) fn run(arguments: &DumpArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let mut opened = Opened::new(&arguments.input)?;
    if let [file] = opened.database.files()
        && file.kind == StoredKind::Manifest
    {
        if arguments.json || arguments.csv {
            return Err(Failure::new(
                "a manifest is shown as text only: leave --json and --csv out",
            ));
        }
        return crate::manifest::dump(&file.path, output);
    }
    opened.read.keys = keys(&arguments.range, notation(arguments))?;
    let arrangement = match opened.has_known_order()? {
        false if arguments.visible => {
            return Err(Failure::new(
                "--visible needs to know the order of the keys: say it with --comparator",
            ));
        }
        _ if arguments.by_sequence => Arrangement::BySequence,
        true => Arrangement::ByKey,
        false => Arrangement::AsTheyLie,
    };
    let mut teller = Teller::of(&opened);
    let mut entries = opened
        .database
        .entries(&opened.read, arrangement, &mut |report| {
            teller.take(&report)
        })?;
    let listed = list(&opened, &mut entries, arguments, &mut teller, output);
    output.flush().map_err(Failure::output)?;
    listed?;
    teller.refuse_foreign(&opened)?;
    teller.hint(&opened);
    if !entries.disordered().is_empty() {
        tell("some entries came out of order, so ranges and --visible may be wrong: see above");
        teller.losses += 1;
    }
    match teller.losses {
        0 => Ok(Status::Done),
        losses if arguments.strict => Err(Failure::new(format!(
            "--strict was given, and {losses} parts of the input are missing"
        ))),
        _ => Ok(Status::Dropped),
    }
}

fn list(
    opened: &Opened,
    entries: &mut Entries,
    arguments: &DumpArguments,
    teller: &mut Teller,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let style = Style {
        format: match (arguments.json, arguments.csv) {
            (true, _) => Format::Json,
            (_, true) => Format::Csv,
            (false, false) => Format::Text,
        },
        notation: notation(arguments),
        keys_only: arguments.keys_only,
    };
    let mut lines = Lines::new(output, style);
    let at = arguments.range.at.unwrap_or(SequenceNumber::MAX);
    let mut left = arguments.range.limit.unwrap_or(u64::MAX);
    // Whether the newest version that is to be seen of this user key has been met.
    let mut is_decided = false;
    let listed = loop {
        if left == 0 {
            break Ok(());
        }
        match entries.next(&mut |report| teller.take(&report)) {
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
        is_decided &= entries.is_same_user_key();
        let Some(entry) = entries.current() else {
            break Ok(());
        };
        if entry.sequence() > at {
            continue;
        }
        let is_shadowed = std::mem::replace(&mut is_decided, true);
        if arguments.visible && (is_shadowed || entry.is_tombstone()) {
            continue;
        }
        left -= 1;
        if let Err(error) = lines.write(&item(opened, &entry)) {
            return Err(Failure::output(error));
        }
    };
    lines.flush().map_err(Failure::output)?;
    listed
}

fn item<'a>(opened: &'a Opened, entry: &Entry<'a>) -> Item<'a> {
    let file = entry.origin.file;
    Item {
        sequence: entry.sequence().get(),
        is_deletion: entry.is_tombstone(),
        key: entry.user_key,
        value: entry.value,
        file: &opened.database.files()[file as usize].name,
        offset: entry.origin.offset,
        live: opened.database.is_live(file),
    }
}

fn notation(arguments: &DumpArguments) -> Notation {
    match (arguments.hex, arguments.decode) {
        (true, _) => Notation::Hex,
        (false, Some(Encoding::Chrome)) => Notation::Chrome,
        (false, None) => Notation::Shown,
    }
}

/// The keys that are listed.
fn keys(range: &RangeArguments, notation: Notation) -> Result<KeySelection, Failure> {
    let key = |argument: &Option<std::ffi::OsString>| {
        argument
            .as_ref()
            .map(|argument| key_argument(argument, notation))
            .transpose()
    };
    Ok(KeySelection {
        prefix: key(&range.prefix)?.unwrap_or_default(),
        from: key(&range.from)?,
        to: key(&range.to)?,
    })
}

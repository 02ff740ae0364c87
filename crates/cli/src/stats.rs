//! `strata stats`: what is in there.

use std::io::{self, Write};

use serde::Serialize;
use strata_database::{Arrangement, Entries, Report, StoredKind};

use crate::answer::{Dropped, count as plural};
use crate::args::StatsArguments;
use crate::failure::Failure;
use crate::histogram::Histogram;
use crate::open::{Opened, Teller};
use crate::show::{Bytes, write_json_line};
use crate::status::Status;

#[derive(Debug, Default, Serialize)]
struct Answer {
    tables: u64,
    logs: u64,
    file_bytes: u64,
    entries: u64,
    tombstones: u64,
    user_keys: u64,
    first_sequence: Option<u64>,
    last_sequence: Option<u64>,
    /// Versions that a newer one of the same user key hides, and their keys' and values' bytes.
    shadowed_versions: u64,
    shadowed_bytes: u64,
    key_sizes: Histogram,
    value_sizes: Histogram,
    dropped: Vec<Dropped>,
}

pub(crate) fn run(arguments: &StatsArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let mut opened = Opened::new(&arguments.input)?;
    // Versions of a user key are counted together, for which they must be sorted.
    opened.database.order(&opened.read)?;
    let (answer, disordered) = count_all(&opened)?;
    let answer = match disordered.is_empty() {
        true => answer,
        false => {
            opened.read.unsorted.extend(disordered);
            count_all(&opened)?.0
        }
    };
    let printed = if arguments.json {
        write_json_line(output, &answer)
    } else {
        print(&answer, arguments, output)
    };
    printed
        .and_then(|()| output.flush())
        .map_err(Failure::output)?;
    Ok(Status::of_drops(!answer.dropped.is_empty()))
}

/// Counts, and says of which tables the entries came out of order, so that the counts are wrong.
fn count_all(opened: &Opened) -> Result<(Answer, Vec<u32>), Failure> {
    let mut teller = Teller::default();
    let mut dropped = Vec::new();
    let mut report = |report: Report| {
        teller.take(&report);
        if let Report::Lost(loss) = report {
            dropped.push(loss.into());
        }
    };
    opened.database.report_findings(&mut report);
    let mut entries = opened
        .database
        .entries(&opened.read, Arrangement::ByKey, &mut report)?;
    let mut answer = files(opened);
    count(&mut entries, &mut answer, &mut report)?;
    answer.dropped = dropped;
    teller.refuse_foreign(opened)?;
    Ok((answer, entries.disordered().to_vec()))
}

fn files(opened: &Opened) -> Answer {
    let mut answer = Answer::default();
    for file in opened.database.selected_files(&opened.read) {
        let file = &opened.database.files()[file as usize];
        answer.file_bytes += file.bytes;
        match file.kind {
            StoredKind::Log => answer.logs += 1,
            _ => answer.tables += 1,
        }
    }
    answer
}

fn count(
    entries: &mut Entries,
    answer: &mut Answer,
    report: &mut dyn FnMut(Report),
) -> Result<(), Failure> {
    while entries.next(report)?.is_some() {
        let is_shadowed = entries.is_same_user_key();
        let Some(entry) = entries.current() else {
            break;
        };
        let (key_size, value_size) = (entry.user_key.len() as u64, entry.value.len() as u64);
        answer.entries += 1;
        answer.key_sizes.add(key_size);
        if entry.is_tombstone() {
            answer.tombstones += 1;
        } else {
            answer.value_sizes.add(value_size);
        }
        if is_shadowed {
            answer.shadowed_versions += 1;
            answer.shadowed_bytes += key_size + value_size;
        } else {
            answer.user_keys += 1;
        }
        let sequence = entry.sequence().get();
        answer.first_sequence = Some(answer.first_sequence.map_or(sequence, |s| s.min(sequence)));
        answer.last_sequence = Some(answer.last_sequence.map_or(sequence, |s| s.max(sequence)));
    }
    Ok(())
}

fn print(answer: &Answer, arguments: &StatsArguments, output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "{}", arguments.input.path.display())?;
    let tables = plural(answer.tables, "table", "tables");
    let logs = plural(answer.logs, "log", "logs");
    let bytes = Bytes(answer.file_bytes);
    writeln!(output, "  files      {tables}, {logs}, {bytes}")?;
    writeln!(output, "  entries    {}", answer.entries)?;
    writeln!(output, "  tombstones {}", answer.tombstones)?;
    writeln!(output, "  user keys  {}", answer.user_keys)?;
    let (shadowed, bytes) = (answer.shadowed_versions, Bytes(answer.shadowed_bytes));
    writeln!(
        output,
        "  shadowed   {shadowed} versions, {bytes} of keys and values"
    )?;
    if let (Some(first), Some(last)) = (answer.first_sequence, answer.last_sequence) {
        writeln!(output, "  sequences  {first} to {last}")?;
    }
    answer.key_sizes.print("key sizes", output)?;
    answer.value_sizes.print("value sizes", output)
}

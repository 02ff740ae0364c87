//! `strata stats`: what is in there.

use std::io::{self, Write};

use serde::Serialize;
use strata_write_buffer::LogDrop;

use crate::args::StatsArguments;
use crate::failure::Failure;
use crate::histogram::Histogram;
use crate::load::Loaded;
use crate::log_report;
use crate::show::{Bytes, write_json_line};
use crate::status::Status;

#[derive(Debug, Default, Serialize)]
struct Answer {
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
    bytes_used: usize,
    bytes_reserved: usize,
    #[serde(serialize_with = "log_report::drops")]
    dropped: Vec<LogDrop>,
}

pub(crate) fn run(arguments: &StatsArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let loaded = Loaded::new(&arguments.source)?;
    let answer = count(&loaded);
    let printed = if arguments.json {
        write_json_line(output, &answer)
    } else {
        print(&answer, arguments, output)
    };
    printed
        .and_then(|()| output.flush())
        .map_err(Failure::output)?;
    loaded.report.warn();
    Ok(Status::of_drops(!answer.dropped.is_empty()))
}

fn count(loaded: &Loaded) -> Answer {
    let (bytes_used, bytes_reserved) = loaded.memory();
    let dropped = loaded.report.dropped.clone();
    let mut answer = Answer {
        bytes_used,
        bytes_reserved,
        dropped,
        ..Answer::default()
    };
    let mut last_key: Option<&[u8]> = None;
    for entry in loaded.entries() {
        let (key_size, value_size) = (entry.user_key().len() as u64, entry.value().len() as u64);
        answer.entries += 1;
        answer.key_sizes.add(key_size);
        if entry.is_tombstone() {
            answer.tombstones += 1;
        } else {
            answer.value_sizes.add(value_size);
        }
        if last_key.is_some_and(|key| loaded.is_same_key(key, entry.user_key())) {
            answer.shadowed_versions += 1;
            answer.shadowed_bytes += key_size + value_size;
        } else {
            answer.user_keys += 1;
        }
        last_key = Some(entry.user_key());
        let sequence = entry.sequence().get();
        answer.first_sequence = Some(answer.first_sequence.map_or(sequence, |s| s.min(sequence)));
        answer.last_sequence = Some(answer.last_sequence.map_or(sequence, |s| s.max(sequence)));
    }
    answer
}

fn print(answer: &Answer, arguments: &StatsArguments, output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "{}", arguments.source.input.path.display())?;
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
    let (used, reserved) = (
        Bytes(answer.bytes_used as u64),
        Bytes(answer.bytes_reserved as u64),
    );
    writeln!(
        output,
        "  memory     {used} used, {reserved} reserved, as a memtable"
    )?;
    answer.key_sizes.print("key sizes", output)?;
    answer.value_sizes.print("value sizes", output)
}

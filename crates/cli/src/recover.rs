//! `strata recover`: logs to tables.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use strata_dbformat::{
    BytewiseComparator, Comparator, ReverseBytewiseComparator, SequenceNumber, escape,
};
use strata_memtable::ImmutableMemTable;
use strata_table::{Compression, PendingTable, TableFile, TableOptions};
use strata_write_buffer::{LogDrop, LogMention, RecoveryOptions};

use crate::args::{BlockCompression, Order, RecoverArguments};
use crate::failure::Failure;
use crate::input::{Input, comparator_name};
use crate::log_report;
use crate::out_dir::OutDir;
use crate::replay::{Replayed, replay};
use crate::show::{Bytes, tell, write_json_line};
use crate::status::Status;

/// The limits LevelDB clips the write buffer size to, in bytes.
const WRITE_BUFFER_SIZES: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 30;

/// What was recovered.
#[derive(Debug, Serialize)]
struct Answer {
    records: u64,
    batches: u64,
    entries: u64,
    tombstones: u64,
    first_sequence: Option<u64>,
    last_sequence: Option<u64>,
    tables: Vec<TableAnswer>,
    #[serde(serialize_with = "log_report::drops")]
    dropped: Vec<LogDrop>,
    #[serde(serialize_with = "log_report::mentions")]
    mentioned: Vec<LogMention>,
}

#[derive(Debug, Serialize)]
struct TableAnswer {
    file: String,
    entries: u64,
    bytes: u64,
}

pub(crate) fn run(
    arguments: &RecoverArguments,
    output: &mut impl Write,
) -> Result<Status, Failure> {
    let (answer, out) = match arguments.input.comparator {
        Order::Bytewise => recover(arguments, BytewiseComparator),
        Order::ReverseBytewise => recover(arguments, ReverseBytewiseComparator),
    }?;
    let printed = if arguments.json {
        write_json_line(output, &answer)
    } else {
        print(&answer, arguments, output)
    };
    match printed.and_then(|()| output.flush()) {
        // Whoever reads the answer has seen enough of it; the rest is told elsewhere.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            answer.dropped.iter().for_each(tell);
        }
        // Who has not heard what was recovered has nothing to show for it.
        Err(error) => return Err(Failure::output(error)),
        Ok(()) => {}
    }
    out.keep();
    Ok(Status::of_drops(!answer.dropped.is_empty()))
}

/// Recovers, and leaves it to the caller to keep what was written.
fn recover<C>(arguments: &RecoverArguments, comparator: C) -> Result<(Answer, OutDir), Failure>
where
    C: Comparator + Clone,
{
    let input = Input::new(&arguments.input.path)?;
    if input.logs.is_empty() {
        return Err(no_logs(arguments, &input));
    }
    if input.is_directory {
        tell_of_another_order(&input.directory, comparator.name());
    }
    let mut out = OutDir::new(&arguments.out, &input)?;
    let recovery = RecoveryOptions {
        write_buffer_size: write_buffer_size(arguments),
        salvage: arguments.input.salvage,
        ..RecoveryOptions::default()
    };
    let options = table_options(arguments);

    let mut pending: Vec<PendingTable> = Vec::new();
    let flush = |memtable: &ImmutableMemTable<C>| {
        pending.extend(flush(memtable, &out, options.clone())?);
        Ok(())
    };
    let replayed = replay(&input, comparator.clone(), recovery, flush)?;
    if arguments.strict
        && let Some(first) = replayed.report.dropped.first()
    {
        return Err(Failure::new(format!(
            "nothing was written, because --strict was given and {} would have been lost, first {first}",
            count(replayed.report.dropped.len() as u64, "part", "parts"),
        )));
    }

    let first_number = out.next_number(&input.directory, pending.len() as u64)?;
    let mut tables = Vec::with_capacity(pending.len());
    for (number, table) in (first_number..).zip(pending) {
        let (entries, bytes) = (table.summary().entries, table.summary().file_bytes);
        let file = out.persist(number, table)?;
        tables.push(TableAnswer {
            file,
            entries,
            bytes,
        });
    }
    Ok((answer(replayed, tables), out))
}

/// Says so if the database sorts its keys by another comparator: it could not use the tables.
fn tell_of_another_order(database: &Path, chosen: &str) {
    match comparator_name(database) {
        Some(name) if name != chosen.as_bytes() => tell(format_args!(
            "the database sorts its keys by {}, the tables are sorted by {chosen}: \
             unless the two are one order, it will not find its keys in them (see --comparator)",
            escape(&name),
        )),
        _ => {}
    }
}

fn no_logs(arguments: &RecoverArguments, input: &Input) -> Failure {
    let why = match (input.is_directory, input.tables.is_empty()) {
        (false, _) => "it is a table already: see what is in it with `strata dump`",
        (true, true) => "there is no log in it: give a LevelDB directory, or a log",
        (true, false) => {
            "there is no log in it, only tables: see those with `strata dump --tables`"
        }
    };
    Failure::at("nothing to recover from", &arguments.input.path, why)
}

/// The write buffer size, within LevelDB's limits.
fn write_buffer_size(arguments: &RecoverArguments) -> usize {
    let asked = arguments.write_buffer_size;
    let size = asked.clamp(*WRITE_BUFFER_SIZES.start(), *WRITE_BUFFER_SIZES.end());
    if size != asked {
        tell(format_args!(
            "a write buffer has {size} bytes here, not {asked}: LevelDB's limit"
        ));
    }
    size
}

fn table_options(arguments: &RecoverArguments) -> TableOptions {
    TableOptions {
        compression: match arguments.compression {
            BlockCompression::Snappy => Compression::Snappy,
            BlockCompression::None => Compression::None,
        },
        bloom_bits_per_key: arguments.bloom_bits,
        ..TableOptions::default()
    }
}

/// Writes a memtable's entries to a table that has no final name yet.
fn flush<C: Comparator>(
    memtable: &ImmutableMemTable<C>,
    out: &OutDir,
    options: TableOptions,
) -> Result<Option<PendingTable>, Failure> {
    let mut table = TableFile::create(out.path(), memtable.user_comparator(), options)?;
    for entry in memtable {
        table.add(entry.internal_key(), entry.value())?;
    }
    Ok(table.finish()?)
}

fn answer<C>(replayed: Replayed<C>, tables: Vec<TableAnswer>) -> Answer {
    let Replayed { recovered, report } = replayed;
    let sequences = recovered.sequences;
    Answer {
        records: recovered.records,
        batches: recovered.batches,
        entries: recovered.entries,
        tombstones: recovered.tombstones,
        first_sequence: sequences.map(|(first, _)| SequenceNumber::get(first)),
        last_sequence: sequences.map(|(_, last)| SequenceNumber::get(last)),
        tables,
        dropped: report.dropped,
        mentioned: report.mentions,
    }
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn print(
    answer: &Answer,
    arguments: &RecoverArguments,
    output: &mut impl Write,
) -> std::io::Result<()> {
    let Answer {
        records,
        batches,
        entries,
        tombstones,
        tables,
        dropped,
        mentioned,
        ..
    } = answer;
    writeln!(output, "{}", arguments.input.path.display())?;
    writeln!(output, "  records    {records}")?;
    writeln!(output, "  batches    {batches}")?;
    writeln!(
        output,
        "  entries    {entries}, of which {tombstones} are tombstones"
    )?;
    match (answer.first_sequence, answer.last_sequence) {
        (Some(first), Some(last)) => writeln!(output, "  sequences  {first} to {last}")?,
        _ => writeln!(output, "  sequences  none")?,
    }
    let bytes = tables.iter().map(|table| table.bytes).sum();
    let flushed = count(tables.len() as u64, "memtable", "memtables");
    writeln!(output, "  flushed    {flushed}, {}", Bytes(bytes))?;
    for TableAnswer {
        file,
        entries,
        bytes,
    } in tables
    {
        let path = arguments.out.join(file);
        writeln!(
            output,
            "    {}  {entries} entries, {}",
            path.display(),
            Bytes(*bytes)
        )?;
    }
    for mention in mentioned {
        writeln!(output, "  mentioned  {mention}")?;
    }
    if dropped.is_empty() {
        return writeln!(output, "  dropped    nothing");
    }
    for dropped in dropped {
        writeln!(output, "  dropped    {dropped}")?;
    }
    Ok(())
}

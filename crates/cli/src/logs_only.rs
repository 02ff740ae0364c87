//! `strata recover --logs-only`: logs to tables, each memtable to one, and nothing else.

use std::io::Write;

use strata_database::{Content, Loss, LossReason, Note, Order, Report, StoredFile, StoredKind};
use strata_dbformat::SequenceNumber;
use strata_files::{FileKind, parse_file_name};
use strata_memtable::ImmutableMemTable;
use strata_table::{PendingTable, TableFile, TableOptions};
use strata_write_buffer::{Recovered, RecoveryOptions};

use crate::answer::{Answer, File, Table, largest_number};
use crate::args::RecoverArguments;
use crate::failure::Failure;
use crate::open::Opened;
use crate::out_dir::OutDir;
use crate::recover::finish;
use crate::replay::{Replay, replay};
use crate::show::tell;
use crate::status::Status;

/// The limits LevelDB clips the write buffer size to, in bytes.
const WRITE_BUFFER_SIZES: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 30;

pub(crate) fn run(
    arguments: &RecoverArguments,
    output: &mut impl Write,
) -> Result<Status, Failure> {
    let opened = Opened::new(&arguments.input)?;
    let files = opened.database.files();
    let selected = opened.database.selected_files(&opened.read);
    let logs: Vec<&StoredFile> = selected
        .map(|file| &files[file as usize])
        .filter(|file| file.kind == StoredKind::Log)
        .collect();
    if logs.is_empty() {
        let why = "there is no log; without --logs-only its tables are recovered, too";
        return Err(Failure::at(
            "nothing to recover from",
            &arguments.input.path,
            why,
        ));
    }
    let order = opened.database.order(&opened.read)?;
    let mut out = OutDir::for_tables(&arguments.out, &opened.database)?;
    let options = TableOptions {
        compression: arguments
            .compression
            .unwrap_or_else(|| opened.database.compression(&opened.read)),
        bloom_bits_per_key: arguments.bloom_bits,
        ..TableOptions::default()
    };
    let mut pending: Vec<PendingTable> = Vec::new();
    let flush = |memtable: &ImmutableMemTable<Order>| {
        pending.extend(flush(memtable, &out, options.clone())?);
        Ok(())
    };
    let replaying = Replay {
        logs: &logs,
        order,
        options: RecoveryOptions {
            write_buffer_size: write_buffer_size(arguments),
            salvage: arguments.input.salvage,
            ignore_checksums: arguments.input.ignore_checksums,
            ..RecoveryOptions::default()
        },
        progress: opened.read.progress.clone(),
    };
    let mut answer = Answer::default();
    opened.database.report_findings(&mut |report| {
        if !is_about_table(&report) {
            answer.findings.take(report);
        }
    });
    let recovered = replay(replaying, flush, &mut |report| answer.findings.take(report))?;
    if recovered.records == 0 {
        logs.iter().filter_map(|log| foreign(log)).for_each(|loss| {
            answer.findings.take(Report::Lost(loss));
        });
    }
    if let Some(why) = answer.refusal(arguments.strict) {
        return Err(Failure::new(why));
    }
    fill(&mut answer, &recovered);
    answer.files = logs.iter().map(|log| File::new(log)).collect();
    let largest = largest_number(files.iter().map(|file| file.name.as_str()));
    let first_number = out.next_number(largest, pending.len() as u64)?;
    for (number, table) in (first_number..).zip(pending) {
        let (entries, bytes) = (table.summary().entries, table.summary().file_bytes);
        let file = out.persist(number, table)?;
        answer.tables.push(Table {
            file,
            entries,
            bytes,
        });
    }
    finish(&answer, arguments, output, out)
}

fn fill(answer: &mut Answer, recovered: &Recovered<Order>) {
    answer.records = Some(recovered.records);
    answer.batches = Some(recovered.batches);
    answer.entries = recovered.entries;
    answer.tombstones = recovered.tombstones;
    answer.first_sequence = recovered
        .sequences
        .map(|(first, _)| SequenceNumber::get(first));
    answer.last_sequence = recovered
        .sequences
        .map(|(_, last)| SequenceNumber::get(last));
}

/// Whether a report is about a table, of which nothing is recovered here.
fn is_about_table(report: &Report) -> bool {
    let (Report::Lost(Loss { file, .. }) | Report::Noted(Note { file, .. })) = report else {
        return false;
    };
    parse_file_name(file).is_some_and(|(_, kind)| kind == FileKind::Table)
}

/// What is lost with a log that gave no record, unless it is one without any: an empty one, or one
/// of zeros, as a crash leaves it.
fn foreign(log: &StoredFile) -> Option<Loss> {
    let is_log = matches!(log.content, Content::Log | Content::Empty | Content::Zeros);
    (!is_log).then(|| Loss {
        file: log.name.clone(),
        offset: 0,
        bytes: log.bytes,
        reason: LossReason::Foreign {
            expected: "a log",
            found: log.content.to_string(),
        },
        keys: None,
    })
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

/// Writes a memtable's entries to a table that has no final name yet.
fn flush(
    memtable: &ImmutableMemTable<Order>,
    out: &OutDir,
    options: TableOptions,
) -> Result<Option<PendingTable>, Failure> {
    let mut table = TableFile::create(out.path(), memtable.user_comparator(), options)?;
    for entry in memtable {
        table.add(entry.internal_key(), entry.value())?;
    }
    Ok(table.finish()?)
}

//! `strata recover`: a sound database of everything that is intact.

use std::collections::BTreeSet;
use std::io::Write;

use strata_database::{LossReason, Report};
use strata_dbformat::SequenceNumber;
use strata_files::FileDirectory;
use strata_rebuild::{RebuildError, RebuildOptions, Rebuilt, rebuild};
use strata_table::TableOptions;

use crate::answer::{Answer, File, Table};
use crate::args::RecoverArguments;
use crate::failure::Failure;
use crate::open::Opened;
use crate::out_dir::OutDir;
use crate::show::{tell, write_json_line};
use crate::status::Status;

pub(crate) fn run(
    arguments: &RecoverArguments,
    output: &mut impl Write,
) -> Result<Status, Failure> {
    let mut opened = Opened::new(&arguments.input)?;
    let mut answer = Answer::default();
    opened
        .database
        .report_findings(&mut |report| answer.findings.take(report));
    refuse_if_strict(arguments, &answer)?;
    // Says so before a directory is made, if the order is not known.
    opened.database.order(&opened.read)?;
    let compression = arguments
        .compression
        .unwrap_or_else(|| opened.database.compression(&opened.read));
    let mut out = OutDir::new(&arguments.out, &opened.database)?;
    // Where the database goes there is room for it, and so for what has to be sorted.
    opened.read.temporary = Some(out.path().to_owned());
    let options = RebuildOptions {
        all_versions: arguments.all_versions,
        table: TableOptions {
            compression,
            bloom_bits_per_key: arguments.bloom_bits,
            ..TableOptions::default()
        },
        stop_at_loss: arguments.strict,
        ..RebuildOptions::default()
    };
    let directory = FileDirectory::new(out.path());
    let mut is_log_damaged = false;
    let mut take = |report: Report| {
        is_log_damaged |=
            matches!(&report, Report::Lost(loss) if matches!(loss.reason, LossReason::Log(_)));
        answer.findings.take(report);
    };
    let (database, read) = (&opened.database, &opened.read);
    let rebuilt = rebuild(database, read, &options, &directory, &mut take);
    refuse_if_strict(arguments, &answer)?;
    let rebuilt = rebuilt.map_err(|error| match error {
        RebuildError::NotEmpty { .. } => Failure::at("won't write to --out", &arguments.out, error),
        error => error.into(),
    })?;
    out.hold_database()?;
    if is_log_damaged && !opened.read.salvage {
        tell("a log is damaged: --salvage goes on behind the damage and finds more");
    }
    fill(&mut answer, rebuilt, &opened);
    answer.compression = Some(compression.to_string());
    finish(&answer, arguments, output, out)
}

/// Prints the answer, and keeps what was written unless that fails.
pub(crate) fn finish(
    answer: &Answer,
    arguments: &RecoverArguments,
    output: &mut impl Write,
    out: OutDir,
) -> Result<Status, Failure> {
    let printed = if arguments.json {
        write_json_line(output, answer)
    } else {
        answer.print(&arguments.input.path, &arguments.out, output)
    };
    match printed.and_then(|()| output.flush()) {
        // The program that reads the answer has seen enough of it.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(Failure::output(error));
        }
        _ => {}
    }
    out.keep();
    Ok(Status::of_drops(!answer.findings.dropped.is_empty()))
}

fn refuse_if_strict(arguments: &RecoverArguments, answer: &Answer) -> Result<(), Failure> {
    match answer.refusal(arguments.strict) {
        Some(why) => Err(Failure::new(why)),
        None => Ok(()),
    }
}

fn fill(answer: &mut Answer, rebuilt: Rebuilt, opened: &Opened) {
    answer.entries = rebuilt.entries;
    answer.tombstones = rebuilt.tombstones;
    answer.first_sequence = rebuilt
        .sequences
        .map(|(first, _)| SequenceNumber::get(first));
    answer.last_sequence = rebuilt.sequences.map(|(_, last)| SequenceNumber::get(last));
    answer.level = Some(rebuilt.level);
    answer.comparator = Some(rebuilt.comparator);
    answer.tables = rebuilt
        .tables
        .into_iter()
        .map(|table| Table {
            file: table.file,
            entries: table.entries,
            bytes: table.bytes,
        })
        .collect();
    let read: BTreeSet<u32> = opened.database.selected_files(&opened.read).collect();
    let files = (0..).zip(opened.database.files()).map(|(number, file)| {
        let is_read = read.contains(&number);
        let count = |counts: &[u64]| is_read.then(|| counts[number as usize]);
        File {
            kept: count(&rebuilt.kept),
            superseded: count(&rebuilt.superseded),
            ..File::new(file)
        }
    });
    answer.files = files.collect();
}

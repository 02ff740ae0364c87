#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod alone;
mod chart;
mod contest;
mod contestant;
mod contestants;
mod cores;
mod count;
mod heap;
mod inline_list;
mod options;
mod plot;
mod prepared;
mod record;
mod runner;
mod scenario;
mod single;
mod table;
mod targets;
mod together;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use contest::Selection;
use options::{Arguments, Command, CountOptions, RunOptions};
use record::Record;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(options) => run(options),
        Command::Count(options) => count(&options),
        Command::Probe {
            contestant,
            operations,
            entries,
        } => count::probe(&contestant, &operations, entries).map(|said| print!("{said}")),
        Command::Table { record } => {
            Record::read(&record).map(|record| print!("{}", table::tables(&record)))
        }
        Command::Plot { record, out } => {
            Record::read(&record).and_then(|record| plot::plot(&record, &out))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: RunOptions) -> Result<(), String> {
    let (entries, rounds) = options.extent();
    let record = contest::run(&Selection {
        entries,
        rounds,
        rows: options.rows,
        contestants: options.contestants,
        is_large: options.large,
    })?;
    write(&record, options.out.as_deref())
}

fn count(options: &CountOptions) -> Result<(), String> {
    let figures = count::count(&options.contestants, &options.operations, options.entries)?;
    let record = Record {
        comment: Vec::new(),
        figures,
    };
    write(&record, options.out.as_deref())
}

/// Writes a record to a file, or to the standard output.
fn write(record: &Record, path: Option<&Path>) -> Result<(), String> {
    let Some(path) = path else {
        print!("{}", record.to_text());
        return Ok(());
    };
    fs::write(path, record.to_text()).map_err(|error| format!("{}: {error}", path.display()))
}

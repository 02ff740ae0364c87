#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod contestant;
mod contestants;
// These two are the contest's: a record is the same, and so is what a core is.
#[path = "../../contest/src/cores.rs"]
mod cores;
mod latency;
mod options;
mod prepared;
#[path = "../../contest/src/record.rs"]
mod record;
mod run;
mod scenario;
mod table;
mod targets;
mod threads;
mod turn;

use std::fs;
use std::process::ExitCode;

use clap::Parser;

use options::{Arguments, Command, RunOptions};
use record::Record;
use run::Selection;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(options) => run(options),
        Command::Turn(options) => run::turn_text(&options).map(|text| print!("{text}")),
        Command::Table { record } => {
            Record::read(&record).map(|record| print!("{}", table::tables(&record)))
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
    let selection = Selection {
        entries,
        rounds,
        rows: options.rows,
        contestants: options.contestants,
    };
    let mut record = run::run(&selection, |part, runner| {
        run::turn_apart(part, runner, &options.folder)
    })?;
    if cores::count() < 2 {
        let comment = "two threads share a core, or the system does not say how many there are";
        record.comment.push(comment.to_owned());
    }
    let Some(path) = options.out else {
        print!("{}", record.to_text());
        return Ok(());
    };
    fs::write(&path, record.to_text()).map_err(|error| format!("{}: {error}", path.display()))
}

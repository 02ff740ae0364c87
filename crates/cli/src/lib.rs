#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod args;
mod dump;
mod failure;
mod get;
mod histogram;
mod input;
mod load;
mod log_report;
mod out_dir;
mod progress;
mod recover;
mod replay;
mod show;
mod stats;
mod status;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::failure::Failure;
use crate::status::Status;

/// Runs the program on the arguments it was given, as its `main` does.
///
/// Usage errors and `--help` end the process, as clap does.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let status = run(arguments.command, &mut stdout)
        .and_then(|status| stdout.flush().map_err(Failure::output).map(|()| status));
    match status {
        Ok(status) => status.into(),
        // Whoever reads the output has seen enough.
        Err(failure) if failure.is_broken_pipe() => Status::Done.into(),
        Err(failure) => {
            eprintln!("strata: {failure}");
            Status::Failed.into()
        }
    }
}

fn run(command: Command, output: &mut impl Write) -> Result<Status, Failure> {
    match command {
        Command::Recover(arguments) => recover::run(&arguments, output),
        Command::Dump(arguments) => dump::run(&arguments, output),
        Command::Get(arguments) => get::run(&arguments, output),
        Command::Stats(arguments) => stats::run(&arguments, output),
    }
}

/// The documents of the workspace, whose code is compiled and run with this crate's doc tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/leveldb-map.md")]
    mod leveldb_map {}
    #[doc = include_str!("../../../docs/formats.md")]
    mod formats {}
}

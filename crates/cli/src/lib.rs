#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod answer;
mod args;
mod chrome;
mod dump;
mod failure;
mod generate;
mod get;
mod histogram;
mod lines;
mod logs_only;
mod manifest;
mod notation;
mod open;
mod out_dir;
mod progress;
mod recover;
mod replay;
mod show;
mod stats;
mod status;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Arguments, Command};
use crate::failure::Failure;
use crate::status::Status;

/// Runs the program on the arguments it was given, as its `main` does.
#[must_use]
pub fn main() -> ExitCode {
    let mut stdout = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    ExitCode::from(run(std::env::args_os(), &mut stdout))
}

/// Runs the program on `arguments`, of which the first is its name, and returns its exit status.
/// The answer is written to `output`, everything else to standard error.
///
/// ```
/// let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sample/000003.log");
/// let mut output = Vec::new();
/// assert_eq!(strata_cli::run(["strata", "get", log, "apple"], &mut output), 0);
/// assert_eq!(output, b"62 kg\n");
/// assert_eq!(strata_cli::run(["strata", "get", log, "papaya"], &mut output), 5);
/// ```
pub fn run<I>(arguments: I, output: &mut impl Write) -> u8
where
    I: IntoIterator<Item: Into<OsString> + Clone>,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        // Help and the version go to standard output, what is wrong to standard error.
        Err(answer) => {
            let _ = answer.print();
            return u8::try_from(answer.exit_code()).unwrap_or(u8::MAX);
        }
    };
    let status = execute(arguments.command, output)
        .and_then(|status| output.flush().map_err(Failure::output).map(|()| status));
    match status {
        Ok(status) => status as u8,
        // The program that reads the output has seen enough.
        Err(failure) if failure.is_broken_pipe() => Status::Done as u8,
        Err(failure) => {
            show::tell(failure);
            Status::Failed as u8
        }
    }
}

fn execute(command: Command, output: &mut impl Write) -> Result<Status, Failure> {
    match command {
        Command::Recover(arguments) if arguments.logs_only => logs_only::run(&arguments, output),
        Command::Recover(arguments) => recover::run(&arguments, output),
        Command::Verify(arguments) => verify::run(&arguments, output),
        Command::Dump(arguments) => dump::run(&arguments, output),
        Command::Get(arguments) => get::run(&arguments, output),
        Command::Stats(arguments) => stats::run(&arguments, output),
        Command::Completions { shell } => {
            generate::completions(Arguments::command(), shell, output).map(|()| Status::Done)
        }
        Command::Man { out } => generate::manual(Arguments::command(), &out).map(|()| Status::Done),
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

//! The project's automation, run as `cargo xtask <task>`: what CI checks, a tour for newcomers, the contest
//! and the engines.
//!
//! Each task is a module. None of them builds anything that Cargo does not, and none needs a tool beside
//! Cargo; but `interop` and `rescue` need Python 3, for the real LevelDB, the records of `bench`, `engines`
//! and `rescue` git, that of `bench` valgrind, and RocksDB among the engines a C++ compiler and libclang.

#![forbid(unsafe_code)]

mod bench;
mod ci;
mod engines;
mod interop;
mod layers;
mod record;
mod rescue;
mod run;
mod source;
mod tidy;
mod tour;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::Failure;

/// The project's automation.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every check in order and stop at the first that fails
    Ci(ci::Options),
    /// Check the crates' dependencies against the table of layers
    Layers,
    /// Check the rules that no compiler checks: module docs, the ledger of unsafe code, sizes, links
    Tidy,
    /// Recover what the real LevelDB wrote, and have it read the tables
    Interop(interop::Options),
    /// Show what the `strata` program does on a sample log
    Tour,
    /// Measure the memtable beside its rivals, and record it
    Bench(bench::Options),
    /// Measure the write buffer beside other engines, and record it
    Engines(engines::Options),
    /// Measure the program beside LevelDB, and record it
    Rescue(rescue::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Ci(options) => ci::run(&options),
        Task::Layers => layers::run(),
        Task::Tidy => tidy::run(),
        Task::Interop(options) => interop::run(&options),
        Task::Tour => tour::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Engines(options) => engines::run(&options),
        Task::Rescue(options) => rescue::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { message, status }) => {
            eprintln!("error: {message}");
            ExitCode::from(status)
        }
    }
}

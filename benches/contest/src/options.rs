//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::count::Operation;

/// Ordered indexes side by side, in one process, on the same workloads.
#[derive(Debug, Parser)]
#[command(name = "contest")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure the contestants, round by round, and write a record
    Run(RunOptions),
    /// Count instructions an operation under valgrind, and write a record
    Count(CountOptions),
    /// Do operations on all entries, for `count` to watch
    #[command(hide = true)]
    Probe {
        contestant: String,
        operations: Vec<Operation>,
        #[arg(long)]
        entries: u64,
    },
    /// Show a record as tables of Markdown, with the targets
    Table { record: PathBuf },
    /// Draw a record as charts
    Plot {
        record: PathBuf,
        /// The folder to draw into
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct RunOptions {
    /// How many entries the usual scenario has
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// How many times everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Rows, or what stands in their names before the `/`; all if none is given
    #[arg(long, value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// Contestants; all if none is given
    #[arg(long, value_delimiter = ',')]
    pub(crate) contestants: Vec<String>,
    /// With the rows of four times as many entries, which take some gigabytes
    #[arg(long)]
    pub(crate) large: bool,
    /// A tenth of the entries and two rounds, for orientation
    #[arg(long, conflicts_with_all = ["entries", "rounds", "large"])]
    quick: bool,
    /// Where to write the record; to the standard output if not given
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

impl RunOptions {
    /// How many entries the usual scenario has, and how many rounds there are.
    pub(crate) const fn extent(&self) -> (u64, usize) {
        if self.quick {
            (100_000, 2)
        } else {
            (self.entries, self.rounds)
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CountOptions {
    /// Which operations; all if none is given
    pub(crate) operations: Vec<Operation>,
    /// Contestants; all if none is given
    #[arg(long, value_delimiter = ',')]
    pub(crate) contestants: Vec<String>,
    /// How many entries there are
    #[arg(long, default_value_t = 100_000)]
    pub(crate) entries: u64,
    /// Where to write the record; to the standard output if not given
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

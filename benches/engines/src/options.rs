//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The write buffer beside other engines, on the same workloads.
#[derive(Debug, Parser)]
#[command(name = "engines")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure the contestants, round by round, and write a record
    Run(RunOptions),
    /// Measure one contestant in one scenario, once, for `run` to read
    #[command(hide = true)]
    Turn(TurnOptions),
    /// Show a record as tables of Markdown, with the targets
    Table { record: PathBuf },
}

#[derive(Args, Debug)]
pub(crate) struct RunOptions {
    /// How many entries there are; a part of them where each is synced
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// How many times everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Rows, scenarios or phases; all if none is given
    #[arg(long, value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// Contestants; all if none is given
    #[arg(long, value_delimiter = ',')]
    pub(crate) contestants: Vec<String>,
    /// A tenth of the entries and three rounds, for orientation
    #[arg(long, conflicts_with_all = ["entries", "rounds"])]
    quick: bool,
    /// The folder in which logs and tables are written, and removed again
    #[arg(long, default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Where to write the record; to the standard output if not given
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

impl RunOptions {
    /// How many entries there are, and how many rounds.
    pub(crate) const fn extent(&self) -> (u64, usize) {
        if self.quick {
            (100_000, 3)
        } else {
            (self.entries, self.rounds)
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct TurnOptions {
    /// Who
    pub(crate) contestant: String,
    /// The rows, all of one scenario
    pub(crate) rows: Vec<String>,
    /// How many entries the scenario has
    #[arg(long)]
    pub(crate) entries: u64,
    #[arg(long)]
    pub(crate) folder: PathBuf,
}

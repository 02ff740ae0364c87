//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use strata_dbformat::SequenceNumber;

/// Reads, recovers and converts LevelDB's write-ahead logs and tables.
///
/// Works on the files alone: no database is opened, so none is changed, and deleted and
/// overwritten versions are there to see.
#[derive(Debug, Parser)]
#[command(name = "strata", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
INPUT is a log (000003.log) or a LevelDB directory, whose logs are read in number order; dump, \
get and stats take a table (000005.ldb), too.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done, but damaged parts of the input are missing; \
get: 4 the key was deleted, 5 there is no such key.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Replay logs into memtables and flush each as a table that LevelDB reads
    Recover(RecoverArguments),
    /// List every entry, old versions and deletions included, sorted as in a memtable
    Dump(DumpArguments),
    /// Look up the newest version of a key, or the newest a snapshot sees
    Get(GetArguments),
    /// Say what is in there: entries, tombstones, shadowed versions, sizes, memory
    Stats(StatsArguments),
}

/// What is read, and how.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// A log, or a LevelDB directory; it is only read
    #[arg(value_name = "INPUT")]
    pub(crate) path: PathBuf,

    /// In which order the database sorts its keys
    #[arg(long, value_enum, default_value_t = Order::Bytewise, value_name = "ORDER")]
    pub(crate) comparator: Order,

    /// After a damaged record, go on at the next one in its block that is proved by its checksum
    #[arg(long)]
    pub(crate) salvage: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// LevelDB's default: byte by byte
    Bytewise,
    /// The greatest key first
    ReverseBytewise,
}

#[derive(Debug, Args)]
pub(crate) struct RecoverArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// Where the tables go: a new directory, or one without a database; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Flush a memtable when it has taken more memory than this (LevelDB's limits: 64 KiB to 1 GiB)
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20)]
    pub(crate) write_buffer_size: usize,

    /// How the tables' blocks are compressed
    #[arg(long, value_enum, default_value_t = BlockCompression::Snappy, value_name = "HOW")]
    pub(crate) compression: BlockCompression,

    /// Give the tables a bloom filter with this many bits a key (10 lets 1 % of absent keys pass)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) bloom_bits: Option<u32>,

    /// Fail, and write nothing, if anything would be dropped
    #[arg(long)]
    pub(crate) strict: bool,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BlockCompression {
    /// LevelDB's default
    Snappy,
    /// Not at all
    None,
}

/// What can be read besides logs.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// Read a directory's tables, too, not only its logs (obsolete ones included, if there are any)
    #[arg(long)]
    pub(crate) tables: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DumpArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// Only entries up to this sequence number: what was there at that time
    #[arg(long, value_name = "SEQ", value_parser = sequence_number)]
    pub(crate) at: Option<SequenceNumber>,

    /// Only what a reader sees: the newest version of each key, and no deleted ones
    #[arg(long)]
    pub(crate) visible: bool,

    /// Print keys and values in hex
    #[arg(long)]
    pub(crate) hex: bool,

    /// Print one JSON object an entry
    #[arg(long, conflicts_with = "hex")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// The key
    pub(crate) key: OsString,

    /// As a reader at this sequence number would see it
    #[arg(long, value_name = "SEQ", value_parser = sequence_number)]
    pub(crate) at: Option<SequenceNumber>,

    /// The key is given in hex, and the value is shown in hex
    #[arg(long)]
    pub(crate) hex: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn sequence_number(text: &str) -> Result<SequenceNumber, String> {
    let number = text.parse::<u64>().map_err(|error| error.to_string())?;
    SequenceNumber::new(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sequence_numbers_have_56_bits() {
        assert_eq!(
            sequence_number("72057594037927935"),
            Ok(SequenceNumber::MAX)
        );
        assert!(sequence_number("72057594037927936").is_err());
        assert!(sequence_number("-1").is_err());
    }
}

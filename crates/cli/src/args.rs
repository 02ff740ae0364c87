//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use strata_dbformat::SequenceNumber;
use strata_table::Compression;

/// Reads, recovers and converts LevelDB's databases, logs and tables, damaged or not.
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
A database does not load? Three lines:
  strata verify world/db                    what is damaged or missing
  strata recover world/db --out world/new   everything that is intact, as a database
  mv world/db world/old && mv world/new world/db

INPUT is a LevelDB directory, one of its files, or - for standard input. Of a directory the tables \
and logs are read that its manifest says are live; without a usable manifest, all of them. A file \
is recognised by what it holds, not by its name.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done, but something in the input is damaged or \
missing, and all of it was reported; get: 4 the key was deleted, 5 there is no such key.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a sound database of everything that is intact in INPUT
    Recover(RecoverArguments),
    /// Check every file: sound, damaged or missing
    Verify(VerifyArguments),
    /// List every entry, old versions and deletions included, sorted by key
    Dump(DumpArguments),
    /// Look up the newest version of a key, or the newest a snapshot sees
    Get(GetArguments),
    /// Say what is in there: entries, tombstones, shadowed versions, sizes
    Stats(StatsArguments),
    /// Print a script that completes this program's commands and options
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Write a manual page for each command
    Man {
        /// The directory that the pages go to; it must exist
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// What is read, and how.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// A LevelDB directory, a log, a table, or - for standard input; it is only read
    #[arg(value_name = "INPUT")]
    pub(crate) path: PathBuf,

    /// In which order the database sorts its keys; by default the manifest says, or else the tables
    #[arg(long, value_enum, value_name = "ORDER")]
    pub(crate) comparator: Option<KeyOrder>,

    /// Read the directory's obsolete and unfinished files, too, labelled as such; they may bring
    /// deleted keys back
    #[arg(long)]
    pub(crate) all_files: bool,

    /// After a damaged record of a log, go on at the next one that its checksum proves; loses least
    #[arg(long)]
    pub(crate) salvage: bool,

    /// Take records and blocks whose checksums are wrong; what they hold may be wrong, too
    #[arg(long)]
    pub(crate) ignore_checksums: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyOrder {
    /// LevelDB's default: byte by byte
    Bytewise,
    /// The greatest key first
    ReverseBytewise,
    /// Chromium's `IndexedDB`
    IdbCmp1,
}

#[derive(Debug, Args)]
pub(crate) struct RecoverArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// Where the database goes: a new or an empty directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Keep every version of a key and the deletions, not only what is there now
    #[arg(long, conflicts_with = "logs_only")]
    pub(crate) all_versions: bool,

    /// Only replay the logs, each memtable to a table; nothing is merged and no manifest written
    #[arg(long)]
    pub(crate) logs_only: bool,

    /// With --logs-only, flush a memtable when it has taken more memory than this (LevelDB's
    /// limits: 64 KiB to 1 GiB)
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20, requires = "logs_only")]
    pub(crate) write_buffer_size: usize,

    /// How the tables' blocks are compressed; by default as the input's tables are, and not at all
    /// if it has none: none (every LevelDB reads that), snappy (google's default), zstd (google's
    /// from 1.23 on), zlib (Mojang's), deflate (what Minecraft Bedrock writes)
    #[arg(long, value_name = "HOW", value_parser = compression)]
    pub(crate) compression: Option<Compression>,

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

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which entries are listed.
#[derive(Debug, Args)]
pub(crate) struct RangeArguments {
    /// Only keys that begin with this
    #[arg(long, value_name = "KEY")]
    pub(crate) prefix: Option<OsString>,

    /// Only keys from this one on
    #[arg(long, value_name = "KEY")]
    pub(crate) from: Option<OsString>,

    /// Only keys before this one
    #[arg(long, value_name = "KEY")]
    pub(crate) to: Option<OsString>,

    /// Stop after so many entries
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// Only entries up to this sequence number: what was there at that time
    #[arg(long, value_name = "SEQ", value_parser = sequence_number)]
    pub(crate) at: Option<SequenceNumber>,
}

#[derive(Debug, Args)]
pub(crate) struct DumpArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    #[command(flatten)]
    pub(crate) range: RangeArguments,

    /// Only what a reader sees: the newest version of each key, and no deleted ones
    #[arg(long)]
    pub(crate) visible: bool,

    /// In the order of sequence numbers: as it was written
    #[arg(long, conflicts_with = "visible")]
    pub(crate) by_sequence: bool,

    /// Print no values
    #[arg(long)]
    pub(crate) keys_only: bool,

    /// Print keys and values in hex, and take KEY in hex
    #[arg(long)]
    pub(crate) hex: bool,

    /// Print one JSON object an entry, keys and values in hex
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,

    /// Print comma-separated values, with a line of names first
    #[arg(long)]
    pub(crate) csv: bool,

    /// Show Chrome's local-storage strings as text
    #[arg(long, value_enum, value_name = "ENCODING", conflicts_with = "hex")]
    pub(crate) decode: Option<Encoding>,

    /// Fail, after all that can be read is listed, if anything is missing
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// The strings of Chrome's local storage: UTF-16 or Latin-1
    Chrome,
}

#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// The key, as dump shows it: \xhh, \\ and \' stand for bytes
    pub(crate) key: OsString,

    /// As a reader at this sequence number would see it
    #[arg(long, value_name = "SEQ", value_parser = sequence_number)]
    pub(crate) at: Option<SequenceNumber>,

    /// The key is given in hex, and the value is shown in hex
    #[arg(long)]
    pub(crate) hex: bool,

    /// Write the value's bytes as they are, and no end of line
    #[arg(long, conflicts_with_all = ["decode"])]
    pub(crate) raw: bool,

    /// Show Chrome's local-storage strings as text
    #[arg(long, value_enum, value_name = "ENCODING", conflicts_with = "hex")]
    pub(crate) decode: Option<Encoding>,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn compression(text: &str) -> Result<Compression, String> {
    let names = Compression::ALL.map(Compression::name).join(", ");
    Compression::from_name(text).ok_or_else(|| format!("one of {names} was expected"))
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

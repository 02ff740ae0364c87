#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod bloom;
mod cursor;
mod entries;
mod error;
mod fault;
mod file;
mod filter_block;
mod footer;
mod get;
mod keys;
mod options;
mod position;
mod reader;
mod scan;
mod summary;
mod verify;
mod writer;

pub use bloom::BloomFilter;
pub use cursor::TableCursor;
pub use entries::{Entries, Entry, EntryRef};
pub use error::TableError;
pub use fault::Fault;
pub use file::{PendingTable, TableFile};
pub use get::Lookup;
pub use options::{LONGEST_ENTRY, TableOptions};
pub use reader::Table;
pub use scan::{Damage, KeyRange, Scan, ScannedBlock};
#[cfg(feature = "cache")]
pub use strata_block::BlockCache;
pub use strata_block::{BlockFault, Compression, CompressionSet, ReadAt, ReadOptions, SeekLock};
pub use summary::TableSummary;
pub use writer::TableWriter;

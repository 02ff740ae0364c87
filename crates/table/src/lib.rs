#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod atomic;
mod block_builder;
mod block_reader;
mod bloom;
#[cfg(feature = "cache")]
mod cache;
mod codec;
mod cursor;
mod entries;
mod error;
mod fault;
mod file;
mod filter_block;
mod format;
mod get;
mod options;
mod position;
mod read_at;
mod reader;
mod scan;
mod sink;
mod source;
mod summary;
mod verify;
mod writer;

pub use bloom::BloomFilter;
#[cfg(feature = "cache")]
pub use cache::BlockCache;
pub use codec::{Compression, CompressionSet};
pub use cursor::TableCursor;
pub use entries::{Entries, Entry, EntryRef};
pub use error::TableError;
pub use fault::Fault;
pub use file::{PendingTable, TableFile};
pub use get::Lookup;
pub use options::{LONGEST_ENTRY, ReadOptions, TableOptions};
pub use read_at::{ReadAt, SeekLock};
pub use reader::Table;
pub use scan::{Damage, KeyRange, Scan, ScannedBlock, ScannedEntries};
pub use summary::TableSummary;
pub use writer::TableWriter;

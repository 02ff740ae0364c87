#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod bounds;
mod cursor;
mod entry;
mod error;
mod identity;
mod immutable;
mod iter;
mod lookup;
mod memory;
mod memtable;
mod order;
mod reader;
mod shards;
mod sync;

pub use cursor::{Cursor, OwnedCursor};
pub use entry::{Entry, OwnedEntry};
pub use error::AddError;
pub use identity::Identity;
pub use immutable::ImmutableMemTable;
pub use iter::{Iter, OwnedIter};
pub use lookup::Lookup;
pub use memory::MemoryUsage;
pub use memtable::{MemTable, MemTableOptions};
pub use reader::MemTableReader;

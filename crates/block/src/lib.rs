#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod atomic;
mod block;
mod builder;
#[cfg(feature = "cache")]
mod cache;
mod codec;
mod cursor;
mod error;
mod fault;
mod handle;
mod options;
mod read_at;
mod source;
mod writer;

pub use block::Block;
pub use builder::BlockBuilder;
#[cfg(feature = "cache")]
pub use cache::BlockCache;
pub use codec::{Compression, CompressionSet};
pub use cursor::BlockCursor;
pub use error::BlockError;
pub use fault::BlockFault;
pub use handle::{BlockHandle, LONGEST_BLOCK};
pub use options::ReadOptions;
pub use read_at::{ReadAt, SeekLock};
pub use source::{BlockSource, Contents};
pub use writer::BlockWriter;

//! A skip list of one entry a node in the manner of RocksDB's `InlineSkipList`: the baseline.
//!
//! What makes such a list fast is all here: a node's links lie *below* its address and its entry
//! right behind it, so that one line of cache holds the lowest link and the beginning of the key;
//! towers grow by a chance of a quarter, to 12 links at most; a writer keeps its splice, the
//! neighbours of the last insertion, so that a run in order costs no search; the next node is
//! prefetched while one is compared; and memory is bumped, never given back singly.
//!
//! ```text
//!        link 2     link 1     link 0     entry
//!      ┌──────────┬──────────┬──────────┬────────┬──────────┬─────┬────────┬───────┐
//!      │ 8 bytes  │ 8 bytes  │ 8 bytes  │ varint │ user key │ tag │ varint │ value │
//!      └──────────┴──────────┴──────────┴────────┴──────────┴─────┴────────┴───────┘
//!                            ↑ a node's address
//! ```
//!
//! # Invariants, which the comments on unsafe code refer to
//!
//! - **I1**: a node's memory is a block of the list's arena, so it stays where it is, and readable,
//!   for as long as the list lives; nobody is given the same bytes twice.
//! - **I2**: a node of height `h` has links at levels below `h`, and is reached through a link at
//!   level `l` only if `l < h`.
//! - **I3**: links and entry of a node are written before the node is published by a Release store
//!   or exchange; the entry never changes after.

mod arena;
mod cursor;
mod entry;
mod insert;
mod list;
mod node;
#[cfg(test)]
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use cursor::Cursor;
pub(crate) use entry::encode_entry;
pub(crate) use list::InlineList;
pub(crate) use writer::{ConcurrentWriter, SoleWriter};

/// The most links of a node.
const MAX_HEIGHT: usize = 12;

/// One in this many nodes of a level is on the next level too: 2 to the power of this many bits.
const BRANCHING_BITS: u32 = 2;

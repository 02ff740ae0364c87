//! The arena held against LevelDB's cases, pattern fills, and a counting allocator.
#![cfg(not(loom))]

mod accounting;
mod leveldb;
mod pattern;

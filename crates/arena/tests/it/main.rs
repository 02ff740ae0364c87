//! The arena held against LevelDB's cases, pattern fills, and a counting allocator.
#![cfg(not(loom))]

mod accounting;
mod bound;
mod growth;
mod lease;
mod leveldb;
mod limit;
mod location;
mod meter;
mod pages;
mod pattern;
mod pool;

//! The list held against LevelDB's cases, a sorted set, and threads that check each other.
#![cfg(not(loom))]

mod broken_order;
mod concurrent;
mod heads;
mod interrupted;
mod key_value;
mod keys;
mod late;
mod leveldb;
mod mixed;
mod model;
mod panicking;
mod support;
mod traps;
mod walks;

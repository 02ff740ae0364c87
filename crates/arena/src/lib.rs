#![doc = include_str!("../README.md")]
//!
//! # Invariants
//!
//! Every `unsafe` block in this crate argues from one of these.
//!
//! - **A1.** A block's bytes are handed out at most once: the free part of it only gets less, in one
//!   lane, and a thread owns the range that it took from there. Only the thread that holds a lane
//!   takes from it: one thread at a time, and each sees what was taken before. From the lane for
//!   nodes, only the thread takes that holds the arena's lock.
//! - **A2.** A block stays where it is until the arena is dropped.
//! - **A3.** A window's address is in the table before a location in the window is handed out. No
//!   table is changed at an index that has an address, moved or freed before the arena is dropped.
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod arena;
mod atomic;
mod block;
mod bound;
mod error;
mod growth;
mod lane;
mod lease;
mod location;
mod meter;
mod options;
mod pages;
mod pool;
mod sync;
mod table;

pub use arena::{Allocation, Arena};
pub use error::AllocError;
pub use lease::Lease;
pub use location::Location;
pub use meter::Meter;
pub use options::ArenaOptions;
pub use pool::BlockPool;

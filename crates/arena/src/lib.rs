#![doc = include_str!("../README.md")]
//!
//! # Invariants
//!
//! Every `unsafe` block in this crate argues from one of these.
//!
//! - **A1.** A block's bytes are handed out at most once: its cursor never goes back, and a thread
//!   owns the range it moved the cursor over.
//! - **A2.** A block, header and bytes, stays where it is until the arena is dropped.
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod arena;
mod atomic;
mod block;
mod error;
mod sync;

pub use arena::Arena;
pub use error::AllocError;

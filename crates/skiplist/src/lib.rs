#![doc = include_str!("../README.md")]
//!
//! # A node
//!
//! ```text
//! | link[height - 1] | ... | link[1] | link[0] | extent | key ... |
//!                                    ^ a node's address
//! ```
//!
//! `link[level]` leads to the next node that is at least `level + 1` high. The links above level 0
//! lie below the node's address, so that the key is at the same distance from it in every node.
//! The extent is what is needed to find the key's end: nothing for a sized key, the length for
//! bytes.
//!
//! # Invariants
//!
//! Every `unsafe` block in this crate argues from one of these.
//!
//! - **S1.** A node is allocated in the list's arena, for the links, the extent and the key it
//!   holds, and lives at its address until the list is dropped.
//! - **S2.** Links, extent and key are written before the node is published, and the extent and
//!   key never again.
//! - **S3.** A node is linked at a level below its height only, so one that was reached over a
//!   link at some level has that level and all below it.
//! - **S4.** A position in a list holds a node of that list, and keeps the list borrowed or owned.
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod compare;
mod cursor;
mod error;
mod handle;
mod height;
mod insert;
mod key;
mod link;
mod list;
mod node;
mod range;
mod sync;

pub use compare::{Compare, Natural};
pub use cursor::{Cursor, OwnedCursor};
pub use error::InsertError;
pub use handle::{ListHandle, SharedKey};
pub use height::{BRANCHING, DEFAULT_SEED, MAX_HEIGHT};
pub use insert::Reservation;
pub use key::Key;
pub use list::SkipList;
pub use range::{Iter, OwnedIter, Range};

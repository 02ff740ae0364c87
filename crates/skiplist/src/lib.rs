#![doc = include_str!("../README.md")]
//!
//! # A node
//!
//! Each level is a linked list of nodes, as in any skip list, and a node holds many slots instead of
//! one. At the lowest level, in the leaves, slots lead to keys; above it they lead to the nodes of
//! the level below. The highest level has one node, the root, from which a search goes right and
//! down.
//!
//! ```text
//!             slot 0   slot 1   slot 2
//!           +--------+--------+--------+--------+
//!  level 1  | first  |  lime  |  pear  |        |                               the root
//!           +---|----+---|----+---|----+--------+
//!               |        |        +-----------------------------+
//!               |        +---------------+                      |
//!               v                        v                      v
//!           +-----------------+      +-----------------+      +-----------------+
//!  level 0  |  apple   fig    | ---> |  lime   melon   | ---> |  pear   plum    |     right
//!           |                 | <--- |                 | <--- |                 |     previous
//!           +----|------|-----+      +----|------|-----+      +----|------|-----+
//!                v      v                 v      v                 v      v
//!              keys, wherever in the arena they were written: they never move
//!
//!
//!  a node   | common | right | previous | low | bytes in common, level, count, lock | slots  |
//!             40 bytes 8       4          4     1 each, then 4 that are unused        64 * 8
//!
//!  a slot   | head: 32 bits | location: 32 bits |     all ones if it is empty
//! ```
//!
//! - `common` are bytes that the [prefixes](Prefix) of the node's keys begin with. They are chosen
//!   when the node is made, and stay.
//! - A slot's head are the four bytes of its key's prefix that follow those. So most comparisons are
//!   of words that lie side by side, and only keys whose heads are the same are read. A key that
//!   turns out not to begin with the common bytes has the least head or the greatest: that is where
//!   it belongs.
//! - `right` is a word like a slot's: where the next node is, and the head, in this node, of the key
//!   that the next node's range begins with, which is where this node's ends. So one load tells both.
//! - `low` is where the first key of the node's own range is, `previous` leads to a node before it.
//! - Above the lowest level, slot 0 is of the node whose range begins where this one's does. It is
//!   compared with nothing.
//! - Without prefixes there are no heads. Then the upper half of a slot above the lowest level says
//!   where the first key of its node's range is, to read it without reading the node.
//!
//! A reader takes no lock: a word is read whole, keys never move, and whoever comes to a node that a
//! key has left goes right. A writer holds the lock of the node that it changes. Why that is right
//! follows from the invariants below, and is said where it is used: `find.rs` finds a place among
//! slots that are being shifted, `locked.rs` shifts them, `split.rs` splits a node, `spot.rs` steps
//! from key to key, and `heads.rs` puts a better node in the place of one whose heads tell too few
//! keys apart.
//!
//! # Invariants
//!
//! Every `unsafe` block in this crate argues from one of these, and so does every argument about
//! what threads do to each other.
//!
//! - **S1.** Keys and nodes are allocated in the list's arena. A node, or a key that is in a leaf,
//!   lives at its address until the list is dropped. (A key that is refused after it was written is
//!   dropped at once: it was in no leaf.)
//! - **S2.** What a location leads to is written before the location is published, in a slot or in
//!   a link. The list never writes a key again, nor a node's common prefix, level and low.
//! - **S3.** Locations in a list's nodes and links are of its own store: those in slots are of keys
//!   at the lowest level, and of nodes above; right, previous and the list's own links are of nodes;
//!   low is of a key. In a node above the lowest level without heads, the upper half of every slot
//!   but the first is the location of a key.
//! - **S4.** A position in a list holds the location of one of its leaves and a word that was read
//!   there, and keeps the list borrowed or owned.
//! - **K1.** A [`KeyValue`] is made only of bytes that `Pair` wrote: a key's length, the key, a
//!   value's length, the value.
//! - **N1.** Filled slots are a prefix of the array, in order; two neighbours may be equal while one
//!   is shifted. Only who holds the node's lock changes them. A slot's content only goes back in the
//!   order, as keys are put before it, until a split or a replacement empties the slot. So a key
//!   never goes to a lower slot of its node, and from there only to a node further right. The first
//!   slot of a node with a low is that key's until the node is replaced. (Above the lowest level, a
//!   slot's node may be passed over for the one that took its place, whose key is the same.)
//! - **N2.** When a node is split or replaced, its count is lowered before the right link is
//!   changed, and that is changed before slots are emptied.
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod atomic;
mod bound;
mod compare;
mod cursor;
mod error;
mod handle;
mod insert;
mod inserted;
mod key;
mod list;
mod locked;
mod many;
mod node;
mod position;
mod prefetch;
mod prefix;
mod range;
mod refit;
mod search;
mod spare;
mod split;
mod store;
mod sync;
mod writer;

pub use compare::{Bytewise, Compare, Natural, Numeric, Reversed};
pub use cursor::{Cursor, OwnedCursor};
pub use error::InsertError;
pub use handle::{ListHandle, SharedKey};
pub use inserted::Inserted;
pub use key::{Key, KeyValue};
pub use list::SkipList;
pub use many::FirstVersions;
pub use prefix::Prefix;
pub use range::{Iter, OwnedIter, Range};
pub use writer::Writer;

#![doc = include_str!("../README.md")]
//!
//! # Structure
//!
//! The list is a B-link tree, Lehman and Yao's B-tree with links to the right. Each level is a linked
//! list of nodes in order. The nodes of the lowest level are the *leaves*; their slots lead to keys.
//! The slots of a node above lead to nodes of the level below. The highest level has one node, the
//! root.
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
//!  a node   | prefix | right | previous | low | own location | prefix length | level | state | slots  |
//!             40 bytes 8       4          4     4              1               1       2       64 * 8
//!
//!  a slot   | digest: 32 bits | location: 32 bits |     all ones if it is empty
//!
//!  state    | count: 8 bits | locked: 1 bit | replaced: 1 bit | 6 bits that are unused
//! ```
//!
//! - A node holds the keys of one range. `low` is where the *low fence key* is, the first key of that
//!   range. The first node of a level has none. The range ends before the low fence key of the next
//!   node.
//! - `prefix` is the *truncated prefix*: the first bytes, 40 at most, that the [prefixes](Prefix) of
//!   the node's keys begin with, as far as was known when the node was made. It never changes.
//! - A slot's *digest* is the four bytes of its key's prefix that follow the truncated prefix. Most
//!   comparisons are of digests, which lie side by side; keys are read only where digests are the
//!   same. A key that does not begin with the truncated prefix has the least digest or the greatest:
//!   that is where it belongs.
//! - `right` is the *right link*, a word like a slot's: where the next node is, and the digest, in this
//!   node, of the next node's low fence key. One load gives both, so that no thread sees the two of
//!   different splits. The last node of a level has an empty one.
//! - `previous` leads to a node before this one, from which right links lead here.
//! - `state` says how many slots are filled. The other two bits are the node's lock, and whether
//!   another node has taken this one's place.
//! - Above the leaves, slot 0 is of the node whose range begins where this one's does. It is compared
//!   with nothing.
//! - If the comparator gives no prefixes, there are no digests. Then the upper half of a slot above
//!   the leaves says where the low fence key of its node is, so that it is read without the node.
//!
//! # How a key is found
//!
//! A search takes no lock and never begins again. A *target* is what is looked for; the keys before
//! it are *passed*.
//!
//! 1. The target's prefix is made once.
//! 2. In each node above the leaves, the target's digest says how many slots are passed. The search
//!    goes on in the node that the last of them leads to. If the first slot that may not be passed is
//!    empty or has the same digest, keys are compared: by bisection among the slots with that digest,
//!    and at the node's end with the low fence key of the next node. If that is passed too, the search
//!    goes right.
//! 3. In a leaf the same gives a `Place`: the node, the slot, what was in it, and how
//!    its key lies to the target. A comparison is told how many first bytes are known to be the same,
//!    and says at once whether the two keys are versions of the same thing, so none is made twice.
//!
//! Other threads may shift the slots meanwhile. A slot's content only goes back in the order until a
//! split empties the slot (N1), so a slot that was passed stays passed, and the last look, at the
//! first slot that is not passed, decides.
//!
//! # How a key is inserted
//!
//! 1. The place is found without a lock. Keys that come in order take no search: the place is just
//!    after the writer's last key, or at the end of the list. An equal key is refused here, before
//!    memory is taken.
//! 2. The key is written to the arena, to a lane that is the writer's alone.
//! 3. The leaf is locked. If what was found in the slot is still there, the place is right; if not, it
//!    is found again, in this node or in one to the right. The next node is locked before this one's
//!    lock is given back.
//! 4. If the leaf is full and the writer has too few *spare nodes*, it gives the lock back, sets as many
//!    aside as splits on all levels take, and goes on from step 3. So nothing is allocated under a
//!    node's lock, and an insertion that is refused memory has changed nothing.
//! 5. If there is room, the count is raised and the slots are shifted, from the last one on.
//! 6. If the leaf is full, it is refitted, if that is worth it, and split. The upper part of what it
//!    holds goes to a new node on the right, which is whole before any thread can reach it.
//! 7. The lock is given back. Then the new node is put into the level above in the same way: a search
//!    for its low fence key goes down from the root, and the node it comes to is locked and may be split
//!    in turn. Until then the right link leads to the new node. A root that was split gets a new one
//!    above it.
//!
//! # How a node is refitted
//!
//! A node's truncated prefix was chosen for the range it was made for. Splits narrow the range, and
//! then digests may be the same for many keys; or a key comes that does not begin with the prefix.
//! A node that is full (above the leaves, any node that is inserted into) is *refitted* then: a new
//! node takes what it holds, under a prefix that suits its range. The old one is emptied, its right
//! link leads to the new one, and it is marked as replaced. Its slot in the level above is changed
//! when a node is put into the slot after it. The old node's memory stays.
//!
//! # Which file has what
//!
//! | file | what |
//! |---|---|
//! | `node.rs` | a node's layout, and counting slots by digests |
//! | `prefix.rs`, `compare.rs` | prefixes and digests; what a comparator answers |
//! | `search.rs`, `list.rs` | finding a place in a node; going down, and the list's parts |
//! | `writer.rs`, `insert.rs` | inserting: the interface, and steps 1 to 7 |
//! | `locked.rs`, `split.rs`, `refit.rs` | what is done to a node under its lock |
//! | `spare.rs` | the nodes that are set aside |
//! | `many.rs` | several searches together, and batches |
//! | `position.rs` | a key's slot, and the steps to the next and the previous |
//! | `handle.rs`, `cursor.rs`, `range.rs` | positions that are kept with a list, borrowed or owned |
//! | `store.rs`, `key.rs` | keys and nodes in the arena: most of the `unsafe` |
//! | `atomic.rs` | every atomic access, and what it pairs with |
//! | `bound.rs` | how many nodes a batch can make, and how much memory insertions can take, at most |
//!
//! # Invariants
//!
//! Every `unsafe` block in this crate argues from one of these, and so does every argument about
//! what threads do to each other.
//!
//! - **S1.** Keys, nodes and spare nodes are allocated in the list's arena. A node, or a key that is
//!   in a leaf, lives at its address until the list is dropped. (A key that is refused after it was
//!   written is dropped at once: it was in no leaf.) The memory of a spare node is the pool's, which
//!   alone writes to it and gives it out once. So is memory for keys that a refused reservation left.
//! - **S2.** What a location leads to is written before the location is published, in a slot or in
//!   a link. The list never writes a key again, nor a node's prefix, prefix length, level, low and own
//!   location.
//! - **S3.** Locations in a list's nodes and links are of its own store: those in slots are of keys
//!   in leaves, and of nodes above; right, previous and the list's own links are of nodes; low is of a
//!   key. In a node above the leaves without digests, the upper half of every slot but the first is
//!   the location of a key.
//! - **S4.** A position that is kept (`Kept`, in `handle.rs`) has pointers to a leaf and to a key of
//!   its list, and lies beside a handle that keeps that list borrowed or owned. The pointers
//!   (`Within`) are followed together with that handle only.
//! - **K1.** A [`KeyValue`] is made only of bytes that `Pair` wrote: a key's length, the key, a
//!   value's length, the value.
//! - **N1.** Filled slots are a prefix of the array, in order; two neighbours may be equal while one
//!   is shifted. Only the thread that holds a node's lock changes its slots, right link and state, and
//!   the `previous` of the node after it. A slot's content only goes back in the order, as keys are
//!   put before it, until a split or a refit empties the slot. So a key never goes to a lower slot of
//!   its node, and from there only to a node further right. The first slot of a node with a low fence
//!   key is that key's until the node is replaced. (Above the leaves, a slot's node may be passed over
//!   for the one that took its place, whose low fence key is the same.)
//! - **N2.** When a node is split or refitted, its count is lowered before the right link is changed,
//!   and that is changed before slots are emptied. A refitted node is marked as replaced after that.
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
pub use prefix::Prefix;
pub use range::{Iter, OwnedIter, Range};
pub use writer::Writer;

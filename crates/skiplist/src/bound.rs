//! How much memory insertions can take at most.
//!
//! Most of them make no node, but each may come to a leaf that is full, whose parent is full, too,
//! and so on. How many nodes there are bounds how often that can happen:
//!
//! - A node that is split somewhere in the middle leaves two of which neither is full before it
//!   has taken in [`REFILL`] more. So there are no more such splits than there are nodes to begin
//!   with, and one for every so many insertions.
//! - Where keys come in order at either end of a level, a split leaves a full node and one of a
//!   slot or two, which takes as long to fill. There may be one at each end to begin with.
//! - A node that is full may be replaced before it is split. A root may also be replaced when it
//!   is not, because its range has grown: each time it has fewer bytes in common.
//!
//! Every split is an insertion into the level above. Nodes above have at least [`LEAST`] nodes
//! below them, but for those at the ends.

use std::alloc::Layout;

use strata_arena::Demand;

use crate::key::KeyValue;
use crate::node::{Node, SLOTS};
use crate::prefix::MAX_TRUNCATED;
use crate::split::WINDOW;
use crate::{Key, SkipList};

/// How many slots of either node that a split leaves are filled at least, but at a level's ends.
const LEAST: usize = SLOTS / 2 - WINDOW;

/// How many slots of either are free at least.
const REFILL: usize = SLOTS - (SLOTS / 2 + WINDOW + 1);

/// How many bytes the two lengths of a key and its value have at most.
const MAX_LENGTHS: usize = 10;

/// How many bytes they have at least.
const MIN_LENGTHS: usize = 2;

/// How many bytes longer a key has to be for its length to take one more, at least.
const BYTES_PER_LENGTH_BYTE: usize = 128;

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// The nodes that inserting `keys` keys makes at most.
    fn node_demand(&self, keys: usize) -> Demand {
        let root = self.root_node().map_or(0, |root| usize::from(root.level));
        let highest = root + 1 + keys.checked_ilog(LEAST).unwrap_or(0) as usize;
        let mut nodes = usize::from(self.is_empty()).min(keys);
        let mut insertions = keys;
        let mut below = 0;
        for level in 0..=highest {
            let there = match level {
                _ if level > root => 0,
                _ if level == root => 1,
                0 => self.nodes(),
                _ => below / LEAST + 2,
            };
            let at_ends = if there > 0 { 2 } else { 0 };
            let splits = insertions
                .min((there + at_ends).saturating_add((insertions / REFILL).saturating_mul(2)));
            let as_root = if level >= root { MAX_TRUNCATED + 1 } else { 0 };
            let replacements_or_root = insertions.min(splits.saturating_add(as_root));
            nodes = nodes
                .saturating_add(splits)
                .saturating_add(replacements_or_root);
            (insertions, below) = (splits, there);
        }
        Demand::of_layout(nodes, Layout::new::<Node>())
    }
}

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// How many bytes the nodes take, without what is lost between them. O(1).
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.nodes() * size_of::<Node>()
    }
}

impl<C> SkipList<KeyValue, C> {
    /// The most that the arena's [`reserved_bytes`](strata_arena::Arena::reserved_bytes) can grow
    /// by, from now on, if `keys` keys are inserted that take, with their values, `bytes` bytes
    /// together, one by one or by [reservations](SkipList::reserve), by any threads, and no others.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, KeyValue, SkipList};
    ///
    /// let list = SkipList::<KeyValue, Bytewise>::default();
    /// let bound = list.growth_bound(2, 3 + 6 + 3 + 5);
    /// list.insert_key_value(&b"fig"[..], &[b"fig"], b"purple")?;
    /// list.insert_key_value(&b"kiwi"[..], &[b"kiwi"], b"green")?;
    /// assert!(list.arena().reserved_bytes() <= bound);
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    ///
    /// As [`Arena::growth_bound`](strata_arena::Arena::growth_bound), which it asks, it is little
    /// or nothing for few keys as long as the arena has memory left, and for many the worst there
    /// may be. O(1), but for the arena's lock.
    #[must_use]
    pub fn growth_bound(&self, keys: u64, bytes: usize) -> usize {
        let keys = usize::try_from(keys).unwrap_or(usize::MAX);
        let lengths = keys
            .saturating_mul(MIN_LENGTHS)
            .saturating_add(bytes / BYTES_PER_LENGTH_BYTE)
            .min(keys.saturating_mul(MAX_LENGTHS));
        let entries = Demand::of_bytes(keys, bytes.saturating_add(lengths));
        self.arena().growth_bound(entries, self.node_demand(keys))
    }
}

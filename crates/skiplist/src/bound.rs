//! How much memory insertions can take at most.

use strata_arena::Arena;

use crate::key::KeyValue;
use crate::node::{Node, SLOTS};
use crate::split::WINDOW;
use crate::{Key, SkipList};

/// How many slots of either node that a split leaves are filled at least, and how many are free,
/// but at a level's ends.
const FEW: usize = match SLOTS / 2 - WINDOW - 1 {
    0 | 1 => 2,
    few => few,
};

/// How many nodes a batch reckons with that other threads make and fill while it is inserted.
const OTHERS: usize = 64;

/// How many bytes the two lengths of a key and its value have at most.
const MAX_LENGTHS: usize = 10;

/// How many bytes longer a key has to be for its length to take one more, at least.
const BYTES_PER_LENGTH_BYTE: usize = 128;

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// How many bytes the nodes take, without what is lost between them. O(1).
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.nodes() * size_of::<Node>()
    }

    /// How many nodes splits by inserting `keys` keys make at most, if other threads don't make more
    /// than [`OTHERS`] meanwhile.
    ///
    /// Of a level every node may be full, and be split. Then it takes [`FEW`] insertions more until
    /// one of the two is full again, but for the two at the level's ends. Each split inserts into the
    /// level above.
    pub(crate) fn most_splits(&self, keys: usize) -> usize {
        let others = self.nodes().min(OTHERS);
        let (mut full, mut insertions, mut all) = (self.nodes() + others, keys, 0usize);
        for _ in 0..self.nodes_for_splits() + self.levels_to_come(keys) {
            let splits = insertions.min(full.saturating_add(insertions / FEW));
            all = all.saturating_add(splits);
            (full, insertions) = (full.div_ceil(FEW), splits);
        }
        all
    }

    /// How many levels `keys` keys can add.
    fn levels_to_come(&self, keys: usize) -> usize {
        keys.checked_ilog(FEW).unwrap_or(0) as usize
    }

    /// The nodes that inserting `keys` keys takes at most, beside those that are set aside already.
    ///
    /// A leaf may be refitted before it is split, and a node above with every insertion into it.
    /// What is set aside for an insertion and not used, others use, so that only so many threads as
    /// have a lane keep as many.
    fn most_nodes(&self, keys: usize) -> usize {
        let at_once = 2 * self.nodes_for_splits() + self.levels_to_come(keys);
        let used = self.most_splits(keys).saturating_mul(3);
        used.saturating_add(at_once * Arena::LANES)
            .min(keys.saturating_mul(at_once))
            .saturating_sub(self.store.spares.count())
    }
}

impl<C> SkipList<KeyValue, C> {
    /// The most that the arena's [`reserved_bytes`](strata_arena::Arena::reserved_bytes) can grow
    /// by, from now on, if `keys` keys are inserted that take, with their values, `bytes` bytes
    /// together, one by one or with memory [set aside](crate::Writer::reserve), by any threads, and no others.
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
            .saturating_mul(2)
            .saturating_add(bytes / BYTES_PER_LENGTH_BYTE)
            .min(keys.saturating_mul(MAX_LENGTHS));
        let node = size_of::<Node>() + align_of::<Node>();
        let nodes = self.most_nodes(keys).saturating_mul(node);
        self.arena()
            .growth_bound(keys, bytes.saturating_add(lengths), nodes)
    }
}

//! Nodes: how one is laid out, and finding a place among its slots.

use strata_arena::Location;

use crate::atomic::{Count, Link, Slot, Word};
use crate::prefix::{Common, MAX_COMMON, Prefix, head_after};
use crate::sync::{Mutex, Witness};

/// How many slots a node has: 64, or few where splits are to be common.
pub(crate) const SLOTS: usize = if cfg!(any(loom, strata_small_nodes)) {
    4
} else {
    64
};

/// How many slots share a cache line.
const LINE: usize = if SLOTS < 8 { SLOTS } else { 8 };

/// The keys (or, above the lowest level, the nodes) of one range, in order.
#[repr(C, align(64))]
pub(crate) struct Node {
    common: [u64; MAX_COMMON / 8],
    /// The next node on the level, and the head, in this node, of the first key of its range,
    /// which this node's range ends before. Empty if the range has no end.
    pub(crate) right: Slot,
    /// A node before this one on its level, from which this one can be reached.
    pub(crate) previous: Link,
    low: u32,
    common_bytes: u8,
    /// How far above the keys the node is. Never changes.
    pub(crate) level: u8,
    /// How many slots are filled, or about to be.
    pub(crate) count: Count,
    /// Held while any of this but `previous` changes.
    pub(crate) lock: Mutex<()>,
    pub(crate) witness: Witness,
    /// What the node holds, in order, and then empty slots. Above the lowest level the first one
    /// is of the node whose range begins where this one's does; it is compared with nothing.
    pub(crate) slots: [Slot; SLOTS],
}

#[cfg(not(any(loom, strata_small_nodes)))]
const _: () = assert!(size_of::<Node>() == 64 + SLOTS * size_of::<u64>());

/// In place of a location: none.
const NOWHERE: u32 = u32::MAX;

/// In place of a number of common bytes: the node has no heads.
const NO_HEADS: u8 = u8::MAX;

impl Node {
    /// A node of these words, as many as there are; a range's first node if `low` is none.
    pub(crate) fn new(
        level: u8,
        common: Option<Common>,
        low: Option<Location>,
        previous: Option<Location>,
        right: Word,
        words: &[Word],
    ) -> Self {
        let (common, common_bytes) = match common {
            Some(common) => common.into_parts(),
            None => ([0; MAX_COMMON / 8], NO_HEADS),
        };
        Self {
            common,
            right: Slot::new(right),
            previous: Link::new(previous),
            low: low.map_or(NOWHERE, Location::to_bits),
            common_bytes,
            level,
            count: Count::new(words.len()),
            lock: Mutex::new(()),
            witness: Witness::written(),
            slots: std::array::from_fn(|i| Slot::new(words.get(i).copied().unwrap_or(Word::EMPTY))),
        }
    }

    /// What the node's heads follow; none if it has no heads.
    #[inline]
    pub(crate) fn common(&self) -> Option<Common> {
        self.has_heads()
            .then(|| Common::from_parts(self.common, self.common_bytes))
    }

    /// Whether slots are ordered by heads.
    #[inline]
    pub(crate) fn has_heads(&self) -> bool {
        self.common_bytes != NO_HEADS
    }

    /// The head in this node of a key with this prefix; none if the node has no heads.
    #[inline(always)]
    pub(crate) fn head(&self, prefix: &Prefix) -> Option<u32> {
        match self.has_heads() {
            true => Some(head_after(&self.common, self.common_bytes.into(), prefix)),
            false => None,
        }
    }

    /// The first key of the node's range; none if the range has no beginning.
    #[inline]
    pub(crate) fn low(&self) -> Option<Location> {
        (self.low != NOWHERE).then(|| Location::from_bits(self.low))
    }

    /// What slot `index` holds; nothing if there is no such slot.
    #[inline]
    pub(crate) fn word(&self, index: usize) -> Word {
        self.slots.get(index).map_or(Word::EMPTY, Slot::read)
    }

    /// What slot `index` holds; none if it is empty or there is no such slot.
    pub(crate) fn filled(&self, index: usize) -> Option<Word> {
        Some(self.word(index)).filter(|word| !word.is_empty())
    }

    /// The first slot whose content is compared with anything.
    #[inline]
    pub(crate) fn first_compared(&self) -> usize {
        usize::from(self.level > 0)
    }

    /// How many slots at the beginning were seen to hold less than `word`.
    ///
    /// Slots are read in no particular order while others may be shifted, so there may be more of
    /// them, but not fewer (N1).
    #[inline]
    pub(crate) fn slots_before(&self, word: Word) -> usize {
        // One slot of each line says which line to look at; those loads wait for no other.
        let lines = (LINE..SLOTS)
            .step_by(LINE)
            .map(|first| usize::from(self.slots[first].read() < word))
            .sum::<usize>();
        let first = lines * LINE;
        let line = &self.slots[first..first + LINE];
        first
            + line
                .iter()
                .map(|slot| usize::from(slot.read() < word))
                .sum::<usize>()
    }
}

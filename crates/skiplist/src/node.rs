//! Nodes: how one is laid out, and finding a place among its slots by digests.

use strata_arena::Location;

use crate::atomic::{Link, Slot, State, Word};
use crate::prefix::{NODE_BYTES, Prefix, Truncated};
use crate::sync::Witness;

/// How many slots a node has: 64, or few where splits are to be common.
pub(crate) const SLOTS: usize = if cfg!(any(loom, strata_small_nodes)) {
    4
} else {
    64
};

/// The keys (or, above the leaves, the nodes) of one range, in order.
#[repr(C, align(64))]
pub(crate) struct Node {
    prefix: [u8; NODE_BYTES],
    /// The right link: the next node on the level, and the digest, in this node, of that node's low
    /// fence key, which this node's range ends before. Empty if the range has no end.
    pub(crate) right: Slot,
    /// A node before this one on its level, from which this one can be reached.
    pub(crate) previous: Link,
    low: u32,
    location: u32,
    prefix_length: u8,
    /// How far above the leaves the node is. Never changes.
    pub(crate) level: u8,
    pub(crate) state: State,
    pub(crate) witness: Witness,
    /// What the node holds, in order, and then empty slots. Above the leaves the first one is of
    /// the node whose range begins where this one's does; it is compared with nothing.
    pub(crate) slots: [Slot; SLOTS],
}

#[cfg(not(any(loom, strata_small_nodes)))]
const _: () = assert!(size_of::<Node>() == 64 + SLOTS * size_of::<u64>());

/// In place of a location: none.
const NOWHERE: u32 = u32::MAX;

/// In place of a prefix's length: the node has no digests.
const NO_DIGESTS: u8 = u8::MAX;

/// What a node is made of beside its slots.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) level: u8,
    /// What the node's keys begin with; none if it has no digests.
    pub(crate) prefix: Option<Truncated>,
    /// The first key of the node's range; none if the range has no beginning.
    pub(crate) low: Option<Location>,
    pub(crate) previous: Option<Location>,
    pub(crate) right: Word,
}

impl Node {
    /// A node that is to lie at `location` and holds `words`.
    pub(crate) fn new(location: Location, header: Header, words: &[Word]) -> Self {
        let (prefix, prefix_length) = match header.prefix {
            Some(prefix) => (prefix.bytes, prefix.length),
            None => ([0; NODE_BYTES], NO_DIGESTS),
        };
        Self {
            prefix,
            right: Slot::new(header.right),
            previous: Link::new(header.previous),
            low: header.low.map_or(NOWHERE, Location::to_bits),
            location: location.to_bits(),
            prefix_length,
            level: header.level,
            state: State::new(words.len()),
            witness: Witness::written(),
            slots: std::array::from_fn(|i| Slot::new(words.get(i).copied().unwrap_or(Word::EMPTY))),
        }
    }

    /// Where the node is.
    pub(crate) fn location(&self) -> Location {
        Location::from_bits(self.location)
    }

    /// What the node's digests follow; none if it has no digests.
    pub(crate) fn prefix(&self) -> Option<Truncated> {
        self.has_digests().then_some(Truncated {
            bytes: self.prefix,
            length: self.prefix_length,
        })
    }

    /// How many bytes the node's digests follow.
    #[inline(always)]
    pub(crate) fn prefix_length(&self) -> usize {
        self.prefix_length.into()
    }

    /// Whether slots are ordered by digests.
    #[inline]
    pub(crate) fn has_digests(&self) -> bool {
        self.prefix_length != NO_DIGESTS
    }

    /// The digest in this node of a key with this prefix; none if the node has no digests.
    #[inline(always)]
    pub(crate) fn digest(&self, prefix: &Prefix) -> Option<u32> {
        prefix.digest_after(&self.prefix, self.prefix_length)
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
    #[inline]
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
    /// Three times, four parts are looked at and one is chosen, so that of the ten loads at most
    /// three wait for each other. Slots are read in no particular order while others may be shifted,
    /// so there may be more of them, but not fewer (N1).
    #[inline(always)]
    pub(crate) fn slots_before(&self, word: Word) -> usize {
        let is_before = |index: usize| usize::from(self.slots[index].read() < word);
        let mut before = 0;
        if SLOTS == 64 {
            before = 16 * (is_before(16) + is_before(32) + is_before(48));
            before += 4 * (is_before(before + 4) + is_before(before + 8) + is_before(before + 12));
        }
        let last = before;
        before += is_before(last) + is_before(last + 1);
        before + is_before(last + 2) + is_before(last + 3)
    }
}

//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`Slot::read`] | Acquire | [`Slot::write`] | the key or the node that the word locates (S2); every slot, count and link written before it, so that a reader who sees the effect of a shift or a split at one slot finds at the others what it left there (N1, N2) | loom `a_walk_beside_an_insertion_is_whole` |
//! | [`Slot::write`] | Release | [`Slot::read`] | the same | the same |
//! | [`Link::read`] | Acquire | [`Link::write`] | the node it leads to | loom `an_equal_key_is_inserted_once` |
//! | [`Link::write`] | Release | [`Link::read`] | the same | the same |
//! | [`Count::read`] | Acquire | [`Count::write`] | the slots emptied before it was raised again (N2) | loom `a_walk_over_a_split_is_whole` |
//! | [`Count::write`] | Release | [`Count::read`] | the same | the same |
//! | [`Tally`], all | Relaxed | – | nothing: a number to show | – |
//! | [`Tail`], all | Relaxed but for the link in it, which is a [`Link`] | – | nothing: whether to try an append is a guess | – |

use std::fmt;
use std::sync::atomic::AtomicUsize;

use strata_arena::Location;

use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// What a slot holds: where a key or a node is, and before that, 32 bits to order slots by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(u64);

impl Word {
    /// What an empty slot holds. It is after every other word.
    pub(crate) const EMPTY: Self = Self(u64::MAX);

    #[inline]
    pub(crate) fn new(upper: u32, location: Location) -> Self {
        Self(u64::from(upper) << 32 | u64::from(location.to_bits()))
    }

    /// The first of the words with this upper half.
    #[inline]
    pub(crate) fn least(upper: u32) -> Self {
        Self(u64::from(upper) << 32)
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// The 32 bits to order by.
    #[inline]
    pub(crate) fn upper(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Where the key or the node is.
    #[inline]
    pub(crate) fn location(self) -> Location {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
        let bits = self.0 as u32;
        Location::from_bits(bits)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_empty() {
            true => f.write_str("empty"),
            false => write!(f, "{:08x}@{:x}", self.upper(), self.location().to_bits()),
        }
    }
}

/// A word that readers read while the holder of its node's lock writes it.
pub(crate) struct Slot(AtomicU64);

impl Slot {
    pub(crate) fn new(word: Word) -> Self {
        Self(AtomicU64::new(word.0))
    }

    #[inline]
    pub(crate) fn read(&self) -> Word {
        Word(self.0.load(Ordering::Acquire))
    }

    #[inline]
    pub(crate) fn write(&self, word: Word) {
        self.0.store(word.0, Ordering::Release);
    }
}

/// Where a node is, or nowhere.
pub(crate) struct Link(AtomicU32);

/// The bits of no location.
const NOWHERE: u32 = u32::MAX;

impl Link {
    pub(crate) fn new(node: Option<Location>) -> Self {
        Self(AtomicU32::new(node.map_or(NOWHERE, Location::to_bits)))
    }

    #[inline]
    pub(crate) fn read(&self) -> Option<Location> {
        match self.0.load(Ordering::Acquire) {
            NOWHERE => None,
            bits => Some(Location::from_bits(bits)),
        }
    }

    #[inline]
    pub(crate) fn write(&self, node: Location) {
        self.0.store(node.to_bits(), Ordering::Release);
    }
}

/// How many slots of a node are filled.
pub(crate) struct Count(AtomicU8);

impl Count {
    pub(crate) fn new(count: usize) -> Self {
        Self(AtomicU8::new(byte(count)))
    }

    #[inline]
    pub(crate) fn read(&self) -> usize {
        self.0.load(Ordering::Acquire).into()
    }

    #[inline]
    pub(crate) fn write(&self, count: usize) {
        self.0.store(byte(count), Ordering::Release);
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a node has fewer than 256 slots"
)]
fn byte(count: usize) -> u8 {
    count as u8
}

/// A number that any thread may add to. It is the standard library's atomic in models, too: nothing
/// depends on when it is seen, so there is nothing to explore.
#[derive(Debug)]
pub(crate) struct Tally(AtomicUsize);

impl Tally {
    pub(crate) fn zero() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

/// The last leaf there was, and whether the last key inserted was after all others.
pub(crate) struct Tail {
    pub(crate) leaf: Link,
    appending: AtomicU8,
}

impl Tail {
    pub(crate) fn new() -> Self {
        Self {
            leaf: Link::new(None),
            appending: AtomicU8::new(0),
        }
    }

    #[inline]
    pub(crate) fn is_appending(&self) -> bool {
        self.appending.load(Ordering::Relaxed) != 0
    }

    /// Remembers whether the last key inserted was after all others. Written only if it changes,
    /// so that the line stays shared.
    #[inline]
    pub(crate) fn set_appending(&self, appending: bool) {
        if self.is_appending() != appending {
            self.appending.store(appending.into(), Ordering::Relaxed);
        }
    }
}

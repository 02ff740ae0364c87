//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`Slot::read`] | Acquire | [`Slot::write`] | the key or the node that the word locates (S2); every slot, count and link written before it, so that a reader that sees the effect of a shift or a split at one slot finds at the others what it left there (N1, N2) | loom `a_walk_beside_an_insertion_is_whole` |
//! | [`Slot::write`] | Release | [`Slot::read`] | the same | the same |
//! | [`Link::read`] | Acquire | [`Link::write`] | the node it leads to | loom `an_equal_key_is_inserted_once` |
//! | [`Link::write`] | Release | [`Link::read`] | the same | the same |
//! | [`State::lock`] | Acquire | [`State::unlock`] | all that the thread that held the lock before wrote to the node | none: in models a lock of loom's is taken instead, as threads that spin go on for ever there |
//! | [`State::unlock`] | Release | [`State::lock`] | the same | the same |
//! | [`State::count`], [`State::is_replaced`] | Acquire | [`State::set_count`], [`State::set_replaced`], [`State::unlock`] | the slots emptied before the count was raised again (N2) | loom `a_walk_over_a_split_is_whole` |
//! | [`State::set_count`], [`State::set_replaced`] | Release | [`State::count`] | the same | the same |
//! | the holder's own look in [`State::set_replaced`] and [`State::unlock`] | Relaxed | – | nothing: the thread that holds the lock wrote it | – |
//! | [`Number`], all | Relaxed | – | nothing: a number to show | – |
//! | [`Tail`], all | Relaxed but for the link in it, which is a [`Link`] | – | nothing: whether to try an append is a guess | – |

use std::fmt;
use std::sync::atomic::AtomicUsize;

use strata_arena::Location;

use crate::sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Held, Ordering, Turn, wait_a_moment};

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

/// How many slots of a node are filled, whether another node has taken its place, and its lock.
///
/// One word holds all three, so that giving the lock back is the store of the count.
pub(crate) struct State(AtomicU16, Turn);

/// The bits of the count.
const COUNT: u16 = 0xff;

/// Set while a thread holds the lock.
const LOCKED: u16 = 1 << 8;

/// Set when another node has taken this one's place.
const REPLACED: u16 = 1 << 9;

impl State {
    pub(crate) fn new(count: usize) -> Self {
        Self(AtomicU16::new(bits(count)), Turn::new())
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        usize::from(self.0.load(Ordering::Acquire) & COUNT)
    }

    /// Whether another node has taken this one's place.
    #[inline]
    pub(crate) fn is_replaced(&self) -> bool {
        self.0.load(Ordering::Acquire) & REPLACED != 0
    }

    /// Takes the lock; waits while another thread holds it.
    #[inline]
    pub(crate) fn lock(&self) -> Held<'_> {
        let held = self.1.wait();
        let mut waited = 0;
        // In a model, a thread has waited for its turn.
        while !cfg!(loom) && self.0.fetch_or(LOCKED, Ordering::Acquire) & LOCKED != 0 {
            wait_a_moment(&mut waited);
        }
        held
    }

    /// Gives the lock back, which this thread holds.
    #[inline]
    pub(crate) fn unlock(&self) {
        if !cfg!(loom) {
            let held = self.0.load(Ordering::Relaxed);
            self.0.store(held & !LOCKED, Ordering::Release);
        }
    }

    /// Changes the count of a node whose lock this thread holds, and whose place no other has taken.
    #[inline]
    pub(crate) fn set_count(&self, count: usize) {
        self.0.store(bits(count) | LOCKED, Ordering::Release);
    }

    /// Says of a node whose lock this thread holds that another has taken its place: it is emptied,
    /// and its right link leads there.
    pub(crate) fn set_replaced(&self) {
        let held = self.0.load(Ordering::Relaxed);
        self.0.store(held | REPLACED, Ordering::Release);
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a node has fewer than 256 slots"
)]
fn bits(count: usize) -> u16 {
    count as u16
}

/// A number that any thread may add to. It is the standard library's atomic in models, too: nothing
/// depends on when it is seen, so there is nothing to explore.
#[derive(Debug)]
pub(crate) struct Number(AtomicUsize);

impl Number {
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

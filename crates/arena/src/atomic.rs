//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`Word::get`], [`Word::advance`] when it fails | Acquire | [`Word::publish`] | the table's entry for the block that a lane goes on with, and the table that has room for it | loom `a_published_block_is_whole`, `a_block_found_by_a_lost_race_is_whole` |
//! | [`Word::publish`] | Release | the two above | the same | the same |
//! | [`Word::advance`] when it succeeds | Relaxed | – | nothing of its own: it shares out a range, which the compare-and-swap makes one caller's. It goes on with the release sequence of `publish` | loom `allocations_are_disjoint` |
//! | [`TablePointer::get`] | Acquire | [`TablePointer::publish`] | the entries copied into a larger table | loom `a_location_outlives_the_table_it_was_made_with` |
//! | [`TablePointer::publish`] | Release | [`TablePointer::get`] | the same | the same |
//! | [`Base`], all | Relaxed | – | nothing: an entry is written before a location in its window exists, and whoever passes a location on to another thread publishes the entry with it | – |
//! | [`Count`], all | Relaxed | – | nothing: a number to show, written under the arena's lock | – |
//! | [`thread_number`] | Relaxed | – | nothing: numbers need only differ | – |

use std::ptr;

use crate::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// What a lane keeps, in one word.
pub(crate) struct Word(AtomicU64);

impl Word {
    pub(crate) fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Makes `now` of `before`; if it is something else, changes nothing and says what.
    #[inline]
    pub(crate) fn advance(&self, before: u64, now: u64) -> Result<(), u64> {
        self.0
            .compare_exchange_weak(before, now, Ordering::Relaxed, Ordering::Acquire)
            .map(|_| ())
    }

    /// Puts another block's word in; returns what was there.
    pub(crate) fn publish(&self, word: u64) -> u64 {
        self.0.swap(word, Ordering::Release)
    }
}

/// The address of a window, null until a block has it.
pub(crate) struct Base(AtomicPtr<u8>);

impl Base {
    pub(crate) fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn get(&self) -> *mut u8 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, address: *mut u8) {
        self.0.store(address, Ordering::Relaxed);
    }
}

/// Where the table in use begins, at first nowhere.
pub(crate) struct TablePointer(AtomicPtr<Base>);

impl TablePointer {
    pub(crate) fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn get(&self) -> *const Base {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn publish(&self, first: *const Base) {
        self.0.store(first.cast_mut(), Ordering::Release);
    }
}

/// A number that one thread at a time changes and any thread may look at.
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn zero() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }
}

/// A number for the calling thread, the same each time: the first thread that asks has 0, the
/// second 1, and so on.
///
/// To choose by, where threads are better off with a place of their own, as with an arena's lanes.
///
/// ```
/// let number = strata_arena::thread_number();
/// assert_eq!(strata_arena::thread_number(), number);
/// let other = std::thread::spawn(strata_arena::thread_number).join().unwrap();
/// assert_ne!(other, number);
/// ```
#[cfg(not(loom))]
#[inline]
#[must_use]
pub fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// In a model all threads have one number: they are to get into each other's way.
#[cfg(loom)]
#[must_use]
pub fn thread_number() -> usize {
    0
}

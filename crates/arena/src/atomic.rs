//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`Owner::take`] when it succeeds | Acquire | [`Owner::give_back`] | the lane's cursor as the thread that held it before left it, the table's entry for the block, and the table that has room for it | loom `a_lane_is_passed_on_whole`, `allocations_are_disjoint` |
//! | [`Owner::give_back`] | Release | [`Owner::take`], [`Owner::is_passed`] | the same, and all that the thread did while it held the lane | the same; loom `nothing_is_done_after_the_wait_by_threads_that_look_at_a_flag` |
//! | [`Owner::is_passed`] when the lane is free | AcqRel | [`Owner::give_back`] before it, [`Owner::take`] after it | what threads did under leases that have ended; to threads that take the lane later, what the thread that waits did before it waited | loom `nothing_is_done_after_the_wait_by_threads_that_look_at_a_flag` |
//! | [`Owner::is_passed`] when it is not | Acquire | [`Owner::set_waited`] | what a thread did under its lease before it waited itself | loom `threads_that_wait_for_each_other_go_on` |
//! | [`Owner::set_waited`] | Release | [`Owner::is_passed`] | the same | the same |
//! | [`Owner::take`] when it fails, [`Owner::get`], [`Owner::has_waited`], [`Owner::is_free`] | Relaxed | – | nothing: a thread finds its own number only where it put it, and takes a free lane by `take` | – |
//! | [`Word`], [`Address`], all | Relaxed | – | nothing of their own: the thread that holds the lane writes them, and no other thread goes by more than a number to show | loom `allocations_are_disjoint` |
//! | [`TablePointer::get`] | Acquire | [`TablePointer::publish`] | the entries copied into a larger table | loom `a_location_outlives_the_table_it_was_made_with` |
//! | [`TablePointer::publish`] | Release | [`TablePointer::get`] | the same | the same |
//! | [`Base`], all | Relaxed | – | nothing: an entry is written before a location in its window exists, and whoever passes a location on to another thread publishes the entry with it | – |
//! | [`Count`], all | Relaxed | – | nothing: a number that one thread writes at a time, under the arena's lock or a lease, and others show | – |
//! | [`Sum`], all | Relaxed | – | nothing: it is read when nobody adds to it any more | – |
//! | the number of the next thread | Relaxed | – | nothing: numbers need only differ | – |

#[cfg(not(loom))]
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::AtomicUsize;

use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// A thread, by a number that no other has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thread(u64);

impl Thread {
    /// The calling thread. The first that asks has number 1, the second 2, and so on.
    #[cfg(not(loom))]
    #[inline]
    pub(crate) fn current() -> Self {
        #[cold]
        fn deal(number: &Cell<u64>) {
            static LAST: AtomicU64 = AtomicU64::new(0);
            number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        std::thread_local! {
            static NUMBER: Cell<u64> = const { Cell::new(0) };
        }
        NUMBER.with(|number| {
            if number.get() == 0 {
                deal(number);
            }
            Self(number.get())
        })
    }

    #[cfg(loom)]
    pub(crate) fn current() -> Self {
        loom::lazy_static! {
            static ref LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        }
        loom::thread_local! {
            static NUMBER: u64 = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        }
        Self(NUMBER.with(|number| *number))
    }

    /// The number, to choose a lane by.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "any part of it will do")]
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

/// Which thread holds a lane, and whether that thread has waited since for others to give theirs
/// back: twice its number, and one more as soon as it waits; zero if the lane is free.
pub(crate) struct Owner(AtomicU64);

impl Owner {
    const NOBODY: u64 = 0;
    const WAITED: u64 = 1;

    pub(crate) fn nobody() -> Self {
        Self(AtomicU64::new(Self::NOBODY))
    }

    /// The thread that holds the lane: of any use only for that thread itself.
    pub(crate) fn get(&self) -> Thread {
        Thread(self.0.load(Ordering::Relaxed) >> 1)
    }

    /// Whether nobody holds the lane, as far as can be said without writing.
    pub(crate) fn is_free(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::NOBODY
    }

    /// Makes `thread` the owner, if there is none.
    #[inline]
    pub(crate) fn take(&self, thread: Thread) -> bool {
        self.0
            .compare_exchange(
                Self::NOBODY,
                thread.0 << 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    #[inline]
    pub(crate) fn give_back(&self) {
        self.0.store(Self::NOBODY, Ordering::Release);
    }

    /// Takes note, for the thread that holds the lane, that it waits for others.
    pub(crate) fn set_waited(&self, thread: Thread) {
        self.0
            .store(thread.0 << 1 | Self::WAITED, Ordering::Release);
    }

    /// Whether the thread that holds the lane has waited for others: of use only for that thread.
    #[inline]
    pub(crate) fn has_waited(&self) -> bool {
        self.0.load(Ordering::Relaxed) & Self::WAITED != 0
    }

    /// Whether nobody holds the lane, or a thread that waits, too, or has waited.
    pub(crate) fn is_passed(&self) -> bool {
        // The same word is written, so that the thread that takes the lane next sees what was done before.
        let free = self.0.compare_exchange(
            Self::NOBODY,
            Self::NOBODY,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        free.map_or_else(|word| word & Self::WAITED != 0, |_| true)
    }
}

/// Which part of its block a lane still has, in one word.
pub(crate) struct Word(AtomicU64);

impl Word {
    pub(crate) fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, word: u64) {
        self.0.store(word, Ordering::Relaxed);
    }
}

/// The address of that part.
pub(crate) struct Address(AtomicPtr<u8>);

impl Address {
    pub(crate) fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn get(&self) -> *mut u8 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, address: *mut u8) {
        self.0.store(address, Ordering::Relaxed);
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

/// A number that one thread at a time changes and any thread may look at. It is the standard
/// library's atomic in models, too: nothing depends on when it is seen, so there is nothing to
/// explore.
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn zero() -> Self {
        Self(AtomicUsize::new(0))
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }
}

/// A number that threads add to.
pub(crate) struct Sum(AtomicUsize);

impl Sum {
    pub(crate) fn zero() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

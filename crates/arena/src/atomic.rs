//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`BlockPointer::get`] | Acquire | [`BlockPointer::publish`] | the new block's header: where its bytes begin, how many, its cursor | loom `a_published_block_is_whole` |
//! | [`BlockPointer::publish`] | Release | [`BlockPointer::get`] | the same | the same |
//! | [`BlockPointer::clear`] | Relaxed | – | nothing: the lock orders it | – |
//! | [`Cursor`], all | Relaxed | – | nothing: it only shares out ranges, which the read-modify-write makes disjoint; who passes an allocation on to another thread publishes its bytes | loom `allocations_are_disjoint`, `used_bytes_are_exact_while_a_block_is_sealed` |
//! | [`Count`], all | Relaxed | – | nothing: a number to show, written under the arena's lock | – |

use std::fmt;
use std::ptr::{self, NonNull};

use crate::block::Block;
use crate::sync::{AtomicPtr, AtomicUsize, Ordering};

/// Where a block's header is; at first nowhere.
pub(crate) struct BlockPointer(AtomicPtr<Block>);

impl BlockPointer {
    pub(crate) fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    pub(crate) fn get(&self) -> Option<NonNull<Block>> {
        NonNull::new(self.0.load(Ordering::Acquire))
    }

    /// For the spare block's pointer, which only the lock's holder reads.
    pub(crate) fn clear(&self) {
        self.0.store(ptr::null_mut(), Ordering::Relaxed);
    }

    pub(crate) fn publish(&self, block: NonNull<Block>) {
        self.0.store(block.as_ptr(), Ordering::Release);
    }
}

impl fmt::Debug for BlockPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockPointer")
    }
}

/// How many of a block's bytes are handed out.
#[derive(Debug)]
pub(crate) struct Cursor(AtomicUsize);

impl Cursor {
    pub(crate) fn at_start() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves the cursor to where `next` says and returns where it was; not at all if it says
    /// `None`. The range in between is the caller's alone.
    pub(crate) fn advance(&self, next: impl FnMut(usize) -> Option<usize>) -> Option<usize> {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()
    }

    /// Moves the cursor to `end` and returns where it was.
    pub(crate) fn move_to(&self, end: usize) -> usize {
        self.0.swap(end, Ordering::Relaxed)
    }
}

/// A number that one thread at a time changes and any thread may look at.
#[derive(Debug)]
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

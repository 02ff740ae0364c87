//! An allocator that refuses some requests of one thread. Also included by memtable's tests.
//!
//! A test program has one allocator, so a program that uses this one can't count with
//! `allocation_counter`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, but for what [`refuse`] says.
struct Refusing;

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Which requests of a thread are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refuse {
    /// The request after so many others, and no more.
    One(u32),
    /// Every request after so many.
    AllAfter(u32),
}

thread_local! {
    static REFUSED: Cell<Option<Refuse>> = const { Cell::new(None) };
    /// How many requests there were since the last call of `refuse`.
    static ASKED: Cell<u32> = const { Cell::new(0) };
    static REFUSALS: Cell<u32> = const { Cell::new(0) };
}

/// Runs `run` while requests of this thread are refused. Gives what it gave, and how many requests
/// were refused.
///
/// Nothing in `run` may allocate in a way that can't fail: the program would end.
pub(crate) fn refuse<T>(which: Refuse, run: impl FnOnce() -> T) -> (T, u32) {
    ASKED.set(0);
    REFUSALS.set(0);
    REFUSED.set(Some(which));
    let given = run();
    REFUSED.set(None);
    (given, REFUSALS.get())
}

/// Whether the thread's next request is refused.
fn is_refused() -> bool {
    let Some(which) = REFUSED.get() else {
        return false;
    };
    let before = ASKED.get();
    ASKED.set(before + 1);
    let is_refused = match which {
        Refuse::One(at) => before == at,
        Refuse::AllAfter(count) => before >= count,
    };
    REFUSALS.set(REFUSALS.get() + u32::from(is_refused));
    is_refused
}

// SAFETY: what is not refused, the system's allocator gives and takes back; null is a refusal.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match is_refused() {
            true => std::ptr::null_mut(),
            // SAFETY: the caller's promise is that of the system's allocator.
            false => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        // SAFETY: the system's allocator gave the memory, for this layout.
        unsafe { System.dealloc(address, layout) };
    }
}

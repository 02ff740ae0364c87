//! The atomics, the lock and waiting, from loom when the arena is model-checked.
//!
//! With the cfg `strata_plain_arena` beside `loom`, the atomics and the lock are the usual ones: in
//! models of what is built on the arena, which has models of its own, every interleaving of its steps
//! would be explored again.

#[cfg(any(not(loom), strata_plain_arena))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

#[cfg(all(loom, not(strata_plain_arena)))]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

#[cfg(any(not(loom), strata_plain_arena))]
pub(crate) use parking_lot::Mutex;

/// How many times a thread that waits tries again before it lets others run.
#[cfg(not(loom))]
const SPINS: u32 = 32;

/// Waits a moment, after so many attempts.
#[cfg(not(loom))]
pub(crate) fn pause(attempts: u32) {
    if attempts < SPINS {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

#[cfg(loom)]
pub(crate) fn pause(_attempts: u32) {
    loom::thread::yield_now();
}

/// Loom's lock with parking_lot's interface.
#[cfg(all(loom, not(strata_plain_arena)))]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(all(loom, not(strata_plain_arena)))]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(|_| unreachable!("no thread panics while it holds the lock"))
    }
}

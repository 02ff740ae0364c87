//! The atomics, the lock and waiting, from loom when the arena is model-checked.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

#[cfg(not(loom))]
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
#[cfg(loom)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(loom)]
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

//! The atomics and the lock, from loom when the sequencer is model-checked.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[cfg(not(loom))]
pub(crate) use parking_lot::{Condvar, Mutex};

#[cfg(not(loom))]
pub(crate) use std::{hint::spin_loop, thread::yield_now};

/// In a model a turn of a spinning loop is a chance for the other threads.
#[cfg(loom)]
pub(crate) use loom::thread::{yield_now as spin_loop, yield_now};

#[cfg(loom)]
pub(crate) use self::model::{Condvar, Mutex};

/// Loom's lock and condition with parking_lot's interface.
#[cfg(loom)]
mod model {
    use loom::sync::MutexGuard;

    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> Guard<'_, T> {
            Guard(self.0.lock().ok())
        }
    }

    /// Taken out while it waits.
    pub(crate) struct Guard<'a, T>(Option<MutexGuard<'a, T>>);

    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(loom::sync::Condvar::new())
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait<T>(&self, guard: &mut Guard<'_, T>) {
            guard.0 = guard.0.take().and_then(|held| self.0.wait(held).ok());
        }
    }
}

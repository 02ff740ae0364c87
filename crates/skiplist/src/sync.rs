//! The atomics, from loom when the list is model-checked.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// Stands for a node's plain memory, which loom does not watch by itself: it is written with the
/// node and read with the key, so that loom reports a reader who may not see the whole key yet.
/// Nothing at all outside loom.
#[cfg(not(loom))]
pub(crate) struct Witness;

#[cfg(not(loom))]
impl Witness {
    pub(crate) fn written() -> Self {
        Self
    }

    pub(crate) fn read(&self) {}
}

#[cfg(loom)]
pub(crate) struct Witness(loom::cell::UnsafeCell<()>);

#[cfg(loom)]
impl Witness {
    pub(crate) fn written() -> Self {
        let witness = Self(loom::cell::UnsafeCell::new(()));
        witness.0.with_mut(|_| ());
        witness
    }

    pub(crate) fn read(&self) {
        self.0.with(|_| ());
    }
}

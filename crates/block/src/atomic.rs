//! The atomics of this crate, and why their orderings are enough: nothing is published through any
//! of them.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::{Compression, CompressionSet};

/// A set that several threads add to.
#[derive(Debug, Default)]
pub(crate) struct SharedSet(AtomicU8);

impl SharedSet {
    pub(crate) fn get(&self) -> CompressionSet {
        CompressionSet::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Adds one; writes nothing if it is there.
    pub(crate) fn insert(&self, compression: Compression) {
        let mut set = self.get();
        if !set.contains(compression) {
            set.insert(compression);
            self.0.fetch_or(set.bits(), Ordering::Relaxed);
        }
    }
}

/// Gives out numbers, each once.
#[cfg(feature = "cache")]
#[derive(Debug, Default)]
pub(crate) struct Numbers(std::sync::atomic::AtomicU64);

#[cfg(feature = "cache")]
impl Numbers {
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

//! What is counted as entries are added. `Ordering` appears in no other file of the crate.
//!
//! Every access is Relaxed: each number is looked at by itself, and none publishes an entry. Who
//! knows by other means that an `add` has returned, because its thread was joined or has told,
//! sees it counted.

use std::sync::atomic::{AtomicU64, Ordering};

use strata_dbformat::{SequenceNumber, Tag};

#[derive(Debug)]
pub(crate) struct Stats {
    tombstones: AtomicU64,
    /// `u64::MAX` while there are no entries.
    smallest_sequence: AtomicU64,
    /// Zero while there are no entries.
    largest_sequence: AtomicU64,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            tombstones: AtomicU64::new(0),
            smallest_sequence: AtomicU64::new(u64::MAX),
            largest_sequence: AtomicU64::new(0),
        }
    }

    pub(crate) fn count(&self, tag: Tag) {
        if tag.value_type().is_tombstone() {
            self.tombstones.fetch_add(1, Ordering::Relaxed);
        }
        // Most sequence numbers are larger than any before: then the first is a load only.
        let sequence = tag.sequence().get();
        if sequence < self.smallest_sequence.load(Ordering::Relaxed) {
            self.smallest_sequence
                .fetch_min(sequence, Ordering::Relaxed);
        }
        if sequence > self.largest_sequence.load(Ordering::Relaxed) {
            self.largest_sequence.fetch_max(sequence, Ordering::Relaxed);
        }
    }

    pub(crate) fn tombstones(&self) -> u64 {
        self.tombstones.load(Ordering::Relaxed)
    }

    /// The smallest and the largest sequence number; `None` if there are no entries.
    pub(crate) fn sequences(&self) -> Option<(SequenceNumber, SequenceNumber)> {
        let smallest = SequenceNumber::new(self.smallest_sequence.load(Ordering::Relaxed)).ok()?;
        let largest = SequenceNumber::new(self.largest_sequence.load(Ordering::Relaxed)).ok()?;
        // While the first entry is being counted, only one of the two may be.
        Some((smallest, largest.max(smallest)))
    }
}

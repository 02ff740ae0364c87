//! What every addition takes note of: whether the memtable is frozen, how many entries there are of
//! which sequence numbers, and how many bytes they and those they shadow have. `Ordering` appears
//! in no other file of the crate.
//!
//! There are several shards, each on cache lines of its own, so that writers at the same time don't
//! wait for each other: an addition takes the first that is free and holds its lock to the end.
//! Freezing takes all of them, one after the other.
//!
//! The numbers are written by who holds the shard's lock, and read by anybody: every access is
//! Relaxed, as each is looked at by itself and none publishes an entry. Who knows by other means
//! that an `add` has returned, because its thread was joined or has told, sees it counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use strata_arena::thread_number;
use strata_dbformat::{SequenceNumber, Tag};

use crate::Entry;
use crate::entry::{LEAST_ENCODING, extra_encoding};

const SHARDS: usize = 8;

/// Two cache lines, as processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    /// Held while entries are added or the memtable is frozen; whether it is.
    is_frozen: Mutex<bool>,
    entries: AtomicU64,
    tombstones: AtomicU64,
    /// `u64::MAX` while there are no entries.
    smallest_sequence: AtomicU64,
    /// Zero while there are no entries.
    largest_sequence: AtomicU64,
    key_bytes: AtomicU64,
    value_bytes: AtomicU64,
    /// What is encoded with them beyond the [least](LEAST_ENCODING) that an entry has.
    extra_encoding_bytes: AtomicU64,
    shadowed_entries: AtomicU64,
    /// Keys, values and what is encoded with them.
    shadowed_bytes: AtomicU64,
}

impl Shard {
    fn new() -> Self {
        Self {
            is_frozen: Mutex::new(false),
            entries: AtomicU64::new(0),
            tombstones: AtomicU64::new(0),
            smallest_sequence: AtomicU64::new(u64::MAX),
            largest_sequence: AtomicU64::new(0),
            key_bytes: AtomicU64::new(0),
            value_bytes: AtomicU64::new(0),
            extra_encoding_bytes: AtomicU64::new(0),
            shadowed_entries: AtomicU64::new(0),
            shadowed_bytes: AtomicU64::new(0),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Shards {
    shards: [Shard; SHARDS],
    /// Whether all of them are frozen.
    are_frozen: AtomicBool,
}

/// A shard whose lock is held, of a memtable that is not frozen and won't be until this is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    shard: &'a Shard,
    _lock: MutexGuard<'a, bool>,
}

impl Shards {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Shard::new()),
            are_frozen: AtomicBool::new(false),
        }
    }

    /// A shard to add entries by; none if the memtable is frozen.
    #[inline]
    pub(crate) fn hold(&self) -> Option<Held<'_>> {
        let first = thread_number();
        let free = (0..SHARDS).find_map(|i| {
            let shard = &self.shards[(first + i) % SHARDS];
            Some((shard, shard.is_frozen.try_lock()?))
        });
        let (shard, lock) = free.unwrap_or_else(|| {
            let shard = &self.shards[first % SHARDS];
            (shard, shard.is_frozen.lock())
        });
        (!*lock).then_some(Held { shard, _lock: lock })
    }

    /// Lets no entries be added from here on; waits for additions that have begun.
    pub(crate) fn freeze(&self) {
        for shard in &self.shards {
            *shard.is_frozen.lock() = true;
        }
        self.are_frozen.store(true, Ordering::Relaxed);
    }

    pub(crate) fn are_frozen(&self) -> bool {
        self.are_frozen.load(Ordering::Relaxed)
    }

    pub(crate) fn entries(&self) -> u64 {
        self.sum(|shard| &shard.entries)
    }

    pub(crate) fn tombstones(&self) -> u64 {
        self.sum(|shard| &shard.tombstones)
    }

    pub(crate) fn key_bytes(&self) -> usize {
        bytes(self.sum(|shard| &shard.key_bytes))
    }

    pub(crate) fn value_bytes(&self) -> usize {
        bytes(self.sum(|shard| &shard.value_bytes))
    }

    pub(crate) fn encoding_bytes(&self) -> usize {
        let extra = self.sum(|shard| &shard.extra_encoding_bytes);
        bytes(self.entries() * LEAST_ENCODING as u64 + extra)
    }

    pub(crate) fn shadowed_entries(&self) -> u64 {
        self.sum(|shard| &shard.shadowed_entries)
    }

    pub(crate) fn shadowed_bytes(&self) -> usize {
        bytes(self.sum(|shard| &shard.shadowed_bytes))
    }

    fn sum(&self, number: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        let number = |shard| number(shard).load(Ordering::Relaxed);
        self.shards.iter().map(number).sum()
    }

    /// The smallest and the largest sequence number; `None` if there are no entries.
    pub(crate) fn sequences(&self) -> Option<(SequenceNumber, SequenceNumber)> {
        let each = |number: fn(&Shard) -> &AtomicU64| {
            let load = move |shard| number(shard).load(Ordering::Relaxed);
            self.shards.iter().map(load)
        };
        let smallest = each(|shard| &shard.smallest_sequence).min()?;
        let largest = each(|shard| &shard.largest_sequence).max()?;
        let smallest = SequenceNumber::new(smallest).ok()?;
        // While the first entry is being counted, only one of the two may be.
        Some((smallest, SequenceNumber::new(largest).ok()?.max(smallest)))
    }
}

impl Held<'_> {
    /// Counts an entry that was added, of a user key and a value of so many bytes.
    #[inline]
    pub(crate) fn count(&self, tag: Tag, user_key: usize, value: usize) {
        let shard = self.shard;
        let sequence = tag.sequence().get();
        update(&shard.entries, u64::wrapping_add, 1);
        update(&shard.smallest_sequence, u64::min, sequence);
        update(&shard.largest_sequence, u64::max, sequence);
        if tag.value_type().is_tombstone() {
            update(&shard.tombstones, u64::wrapping_add, 1);
        }
        add(&shard.key_bytes, user_key);
        add(&shard.value_bytes, value);
        let extra = extra_encoding(user_key, value);
        if extra > 0 {
            add(&shard.extra_encoding_bytes, extra);
        }
    }

    /// Counts an entry that is shadowed from now on.
    #[inline]
    pub(crate) fn count_shadowed(&self, entry: Entry<'_>) {
        add(&self.shard.shadowed_entries, 1);
        add(&self.shard.shadowed_bytes, entry.encoded().len());
    }
}

/// Changes a number of a shard whose lock is held: nobody else writes.
#[inline]
fn update(number: &AtomicU64, to: fn(u64, u64) -> u64, with: u64) {
    let before = number.load(Ordering::Relaxed);
    number.store(to(before, with), Ordering::Relaxed);
}

#[inline]
fn add(number: &AtomicU64, count: usize) {
    update(number, u64::wrapping_add, count as u64);
}

fn bytes(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

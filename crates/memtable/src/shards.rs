//! What every addition takes note of: whether the memtable is frozen, how many entries there are of
//! which sequence numbers, and how many bytes they and those they shadow have. `Ordering` appears
//! in no other file of the crate.
//!
//! There is a shard for each lane of the arena, on cache lines of its own. An addition holds a
//! lease of a lane from its beginning to its end, and with it the shard.
//!
//! Every access is Relaxed:
//!
//! - The numbers are written by the thread that has the lease, by a load and a store, and read by
//!   any thread: each is looked at by itself, and none publishes an entry. A thread that knows by
//!   other means that an `add` has returned, because it was told or has joined the other thread,
//!   sees it counted.
//! - The flag is raised before leases are waited for, and looked at after one was taken. An addition
//!   whose lease is not waited for sees it raised, and an addition that does not has ended when the
//!   wait has: see [`Arena::wait_for_leases`], and loom
//!   `nothing_is_added_after_freezing` for a model. A thread that knows that another was refused
//!   sees the flag raised as well.

use strata_arena::{Arena, Lease};
use strata_dbformat::{SequenceNumber, Tag};

use crate::entry::{LEAST_ENCODING, extra_encoding};
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::{AddError, Entry};

/// The numbers of one lane. Two cache lines, as processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard {
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

#[derive(Debug)]
pub(crate) struct Shards {
    shards: [Shard; Arena::LANES],
    is_frozen: AtomicBool,
}

impl Shards {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Shard::new()),
            is_frozen: AtomicBool::new(false),
        }
    }

    /// The shard to count entries in that are added under `lease`, if the memtable is not frozen.
    #[inline]
    pub(crate) fn begin(&self, lease: &Lease<'_>) -> Result<&Shard, AddError> {
        match self.is_frozen() {
            false => Ok(&self.shards[lease.lane()]),
            true => Err(AddError::Frozen),
        }
    }

    /// Lets no addition begin from here on; waits for those that have begun, but for the calling
    /// thread's own.
    pub(crate) fn freeze(&self, arena: &Arena) {
        self.is_frozen.store(true, Ordering::Relaxed);
        arena.wait_for_leases();
    }

    #[inline]
    pub(crate) fn is_frozen(&self) -> bool {
        self.is_frozen.load(Ordering::Relaxed)
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

impl Shard {
    fn new() -> Self {
        Self {
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

    /// Counts an entry that was added, of a user key and a value of so many bytes.
    #[inline]
    pub(crate) fn count(&self, tag: Tag, user_key: usize, value: usize) {
        let sequence = tag.sequence().get();
        add(&self.entries, 1);
        add(&self.key_bytes, user_key);
        add(&self.value_bytes, value);
        // The largest mostly changes, the smallest hardly ever.
        if sequence > self.largest_sequence.load(Ordering::Relaxed) {
            self.largest_sequence.store(sequence, Ordering::Relaxed);
        }
        if sequence < self.smallest_sequence.load(Ordering::Relaxed) {
            self.smallest_sequence.store(sequence, Ordering::Relaxed);
        }
        if tag.value_type().is_tombstone() {
            add(&self.tombstones, 1);
        }
        let extra = extra_encoding(user_key, value);
        if extra > 0 {
            add(&self.extra_encoding_bytes, extra);
        }
    }

    /// Counts an entry that is shadowed from now on.
    #[inline]
    pub(crate) fn count_shadowed(&self, entry: Entry<'_>) {
        add(&self.shadowed_entries, 1);
        add(&self.shadowed_bytes, entry.encoded().len());
    }
}

/// Adds to a number of a shard that is the calling thread's alone.
#[inline]
fn add(number: &AtomicU64, count: usize) {
    let before = number.load(Ordering::Relaxed);
    number.store(before.wrapping_add(count as u64), Ordering::Relaxed);
}

fn bytes(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

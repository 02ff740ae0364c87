//! The floor of a lookup: a table of offsets to the bare entries, by the number of a key.
//!
//! A lookup in an index that does not fit a cache waits for the last node at least, and then for the
//! entry; here, for a line of the table and then for the entry. Each lookup waits for the one before:
//! otherwise ten would overlap, which those of an index hardly do, for they are too long.

use std::hint::black_box;

use strata_dbformat::Tag;

use super::tag;
use crate::prepared::{Prepared, index};
use benches::Checksum;

/// The entries, one after the other in the order in which they were written, and where each begins.
#[derive(Debug)]
pub(crate) struct Offsets {
    entries: Vec<u8>,
    /// By the number of the key.
    offsets: Vec<u32>,
    key_bytes: usize,
    value_bytes: usize,
}

impl Offsets {
    /// Its name in records.
    pub(crate) const NAME: &'static str = "two-miss-floor";

    /// All entries of a workload.
    pub(crate) fn new(prepared: &Prepared) -> Self {
        let room = prepared.room();
        let mut entries = Vec::with_capacity(room.bytes + room.entries * Tag::LENGTH);
        let mut offsets = vec![0; prepared.writes.len()];
        let (mut key_bytes, mut value_bytes) = (0, 0);
        for (position, (key, number)) in (0..).zip(prepared.writes.numbered()) {
            offsets[index(number)] = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            let value = prepared.workload.value(number, 0);
            entries.extend_from_slice(key);
            let tag = tag(prepared.workload.sequence(0, position));
            entries.extend_from_slice(&tag.to_le_bytes());
            entries.extend_from_slice(value);
            (key_bytes, value_bytes) = (key.len(), value.len());
        }
        Self {
            entries,
            offsets,
            key_bytes,
            value_bytes,
        }
    }

    /// The checksum of all that the lookups find, each of which waits for the one before.
    pub(crate) fn read_random(&self, prepared: &Prepared) -> Checksum {
        let mut found = Checksum::default();
        let (mut waits, nothing) = (0, black_box(0));
        for (key, number) in prepared.reads.numbered() {
            let offset = self.offsets[index(number) + waits] as usize;
            let entry = &self.entries[offset..];
            let value_at = self.key_bytes + Tag::LENGTH;
            let value = &entry[value_at..value_at + self.value_bytes];
            if entry[..self.key_bytes] == *key {
                found.add(value);
            }
            waits = usize::from(value.last().copied().unwrap_or_default()) & nothing;
        }
        found
    }
}

//! Random tables and logs that know which of their bytes hold which entries, and what damage leaves of them.

use std::collections::BTreeSet;
use std::ops::Range;

use strata_dbformat::{
    BytewiseComparator, InternalKey, InternalKeyComparator, SequenceNumber, ValueType,
};
use strata_table::{TableOptions, TableWriter};
use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Writer};
use strata_write_batch::WriteBatch;

use crate::faults::Damaged;
use crate::random::Random;

/// An internal key and a value.
pub(crate) type Entry = (Vec<u8>, Vec<u8>);

/// Bytes of a file that stand or fall together: a block of a table with its trailer, a record of a log.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) range: Range<usize>,
    pub(crate) entries: Vec<Entry>,
}

/// A file as it was written, and what its parts hold. No part holds the table's index, filter or footer.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) parts: Vec<Part>,
    is_log: bool,
}

impl Made {
    pub(crate) fn entries(&self) -> BTreeSet<&Entry> {
        self.parts.iter().flat_map(|part| &part.entries).collect()
    }

    /// The parts that damage left whole, and that can be read where they are now.
    pub(crate) fn left_whole(&self, damaged: &Damaged) -> Vec<&Part> {
        let claimed = self.claimed(damaged);
        let is_left = |part: &&Part| match damaged.place_of(&part.range) {
            Some(now) if self.is_log => {
                let end = now + part.range.len();
                let is_inside = |claim: &Range<usize>| claim.start < now && end <= claim.end;
                part.record_can_be_at(now) && !claimed.iter().any(is_inside)
            }
            Some(_) => true,
            None => false,
        };
        self.parts.iter().filter(is_left).collect()
    }

    /// What the headers of fragments say that is theirs. A record that was moved into a damaged one can't be
    /// told from a value that holds a log, so nobody may find it.
    fn claimed(&self, damaged: &Damaged) -> Vec<Range<usize>> {
        let fragments = self.parts.iter().filter(|_| self.is_log).flat_map(|part| {
            let absolute = |(at, length): &(usize, usize)| (part.range.start + at, *length);
            part.fragments().iter().map(absolute).collect::<Vec<_>>()
        });
        fragments
            .filter_map(|(begin, length)| {
                // The two bytes behind the checksum are the length.
                let now = damaged.place_of(&(begin + 4..begin + 6))?.checked_sub(4)?;
                Some(now..now + length)
            })
            .collect()
    }

    /// Whether anything is missing that the file shows to be missing. What a log lacks at its end may as
    /// well never have been written.
    pub(crate) fn must_be_told(&self, left: &[&Part]) -> bool {
        let last = left.last().map_or(0, |part| part.range.end);
        let is_left = |part: &Part| left.iter().any(|other| other.range == part.range);
        let mut lost = self.parts.iter().filter(|part| !is_left(part));
        lost.any(|part| !self.is_log || part.range.end <= last)
    }
}

impl Part {
    /// Whether a record that is left whole can be read at this offset: a fragment that was moved onto the
    /// border of two blocks can't, in a format whose blocks no fragment leaves.
    fn record_can_be_at(&self, now: usize) -> bool {
        if now % BLOCK_SIZE == self.range.start % BLOCK_SIZE {
            return true;
        }
        // An empty first fragment holds nothing that a checksum could prove.
        self.fragments().iter().all(|(at, length)| {
            let begin = now + at;
            *length > HEADER_SIZE && begin / BLOCK_SIZE == (begin + length - 1) / BLOCK_SIZE
        })
    }

    /// A record's fragments, from its beginning: offset and length. A block's trailer is in none.
    fn fragments(&self) -> Vec<(usize, usize)> {
        let (mut at, mut fragments) = (self.range.start, Vec::new());
        while at < self.range.end {
            let block_end = (at / BLOCK_SIZE + 1) * BLOCK_SIZE;
            if block_end - at < HEADER_SIZE {
                at = block_end;
                continue;
            }
            let end = block_end.min(self.range.end);
            fragments.push((at - self.range.start, end - at));
            at = end;
        }
        fragments
    }
}

/// Up to `most` writes with sequence numbers from `first` on: few keys, so that some have several
/// versions, and some of them deletions; values from empty to longer than a block.
pub(crate) fn writes(random: &mut Random, first: u64, most: usize) -> Vec<(InternalKey, Vec<u8>)> {
    let count = 1 + random.below(most);
    let prefix = random.pick(&["", "k", "user/0000/order/"]);
    let mut write = |number: usize| {
        let key = match random.below(20) {
            0 => random.bytes(number % 5),
            _ => format!("{prefix}{:06}", random.below(2 * count)).into_bytes(),
        };
        let sequence = SequenceNumber::new(first + number as u64).unwrap();
        if random.one_of(8) {
            return (
                InternalKey::new(&key, sequence, ValueType::Deletion),
                Vec::new(),
            );
        }
        let longest = random.pick(&[1, 30, 30, 200, 200, 1500]);
        let length = random.below(longest);
        let half = random.bytes(length / 2);
        // The other half can be compressed.
        let value = [half, vec![b'-'; length - length / 2]].concat();
        (InternalKey::new(&key, sequence, ValueType::Value), value)
    };
    (0..count).map(&mut write).collect()
}

fn entry((key, value): &(InternalKey, Vec<u8>)) -> Entry {
    (key.encode().to_vec(), value.clone())
}

/// A table of some hundred random entries.
pub(crate) fn table(random: &mut Random, first: u64, options: &TableOptions) -> Made {
    let mut writes = writes(random, first, 400);
    let order = InternalKeyComparator::new(BytewiseComparator);
    writes.sort_by(|a, b| order.compare_keys(&a.0, &b.0));
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options.clone()).unwrap();
    let (mut parts, mut pending, mut begin) = (Vec::new(), Vec::new(), 0);
    for write in &writes {
        writer.add(write.0.encode(), &write.1).unwrap();
        pending.push(entry(write));
        let end = usize::try_from(writer.bytes_written()).unwrap();
        if end > begin {
            let entries = std::mem::take(&mut pending);
            parts.push(Part {
                range: begin..end,
                entries,
            });
            begin = end;
        }
    }
    let (bytes, _) = writer.finish().unwrap();
    if !pending.is_empty() {
        parts.push(Part {
            range: begin..block_end(&bytes, begin),
            entries: pending,
        });
    }
    Made {
        bytes,
        parts,
        is_log: false,
    }
}

/// Where the block that begins here ends, trailer included: at the first place where a checksum holds.
fn block_end(bytes: &[u8], begin: usize) -> usize {
    let mut checksum = 0;
    for (at, byte) in bytes.iter().enumerate().skip(begin) {
        checksum = strata_checksum::append(checksum, &[*byte]);
        let masked = strata_checksum::mask(checksum);
        if bytes[at + 1..].starts_with(&masked.to_le_bytes()) {
            return at + 5;
        }
    }
    panic!("no block begins at {begin}");
}

/// A log of random batches, in records of one fragment and of several.
pub(crate) fn log(random: &mut Random, first: u64, most: usize) -> Made {
    let mut writes = writes(random, first, most);
    let (mut writer, mut parts) = (Writer::new(Vec::new()), Vec::new());
    while !writes.is_empty() {
        let count = random.pick(&[1, 1, 1, 2, 7]).min(writes.len());
        let mut some: Vec<_> = writes.drain(..count).collect();
        if random.one_of(60) {
            // Longer than a block of the log.
            let (key, value) = &mut some[0];
            let parsed = key.parsed().unwrap();
            if parsed.value_type == ValueType::Value {
                let length = 20_000 + random.below(60_000);
                *value = random.bytes(length);
            }
        }
        let mut batch = WriteBatch::new();
        for (key, value) in &some {
            let parsed = key.parsed().unwrap();
            match parsed.value_type {
                ValueType::Value => batch.put(parsed.user_key, value).unwrap(),
                ValueType::Deletion => batch.delete(parsed.user_key).unwrap(),
            }
        }
        batch.set_sequence(some[0].0.parsed().unwrap().sequence);
        let mut begin = usize::try_from(writer.offset()).unwrap();
        if BLOCK_SIZE - begin % BLOCK_SIZE < HEADER_SIZE {
            begin = begin.next_multiple_of(BLOCK_SIZE);
        }
        writer.add_record(batch.contents()).unwrap();
        parts.push(Part {
            range: begin..usize::try_from(writer.offset()).unwrap(),
            entries: some.iter().map(entry).collect(),
        });
    }
    Made {
        bytes: writer.into_inner(),
        parts,
        is_log: true,
    }
}

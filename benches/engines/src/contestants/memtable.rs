//! The memtable that the write buffer is built on, without it.

use std::path::Path;

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::MemTable;
use strata_write_batch::WriteBatch;

use crate::contestant::{Contestant, Logging, Writer, done};
use crate::threads::Counter;

/// The memtable by itself: what the write buffer adds to a write is beyond this.
///
/// A put is [`MemTable::add`], a batch [`WriteBatch::insert_into`]. Sequence numbers are drawn from a
/// counter; nobody waits for those before it, so that what a reader at the newest sequence number
/// sees is no snapshot.
#[derive(Debug)]
pub(crate) struct BareMemTable {
    memtable: MemTable<BytewiseComparator>,
    sequences: Counter,
}

/// With a batch to put together anew each time.
#[derive(Debug)]
pub(crate) struct MemTableWriter<'a> {
    table: &'a BareMemTable,
    batch: WriteBatch,
}

impl BareMemTable {
    /// The first of so many sequence numbers that nobody else gets.
    #[inline]
    fn draw(&self, count: u32) -> SequenceNumber {
        done(SequenceNumber::new(1 + self.sequences.add(count.into())))
    }
}

impl Writer for MemTableWriter<'_> {
    #[inline]
    fn put(&mut self, user_key: &[u8], value: &[u8]) {
        let sequence = self.table.draw(1);
        let memtable = &self.table.memtable;
        done(memtable.add(sequence, ValueType::Value, user_key, value));
    }

    fn write<'e>(&mut self, entries: impl Iterator<Item = (&'e [u8], &'e [u8])>) {
        self.batch.clear();
        for (user_key, value) in entries {
            done(self.batch.put(user_key, value));
        }
        self.batch.set_sequence(self.table.draw(self.batch.count()));
        done(self.batch.insert_into(&self.table.memtable));
    }
}

impl Contestant for BareMemTable {
    const NAME: &'static str = "memtable";

    const LOGGING: &'static [Logging] = &[Logging::Off];

    type Writer<'a> = MemTableWriter<'a>;

    fn open(_: &Path, _: Logging) -> Self {
        Self {
            memtable: MemTable::new(BytewiseComparator),
            sequences: Counter::default(),
        }
    }

    fn writer(&self) -> MemTableWriter<'_> {
        MemTableWriter {
            table: self,
            batch: WriteBatch::new(),
        }
    }

    #[inline]
    fn get<T>(&self, user_key: &[u8], found: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let lookup = self.memtable.get_at(user_key, SequenceNumber::MAX);
        lookup.value().map(found)
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut last: Option<&[u8]> = None;
        for entry in self.memtable.iter() {
            if last != Some(entry.user_key()) {
                visit(entry.user_key(), entry.value());
            }
            last = Some(entry.user_key());
        }
    }

    /// It has no versions to hide: that is what the rows that seek are measured on.
    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.memtable.cursor();
        cursor.seek_to(user_key, SequenceNumber::MAX);
        for _ in 0..=nexts {
            let Some(entry) = cursor.entry() else { return };
            visit(entry.user_key(), entry.value());
            cursor.next();
        }
    }

    fn is_in_one_memtable(&self) -> bool {
        true
    }
}

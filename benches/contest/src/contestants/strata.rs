//! Ours: the memtable with all it does beside, which is to refuse additions once it is frozen and to
//! keep statistics.

use std::sync::Arc;

use strata_arena::BlockPool;
use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber, ValueType};
use strata_memtable::{MemTable, MemTableOptions};

use crate::contestant::{Contestant, Room, Writer};

/// The memtable.
#[derive(Debug)]
pub(crate) struct Strata<C = BytewiseComparator>(MemTable<C>);

impl<C: Comparator> Writer for &Strata<C> {
    #[inline]
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let added = self.0.add(sequence, ValueType::Value, user_key, value);
        assert!(added.is_ok(), "{added:?}");
    }
}

impl<C: Comparator + Default> Contestant for Strata<C> {
    const NAME: &'static str = "strata";

    type Writer<'a>
        = &'a Self
    where
        C: 'a;

    type SharedWriter<'a>
        = &'a Self
    where
        C: 'a;

    fn new(_: Room) -> Self {
        Self(MemTable::default())
    }

    /// Fills another memtable first, whose blocks a pool keeps for this one.
    fn touched(room: Room) -> Option<Self> {
        let pool = Arc::new(BlockPool::new(usize::MAX));
        let pooled = || {
            let pool = Some(Arc::clone(&pool));
            let options = MemTableOptions {
                pool,
                ..MemTableOptions::default()
            };
            MemTable::with_options(C::default(), options)
        };
        let (first, value) = (pooled(), vec![0; room.bytes / room.entries.max(1)]);
        // Keys in order fill nodes better than those at random: some more take as many nodes.
        for number in 0..(room.entries + room.entries / 2) as u64 {
            let sequence = SequenceNumber::new(number).ok()?;
            first
                .add(sequence, ValueType::Value, &number.to_be_bytes(), &value)
                .ok()?;
        }
        drop(first);
        Some(Self(pooled()))
    }

    fn writer(&self) -> &Self {
        self
    }

    fn shared_writer(&self) -> &Self {
        self
    }

    #[inline]
    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        self.0.get_at(user_key, snapshot).value().map(found)
    }

    fn get_many<'k>(
        &self,
        user_keys: impl Iterator<Item = &'k [u8]>,
        snapshot: SequenceNumber,
        mut found: impl FnMut(Option<&[u8]>),
    ) {
        for lookup in self.0.get_many(user_keys, snapshot) {
            found(lookup.value());
        }
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter() {
            visit(entry.user_key(), entry.value());
        }
    }

    fn scan_owned(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for owned in self.0.owned_iter() {
            let entry = owned.entry();
            visit(entry.user_key(), entry.value());
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter().rev() {
            visit(entry.user_key(), entry.value());
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.0.cursor();
        cursor.seek_to(user_key, SequenceNumber::MAX);
        for _ in 0..=nexts {
            let Some(entry) = cursor.entry() else { return };
            visit(entry.user_key(), entry.value());
            cursor.next();
        }
    }
    fn insert_batch<'e>(
        &self,
        first: SequenceNumber,
        entries: impl Iterator<Item = (&'e [u8], &'e [u8])> + Clone,
    ) {
        let entries = entries.map(|(key, value)| (ValueType::Value, key, value));
        let added = self.0.add_batch(first, entries);
        assert!(added.is_ok(), "{added:?}");
    }
}

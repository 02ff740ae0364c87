//! The baseline: a list of one entry a node.

use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber};

use crate::contestant::{Contestant, Room, Writer};
use crate::inline_list::{ConcurrentWriter, InlineList, SoleWriter};

/// The list in RocksDB's manner.
#[derive(Debug)]
pub(crate) struct Inline<C = BytewiseComparator>(InlineList<C>);

impl<C: Comparator> Writer for SoleWriter<'_, C> {
    #[inline]
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        Self::insert(self, user_key, sequence, value);
    }
}

impl<C: Comparator> Writer for ConcurrentWriter<'_, C> {
    #[inline]
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        Self::insert(self, user_key, sequence, value);
    }
}

impl<C: Comparator + Default> Contestant for Inline<C> {
    const NAME: &'static str = "inline-list";

    type Writer<'a>
        = SoleWriter<'a, C>
    where
        C: 'a;

    type SharedWriter<'a>
        = ConcurrentWriter<'a, C>
    where
        C: 'a;

    fn new(_: Room) -> Self {
        Self(InlineList::new(C::default()))
    }

    fn touched(room: Room) -> Option<Self> {
        Some(Self(InlineList::touched(C::default(), room.in_one_block())))
    }

    fn writer(&self) -> SoleWriter<'_, C> {
        self.0.sole_writer()
    }

    fn shared_writer(&self) -> ConcurrentWriter<'_, C> {
        self.0.concurrent_writer()
    }

    #[inline]
    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let entry = self.0.get(user_key, snapshot)?;
        Some(found(entry.value()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.0.cursor();
        cursor.seek_to_first();
        while let Some(entry) = cursor.entry() {
            visit(entry.user_key, entry.value());
            cursor.next();
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.0.cursor();
        cursor.seek_to_last();
        while let Some(entry) = cursor.entry() {
            visit(entry.user_key, entry.value());
            cursor.prev();
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.0.cursor();
        cursor.seek(user_key, SequenceNumber::MAX);
        for _ in 0..=nexts {
            let Some(entry) = cursor.entry() else { return };
            visit(entry.user_key, entry.value());
            cursor.next();
        }
    }
}

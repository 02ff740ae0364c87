//! arenaskiplist, with the inserter that its documentation recommends and a fixed arena, which is
//! faster than its growing one.

use std::cmp::Ordering;

use arenaskiplist::{Arena, Inserter, SkipList};
use strata_dbformat::SequenceNumber;

use crate::contestant::{Contestant, Room, Writer};

/// The list of `arenaskiplist`, whose versions are its own.
pub(crate) struct ArenaSkiplist(SkipList);

/// Somebody who inserts, with the place of the last insertion.
pub(crate) struct Inserting<'a> {
    list: &'a SkipList,
    inserter: Inserter,
}

impl Writer for Inserting<'_> {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let number = sequence.get();
        let inserter = &mut self.inserter;
        let done = self
            .list
            .insert_with_version_and_inserter(user_key, number, value, inserter);
        assert!(done.is_ok(), "{done:?}");
    }
}

impl Contestant for ArenaSkiplist {
    const NAME: &'static str = "arenaskiplist";

    type Writer<'a> = Inserting<'a>;

    type SharedWriter<'a> = Inserting<'a>;

    fn new(room: Room) -> Self {
        Self(SkipList::new(Arena::with_capacity(room.in_one_block())))
    }

    fn writer(&self) -> Inserting<'_> {
        Inserting {
            list: &self.0,
            inserter: Inserter::new(),
        }
    }

    fn shared_writer(&self) -> Inserting<'_> {
        self.writer()
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let entry = self.0.get_version_le(user_key, snapshot.get())?;
        debug_assert_eq!(entry.key().cmp(user_key), Ordering::Equal);
        Some(found(entry.value()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter() {
            visit(entry.key(), entry.value());
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter().rev() {
            visit(entry.key(), entry.value());
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut iter = self.0.iter();
        iter.seek_ge(user_key);
        for _ in 0..=nexts {
            let Some(entry) = iter.current() else { return };
            visit(entry.key(), entry.value());
            iter.advance();
        }
    }

    fn used_bytes(&self) -> Option<usize> {
        Some(self.0.size())
    }
}

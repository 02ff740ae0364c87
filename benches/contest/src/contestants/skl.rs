//! skl, whose released insertion walks the whole list: it takes part where it can finish.

use std::ops::Bound;

use skl::Arena;
use skl::dynamic::Builder;
use skl::dynamic::multiple_version::Map;
use skl::dynamic::multiple_version::sync::SkipMap;
use strata_dbformat::SequenceNumber;

use crate::contestant::{Contestant, Room, Writer};

/// The map of `skl` with versions of its own.
pub(crate) struct Skl(SkipMap);

impl Writer for &Skl {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let done = self.0.insert(sequence.get(), user_key, value);
        assert!(done.is_ok_and(|replaced| replaced.is_none()));
    }
}

impl Contestant for Skl {
    const NAME: &'static str = "skl";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(room: Room) -> Self {
        let capacity = u32::try_from(room.in_one_block()).unwrap_or(u32::MAX);
        match Builder::new().with_capacity(capacity).alloc::<SkipMap>() {
            Ok(map) => Self(map),
            Err(error) => panic!("{error}"),
        }
    }

    fn writer(&self) -> &Self {
        self
    }

    fn shared_writer(&self) -> &Self {
        self
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let entry = self.0.get(snapshot.get(), user_key)?;
        Some(found(entry.value()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter(SequenceNumber::MAX.get()) {
            visit(entry.key(), entry.value());
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter(SequenceNumber::MAX.get()).rev() {
            visit(entry.key(), entry.value());
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let newest = SequenceNumber::MAX.get();
        let bounds = (Bound::Included(user_key), Bound::Unbounded);
        for entry in self.0.range::<[u8], _>(newest, bounds).take(1 + nexts) {
            visit(entry.key(), entry.value());
        }
    }

    fn used_bytes(&self) -> Option<usize> {
        Some(self.0.allocated())
    }
}

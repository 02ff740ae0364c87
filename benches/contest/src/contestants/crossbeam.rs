//! The cheapest honest use of crossbeam's skip list: bytes that sort by themselves, so that no lookup
//! allocates.
//!
//! What engines do with it costs more, see [`Fjall`](super::Fjall).

use std::ops::Bound;

use crossbeam_skiplist::SkipMap;
use strata_dbformat::SequenceNumber;

use super::{VersionedKey, tag};
use crate::contestant::{Contestant, Room, Writer};

/// Versioned keys and values, an allocation each.
#[derive(Debug)]
pub(crate) struct Crossbeam(SkipMap<Box<[u8]>, Box<[u8]>>);

impl Writer for &Crossbeam {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let key = VersionedKey::new(user_key, tag(sequence));
        self.0.insert(key.as_bytes().into(), value.into());
    }
}

impl Contestant for Crossbeam {
    const NAME: &'static str = "crossbeam-skiplist";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(SkipMap::new())
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
        let target = VersionedKey::new(user_key, tag(snapshot));
        let entry = self.0.lower_bound(Bound::Included(target.as_bytes()))?;
        (VersionedKey::user_key(entry.key()) == user_key).then(|| found(entry.value()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter() {
            visit(VersionedKey::user_key(entry.key()), entry.value());
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for entry in self.0.iter().rev() {
            visit(VersionedKey::user_key(entry.key()), entry.value());
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let target = VersionedKey::new(user_key, tag(SequenceNumber::MAX));
        let bounds = (Bound::Included(target.as_bytes()), Bound::Unbounded);
        for entry in self.0.range::<[u8], _>(bounds).take(1 + nexts) {
            visit(VersionedKey::user_key(entry.key()), entry.value());
        }
    }
}

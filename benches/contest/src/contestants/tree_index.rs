//! scc's tree index: versioned keys and values, an allocation each, as with crossbeam's list.

use std::ops::Bound;

use scc::{Guard, TreeIndex};
use strata_dbformat::SequenceNumber;

use super::{VersionedKey, tag};
use crate::contestant::{Contestant, Room, Writer};

/// The tree of `scc`.
pub(crate) struct ScTreeIndex(TreeIndex<Box<[u8]>, Box<[u8]>>);

impl Writer for &ScTreeIndex {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let key = VersionedKey::new(user_key, tag(sequence));
        let done = self.0.insert_sync(key.as_bytes().into(), value.into());
        assert!(done.is_ok());
    }
}

impl Contestant for ScTreeIndex {
    const NAME: &'static str = "tree-index";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(TreeIndex::new())
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
        let bounds = (Bound::Included(target.as_bytes()), Bound::Unbounded);
        let guard = Guard::new();
        let (key, value) = self.0.range::<[u8], _>(bounds, &guard).next()?;
        (VersionedKey::user_key(key) == user_key).then(|| found(value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (key, value) in self.0.iter(&Guard::new()) {
            visit(VersionedKey::user_key(key), value);
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (key, value) in self.0.iter(&Guard::new()).rev() {
            visit(VersionedKey::user_key(key), value);
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let target = VersionedKey::new(user_key, tag(SequenceNumber::MAX));
        let bounds = (Bound::Included(target.as_bytes()), Bound::Unbounded);
        let guard = Guard::new();
        for (key, value) in self.0.range::<[u8], _>(bounds, &guard).take(1 + nexts) {
            visit(VersionedKey::user_key(key), value);
        }
    }
}

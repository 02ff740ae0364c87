//! scc's tree index: keys and values an allocation each, as with crossbeam's list; by user keys where
//! there are no versions, and by versioned keys where there are.
//!
//! Lookups by a range, which versions need, were slow once: 20 us each of 100 000 entries at random
//! snapshots, 41 % of the instructions in its `RevIter::jump`, but 1.5 us at the newest one. A program
//! apart did not show it again, so the reason is not known.

use std::ops::Bound;

use scc::{Guard, TreeIndex};
use strata_dbformat::SequenceNumber;

use super::{VersionedKey, tag};
use crate::contestant::{Contestant, Room, Writer};

/// The tree of `scc`.
pub(crate) struct ScTreeIndex<const VERSIONS: bool>(TreeIndex<Box<[u8]>, Box<[u8]>>);

impl<const VERSIONS: bool> ScTreeIndex<VERSIONS> {
    #[inline]
    fn user_key(key: &[u8]) -> &[u8] {
        if VERSIONS {
            VersionedKey::user_key(key)
        } else {
            key
        }
    }
}

impl<const VERSIONS: bool> Writer for &ScTreeIndex<VERSIONS> {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let done = if VERSIONS {
            let key = VersionedKey::new(user_key, tag(sequence));
            self.0.insert_sync(key.as_bytes().into(), value.into())
        } else {
            self.0.insert_sync(user_key.into(), value.into())
        };
        assert!(done.is_ok());
    }
}

impl<const VERSIONS: bool> Contestant for ScTreeIndex<VERSIONS> {
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
        if !VERSIONS {
            return self.0.peek_with(user_key, |_, value| found(value));
        }
        let target = VersionedKey::new(user_key, tag(snapshot));
        let bounds = (Bound::Included(target.as_bytes()), Bound::Unbounded);
        let guard = Guard::new();
        let (key, value) = self.0.range::<[u8], _>(bounds, &guard).next()?;
        (VersionedKey::user_key(key) == user_key).then(|| found(value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (key, value) in self.0.iter(&Guard::new()) {
            visit(Self::user_key(key), value);
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (key, value) in self.0.iter(&Guard::new()).rev() {
            visit(Self::user_key(key), value);
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let newest = VersionedKey::new(user_key, tag(SequenceNumber::MAX));
        let target = if VERSIONS {
            newest.as_bytes()
        } else {
            user_key
        };
        let bounds = (Bound::Included(target), Bound::Unbounded);
        let guard = Guard::new();
        for (key, value) in self.0.range::<[u8], _>(bounds, &guard).take(1 + nexts) {
            visit(Self::user_key(key), value);
        }
    }
}

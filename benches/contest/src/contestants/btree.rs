//! What anybody can write in an hour: the standard library's B-tree behind a lock.

use benches::{Contestant as _, LockedBTreeMap};
use strata_dbformat::SequenceNumber;

use crate::contestant::{Contestant, Room, Writer};

/// `parking_lot`'s `RwLock` of a `BTreeMap`.
#[derive(Debug)]
pub(crate) struct LockedBTree(LockedBTreeMap);

impl Writer for &LockedBTree {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        self.0.insert(user_key, sequence, value);
    }
}

impl Contestant for LockedBTree {
    const NAME: &'static str = "rwlock-btreemap";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(LockedBTreeMap::default())
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
        self.0.get(user_key, snapshot, found)
    }

    fn scan(&self, visit: impl FnMut(&[u8], &[u8])) {
        self.0.scan(visit);
    }

    fn scan_back(&self, visit: impl FnMut(&[u8], &[u8])) {
        self.0.scan_back(visit);
    }

    fn seek(&self, user_key: &[u8], nexts: usize, visit: impl FnMut(&[u8], &[u8])) {
        self.0.seek(user_key, nexts, visit);
    }
}

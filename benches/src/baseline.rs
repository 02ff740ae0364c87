//! What one would do without a skip list: the standard library's B-trees behind a lock.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use parking_lot::RwLock;
use strata_dbformat::{SequenceNumber, Tag, ValueType};

use crate::Contestant;

/// Bytes in an allocation of their own.
type Bytes = Box<[u8]>;

/// A set of keys behind a lock, each key an allocation: what a skip list of keys is held against.
///
/// A scan holds the lock from its first entry to its last, so nothing can be inserted meanwhile.
#[derive(Debug, Default)]
pub struct LockedBTreeSet(RwLock<BTreeSet<Bytes>>);

impl Contestant for LockedBTreeSet {
    const NAME: &'static str = "rwlock-btreeset";

    fn insert(&self, user_key: &[u8], _: SequenceNumber, _: &[u8]) {
        self.0.write().insert(user_key.into());
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        _: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        self.0.read().get(user_key).map(|_| found(&[]))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0.read().iter().for_each(|key| visit(key, &[]));
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0.read().iter().rev().for_each(|key| visit(key, &[]));
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        self.0
            .read()
            .range::<[u8], _>((Bound::Included(user_key), Bound::Unbounded))
            .take(1 + nexts)
            .for_each(|key| visit(key, &[]));
    }
}

/// A map from versions of keys to values behind a lock, keys and values an allocation each: what a
/// memtable is held against.
///
/// It keeps versions, as a memtable does: its keys are user keys followed by the tag's complement,
/// big-endian, so that their bytes sort newest version first. That holds among user keys of one
/// length only, which those of a workload are. A scan holds the lock from its first entry to its
/// last.
#[derive(Debug, Default)]
pub struct LockedBTreeMap(RwLock<BTreeMap<Bytes, Bytes>>);

/// The key of a version, without an allocation.
struct VersionedKey {
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl VersionedKey {
    /// Enough for every shape of key.
    const ROOM: usize = 64;

    fn new(user_key: &[u8], tag: Tag) -> Self {
        let mut bytes = [0; Self::ROOM];
        let length = user_key.len() + Tag::LENGTH;
        bytes[..user_key.len()].copy_from_slice(user_key);
        let descending = !u64::from_le_bytes(tag.to_bytes());
        bytes[user_key.len()..length].copy_from_slice(&descending.to_be_bytes());
        Self { bytes, length }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Everything from the newest version that `snapshot` sees on.
    fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (Bound::Included(self.as_bytes()), Bound::Unbounded)
    }

    fn user_key(key: &[u8]) -> &[u8] {
        &key[..key.len() - Tag::LENGTH]
    }
}

impl Contestant for LockedBTreeMap {
    const NAME: &'static str = "rwlock-btreemap";

    fn insert(&self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let key = VersionedKey::new(user_key, Tag::new(sequence, ValueType::Value));
        // Allocated before the lock is taken.
        let entry: (Bytes, Bytes) = (key.as_bytes().into(), value.into());
        self.0.write().insert(entry.0, entry.1);
    }

    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let target = VersionedKey::new(user_key, Tag::for_seek(snapshot));
        let map = self.0.read();
        let (key, value) = map.range::<[u8], _>(target.bounds()).next()?;
        (VersionedKey::user_key(key) == user_key).then(|| found(value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (key, value) in &*self.0.read() {
            visit(VersionedKey::user_key(key), value);
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (key, value) in self.0.read().iter().rev() {
            visit(VersionedKey::user_key(key), value);
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let target = VersionedKey::new(user_key, Tag::MAX);
        let map = self.0.read();
        for (key, value) in map.range::<[u8], _>(target.bounds()).take(1 + nexts) {
            visit(VersionedKey::user_key(key), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(scan: impl FnOnce(&mut dyn FnMut(&[u8], &[u8]))) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries = Vec::new();
        scan(&mut |key, value| entries.push((key.to_vec(), value.to_vec())));
        entries
    }

    #[test]
    fn the_map_keeps_versions_and_gives_the_newest_that_a_snapshot_sees() {
        let at = |number| SequenceNumber::new(number).unwrap();
        let map = LockedBTreeMap::default();
        for (key, sequence, value) in [("b", 2, "two"), ("a", 1, "one"), ("b", 300, "three")] {
            map.insert(key.as_bytes(), at(sequence), value.as_bytes());
        }
        let get = |key: &str, sequence| {
            map.get(key.as_bytes(), at(sequence), |value| {
                String::from_utf8(value.to_vec()).unwrap()
            })
        };
        assert_eq!(get("b", 1), None);
        assert_eq!(get("b", 2).as_deref(), Some("two"));
        assert_eq!(get("b", 299).as_deref(), Some("two"));
        assert_eq!(get("b", 300).as_deref(), Some("three"));
        assert_eq!(get("c", 300), None);

        let pair = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let all = [pair("a", "one"), pair("b", "three"), pair("b", "two")];
        assert_eq!(entries(|visit| map.scan(visit)), all);
        let reversed: Vec<_> = all.iter().rev().cloned().collect();
        assert_eq!(entries(|visit| map.scan_back(visit)), reversed);
        assert_eq!(entries(|visit| map.seek(b"b", 0, visit)), all[1..2]);
        assert_eq!(entries(|visit| map.seek(b"b", 9, visit)), all[1..]);
    }

    #[test]
    fn the_set_keeps_keys() {
        let set = LockedBTreeSet::default();
        let any = SequenceNumber::ZERO;
        for key in [b"b", b"a", b"c"] {
            set.insert(key, any, b"value");
        }
        assert_eq!(set.get(b"b", any, |value| value.len()), Some(0));
        assert_eq!(set.get(b"d", any, |value| value.len()), None);
        let pairs =
            |keys: &str| -> Vec<_> { keys.bytes().map(|key| (vec![key], Vec::new())).collect() };
        assert_eq!(entries(|visit| set.scan(visit)), pairs("abc"));
        assert_eq!(entries(|visit| set.scan_back(visit)), pairs("cba"));
        assert_eq!(entries(|visit| set.seek(b"b", 1, visit)), pairs("bc"));
    }
}

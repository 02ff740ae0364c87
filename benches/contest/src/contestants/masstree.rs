//! masstree, a trie of B+trees: by user keys where there are no versions, and by user keys with the
//! sequence number behind where there are.
//!
//! A range that begins within a layer of that trie (among keys that share their first eight bytes)
//! begins at the first leaf of the layer, not at the one that the key belongs to: `masstree` 0.9.5
//! takes the layer's first node for its root after that node was split. So it walks from there, in
//! time that grows with the layer, and passes over the very key that it is to begin with. The tests
//! here show it with 16 keys and one thread. Lookups, whole scans and scans of a prefix are right, and
//! are what is used.

use masstree::{MassTree, MassTree15, RangeBound};
use strata_dbformat::SequenceNumber;

use super::{VersionedKey, tag};
use crate::contestant::{Contestant, Room, Writer};

/// By user keys. The tree puts a value into an allocation of its own; that is an array, so that its
/// bytes are not behind a second pointer.
pub(crate) struct Masstree<const VALUE: usize>(MassTree15<[u8; VALUE]>);

fn array<const VALUE: usize>(value: &[u8]) -> [u8; VALUE] {
    match value.try_into() {
        Ok(array) => array,
        Err(_) => panic!("a value of {} bytes, not {VALUE}", value.len()),
    }
}

impl<const VALUE: usize> Writer for &Masstree<VALUE> {
    fn insert(&mut self, user_key: &[u8], _: SequenceNumber, value: &[u8]) {
        let guard = self.0.guard();
        let replaced = self.0.insert_with_guard(user_key, array(value), &guard);
        assert!(replaced.is_none());
    }
}

impl<const VALUE: usize> Contestant for Masstree<VALUE> {
    const NAME: &'static str = "masstree";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(MassTree15::new())
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
        _: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let guard = self.0.guard();
        let value = self.0.get_ref(user_key, &guard)?;
        Some(found(&*value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let (all, guard) = (RangeBound::Unbounded, self.0.guard());
        let each = |key: &[u8], value: &[u8; VALUE]| {
            visit(key, value);
            true
        };
        self.0.scan_intra_leaf_batch_ref(all, all, each, &guard);
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let (all, guard) = (RangeBound::Unbounded, self.0.guard());
        let each = |key: &[u8], value: &[u8; VALUE]| {
            visit(key, value);
            true
        };
        self.0.scan_rev_batch_ref(all, all, each, &guard);
    }
}

/// By user keys, with values of eight bytes in the leaves themselves.
pub(crate) struct MasstreeInline(MassTree<u64>);

impl Writer for &MasstreeInline {
    fn insert(&mut self, user_key: &[u8], _: SequenceNumber, value: &[u8]) {
        let guard = self.0.guard();
        let value = u64::from_le_bytes(array(value));
        let replaced = self.0.insert_with_guard(user_key, value, &guard);
        assert!(replaced.is_none());
    }
}

impl Contestant for MasstreeInline {
    const NAME: &'static str = "masstree";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(MassTree::new())
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
        _: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let guard = self.0.guard();
        let value = self.0.get_with_guard(user_key, &guard)?;
        Some(found(&value.to_le_bytes()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let (all, guard) = (RangeBound::Unbounded, self.0.guard());
        let each = |key: &[u8], value: u64| {
            visit(key, &value.to_le_bytes());
            true
        };
        self.0.scan_intra_leaf_batch(all, all, each, &guard);
    }
}

/// By user keys and the tags of versions. A lookup scans the versions of its key, newest first, to the
/// one that its snapshot sees: a range would begin there, but begins elsewhere (see above).
pub(crate) struct MasstreeVersions<const VALUE: usize>(MassTree15<[u8; VALUE]>);

impl<const VALUE: usize> Writer for &MasstreeVersions<VALUE> {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let key = VersionedKey::new(user_key, tag(sequence));
        let guard = self.0.guard();
        let replaced = self
            .0
            .insert_with_guard(key.as_bytes(), array(value), &guard);
        assert!(replaced.is_none());
    }
}

impl<const VALUE: usize> Contestant for MasstreeVersions<VALUE> {
    const NAME: &'static str = "masstree";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(MassTree15::new())
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
        let guard = self.0.guard();
        let mut seen = None;
        self.0.scan_prefix(
            user_key,
            |key, value| {
                let is_seen = key >= target.as_bytes();
                if is_seen {
                    seen = Some(value);
                }
                !is_seen
            },
            &guard,
        );
        seen.map(|value| found(&*value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let (all, guard) = (RangeBound::Unbounded, self.0.guard());
        let each = |key: &[u8], value: &[u8; VALUE]| {
            visit(VersionedKey::user_key(key), value);
            true
        };
        self.0.scan_intra_leaf_batch_ref(all, all, each, &guard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first key of a range that begins with this one.
    fn first(tree: &MassTree<u64>, from: &[u8]) -> Option<Vec<u8>> {
        let (mut first, guard) = (None, tree.guard());
        let each = |key: &[u8], _| {
            first = Some(key.to_vec());
            false
        };
        let (from, to) = (RangeBound::Included(from), RangeBound::Unbounded);
        tree.scan(from, to, each, &guard);
        first
    }

    /// This fault keeps masstree out of the rows that seek: when the test fails, masstree can take
    /// part in them.
    #[test]
    fn a_range_passes_over_the_key_that_it_begins_with() {
        let keys: Vec<String> = (0..16).map(|number| format!("{number:016}")).collect();
        let tree = MassTree::new();
        for key in &keys[..15] {
            tree.insert(key.as_bytes(), 0);
            assert_eq!(first(&tree, key.as_bytes()), Some(key.clone().into_bytes()));
        }
        tree.insert(keys[15].as_bytes(), 0);
        assert_eq!(tree.get(keys[15].as_bytes()), Some(0));
        assert_eq!(first(&tree, keys[15].as_bytes()), None);
    }
}

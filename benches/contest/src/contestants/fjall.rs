//! fjall's own memtable, of its `lsm-tree`, by the calls that its trees make.
//!
//! A read gives back an item of its own, whose key and value count another reference, as the trees
//! have it. `range` is not public there, so a seek does what its body does.

use lsm_tree::{InternalValue, Memtable, ValueType};
use strata_dbformat::SequenceNumber;

use crate::contestant::{Contestant, Room, Writer};

/// The memtable of fjall.
pub(crate) struct Fjall(Memtable);

impl Writer for &Fjall {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let number = sequence.get();
        let item = InternalValue::from_components(user_key, value, number, ValueType::Value);
        self.0.insert(item);
    }
}

impl Contestant for Fjall {
    const NAME: &'static str = "fjall";

    type Writer<'a> = &'a Self;

    type SharedWriter<'a> = &'a Self;

    fn new(_: Room) -> Self {
        Self(Memtable::new(0))
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
        // Its snapshots see what is numbered below them.
        let item = self.0.get(user_key, snapshot.get() + 1)?;
        Some(found(&item.value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for item in self.0.iter() {
            visit(&item.key.user_key, &item.value);
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for item in self.0.iter().rev() {
            visit(&item.key.user_key, &item.value);
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let newest = SequenceNumber::MAX.get();
        let target = InternalValue::from_components(user_key, [], newest, ValueType::Value).key;
        for entry in self.0.items.range(target..).take(1 + nexts) {
            let (key, value) = (entry.key().clone(), entry.value().clone());
            visit(&key.user_key, &value);
        }
    }
}

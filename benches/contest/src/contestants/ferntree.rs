//! ferntree, a B+ tree whose readers check versions of nodes on their way to a leaf, which they lock.
//!
//! The tree puts each key and value into an allocation of its own. Those are arrays, so that the bytes
//! are not behind a second pointer, as they would be with `Vec<u8>`.

use std::borrow::Borrow;
use std::cmp::Ordering;

use ferntree::Tree;
use strata_dbformat::SequenceNumber;

use super::{VersionedKey, tag};
use crate::contestant::{Contestant, Room, Writer};

/// A versioned key.
#[derive(Clone)]
pub(crate) struct Key {
    length: u8,
    bytes: [u8; Self::ROOM],
}

/// A value of a length that is known when it is compiled.
#[derive(Clone)]
pub(crate) struct Value<const BYTES: usize>([u8; BYTES]);

ferntree::impl_optimistic_read_boxed!(Key, Value<8>, Value<100>, Value<1000>);

impl Key {
    /// Enough for the longest user key and its tag; with the length, 48 bytes.
    const ROOM: usize = 47;

    fn new(key: &VersionedKey) -> Self {
        let mut bytes = [0; Self::ROOM];
        bytes[..key.length].copy_from_slice(key.as_bytes());
        let length = u8::try_from(key.length).unwrap_or(u8::MAX);
        Self { length, bytes }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl Borrow<[u8]> for Key {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// The tree of `ferntree`, with values of one length.
pub(crate) struct Ferntree<V: Stored>(Tree<Key, V>);

/// A value that the tree can store.
pub(crate) trait Stored: ferntree::OptimisticRead + Clone + Send + Sync {
    fn new(value: &[u8]) -> Self;

    fn as_bytes(&self) -> &[u8];
}

impl<const BYTES: usize> Stored for Value<BYTES>
where
    Self: ferntree::OptimisticRead,
{
    fn new(value: &[u8]) -> Self {
        match value.try_into() {
            Ok(array) => Self(array),
            Err(_) => panic!("a value of {} bytes, not {BYTES}", value.len()),
        }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<V: Stored> Writer for &Ferntree<V> {
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let key = Key::new(&VersionedKey::new(user_key, tag(sequence)));
        assert!(self.0.insert(key, V::new(value)).is_none());
    }
}

impl<V: Stored> Contestant for Ferntree<V> {
    const NAME: &'static str = "ferntree";

    type Writer<'a>
        = &'a Self
    where
        V: 'a;

    type SharedWriter<'a>
        = &'a Self
    where
        V: 'a;

    fn new(_: Room) -> Self {
        Self(Tree::new())
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
        let mut iter = self.0.raw_iter();
        iter.seek(target.as_bytes());
        let (key, value) = iter.next()?;
        (VersionedKey::user_key(key.as_bytes()) == user_key).then(|| found(value.as_bytes()))
    }

    /// A leaf at a time, which is the fastest way.
    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut visit =
            |key: &Key, value: &V| visit(VersionedKey::user_key(key.as_bytes()), value.as_bytes());
        let mut iter = self.0.raw_iter();
        iter.seek_to_first();
        while iter.for_each_in_leaf(&mut visit) {
            // It goes on to the next leaf, and by an entry there.
            let Some((key, value)) = iter.next() else {
                return;
            };
            visit(key, value);
        }
    }

    fn scan_back(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut iter = self.0.raw_iter();
        iter.seek_to_last();
        while let Some((key, value)) = iter.prev() {
            visit(VersionedKey::user_key(key.as_bytes()), value.as_bytes());
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let target = VersionedKey::new(user_key, tag(SequenceNumber::MAX));
        let mut iter = self.0.raw_iter();
        iter.seek(target.as_bytes());
        for _ in 0..=nexts {
            let Some((key, value)) = iter.next() else {
                return;
            };
            visit(VersionedKey::user_key(key.as_bytes()), value.as_bytes());
        }
    }
}

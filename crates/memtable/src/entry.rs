//! Entries: the bytes the memtable keeps.

use std::fmt;

use strata_dbformat::{
    ParsedInternalKey, SequenceNumber, Tag, UserKeyTooLong, ValueType, escape, split_internal_key,
};
use strata_skiplist::{KeyValue, SharedKey};

use crate::AddError;
use crate::order::{EntryOrder, parts};

/// One entry of a memtable, borrowed from it.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
///
/// let memtable = MemTable::new(BytewiseComparator);
/// memtable.add(SequenceNumber::new(123).unwrap(), ValueType::Value, b"abc", b"123")?;
/// let entry = memtable.iter().next().unwrap();
/// assert_eq!((entry.user_key(), entry.sequence().get()), (&b"abc"[..], 123));
/// assert_eq!(entry.internal_key(), b"abc\x01\x7b\0\0\0\0\0\0");
/// assert_eq!(entry.encoded(), b"\x0babc\x01\x7b\0\0\0\0\0\0\x03123");
/// assert_eq!(entry.to_string(), "'abc' @ 123 : 1 => '123'");
/// # Ok::<(), strata_memtable::AddError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry<'a>(&'a KeyValue);

impl<'a> Entry<'a> {
    #[inline]
    pub(crate) fn new(entry: &'a KeyValue) -> Self {
        Self(entry)
    }

    /// The key the caller gave.
    #[must_use]
    #[inline]
    pub fn user_key(&self) -> &'a [u8] {
        parts(self.0.key()).0
    }

    /// When the entry was written.
    #[must_use]
    pub fn sequence(&self) -> SequenceNumber {
        self.tag().sequence()
    }

    /// What the entry records.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.tag().value_type()
    }

    /// Whether the entry says that its user key is deleted.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.value_type().is_tombstone()
    }

    /// The sequence number and type in one.
    #[must_use]
    #[inline]
    pub fn tag(&self) -> Tag {
        match split_internal_key(self.0.key()) {
            Ok((_, tag)) => tag,
            Err(_) => unreachable!("a memtable's internal keys are well formed"),
        }
    }

    /// The user key and the tag: what a table stores as its key.
    #[must_use]
    pub fn internal_key(&self) -> &'a [u8] {
        self.0.key()
    }

    /// The internal key taken apart.
    #[must_use]
    pub fn parsed_internal_key(&self) -> ParsedInternalKey<'a> {
        ParsedInternalKey {
            user_key: self.user_key(),
            sequence: self.sequence(),
            value_type: self.value_type(),
        }
    }

    /// The value; of a tombstone, whatever it was added with, usually nothing.
    #[must_use]
    #[inline]
    pub fn value(&self) -> &'a [u8] {
        self.0.value()
    }

    /// All the bytes of the entry, as LevelDB lays them out.
    #[must_use]
    pub fn encoded(&self) -> &'a [u8] {
        self.0.as_bytes()
    }
}

/// `'user key' @ sequence : type => 'value'`, escaped as LevelDB escapes; no value of a tombstone.
impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parsed_internal_key().fmt(f)?;
        if self.is_tombstone() {
            return Ok(());
        }
        write!(f, " => '{}'", escape(self.value()))
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({self})")
    }
}

/// One entry of a memtable, which it keeps alive: `'static`, `Send` and `Sync`.
///
/// Making one adds to a reference count; nothing is copied.
pub struct OwnedEntry<C>(pub(crate) SharedKey<KeyValue, EntryOrder<C>>);

impl<C> OwnedEntry<C> {
    /// The entry.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry::new(&self.0)
    }
}

impl<C> Clone for OwnedEntry<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for OwnedEntry<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owned{:?}", self.entry())
    }
}

/// Refuses a user key and a value whose lengths can't be encoded.
///
/// # Errors
///
/// [`AddError::UserKeyTooLong`] or [`AddError::ValueTooLong`].
#[inline]
pub(crate) fn check_lengths(user_key: &[u8], value: &[u8]) -> Result<(), AddError> {
    let key_length = user_key.len().saturating_add(Tag::LENGTH);
    match u32::try_from(key_length | value.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(too_long(user_key, value)),
    }
}

#[cold]
fn too_long(user_key: &[u8], value: &[u8]) -> AddError {
    let length = value.len();
    match u32::try_from(length) {
        Ok(_) => UserKeyTooLong {
            length: user_key.len(),
        }
        .into(),
        Err(_) => AddError::ValueTooLong { length },
    }
}

/// How many bytes of an entry are neither user key nor value, if both lengths take a byte.
pub(crate) const LEAST_ENCODING: usize = Tag::LENGTH + 2;

/// How many bytes more it is.
#[inline]
pub(crate) fn extra_encoding(user_key: usize, value: usize) -> usize {
    let key = user_key + Tag::LENGTH;
    if key | value < 0x80 {
        return 0;
    }
    let encoded = KeyValue::encoded_length(key, value);
    encoded.map_or(0, |encoded| encoded - LEAST_ENCODING - user_key - value)
}

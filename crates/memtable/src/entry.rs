//! Entries: the bytes the memtable keeps.

use std::fmt;

use strata_coding::{
    MAX_VARINT32_LENGTH, encode_varint32, get_length_prefixed_slice, varint_length,
};
use strata_dbformat::{
    ParsedInternalKey, SequenceNumber, Tag, UserKeyTooLong, ValueType, escape, split_internal_key,
};
use strata_skiplist::SharedKey;

use crate::AddError;
use crate::order::EntryOrder;

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
pub struct Entry<'a> {
    encoded: &'a [u8],
    internal_key: &'a [u8],
    user_key: &'a [u8],
    tag: Tag,
    value: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The entry whose bytes these are: one that [`EncodedParts`] wrote.
    pub(crate) fn decode(encoded: &'a [u8]) -> Self {
        let (internal_key, user_key, tag, rest) = decode_key(encoded);
        let Ok((value, _)) = get_length_prefixed_slice(rest) else {
            unreachable!("a memtable's entries have a value")
        };
        Self {
            encoded,
            internal_key,
            user_key,
            tag,
            value,
        }
    }

    /// The key the caller gave.
    #[must_use]
    pub fn user_key(&self) -> &'a [u8] {
        self.user_key
    }

    /// When the entry was written.
    #[must_use]
    pub fn sequence(&self) -> SequenceNumber {
        self.tag.sequence()
    }

    /// What the entry records.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        self.tag.value_type()
    }

    /// Whether the entry says that its user key is deleted.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.value_type().is_tombstone()
    }

    /// The sequence number and type in one.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The user key and the tag: what a table stores as its key.
    #[must_use]
    pub fn internal_key(&self) -> &'a [u8] {
        self.internal_key
    }

    /// The internal key taken apart.
    #[must_use]
    pub fn parsed_internal_key(&self) -> ParsedInternalKey<'a> {
        ParsedInternalKey {
            user_key: self.user_key,
            sequence: self.sequence(),
            value_type: self.value_type(),
        }
    }

    /// The value; of a tombstone, whatever it was added with, usually nothing.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// All the bytes of the entry, as LevelDB lays them out.
    #[must_use]
    pub fn encoded(&self) -> &'a [u8] {
        self.encoded
    }
}

/// `'user key' @ sequence : type => 'value'`, escaped as LevelDB escapes; no value of a tombstone.
impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parsed_internal_key().fmt(f)?;
        if self.is_tombstone() {
            return Ok(());
        }
        write!(f, " => '{}'", escape(self.value))
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
pub struct OwnedEntry<C>(pub(crate) SharedKey<[u8], EntryOrder<C>>);

impl<C> OwnedEntry<C> {
    /// The entry.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry::decode(&self.0)
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

/// The internal key, the user key and the tag of an entry, and what follows them.
#[inline]
fn decode_key(encoded: &[u8]) -> (&[u8], &[u8], Tag, &[u8]) {
    let Ok((internal_key, rest)) = get_length_prefixed_slice(encoded) else {
        unreachable!("a memtable's entries begin with an internal key")
    };
    let Ok((user_key, tag)) = split_internal_key(internal_key) else {
        unreachable!("a memtable's internal keys are well formed")
    };
    (internal_key, user_key, tag, rest)
}

/// The user key and the tag of an entry, for comparing.
#[inline]
pub(crate) fn decode_user_key_and_tag(encoded: &[u8]) -> (&[u8], Tag) {
    let (_, user_key, tag, _) = decode_key(encoded);
    (user_key, tag)
}

/// The parts of an entry around its user key and value, encoded.
pub(crate) struct EncodedParts<'a> {
    key_length: ([u8; MAX_VARINT32_LENGTH], usize),
    user_key: &'a [u8],
    tag: [u8; Tag::LENGTH],
    value_length: ([u8; MAX_VARINT32_LENGTH], usize),
    value: &'a [u8],
}

impl<'a> EncodedParts<'a> {
    /// The parts of the entry of `user_key` and `value`.
    ///
    /// # Errors
    ///
    /// [`AddError::UserKeyTooLong`] or [`AddError::ValueTooLong`].
    pub(crate) fn new(user_key: &'a [u8], tag: Tag, value: &'a [u8]) -> Result<Self, AddError> {
        let (key_length, value_length) = checked_lengths(user_key, value)?;
        Ok(Self {
            key_length: varint(key_length),
            user_key,
            tag: tag.to_bytes(),
            value_length: varint(value_length),
            value,
        })
    }

    /// The entry's bytes, part by part.
    pub(crate) fn as_slices(&self) -> [&[u8]; 5] {
        let (key_length, key_varint) = &self.key_length;
        let (value_length, value_varint) = &self.value_length;
        [
            &key_length[..*key_varint],
            self.user_key,
            &self.tag,
            &value_length[..*value_varint],
            self.value,
        ]
    }
}

fn varint(value: u32) -> ([u8; MAX_VARINT32_LENGTH], usize) {
    let mut bytes = [0; MAX_VARINT32_LENGTH];
    let length = encode_varint32(&mut bytes, value);
    (bytes, length)
}

/// The lengths of the internal key and the value, if they can be encoded.
fn checked_lengths(user_key: &[u8], value: &[u8]) -> Result<(u32, u32), AddError> {
    let key_length = u32::try_from(user_key.len())
        .ok()
        .and_then(|length| length.checked_add(u64::BITS / u8::BITS))
        .ok_or(UserKeyTooLong {
            length: user_key.len(),
        })?;
    let value_length = u32::try_from(value.len()).map_err(|_| AddError::ValueTooLong {
        length: value.len(),
    })?;
    Ok((key_length, value_length))
}

/// How many bytes the entry of `user_key` and `value` takes.
///
/// # Errors
///
/// As [`EncodedParts::new`].
pub(crate) fn encoded_length(user_key: &[u8], value: &[u8]) -> Result<usize, AddError> {
    let (key_length, value_length) = checked_lengths(user_key, value)?;
    // On targets where a `usize` is a `u32` the sum may not fit: then nor does the allocation.
    Ok(
        (varint_length(u64::from(key_length)) + varint_length(u64::from(value_length)))
            .saturating_add(key_length as usize)
            .saturating_add(value_length as usize),
    )
}

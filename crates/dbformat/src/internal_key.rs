//! One version of a user key: the key and its tag.

use std::fmt;

use crate::{InternalKeyError, SequenceNumber, Tag, ValueType, escape};

/// An internal key taken apart.
///
/// ```
/// use strata_dbformat::{ParsedInternalKey, SequenceNumber, ValueType};
///
/// let parsed = ParsedInternalKey::decode(b"key\x01\x2a\0\0\0\0\0\0")?;
/// assert_eq!(parsed, ParsedInternalKey {
///     user_key: b"key",
///     sequence: SequenceNumber::new(42).unwrap(),
///     value_type: ValueType::Value,
/// });
/// assert_eq!(parsed.to_string(), "'key' @ 42 : 1");
/// # Ok::<(), strata_dbformat::InternalKeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParsedInternalKey<'a> {
    /// The key the caller gave.
    pub user_key: &'a [u8],
    /// When the entry was written.
    pub sequence: SequenceNumber,
    /// What the entry records.
    pub value_type: ValueType,
}

impl<'a> ParsedInternalKey<'a> {
    /// Takes `internal_key` apart, borrowing its user key.
    ///
    /// # Errors
    ///
    /// [`InternalKeyError`] if it is shorter than a tag or its type is unknown.
    pub fn decode(internal_key: &'a [u8]) -> Result<Self, InternalKeyError> {
        let (user_key, tag) = split_internal_key(internal_key)?;
        Ok(Self {
            user_key,
            sequence: tag.sequence(),
            value_type: tag.value_type(),
        })
    }

    /// The sequence number and value type in one.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        Tag::new(self.sequence, self.value_type)
    }

    /// How many bytes the internal key takes.
    #[must_use]
    pub const fn encoded_length(&self) -> usize {
        self.user_key.len() + Tag::LENGTH
    }
}

/// As LevelDB's `DebugString`: `'user key' @ sequence : type`, the user key [escaped](escape()).
impl fmt::Display for ParsedInternalKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user_key = escape(self.user_key);
        write!(
            f,
            "'{user_key}' @ {} : {}",
            self.sequence, self.value_type as u8
        )
    }
}

/// Appends the internal key's bytes: its user key, then its tag.
///
/// ```
/// use strata_dbformat::{ParsedInternalKey, append_internal_key};
///
/// let bytes = b"key\x01\x2a\0\0\0\0\0\0";
/// let mut buffer = Vec::new();
/// append_internal_key(&mut buffer, &ParsedInternalKey::decode(bytes)?);
/// assert_eq!(buffer, bytes);
/// # Ok::<(), strata_dbformat::InternalKeyError>(())
/// ```
pub fn append_internal_key(buffer: &mut Vec<u8>, key: &ParsedInternalKey<'_>) {
    buffer.reserve(key.encoded_length());
    buffer.extend_from_slice(key.user_key);
    buffer.extend_from_slice(&key.tag().to_bytes());
}

/// Splits `internal_key` into its user key and its tag.
///
/// ```
/// let (user_key, tag) = strata_dbformat::split_internal_key(b"key\x01\x2a\0\0\0\0\0\0")?;
/// assert_eq!((user_key, tag.sequence().get()), (&b"key"[..], 42));
/// # Ok::<(), strata_dbformat::InternalKeyError>(())
/// ```
///
/// # Errors
///
/// [`InternalKeyError`] if it is shorter than a tag or its type is unknown.
#[inline]
pub fn split_internal_key(internal_key: &[u8]) -> Result<(&[u8], Tag), InternalKeyError> {
    let (user_key, tag) = internal_key
        .split_last_chunk()
        .ok_or(InternalKeyError::TooShort {
            length: internal_key.len(),
        })?;
    Ok((user_key, Tag::from_bytes(*tag)?))
}

/// The user key of an internal key: all but its last 8 bytes.
///
/// ```
/// let internal_key = b"key\x01\x2a\0\0\0\0\0\0";
/// assert_eq!(strata_dbformat::extract_user_key(internal_key), Ok(&b"key"[..]));
/// ```
///
/// # Errors
///
/// [`InternalKeyError::TooShort`] if there are fewer than 8. The tag itself is not looked at.
#[inline]
pub fn extract_user_key(internal_key: &[u8]) -> Result<&[u8], InternalKeyError> {
    internal_key
        .split_last_chunk::<{ Tag::LENGTH }>()
        .map(|(user_key, _)| user_key)
        .ok_or(InternalKeyError::TooShort {
            length: internal_key.len(),
        })
}

/// An internal key that owns its bytes: user key ‖ tag.
///
/// A type of its own so that nobody compares its bytes by mistake: the order is
/// [`InternalKeyComparator`](crate::InternalKeyComparator)'s, not that of the bytes.
///
/// One made by [`InternalKey::default`] or [`InternalKey::clear`] is empty, which stands for "no
/// key"; every other one is well formed.
///
/// ```
/// use strata_dbformat::{InternalKey, SequenceNumber, ValueType};
///
/// let key = InternalKey::new(b"key", SequenceNumber::new(42)?, ValueType::Deletion);
/// assert_eq!(key.encode(), b"key\x00\x2a\0\0\0\0\0\0");
/// assert_eq!(InternalKey::decode(key.encode()).as_ref(), Ok(&key));
/// assert_eq!(key.user_key(), Some(&b"key"[..]));
/// # Ok::<(), strata_dbformat::SequenceOutOfRange>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct InternalKey {
    bytes: Vec<u8>,
}

impl InternalKey {
    /// The internal key of a write.
    #[must_use]
    pub fn new(user_key: &[u8], sequence: SequenceNumber, value_type: ValueType) -> Self {
        Self::from(ParsedInternalKey {
            user_key,
            sequence,
            value_type,
        })
    }

    /// The internal key that `bytes` encode, which are copied.
    ///
    /// # Errors
    ///
    /// [`InternalKeyError`] if they are shorter than a tag or the type is unknown. (LevelDB's
    /// `DecodeFrom` accepts any bytes but none at all.)
    pub fn decode(bytes: &[u8]) -> Result<Self, InternalKeyError> {
        split_internal_key(bytes)?;
        Ok(Self {
            bytes: bytes.to_vec(),
        })
    }

    /// The key's bytes: user key ‖ tag; none if the key is empty.
    #[must_use]
    pub fn encode(&self) -> &[u8] {
        &self.bytes
    }

    /// The user key, or `None` if the key is empty.
    #[must_use]
    pub fn user_key(&self) -> Option<&[u8]> {
        extract_user_key(&self.bytes).ok()
    }

    /// The key taken apart, or `None` if it is empty.
    #[must_use]
    pub fn parsed(&self) -> Option<ParsedInternalKey<'_>> {
        ParsedInternalKey::decode(&self.bytes).ok()
    }

    /// Makes this the internal key that `parsed` says, reusing its memory.
    pub fn set_from(&mut self, parsed: &ParsedInternalKey<'_>) {
        self.bytes.clear();
        append_internal_key(&mut self.bytes, parsed);
    }

    /// Makes this no key at all.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }
}

impl From<ParsedInternalKey<'_>> for InternalKey {
    fn from(parsed: ParsedInternalKey<'_>) -> Self {
        let mut key = Self::default();
        key.set_from(&parsed);
        key
    }
}

/// As LevelDB's `DebugString`: `'user key' @ sequence : type`, or `(bad)` if the key is empty.
impl fmt::Display for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        DebugInternalKey(&self.bytes).fmt(f)
    }
}

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InternalKey({self})")
    }
}

/// Shows bytes that should be an internal key as LevelDB's `InternalKey::DebugString` does:
/// `'user key' @ sequence : type`, or `(bad)` and the escaped bytes if they are none.
///
/// ```
/// use strata_dbformat::DebugInternalKey;
///
/// assert_eq!(DebugInternalKey(b"key\x01\x2a\0\0\0\0\0\0").to_string(), "'key' @ 42 : 1");
/// assert_eq!(DebugInternalKey(b"key").to_string(), "(bad)key");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DebugInternalKey<'a>(pub &'a [u8]);

impl fmt::Display for DebugInternalKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ParsedInternalKey::decode(self.0) {
            Ok(parsed) => parsed.fmt(f),
            Err(_) => write!(f, "(bad){}", escape(self.0)),
        }
    }
}

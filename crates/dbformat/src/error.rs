//! What can be wrong with a key or a part of one.

use std::error::Error;
use std::fmt;

use crate::{SequenceNumber, Tag};

/// A sequence number needs more than 56 bits.
///
/// ```
/// use strata_dbformat::SequenceNumber;
///
/// let error = SequenceNumber::new(1 << 56).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "sequence number 72057594037927936 is above the largest, 72057594037927935"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SequenceOutOfRange {
    /// The number that does not fit.
    pub sequence: u64,
}

impl fmt::Display for SequenceOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence } = self;
        write!(
            f,
            "sequence number {sequence} is above the largest, {}",
            SequenceNumber::MAX
        )
    }
}

impl Error for SequenceOutOfRange {}

/// A byte that should be a value type is neither 0 (deletion) nor 1 (value).
///
/// ```
/// use strata_dbformat::ValueType;
///
/// let error = ValueType::try_from(7).unwrap_err();
/// assert_eq!(error.to_string(), "unknown value type 7: 0 (deletion) or 1 (value) was expected");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownValueType {
    /// The byte.
    pub byte: u8,
}

impl fmt::Display for UnknownValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { byte } = self;
        write!(
            f,
            "unknown value type {byte}: 0 (deletion) or 1 (value) was expected"
        )
    }
}

impl Error for UnknownValueType {}

/// Why bytes are no internal key.
///
/// ```
/// use strata_dbformat::{InternalKeyError, ParsedInternalKey};
///
/// let error = ParsedInternalKey::decode(b"bar").unwrap_err();
/// assert_eq!(error, InternalKeyError::TooShort { length: 3 });
/// assert_eq!(error.to_string(), "3 bytes are no internal key: its tag alone takes 8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InternalKeyError {
    /// There is no room for the tag.
    TooShort {
        /// How many bytes there are.
        length: usize,
    },
    /// The tag's low byte is no value type.
    UnknownValueType(UnknownValueType),
}

impl fmt::Display for InternalKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { length } => {
                write!(
                    f,
                    "{length} bytes are no internal key: its tag alone takes {}",
                    Tag::LENGTH
                )
            }
            Self::UnknownValueType(error) => error.fmt(f),
        }
    }
}

impl Error for InternalKeyError {}

impl From<UnknownValueType> for InternalKeyError {
    fn from(error: UnknownValueType) -> Self {
        Self::UnknownValueType(error)
    }
}

/// A user key is too long for an internal key whose length is a varint32.
///
/// ```
/// use strata_dbformat::UserKeyTooLong;
///
/// let error = UserKeyTooLong { length: 1 << 32 };
/// assert_eq!(
///     error.to_string(),
///     "a user key of 4294967296 bytes is longer than the longest, 4294967287 bytes"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserKeyTooLong {
    /// The user key's length in bytes.
    pub length: usize,
}

impl UserKeyTooLong {
    /// The longest user key: its internal key is 8 bytes longer, and that length is a `u32`.
    pub const LONGEST: u32 = u32::MAX - u64::BITS / u8::BITS;
}

impl fmt::Display for UserKeyTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a user key of {} bytes is longer than the longest, {} bytes",
            self.length,
            Self::LONGEST
        )
    }
}

impl Error for UserKeyTooLong {}

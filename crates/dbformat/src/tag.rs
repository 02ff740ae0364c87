//! A sequence number and a value type in one word.

use std::fmt;

use crate::{SequenceNumber, UnknownValueType, ValueType};

/// `sequence << 8 | value type`: the last 8 bytes of an internal key, little-endian.
///
/// Tags compare as numbers, so by sequence first; internal keys sort by *descending* tag.
///
/// ```
/// use strata_dbformat::{SequenceNumber, Tag, ValueType};
///
/// let tag = Tag::new(SequenceNumber::new(123)?, ValueType::Value);
/// assert_eq!(tag.to_bytes(), [0x01, 123, 0, 0, 0, 0, 0, 0]);
/// assert_eq!((tag.sequence().get(), tag.value_type()), (123, ValueType::Value));
/// # Ok::<(), strata_dbformat::SequenceOutOfRange>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u64);

const VALUE_TYPE_BITS: u32 = u8::BITS;
const _: () = assert!(SequenceNumber::BITS + VALUE_TYPE_BITS == u64::BITS);

impl Tag {
    /// How many bytes a tag takes.
    pub const LENGTH: usize = size_of::<u64>();

    /// The largest tag: it sorts before every other entry of its user key.
    pub const MAX: Self = Self::new(SequenceNumber::MAX, ValueType::FOR_SEEK);

    /// The smallest tag: it sorts after every other entry of its user key.
    pub const MIN: Self = Self::new(SequenceNumber::ZERO, ValueType::Deletion);

    /// The tag of a write.
    #[must_use]
    pub const fn new(sequence: SequenceNumber, value_type: ValueType) -> Self {
        Self(sequence.get() << VALUE_TYPE_BITS | value_type as u64)
    }

    /// The tag to seek with for the newest version that `snapshot` sees.
    #[must_use]
    pub const fn for_seek(snapshot: SequenceNumber) -> Self {
        Self::new(snapshot, ValueType::FOR_SEEK)
    }

    /// The tag that `bytes` encode.
    ///
    /// # Errors
    ///
    /// [`UnknownValueType`] if the low byte is no value type.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Result<Self, UnknownValueType> {
        match bytes[0] {
            0 | 1 => Ok(Self(u64::from_le_bytes(bytes))),
            byte => Err(UnknownValueType { byte }),
        }
    }

    /// The tag's 8 bytes, as they stand at the end of an internal key.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0.to_le_bytes()
    }

    /// When the entry was written.
    #[must_use]
    pub const fn sequence(self) -> SequenceNumber {
        SequenceNumber::of_tag(self.0)
    }

    /// What the entry records.
    #[must_use]
    pub const fn value_type(self) -> ValueType {
        if self.0 & ValueType::Value as u64 == 0 {
            ValueType::Deletion
        } else {
            ValueType::Value
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({} {:?})", self.sequence(), self.value_type())
    }
}

//! What an entry records.

use crate::UnknownValueType;

/// What an entry records about its user key. DO NOT CHANGE the numbers: they are on disk.
///
/// ```
/// use strata_dbformat::ValueType;
///
/// assert_eq!(ValueType::try_from(0), Ok(ValueType::Deletion));
/// assert_eq!(ValueType::Value as u8, 1);
/// assert!(ValueType::Deletion.is_tombstone());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ValueType {
    /// The key was deleted: the entry is a tombstone and has no value.
    Deletion = 0,
    /// The key was given a value.
    Value = 1,
}

impl ValueType {
    /// The type to seek with: the highest one there is.
    ///
    /// Internal keys sort by descending tag, and the type is the tag's low byte. So among the
    /// entries of one user key the first at or after (sequence, `FOR_SEEK`) is the newest whose
    /// sequence is at most that one, whatever its type. With a lower type the seek would pass
    /// over an entry of a higher type at exactly the snapshot's sequence.
    ///
    /// ```
    /// use strata_dbformat::{SequenceNumber, Tag, ValueType};
    ///
    /// let snapshot = SequenceNumber::new(7)?;
    /// for value_type in [ValueType::Deletion, ValueType::Value] {
    ///     let written = Tag::new(snapshot, value_type);
    ///     // Descending: what the seek must find may not be above what it seeks.
    ///     assert!(written <= Tag::new(snapshot, ValueType::FOR_SEEK));
    /// }
    /// # Ok::<(), strata_dbformat::SequenceOutOfRange>(())
    /// ```
    pub const FOR_SEEK: Self = Self::Value;

    /// Whether an entry of this type says that its key is deleted.
    #[must_use]
    pub const fn is_tombstone(self) -> bool {
        matches!(self, Self::Deletion)
    }
}

const _: () = assert!(ValueType::FOR_SEEK as u8 >= ValueType::Value as u8);
const _: () = assert!(ValueType::FOR_SEEK as u8 >= ValueType::Deletion as u8);

impl TryFrom<u8> for ValueType {
    type Error = UnknownValueType;

    fn try_from(byte: u8) -> Result<Self, Self::Error> {
        match byte {
            0 => Ok(Self::Deletion),
            1 => Ok(Self::Value),
            _ => Err(UnknownValueType { byte }),
        }
    }
}

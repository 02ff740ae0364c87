//! An entry, and where it was read.

use strata_dbformat::{SequenceNumber, Tag};

/// One version of a user key, and where it was read.
///
/// ```
/// use strata_database::{Entry, Origin};
/// use strata_dbformat::{SequenceNumber, Tag, ValueType};
///
/// let entry = Entry {
///     user_key: b"apple",
///     tag: Tag::new(SequenceNumber::new(7)?, ValueType::Deletion),
///     value: b"",
///     origin: Origin { file: 0, offset: 32768 },
/// };
/// assert_eq!((entry.sequence().get(), entry.is_tombstone()), (7, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The user key.
    pub user_key: &'a [u8],
    /// The sequence number, and whether the entry is a value or a tombstone.
    pub tag: Tag,
    /// The value; empty for a tombstone.
    pub value: &'a [u8],
    /// Where the entry was read.
    pub origin: Origin,
}

impl Entry<'_> {
    /// The sequence number.
    #[must_use]
    pub const fn sequence(&self) -> SequenceNumber {
        self.tag.sequence()
    }

    /// Whether the entry says that the user key was deleted.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        self.tag.value_type().is_tombstone()
    }
}

/// Where an entry was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The position of the file in [`Database::files`](crate::Database::files).
    pub file: u32,
    /// The file offset of the entry's record in a log, of its data block in a table.
    pub offset: u64,
}

impl Origin {
    /// How long an encoded origin is, in bytes.
    pub(crate) const LENGTH: usize = 12;

    /// Four bytes of the file, eight of the offset, both with the lowest byte first.
    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&self.file.to_le_bytes());
        bytes[4..].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }

    /// The origin at the front of `bytes`, and what follows it.
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (file, rest) = bytes.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let origin = Self {
            file: u32::from_le_bytes(*file),
            offset: u64::from_le_bytes(*offset),
        };
        Some((origin, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_goes_there_and_back() {
        let origin = Origin {
            file: 0x0102_0304,
            offset: 0x0506_0708_090a_0b0c,
        };
        let mut bytes = origin.encode().to_vec();
        assert_eq!(bytes, [4, 3, 2, 1, 12, 11, 10, 9, 8, 7, 6, 5]);
        bytes.extend_from_slice(b"value");
        assert_eq!(Origin::split(&bytes), Some((origin, &b"value"[..])));
        assert_eq!(Origin::split(&bytes[..11]), None);
    }
}

//! Why an entry was not added.

use std::error::Error;
use std::fmt;

use strata_arena::AllocError;
use strata_dbformat::{SequenceNumber, SequenceOutOfRange, UserKeyTooLong, ValueType};

/// Why an entry, or a batch of them, was not added. Nothing of it is in the memtable.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::{AddError, MemTable};
///
/// let sequence = SequenceNumber::new(7).unwrap();
/// let memtable = MemTable::new(BytewiseComparator);
/// memtable.add(sequence, ValueType::Value, b"key", b"value")?;
/// let error = memtable.add(sequence, ValueType::Value, b"key", b"other").unwrap_err();
/// assert_eq!(error, AddError::Duplicate { sequence, value_type: ValueType::Value });
/// assert_eq!(
///     error.to_string(),
///     "the memtable has an entry of this user key with sequence number 7 and type 1 already"
/// );
/// # Ok::<(), AddError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddError {
    /// There is an entry of the same user key, sequence number and type.
    Duplicate {
        /// The entry's sequence number.
        sequence: SequenceNumber,
        /// The entry's type.
        value_type: ValueType,
    },
    /// The user key is too long.
    UserKeyTooLong(UserKeyTooLong),
    /// The value's length does not fit a `u32`.
    ValueTooLong {
        /// The value's length in bytes.
        length: usize,
    },
    /// The batch reaches past the largest sequence number.
    SequenceOutOfRange(SequenceOutOfRange),
    /// There is no memory for it: the memtable's limit is reached, or the allocator refused.
    Full(AllocError),
    /// The memtable is frozen.
    Frozen,
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate {
                sequence,
                value_type,
            } => write!(
                f,
                "the memtable has an entry of this user key with sequence number {sequence} \
                 and type {} already",
                *value_type as u8
            ),
            Self::UserKeyTooLong(error) => error.fmt(f),
            Self::ValueTooLong { length } => write!(
                f,
                "a value of {length} bytes is longer than the longest, {} bytes",
                u32::MAX
            ),
            Self::SequenceOutOfRange(error) => error.fmt(f),
            Self::Full(error) => error.fmt(f),
            Self::Frozen => f.write_str("the memtable is frozen: add to its successor"),
        }
    }
}

impl Error for AddError {}

impl From<UserKeyTooLong> for AddError {
    fn from(error: UserKeyTooLong) -> Self {
        Self::UserKeyTooLong(error)
    }
}

impl From<SequenceOutOfRange> for AddError {
    fn from(error: SequenceOutOfRange) -> Self {
        Self::SequenceOutOfRange(error)
    }
}

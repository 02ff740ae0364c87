//! What can be wrong with a batch, and why it was not inserted.

use std::error::Error;
use std::fmt;

use strata_coding::SliceTooLong;
use strata_dbformat::SequenceOutOfRange;
use strata_memtable::AddError;

/// What is wrong with a batch's bytes: `Display` gives LevelDB's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchFault {
    /// There is no room for the header.
    TooSmall,
    /// A put's key or value is cut off, or its length is no varint32.
    BadPut,
    /// A delete's key is cut off, or its length is no varint32.
    BadDelete,
    /// A record begins with neither 1 (put) nor 0 (delete).
    UnknownTag,
    /// The header announces another number of records than there are.
    WrongCount,
}

impl fmt::Display for BatchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "malformed WriteBatch (too small)",
            Self::BadPut => "bad WriteBatch Put",
            Self::BadDelete => "bad WriteBatch Delete",
            Self::UnknownTag => "unknown WriteBatch tag",
            Self::WrongCount => "WriteBatch has wrong count",
        })
    }
}

/// Bytes are no write batch.
///
/// ```
/// use strata_write_batch::{BatchFault, WriteBatchView};
///
/// let error = WriteBatchView::new(b"short").unwrap_err();
/// assert_eq!((error.fault, error.offset), (BatchFault::TooSmall, 5));
/// assert_eq!(error.to_string(), "malformed WriteBatch (too small) at byte 5 of the batch");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MalformedBatch {
    /// What is wrong.
    pub fault: BatchFault,
    /// Where in the batch: where the faulty record begins, or where the batch ends.
    pub offset: usize,
}

impl fmt::Display for MalformedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, offset } = self;
        write!(f, "{fault} at byte {offset} of the batch")
    }
}

impl Error for MalformedBatch {}

/// Why a record was not appended to a batch, which is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PutError {
    /// The key or the value is too long.
    TooLong(SliceTooLong),
    /// The batch has as many records as its header can count.
    TooMany,
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(error) => error.fmt(f),
            Self::TooMany => write!(f, "a batch has room for {} records at most", u32::MAX),
        }
    }
}

impl Error for PutError {}

impl From<SliceTooLong> for PutError {
    fn from(error: SliceTooLong) -> Self {
        Self::TooLong(error)
    }
}

/// Why a batch was not inserted into a memtable: nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsertError {
    /// The batch's bytes are wrong.
    Malformed(MalformedBatch),
    /// The batch's sequence number is no sequence number.
    SequenceOutOfRange(SequenceOutOfRange),
    /// The memtable refused it.
    Refused(AddError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::SequenceOutOfRange(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl Error for InsertError {}

impl From<MalformedBatch> for InsertError {
    fn from(error: MalformedBatch) -> Self {
        Self::Malformed(error)
    }
}

impl From<SequenceOutOfRange> for InsertError {
    fn from(error: SequenceOutOfRange) -> Self {
        Self::SequenceOutOfRange(error)
    }
}

impl From<AddError> for InsertError {
    fn from(error: AddError) -> Self {
        Self::Refused(error)
    }
}

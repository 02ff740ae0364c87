//! The faults that an edit's bytes can have.

use std::error::Error;
use std::fmt;

use strata_dbformat::SequenceNumber;

use crate::Level;

/// Which part of an edit is wrong. `Display` gives LevelDB's text; of an unknown tag, the tag, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EditFault {
    /// The comparator's name.
    Comparator,
    /// The log number.
    LogNumber,
    /// The previous log number.
    PreviousLogNumber,
    /// The next file number.
    NextFileNumber,
    /// The last sequence number.
    LastSequence,
    /// A compaction pointer.
    CompactPointer,
    /// A deleted file.
    DeletedFile,
    /// A new file.
    NewFile,
    /// A tag that stands for nothing.
    UnknownTag(u32),
    /// What is no varint32, where a tag should be.
    InvalidTag,
}

impl fmt::Display for EditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comparator => "comparator name",
            Self::LogNumber => "log number",
            Self::PreviousLogNumber => "previous log number",
            Self::NextFileNumber => "next file number",
            Self::LastSequence => "last sequence number",
            Self::CompactPointer => "compaction pointer",
            Self::DeletedFile => "deleted file",
            Self::NewFile => "new-file entry",
            Self::UnknownTag(tag) => return write!(f, "unknown tag {tag}"),
            Self::InvalidTag => "invalid tag",
        })
    }
}

/// What should have been in an edit where something else, or too little, is. `Display` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// A tag that stands for something.
    Tag,
    /// A level.
    Level,
    /// A number of up to 64 bits.
    Number,
    /// A number of up to 56 bits.
    SequenceNumber,
    /// A length and as many bytes.
    Name,
    /// A length and an internal key of as many bytes.
    InternalKey,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag => f.write_str("a tag, 1 to 7 or 9"),
            Self::Level => write!(f, "a level, 0 to {}", Level::COUNT - 1),
            Self::Number => f.write_str("a varint64"),
            Self::SequenceNumber => write!(f, "a varint64 of up to {}", SequenceNumber::MAX),
            Self::Name => f.write_str("a varint32 length and as many bytes"),
            Self::InternalKey => f.write_str(
                "a varint32 length and as many bytes, at least 8, that end in a tag of type 0 or 1",
            ),
        }
    }
}

/// Bytes are no version edit.
///
/// ```
/// use strata_manifest::{EditFault, Expected, MalformedEdit, VersionEdit};
///
/// // A file is deleted from a level that there is not.
/// let error = VersionEdit::decode(b"\x02\x03\x06\x07\x05").unwrap_err();
/// let deleted = EditFault::DeletedFile;
/// assert_eq!(error, MalformedEdit { fault: deleted, offset: 3, expected: Expected::Level });
/// assert_eq!(
///     error.to_string(),
///     "deleted file: at byte 3 of the edit, a level, 0 to 6, was expected"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MalformedEdit {
    /// The part that is wrong.
    pub fault: EditFault,
    /// Where the value begins that is not as expected, in bytes from the record's first.
    pub offset: usize,
    /// The part of an edit that was expected there.
    pub expected: Expected,
}

impl fmt::Display for MalformedEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fault,
            offset,
            expected,
        } = self;
        write!(
            f,
            "{fault}: at byte {offset} of the edit, {expected}, was expected"
        )
    }
}

impl Error for MalformedEdit {}

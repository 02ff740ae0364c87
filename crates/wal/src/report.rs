//! What a reader tells besides the records.

use std::fmt;
use std::io;

/// Something in the log that is no record, told as the reader comes by it.
///
/// ```
/// use strata_wal::{Cause, Dropped, PassedOver, Reason, Report};
///
/// let drop = Dropped { offset: 40, end: 50, bytes: 10, reason: Reason::ChecksumMismatch };
/// assert_eq!(Report::Dropped(drop).to_string(), "dropped 10 bytes at offset 40: checksum mismatch");
///
/// let tail = PassedOver { offset: 50, bytes: 3, cause: Cause::TornTail };
/// assert_eq!(
///     Report::PassedOver(tail).to_string(),
///     "passed over 3 bytes at offset 50: a record that the end of the file cuts"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Report {
    /// Bytes are lost: what LevelDB's reader reports, and one case that it does not
    /// ([`Reason::DataBehindZeroHeader`]).
    Dropped(Dropped),
    /// Bytes were left out that a crash or preallocation accounts for: LevelDB says nothing.
    PassedOver(PassedOver),
    /// A record was recovered whose length was damaged. Only [salvage](crate::Reader::salvage)
    /// does that.
    Mended(Mended),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(dropped) => dropped.fmt(f),
            Self::PassedOver(passed_over) => passed_over.fmt(f),
            Self::Mended(mended) => mended.fmt(f),
        }
    }
}

/// Bytes of the log that are lost, and why.
///
/// The range `offset..end` is all of the file that was lost, headers included; `bytes` is the
/// figure that LevelDB gives for it, which for fragments is that of their payloads alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dropped {
    /// The file offset where the dropped range begins.
    pub offset: u64,
    /// The file offset after the dropped range.
    pub end: u64,
    /// How many bytes LevelDB calls dropped.
    pub bytes: u64,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            bytes,
            reason,
            ..
        } = self;
        write!(f, "dropped {bytes} bytes at offset {offset}: {reason}")
    }
}

/// Why bytes were dropped. `Display` gives LevelDB's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A whole record came before the fragmented one had ended.
    FullBeforeLast,
    /// Another record's first fragment came before the fragmented one had ended.
    FirstBeforeLast,
    /// A middle fragment of a record that has not begun.
    MiddleWithoutFirst,
    /// A last fragment of a record that has not begun.
    LastWithoutFirst,
    /// Something bad came before the fragmented record had ended.
    BadBeforeLast,
    /// A type byte that stands for nothing, under a checksum that holds.
    UnknownRecordType(u8),
    /// A length that reaches past the end of the block.
    BadRecordLength,
    /// A checksum that is not that of the type and the payload.
    ChecksumMismatch,
    /// A header of type and length zero, which ends the block, with bytes other than zero in what
    /// is left of the block. LevelDB leaves them out without a word.
    DataBehindZeroHeader,
    /// The source could not be read. The reader returns the error itself.
    ReadError(io::ErrorKind),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FullBeforeLast => "partial record without end(1)",
            Self::FirstBeforeLast => "partial record without end(2)",
            Self::MiddleWithoutFirst => "missing start of fragmented record(1)",
            Self::LastWithoutFirst => "missing start of fragmented record(2)",
            Self::BadBeforeLast => "error in middle of record",
            Self::UnknownRecordType(byte) => return write!(f, "unknown record type {byte}"),
            Self::BadRecordLength => "bad record length",
            Self::ChecksumMismatch => "checksum mismatch",
            Self::DataBehindZeroHeader => "data behind a zeroed header",
            Self::ReadError(kind) => return write!(f, "read error: {kind}"),
        })
    }
}

/// Bytes of the log that hold no whole record and need not: what LevelDB passes over silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PassedOver {
    /// The file offset where they begin.
    pub offset: u64,
    /// How many they are.
    pub bytes: u64,
    /// What they are.
    pub cause: Cause,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            bytes,
            cause,
        } = self;
        write!(f, "passed over {bytes} bytes at offset {offset}: {cause}")
    }
}

/// What bytes that were passed over are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The end of the file cuts a header, a payload or a fragmented record: the writer died
    /// writing it. The bytes reach to the end of the file. To append to this log, first truncate
    /// it to the offset where they begin.
    TornTail,
    /// Zeros where a header should be, to the end of the block, and in every block after that up
    /// to the end of these bytes: space that was set aside and not written.
    Zeros,
    /// A first fragment without payload, and no second one. Old versions of LevelDB wrote such,
    /// and then the record itself into the next block.
    EmptyStart,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TornTail => "a record that the end of the file cuts",
            Self::Zeros => "zeros",
            Self::EmptyStart => "the start of a record that has no bytes and no end",
        })
    }
}

/// A fragment that was recovered although its length is wrong.
///
/// A length is not covered by its checksum. Where the checksum holds under a length that differs
/// in one bit, and something that can follow a fragment follows it there, that is its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mended {
    /// The file offset of the fragment's header.
    pub offset: u64,
    /// The length that its header says.
    pub stored_length: u16,
    /// The length that its checksum proves.
    pub length: u16,
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            stored_length,
            length,
        } = self;
        write!(
            f,
            "mended the length of the fragment at offset {offset}: {length} bytes, not {stored_length}"
        )
    }
}

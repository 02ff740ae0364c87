//! What was wrong with logs.

use std::fmt;

use strata_wal::{Cause, Reason, Record, Report};
use strata_write_batch::InsertError;

use super::LogBatch;

/// Something about a log that whoever recovers it should hear of, told as it is come by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogReport {
    /// A part of the log is lost.
    Dropped(LogDrop),
    /// Nothing is lost, or nothing that was ever whole, but it is worth a word.
    Mentioned(LogMention),
}

impl LogReport {
    /// What the reader of `file` reported when it had read `bytes_read`.
    ///
    /// Zeros at the end are space that was set aside. The reader passes over zeros in the middle,
    /// too, as LevelDB does; but nobody can say what was there, so they count as lost. It reports
    /// zeros once it knows where they end, so it has read more if there is more.
    pub(super) fn of_reader(file: &str, bytes_read: u64, report: Report) -> Self {
        let file = file.to_owned();
        match report {
            Report::Dropped(dropped) => Self::Dropped(LogDrop {
                file,
                offset: dropped.offset,
                end: dropped.end,
                bytes: dropped.bytes,
                reason: DropReason::Reader(dropped.reason),
            }),
            Report::PassedOver(passed)
                if passed.cause == Cause::Zeros && passed.offset + passed.bytes < bytes_read =>
            {
                Self::Dropped(LogDrop {
                    file,
                    offset: passed.offset,
                    end: passed.offset + passed.bytes,
                    bytes: passed.bytes,
                    reason: DropReason::Zeros,
                })
            }
            report => Self::Mentioned(LogMention { file, report }),
        }
    }

    /// That a batch was refused.
    pub(super) fn of_batch(file: &str, batch: LogBatch<'_>, error: InsertError) -> Self {
        let record = Record {
            data: batch.batch.contents(),
            offset: batch.offset,
            end: batch.end,
            searched: batch.searched,
        };
        Self::of_record(file, record, DropReason::Batch(error))
    }

    /// That a whole record was dropped.
    pub(super) fn of_record(file: &str, record: Record<'_>, reason: DropReason) -> Self {
        Self::Dropped(LogDrop {
            file: file.to_owned(),
            offset: record.offset,
            end: record.end,
            bytes: record.data.len() as u64,
            reason,
        })
    }
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(dropped) => dropped.fmt(f),
            Self::Mentioned(mention) => mention.fmt(f),
        }
    }
}

/// A part of a log that is lost.
///
/// ```
/// use strata_wal::Reason;
/// use strata_write_buffer::{DropReason, LogDrop};
///
/// let dropped = LogDrop {
///     file: "000003.log".to_owned(),
///     offset: 40,
///     end: 57,
///     bytes: 10,
///     reason: DropReason::Reader(Reason::ChecksumMismatch),
/// };
/// assert_eq!(dropped.to_string(), "000003.log: 10 bytes at offset 40 dropped: checksum mismatch");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDrop {
    /// The log's name.
    pub file: String,
    /// Where in the log the lost part begins.
    pub offset: u64,
    /// Where it ends.
    pub end: u64,
    /// How many bytes LevelDB calls dropped: without headers, where it is whole fragments.
    pub bytes: u64,
    /// Why.
    pub reason: DropReason,
}

impl fmt::Display for LogDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            bytes,
            reason,
            ..
        } = self;
        write!(
            f,
            "{file}: {bytes} bytes at offset {offset} dropped: {reason}"
        )
    }
}

/// Why a part of a log is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The log's reader could make no record of it.
    Reader(Reason),
    /// Zeros that are not the end of the log.
    Zeros,
    /// A record that has no room for a batch's header.
    TooSmall,
    /// A record whose batch has an entry that is longer than any table can hold:
    /// [`LONGEST_ENTRY`](strata_table::LONGEST_ENTRY).
    TooLong {
        /// How long its key and its value are together, in bytes.
        bytes: u64,
    },
    /// A record whose batch could not be inserted. Salvaged, its records before the fault were.
    Batch(InsertError),
    /// A record that salvage found by its checksum, whose sequence numbers do not ascend between
    /// those of its neighbours: it is one of a log that a value holds.
    OutOfOrder,
}

/// LevelDB's words, where it has any.
impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reader(reason) => reason.fmt(f),
            Self::Zeros => f.write_str("zeros in the middle of the log"),
            Self::TooSmall => f.write_str("log record too small"),
            Self::TooLong { bytes } => write!(
                f,
                "an entry of {bytes} bytes is longer than a table can hold"
            ),
            Self::Batch(error) => error.fmt(f),
            Self::OutOfOrder => f.write_str(
                "found by its checksum, but its sequence numbers do not fit between its neighbours'",
            ),
        }
    }
}

/// Something that is no loss but worth a word: a torn or zeroed tail, a length that was mended.
///
/// ```
/// use strata_wal::{Cause, PassedOver, Report};
/// use strata_write_buffer::LogMention;
///
/// let tail = PassedOver { offset: 50, bytes: 3, cause: Cause::TornTail };
/// let mention = LogMention { file: "000003.log".to_owned(), report: Report::PassedOver(tail) };
/// assert_eq!(
///     mention.to_string(),
///     "000003.log: at offset 50, 3 bytes passed over: a record that the end of the file cuts"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMention {
    /// The log's name.
    pub file: String,
    /// What the log's reader said.
    pub report: Report,
}

impl LogMention {
    /// Where in the log it begins; 0 if the report doesn't say.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self.report {
            Report::Dropped(dropped) => dropped.offset,
            Report::PassedOver(passed) => passed.offset,
            Report::Mended(mended) => mended.offset,
            _ => 0,
        }
    }

    /// What it is, in words, without where it is.
    #[must_use]
    pub fn what(&self) -> String {
        match self.report {
            Report::PassedOver(passed) => {
                format!("{} bytes passed over: {}", passed.bytes, passed.cause)
            }
            Report::Mended(mended) => format!(
                "a damaged length mended by its checksum: {} bytes, not {}",
                mended.length, mended.stored_length
            ),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for LogMention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: at offset {}, {}",
            self.file,
            self.offset(),
            self.what()
        )
    }
}

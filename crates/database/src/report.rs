//! The reports of reading files: parts that are lost, and things worth a word.

use std::fmt;

use strata_dbformat::Comparator;
use strata_table::{Fault, KeyRange};
use strata_wal::Cause;
use strata_write_buffer::{DropReason, LogReport};

/// Something about a file that the caller should hear of, told as soon as it is met.
///
/// ```
/// use strata_database::{Note, Report};
///
/// let report = Report::Noted(Note {
///     file: "000003.log".to_owned(),
///     offset: Some(124),
///     what: "the end of the file cuts a record".to_owned(),
///     unread: 12,
/// });
/// assert_eq!(report.to_string(), "000003.log: at offset 124, the end of the file cuts a record");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// A part of a file is lost.
    Lost(Loss),
    /// Nothing is lost, but it is worth a word.
    Noted(Note),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(loss) => loss.fmt(f),
            Self::Noted(note) => note.fmt(f),
        }
    }
}

/// A part of a file, or a whole file, whose entries could not be read.
///
/// ```
/// use strata_database::{Loss, LossReason};
///
/// let loss = Loss {
///     file: "000009.ldb".to_owned(),
///     offset: 0,
///     bytes: 4096,
///     reason: LossReason::Missing,
///     keys: None,
/// };
/// assert_eq!(
///     loss.to_string(),
///     "000009.ldb: 4096 bytes at offset 0 dropped: the manifest names this file and it is missing"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The file's name.
    pub file: String,
    /// The file offset at which the lost part begins.
    pub offset: u64,
    /// The length of the lost part in bytes; of a missing file, the length that the manifest says.
    pub bytes: u64,
    /// Why it is lost.
    pub reason: LossReason,
    /// Between which user keys the lost entries lie, if an index or a manifest says.
    pub keys: Option<KeyRange>,
}

impl Loss {
    /// Whether the lost part could have held `user_key`.
    pub(crate) fn may_hold(&self, user_key: &[u8], order: &dyn Comparator) -> bool {
        let Some(keys) = &self.keys else {
            return true;
        };
        let is_after = |after: &Vec<u8>| order.compare(after, user_key).is_le();
        let is_before = |upto: &Vec<u8>| order.compare(user_key, upto).is_le();
        keys.after.as_ref().is_none_or(is_after) && keys.upto.as_ref().is_none_or(is_before)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            bytes,
            reason,
            keys,
        } = self;
        write!(
            f,
            "{file}: {bytes} bytes at offset {offset} dropped: {reason}"
        )?;
        match keys {
            Some(keys) => write!(f, " ({keys})"),
            None => Ok(()),
        }
    }
}

/// Why a part of a file is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossReason {
    /// The bytes of a table are wrong.
    Table(Fault),
    /// The bytes of a log are wrong.
    Log(DropReason),
    /// A part of a manifest is damaged.
    Manifest(String),
    /// The system could not read the file.
    Unreadable(String),
    /// The manifest names the file, and it is not there.
    Missing,
    /// The file is something else than its name or the manifest says.
    Foreign {
        /// The form that was expected.
        expected: &'static str,
        /// What the file looks like.
        found: String,
    },
    /// Another entry has the same user key, sequence number and type, and another value.
    Repeated,
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(fault) => fault.fmt(f),
            Self::Log(reason) => reason.fmt(f),
            Self::Manifest(reason) => f.write_str(reason),
            Self::Unreadable(error) => write!(f, "the file can't be read: {error}"),
            Self::Missing => f.write_str("the manifest names this file and it is missing"),
            Self::Foreign { expected, found } => {
                write!(f, "{expected} was expected; the file looks like {found}")
            }
            Self::Repeated => {
                f.write_str("another entry has the same key and sequence number, and another value")
            }
        }
    }
}

/// Something that is no loss, but worth a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file's name.
    pub file: String,
    /// Where in the file, in bytes, if it is about a place.
    pub offset: Option<u64>,
    /// The remark.
    pub what: String,
    /// How many bytes were passed over because they were never whole: the last record of a log, if
    /// the end of the file cuts it. An entry that was being written may have been there.
    pub unread: u64,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{}: at offset {offset}, {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// Where reports go.
pub(crate) type Sink<'a> = dyn FnMut(Report) + 'a;

/// The report of a log's reader, told as of any file.
impl From<LogReport> for Report {
    fn from(report: LogReport) -> Self {
        match report {
            LogReport::Dropped(dropped) => Self::Lost(Loss {
                file: dropped.file,
                offset: dropped.offset,
                bytes: dropped.bytes,
                reason: LossReason::Log(dropped.reason),
                keys: None,
            }),
            LogReport::Mentioned(mention) => Self::Noted(Note {
                offset: Some(mention.offset()),
                what: mention.what(),
                unread: match mention.report {
                    strata_wal::Report::PassedOver(passed) if passed.cause == Cause::TornTail => {
                        passed.bytes
                    }
                    _ => 0,
                },
                file: mention.file,
            }),
            other => Self::Noted(Note {
                file: String::new(),
                offset: None,
                what: other.to_string(),
                unread: 0,
            }),
        }
    }
}

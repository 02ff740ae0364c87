//! What was wrong with the logs.

use std::fmt;

use serde::Serialize;
use strata_wal::{Cause, Report};

use crate::show::tell;

/// Why zeros that are not the end of a log count as dropped.
const ZEROS_IN_THE_MIDDLE: &str = "zeros in the middle of the log";

/// A part of a log that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Dropped {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) reason: String,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            bytes,
            reason,
        } = self;
        write!(
            f,
            "{file}: {bytes} bytes at offset {offset} dropped: {reason}"
        )
    }
}

/// Something that is no loss but worth a word: a torn or zeroed tail, a length that was mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mention {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) what: String,
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, what } = self;
        write!(f, "{file}: at offset {offset}, {what}")
    }
}

/// All that was wrong with the logs, in the order it was met.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogReport {
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) mentions: Vec<Mention>,
}

impl LogReport {
    /// Takes down what the reader of `file`, which has `length` bytes, reported.
    ///
    /// Zeros at the end are space that was set aside. The reader passes over zeros in the middle,
    /// too, as LevelDB does; but nobody can say what was there, so they count as lost.
    pub(crate) fn take(&mut self, file: &str, length: u64, report: Report) {
        let file = file.to_owned();
        match report {
            Report::Dropped(dropped) => self.dropped.push(Dropped {
                file,
                offset: dropped.offset,
                bytes: dropped.bytes,
                reason: dropped.reason.to_string(),
            }),
            Report::PassedOver(passed)
                if passed.cause == Cause::Zeros && passed.offset + passed.bytes < length =>
            {
                self.dropped.push(Dropped {
                    file,
                    offset: passed.offset,
                    bytes: passed.bytes,
                    reason: ZEROS_IN_THE_MIDDLE.to_owned(),
                });
            }
            Report::PassedOver(passed) => self.mentions.push(Mention {
                file,
                offset: passed.offset,
                what: format!("{} bytes passed over: {}", passed.bytes, passed.cause),
            }),
            Report::Mended(mended) => self.mentions.push(Mention {
                file,
                offset: mended.offset,
                what: format!(
                    "a damaged length mended by its checksum: {} bytes, not {}",
                    mended.length, mended.stored_length
                ),
            }),
            other => {
                self.mentions.push(Mention {
                    file,
                    offset: 0,
                    what: other.to_string(),
                });
            }
        }
    }

    /// Tells on standard error, for commands whose answer is something else.
    pub(crate) fn warn(&self) {
        for dropped in &self.dropped {
            tell(dropped);
        }
        for mention in &self.mentions {
            tell(mention);
        }
    }
}

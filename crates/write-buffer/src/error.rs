//! Why a write was refused.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use strata_dbformat::SequenceOutOfRange;
use strata_memtable::AddError;
use strata_table::LONGEST_ENTRY;
use strata_write_batch::{MalformedBatch, PutError};

use crate::StallCause;

/// A batch was not written: nobody sees any of it.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_write_batch::WriteBatch;
/// use strata_write_buffer::{WriteBuffer, WriteBufferOptions, WriteError};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// let garbage = WriteBatch::from_contents(b"\0\0\0\0\0\0\0\0\x01\0\0\0\x09".to_vec())?;
/// let error = buffer.write(&garbage).unwrap_err();
/// assert!(matches!(error, WriteError::Malformed(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The batch's bytes are not a batch.
    Malformed(MalformedBatch),
    /// A key or a value is too long for a batch.
    TooLong(PutError),
    /// A memtable does not take it: a key is too long, or there is no memory.
    Refused(AddError),
    /// The batch is larger than a memtable is meant to hold: 4 GiB.
    BatchTooLarge {
        /// How large it is, in bytes.
        bytes: usize,
    },
    /// A key and its value are together longer than any table can hold, so that no flush could
    /// write them: [`LONGEST_ENTRY`].
    EntryTooLong {
        /// How long they are together, in bytes.
        bytes: u64,
    },
    /// There are not so many sequence numbers left.
    SequenceOutOfRange(SequenceOutOfRange),
    /// There is no room, and the write was not to wait.
    WouldBlock(StallCause),
    /// There was no room until the time that was set.
    TimedOut(StallCause),
    /// The log could not be made, appended to, or synced. If it was a sync, the batch may be found
    /// in the log by a recovery all the same.
    Log {
        /// What was tried.
        action: LogAction,
        /// What the log said.
        source: Arc<io::Error>,
    },
    /// An earlier sync failed, so that nobody knows what of the log would survive a power failure.
    LogFailed {
        /// What was said then.
        source: Arc<io::Error>,
    },
    /// A thread panicked in the middle of a write, in a comparator for instance: what it had
    /// claimed will never be visible, nor what comes after it.
    Poisoned,
}

/// What a log was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogAction {
    /// To be made.
    Create,
    /// To take a record.
    Append,
    /// To survive a power failure.
    Sync,
}

impl fmt::Display for LogAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogAction::Create => "begin a log",
            LogAction::Append => "append to the log",
            LogAction::Sync => "sync the log",
        })
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Malformed(error) => error.fmt(f),
            WriteError::TooLong(error) => error.fmt(f),
            WriteError::Refused(error) => error.fmt(f),
            WriteError::BatchTooLarge { bytes } => {
                write!(f, "a batch of {bytes} bytes is too large: write at most 4 GiB together")
            }
            WriteError::EntryTooLong { bytes } => write!(
                f,
                "a key and its value of {bytes} bytes together are longer than a table can hold, {LONGEST_ENTRY} bytes"
            ),
            WriteError::SequenceOutOfRange(error) => error.fmt(f),
            WriteError::WouldBlock(cause) => {
                write!(f, "the write would have to wait: {cause}")
            }
            WriteError::TimedOut(cause) => write!(f, "the write has waited in vain: {cause}"),
            WriteError::Log { action, source } => write!(f, "can't {action}: {source}"),
            WriteError::LogFailed { source } => write!(
                f,
                "an earlier sync of the log failed ({source}), so nothing is written until the log is replaced"
            ),
            WriteError::Poisoned => f.write_str(
                "a thread panicked in the middle of a write: what is visible is sound, and nothing more can be written",
            ),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            WriteError::Malformed(error) => Some(error),
            WriteError::TooLong(error) => Some(error),
            WriteError::Refused(error) => Some(error),
            WriteError::SequenceOutOfRange(error) => Some(error),
            WriteError::Log { source, .. } | WriteError::LogFailed { source } => Some(source),
            WriteError::BatchTooLarge { .. }
            | WriteError::EntryTooLong { .. }
            | WriteError::WouldBlock(_)
            | WriteError::TimedOut(_)
            | WriteError::Poisoned => None,
        }
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),*) => {$(
        impl From<$error> for WriteError {
            fn from(error: $error) -> Self {
                WriteError::$variant(error)
            }
        }
    )*};
}

from! {
    MalformedBatch => Malformed,
    PutError => TooLong,
    AddError => Refused,
    SequenceOutOfRange => SequenceOutOfRange
}

impl From<crate::sequencer::Dead> for WriteError {
    fn from(_: crate::sequencer::Dead) -> Self {
        WriteError::Poisoned
    }
}

//! Why logs could not be recovered.

use std::error::Error;
use std::fmt;
use std::io;

use strata_memtable::AddError;

use crate::FlushError;

/// Why logs could not be recovered. No log was changed: it can be tried again.
///
/// ```
/// use strata_write_buffer::RecoveryError;
///
/// let source = "the disk is full".into();
/// let error = RecoveryError::Flush { file: "000003.log".to_owned(), offset: 4096, source };
/// assert_eq!(
///     error.to_string(),
///     "can't flush the memtable that was full at offset 4096 of 000003.log: the disk is full"
/// );
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RecoveryError {
    /// The directory can't be listed.
    List {
        /// What the system says.
        source: io::Error,
    },
    /// A log can't be opened.
    Open {
        /// Its name.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// A log can't be read.
    Read {
        /// Its name.
        file: String,
        /// How much of it has been read, in bytes.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
    /// A log can't be synced, so that what is in it may not survive a power failure.
    Sync {
        /// Its name.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The log for what is written next can't be made.
    BeginLog {
        /// What the system says.
        source: io::Error,
    },
    /// A memtable can't be flushed.
    Flush {
        /// The name of the log that was being replayed.
        file: String,
        /// Where in it the record begins that was being taken.
        offset: u64,
        /// What the sink says.
        source: FlushError,
    },
    /// There is no memory for a batch.
    Full {
        /// The name of the log that it is in.
        file: String,
        /// Where in it its record begins.
        offset: u64,
        /// What the memtable says.
        source: AddError,
    },
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List { source } => write!(f, "can't list the directory of the logs: {source}"),
            Self::BeginLog { source } => write!(f, "can't begin a log: {source}"),
            Self::Sync { file, source } => write!(f, "can't sync {file}: {source}"),
            Self::Open { file, source } => write!(f, "can't open {file}: {source}"),
            Self::Read {
                file,
                offset,
                source,
            } => write!(f, "can't read {file} from offset {offset} on: {source}"),
            Self::Flush {
                file,
                offset,
                source,
            } => write!(
                f,
                "can't flush the memtable that was full at offset {offset} of {file}: {source}"
            ),
            Self::Full {
                file,
                offset,
                source,
            } => write!(
                f,
                "a memtable can't take the batch at offset {offset} of {file}: {source}"
            ),
        }
    }
}

impl Error for RecoveryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::List { source }
            | Self::Open { source, .. }
            | Self::Read { source, .. }
            | Self::Sync { source, .. }
            | Self::BeginLog { source } => Some(source),
            Self::Flush { source, .. } => Some(&**source),
            Self::Full { source, .. } => Some(source),
        }
    }
}

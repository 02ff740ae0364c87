//! Why a directory could not be read, or a database not be written.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use strata_memtable::AddError;
use strata_table::TableError;

/// Why a command on a directory came to nothing. Damage is no error: it is [reported](crate::Report).
///
/// ```
/// use strata_database::{Database, DatabaseError};
///
/// let error = Database::open("no/such/directory".as_ref()).unwrap_err();
/// assert!(matches!(error, DatabaseError::Io { action: "list", .. }));
/// assert!(error.to_string().starts_with("can't list no/such/directory: "));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The system refused something to do with a file or a directory.
    Io {
        /// The operation that was tried, as an infinitive.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Entries could not be put in order: there is no room for temporary files, or no memory.
    Sort(SortError),
    /// The order in which the database sorts its keys is not known.
    UnknownOrder {
        /// The name of the comparator.
        name: Vec<u8>,
    },
    /// There is no file in the input that could be read.
    NothingToRead {
        /// What there is instead.
        why: String,
    },
}

/// Why entries could not be put in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum SortError {
    /// A temporary file could not be made, written or read.
    Temporary(TableError),
    /// There is no memory for an entry.
    Full(AddError),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io {
                action,
                path,
                source,
            } => write!(f, "can't {action} {}: {source}", path.display()),
            Self::Sort(error) => error.fmt(f),
            Self::UnknownOrder { name } => write!(
                f,
                "the database sorts its keys by {}, an order that is not known here: list what it \
                 holds, file by file, with `strata dump`; or say with --comparator which known \
                 order it is",
                strata_dbformat::escape(name)
            ),
            Self::NothingToRead { why } => f.write_str(why),
        }
    }
}

impl fmt::Display for SortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temporary(error) => write!(
                f,
                "a temporary file for sorting could not be used: {error} (TMPDIR says where \
                 temporary files go)"
            ),
            Self::Full(error) => write!(f, "entries can't be sorted: {error}"),
        }
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Sort(error) => Some(error),
            _ => None,
        }
    }
}

impl Error for SortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Temporary(error) => Some(error),
            Self::Full(error) => Some(error),
        }
    }
}

impl From<SortError> for DatabaseError {
    fn from(error: SortError) -> Self {
        Self::Sort(error)
    }
}

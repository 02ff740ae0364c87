//! Why a database could not be rebuilt.

use std::error::Error;
use std::fmt;
use std::io;

use strata_database::DatabaseError;
use strata_table::TableError;

/// Why a database could not be rebuilt. Damage is no error: it is
/// [reported](strata_database::Report).
#[derive(Debug)]
#[non_exhaustive]
pub enum RebuildError {
    /// The old database could not be read at all, or its entries not be sorted.
    Read(DatabaseError),
    /// A table could not be written.
    Table(TableError),
    /// The manifest or `CURRENT` could not be written.
    Manifest(io::Error),
    /// The output directory can't be listed.
    List(io::Error),
    /// The output directory is not empty.
    NotEmpty {
        /// A file that is in it.
        found: String,
    },
    /// Something is lost, and nothing was to be written then.
    Lossy,
}

impl fmt::Display for RebuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Table(error) => write!(f, "a table could not be written: {error}"),
            Self::Manifest(error) => write!(f, "the manifest could not be written: {error}"),
            Self::List(error) => write!(f, "the output directory can't be listed: {error}"),
            Self::NotEmpty { found } => write!(
                f,
                "it is not empty ({found} is there, perhaps of a recovery that was interrupted): a \
                 new database goes to a new or an empty directory"
            ),
            Self::Lossy => f.write_str("nothing was written, because a part of the input is lost"),
        }
    }
}

impl Error for RebuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Table(error) => Some(error),
            Self::Manifest(error) | Self::List(error) => Some(error),
            Self::NotEmpty { .. } | Self::Lossy => None,
        }
    }
}

impl From<DatabaseError> for RebuildError {
    fn from(error: DatabaseError) -> Self {
        Self::Read(error)
    }
}

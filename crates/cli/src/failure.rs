//! Why a command could not do what it was asked to.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use strata_database::DatabaseError;
use strata_rebuild::RebuildError;
use strata_table::TableError;

/// A sentence that says what could not be done, and why.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    is_broken_pipe: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_broken_pipe: false,
        }
    }

    /// `what` could not be done to `path`.
    pub(crate) fn at(what: &str, path: &Path, why: impl fmt::Display) -> Self {
        Self::new(format!("{what} {}: {why}", path.display()))
    }

    /// The answer could not be written.
    pub(crate) fn output(error: io::Error) -> Self {
        Self {
            is_broken_pipe: error.kind() == io::ErrorKind::BrokenPipe,
            message: format!("the answer could not be written: {error}"),
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.is_broken_pipe
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// For use where a table is written: its errors name the file.
impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::new(format!("the table could not be written: {error}"))
    }
}

/// For use where a directory is read.
impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::new(error.to_string())
    }
}

/// For use where a database is written.
impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        Self::new(error.to_string())
    }
}

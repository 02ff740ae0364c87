//! What the write buffer asks of a log.

use std::fmt;
use std::io;

/// A write-ahead log, to which batches are appended before they are inserted.
///
/// Ours is made by [`DirectoryLogs`](crate::DirectoryLogs), LevelDB's format in LevelDB's files.
pub trait Log: Send + fmt::Debug {
    /// Appends a record: the contents of a write batch, as LevelDB logs it.
    ///
    /// # Errors
    ///
    /// What the system says; then the record is not in the log and the log can go on, or the log
    /// refuses everything further.
    fn append(&mut self, record: &[u8]) -> io::Result<()>;

    /// Returns once every record appended would survive a power failure.
    ///
    /// # Errors
    ///
    /// What the system says. The write buffer asks nothing further of this log then.
    fn sync(&mut self) -> io::Result<()>;
}

/// Where logs come from: one for each memtable.
pub trait Logs: Send + fmt::Debug {
    /// Begins an empty log, and gives its number: larger than that of any log before.
    ///
    /// # Errors
    ///
    /// What the system says; the write buffer goes on with the log it has, and asks again when it
    /// next needs one.
    fn create(&mut self) -> io::Result<(u64, Box<dyn Log>)>;
}

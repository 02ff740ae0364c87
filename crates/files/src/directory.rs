//! The operations on a directory and on the files in it.

use std::fmt;
use std::io::{self, Read, Seek, Write};

use strata_wal::SyncData;

/// A directory of files, by their names: all that logs, tables, manifests and recovery ask of a file
/// system.
///
/// Ours is [`FileDirectory`](crate::FileDirectory). It is a trait so that a test can stop after any operation, lose what
/// was not synced, and look at what is left.
///
/// What is written to a file survives a power failure once the file's
/// [`sync_data`](SyncData::sync_data) has returned; that a name is there, is another's, or is gone
/// survives one once [`sync`](Self::sync) has. A name has no separators.
pub trait Directory: Send + Sync + fmt::Debug {
    /// The names of what is in the directory, in no order.
    ///
    /// # Errors
    ///
    /// The system's error.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates a file that is not there yet.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is one, `InvalidInput` for a name that has separators or is none,
    /// or what the system says.
    fn create(&self, name: &str) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a file to read it from its beginning.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, or what the system says.
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>>;

    /// Returns once what a file holds would survive a power failure, whoever has written it.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, or what the system says.
    fn sync_file(&self, name: &str) -> io::Result<()>;

    /// Gives the file `from` the name `to`, all at once. A file that had that name is gone.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no file `from`, or what the system says; nothing has changed then.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives the file `from` the name `to`, which no file has: what has it is left as it is.
    ///
    /// Whether `to` is free and taking it are one step: of several threads or processes that do
    /// this at once, one succeeds. A file system that can't move without replacing gives the file
    /// both names for a moment, and a process that dies then leaves it both.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is a file `to`, `NotFound` if there is no file `from`, or what the
    /// system says; nothing has changed then.
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. A thread that has it open can go on reading it.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none, or what the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns once the names of the files would survive a power failure as they are.
    ///
    /// # Errors
    ///
    /// What the system says. Which names would survive is unknown then.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is being written, from its beginning on.
pub trait WriteFile: Write + SyncData + Send + fmt::Debug {
    /// Cuts the file to `length` bytes, of which it has at least so many, and goes on writing
    /// there.
    ///
    /// # Errors
    ///
    /// What the system says. How long the file is, and where it would be written to, is unknown
    /// then.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
}

/// A file that is being read.
pub trait ReadFile: Read + Seek + Send + fmt::Debug {}

impl<F: Read + Seek + Send + fmt::Debug> ReadFile for F {}

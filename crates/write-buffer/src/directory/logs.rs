//! Logs in a directory.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;

use strata_wal::Writer;

use crate::{Log, Logs};
use strata_files::{Directory, FileNumbers, WriteFile, log_file_name};

/// LevelDB's logs, in LevelDB's files: `000003.log` and so on, in a directory.
///
/// The bytes of a record are with the system when [`append`](Log::append) has returned. A log's
/// name is made to survive a power failure with its first [`sync`](Log::sync), not when the log is
/// created: what was synced is found afterwards, and who syncs nothing doesn't wait for it. (With
/// the name of one log go those of all before it.)
///
/// A failed append is taken back, by cutting the file to where it was, and the log goes on. If it
/// can't be cut, the log takes no more records, and what it has can still be synced; if a sync
/// failed, it refuses that, too: with [`LogFailed`]. It is sound all the same, up to the last record
/// whose append succeeded.
///
/// ```
/// use std::sync::Arc;
/// use strata_files::{Directory, FileDirectory, FileNumbers};
/// use strata_write_buffer::{DirectoryLogs, Logs};
///
/// let temporary = tempfile::tempdir()?;
/// let directory = Arc::new(FileDirectory::new(temporary.path()));
/// let numbers = Arc::new(FileNumbers::starting_at(3));
/// let (number, mut log) = DirectoryLogs::new(directory.clone(), numbers).create()?;
/// assert_eq!(number, 3);
/// log.append(b"a batch")?;
/// log.sync()?;
///
/// let mut reader = strata_wal::Reader::new(directory.open("000003.log")?);
/// let record = reader.read_record(&mut |_| {})?;
/// assert_eq!(record.map(|record| record.data), Some(&b"a batch"[..]));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DirectoryLogs {
    directory: Arc<dyn Directory>,
    numbers: Arc<FileNumbers>,
}

impl DirectoryLogs {
    /// Logs in `directory`, with numbers from `numbers`.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, numbers: Arc<FileNumbers>) -> Self {
        Self { directory, numbers }
    }
}

impl Logs for DirectoryLogs {
    /// # Errors
    ///
    /// That there is no file number left, `AlreadyExists` if somebody else has made a log with the
    /// number, or what the system says.
    fn create(&mut self) -> io::Result<(u64, Box<dyn Log>)> {
        let number = self.numbers.draw()?;
        let name = log_file_name(number);
        let file = self.directory.create(&name)?;
        let log = DirectoryLog {
            directory: Arc::clone(&self.directory),
            name,
            is_name_synced: false,
            state: State::Good(Writer::new(file)),
        };
        Ok((number, Box::new(log)))
    }
}

/// A log in a directory.
#[derive(Debug)]
struct DirectoryLog {
    directory: Arc<dyn Directory>,
    name: String,
    is_name_synced: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Good(Writer<Box<dyn WriteFile>>),
    /// A record was written in part, where the log was so long. What is before it can be synced.
    Torn(Box<dyn WriteFile>, u64),
    /// A sync failed when the log was so long.
    Unsynced(u64),
}

impl DirectoryLog {
    fn refusal(&self) -> io::Error {
        let (step, length) = match &self.state {
            State::Good(writer) => (FailedStep::Append, writer.offset()),
            State::Torn(_, length) => (FailedStep::Append, *length),
            State::Unsynced(length) => (FailedStep::Sync, *length),
        };
        io::Error::other(LogFailed {
            name: self.name.clone(),
            length,
            step,
        })
    }
}

impl Log for DirectoryLog {
    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let State::Good(writer) = &mut self.state else {
            return Err(self.refusal());
        };
        let result = writer.add_record(record);
        let length = writer.offset();
        if result.is_err()
            && let State::Good(writer) = mem::replace(&mut self.state, State::Unsynced(length))
        {
            // Whether anything of it was written or not, the next record is to begin where it did.
            let mut file = writer.into_inner();
            self.state = match file.set_len(length) {
                Ok(()) => State::Good(Writer::continuing(file, length)),
                Err(_) => State::Torn(file, length),
            };
        }
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        let (mut result, length) = match &mut self.state {
            State::Good(writer) => (writer.sync(), writer.offset()),
            State::Torn(file, length) => (file.sync_data(), *length),
            State::Unsynced(_) => return Err(self.refusal()),
        };
        if result.is_ok() && !self.is_name_synced {
            result = self.directory.sync();
        }
        match &result {
            Ok(()) => self.is_name_synced = true,
            // The system may have dropped the bytes, and would say that the next sync succeeded.
            Err(_) => self.state = State::Unsynced(length),
        }
        result
    }
}

/// What a log failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailedStep {
    /// A record was written in part, and could not be taken back.
    Append,
    /// A sync: what was appended since the last one may or may not survive a power failure.
    Sync,
}

/// A log was used after it failed. It is the inner error of the [`io::Error`] it comes in.
///
/// ```
/// use strata_write_buffer::{FailedStep, LogFailed};
///
/// let error = LogFailed { name: "000003.log".to_owned(), length: 40, step: FailedStep::Append };
/// assert_eq!(
///     error.to_string(),
///     "000003.log takes no more records: an append failed and could not be taken back, so what \
///      follows offset 40 is unknown"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogFailed {
    /// The log's file name.
    pub name: String,
    /// Where the last whole record ended, in bytes from the log's beginning.
    pub length: u64,
    /// What it failed at.
    pub step: FailedStep,
}

impl fmt::Display for LogFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, length, step } = self;
        write!(f, "{name} takes no more records: ")?;
        match step {
            FailedStep::Append => write!(
                f,
                "an append failed and could not be taken back, so what follows offset {length} is \
                 unknown"
            ),
            FailedStep::Sync => write!(
                f,
                "a sync failed, so how much of its {length} bytes would survive a power failure \
                 is unknown"
            ),
        }
    }
}

impl Error for LogFailed {}

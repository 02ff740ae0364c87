//! Putting records into a log.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write};

use crate::format::put_fragment;
use crate::{BLOCK_SIZE, HEADER_SIZE, RecordType, SyncData};

/// The largest offset a file can have: they are signed 64-bit numbers everywhere.
const MAX_OFFSET: u64 = i64::MAX as u64;

/// Appends records to a log.
///
/// Each fragment goes to the destination in one `write_all`, and nothing is held back: a record
/// written to a [`File`](std::fs::File) outlasts the process once
/// [`add_record`](Self::add_record) has returned, and a power failure once [`sync`](Self::sync)
/// has. Behind a [`BufWriter`](io::BufWriter) the first takes a [`flush`](Self::flush).
///
/// After an error the writer refuses everything further with [`WriterFailed`]. Where the file ends
/// is then unknown, and a record put after half a record would be lost with it. (LevelDB goes on.)
///
/// ```
/// use strata_wal::Writer;
///
/// let mut writer = Writer::new(Vec::new());
/// writer.add_record(b"foo")?;
/// assert_eq!(writer.offset(), 10);
/// assert_eq!(writer.into_inner(), b"\xdd\x5f\xb3\x7a\x03\x00\x01foo");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Writer<W> {
    destination: W,
    /// Where the last whole record ended.
    offset: u64,
    /// Something failed, or is under way: a destination that panics has failed too.
    failed: bool,
    /// One fragment, and the trailer before it.
    fragment: Vec<u8>,
}

impl<W> Writer<W> {
    /// A writer that begins a log in an empty destination.
    #[must_use]
    pub fn new(destination: W) -> Self {
        Self::continuing(destination, 0)
    }

    /// A writer that goes on with a log of `length` bytes, at whose end `destination` stands.
    ///
    /// The log must end where a record ends. If its reader reported a
    /// [torn tail](crate::Cause::TornTail) or [zeros](crate::Cause::Zeros) at its end, truncate it
    /// to where those begin, and go on from there; otherwise what is written next is lost with
    /// them.
    ///
    /// ```
    /// use strata_wal::Writer;
    ///
    /// let mut log = Vec::new();
    /// Writer::new(&mut log).add_record(b"hello")?;
    /// let length = log.len() as u64;
    /// Writer::continuing(&mut log, length).add_record(b"world")?;
    /// assert_eq!(log.len(), 24);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn continuing(destination: W, length: u64) -> Self {
        Self {
            destination,
            offset: length,
            failed: false,
            fragment: Vec::new(),
        }
    }

    /// The length of the log: where the last whole record ended.
    ///
    /// After an error that is what can still be relied on, as far as the destination has it.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The destination.
    #[must_use]
    pub const fn get_ref(&self) -> &W {
        &self.destination
    }

    /// The destination. It is not flushed.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.destination
    }

    /// Runs what may fail; if it does, this writer is done.
    fn attempt<T>(&mut self, action: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        if self.failed {
            return Err(io::Error::other(WriterFailed {
                offset: self.offset,
            }));
        }
        self.failed = true;
        let result = action(self)?;
        self.failed = false;
        Ok(result)
    }
}

impl<W: Write> Writer<W> {
    /// Appends a record, in as many fragments as there are blocks it reaches into.
    ///
    /// An empty record is one fragment without payload. Time and, but for one block, memory are
    /// the destination's; the record is copied once.
    ///
    /// # Errors
    ///
    /// What the destination's `write_all` returns; [`WriterFailed`] after an earlier error; and
    /// `InvalidInput`, with nothing written and the writer as good as before, if the log would get
    /// longer than a file can be.
    pub fn add_record(&mut self, record: &[u8]) -> io::Result<()> {
        if self.offset.saturating_add(record.len() as u64) > MAX_OFFSET {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "a record of {} bytes at offset {} would end past the largest file offset, {MAX_OFFSET}",
                    record.len(),
                    self.offset
                ),
            ));
        }
        self.attempt(|writer| {
            writer.offset = writer.write_fragments(record)?;
            Ok(())
        })
    }

    /// Writes the fragments of a record, and returns where they end.
    fn write_fragments(&mut self, record: &[u8]) -> io::Result<u64> {
        let mut offset = self.offset;
        let mut rest = record;
        let mut begins = true;
        loop {
            self.fragment.clear();
            let mut room = room_in_block(offset);
            if room < HEADER_SIZE {
                self.fragment.resize(room, 0);
                room = BLOCK_SIZE;
            }
            let (payload, after) = rest.split_at(rest.len().min(room - HEADER_SIZE));
            let record_type = match (begins, after.is_empty()) {
                (true, true) => RecordType::Full,
                (true, false) => RecordType::First,
                (false, false) => RecordType::Middle,
                (false, true) => RecordType::Last,
            };
            put_fragment(&mut self.fragment, record_type, payload);
            self.destination.write_all(&self.fragment)?;
            offset += self.fragment.len() as u64;
            if after.is_empty() {
                return Ok(offset);
            }
            rest = after;
            begins = false;
        }
    }

    /// Flushes the destination: for a [`BufWriter`](io::BufWriter), hands its bytes to the system.
    ///
    /// # Errors
    ///
    /// What the destination's `flush` returns; [`WriterFailed`] after an earlier error.
    pub fn flush(&mut self) -> io::Result<()> {
        self.attempt(|writer| writer.destination.flush())
    }

    /// Flushes the destination and returns once its bytes would survive a power failure.
    ///
    /// That is true of the file's bytes. That the file itself survives takes a sync of its
    /// directory, once, after it was created.
    ///
    /// # Errors
    ///
    /// What the destination's `flush` or `sync_data` returns; [`WriterFailed`] after an earlier
    /// error, a failed sync included.
    pub fn sync(&mut self) -> io::Result<()>
    where
        W: SyncData,
    {
        self.attempt(|writer| {
            writer.destination.flush()?;
            writer.destination.sync_data()
        })
    }
}

/// How many bytes there are from `offset` to the end of its block: 1 to [`BLOCK_SIZE`].
#[expect(
    clippy::cast_possible_truncation,
    reason = "a remainder is less than BLOCK_SIZE"
)]
const fn room_in_block(offset: u64) -> usize {
    BLOCK_SIZE - (offset % BLOCK_SIZE as u64) as usize
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("offset", &self.offset)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// A writer was used after an error. It is the inner error of the [`io::Error`] it comes in.
///
/// ```
/// use strata_wal::{Writer, WriterFailed};
///
/// let mut room = [0; 12];
/// let mut full = Writer::new(&mut room[..]);
/// full.add_record(b"foo")?;
/// full.add_record(b"bar").unwrap_err();
///
/// let error = full.add_record(b"").unwrap_err();
/// let failed = error.get_ref().unwrap().downcast_ref::<WriterFailed>().unwrap();
/// assert_eq!(failed.offset, 10);
/// assert_eq!(
///     failed.to_string(),
///     "an earlier write to the log failed: it is sound up to offset 10, and what follows is unknown"
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WriterFailed {
    /// Where the last whole record ended.
    pub offset: u64,
}

impl fmt::Display for WriterFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an earlier write to the log failed: it is sound up to offset {}, and what follows is unknown",
            self.offset
        )
    }
}

impl Error for WriterFailed {}

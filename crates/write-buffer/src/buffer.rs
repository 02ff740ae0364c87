//! The write buffer: how it is written to, and what it says of itself.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use strata_dbformat::{Comparator, SequenceNumber, ValueType};
use strata_memtable::{MemoryUsage, OwnedEntry};
use strata_write_batch::WriteBatch;

use crate::budget::BufferMeter;
use crate::commit::LogSet;
use crate::core::{Beginning, Core};
use crate::flush::{FlushCounts, FlushJob};
use crate::memtables::Numbered;
use crate::room::{AsyncStall, Need};
use crate::{
    Cursor, Flush, FlushError, FlushReason, Flushed, Logs, Snapshot, Stalls, View, Wait,
    WriteBufferOptions, WriteError, WriteOptions,
};

/// An active memtable, the immutable ones that wait to be flushed, and the sequence numbers that
/// make them one.
///
/// `Send` and `Sync`; a clone is the same write buffer. Any number of threads write, read, freeze
/// and flush at once. A write is visible as a whole, at one instant, and before it returns. Readers
/// take no lock and wait for nobody.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber};
/// use strata_write_batch::WriteBatch;
/// use strata_write_buffer::{WriteBuffer, WriteBufferOptions};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// let mut batch = WriteBatch::new();
/// batch.put(b"debit", b"5")?;
/// batch.put(b"credit", b"5")?;
/// let last = buffer.write(&batch)?;
/// assert_eq!(last.get(), 2);
///
/// let found = buffer.get(b"credit", SequenceNumber::MAX).expect("it was written");
/// assert_eq!(found.entry().value(), b"5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WriteBuffer<C>(Arc<Core<C>>);

impl<C: Comparator + Clone + 'static> WriteBuffer<C> {
    /// An empty write buffer without a log: what is not flushed is gone with the process.
    #[must_use]
    pub fn new(comparator: C, options: WriteBufferOptions) -> Self {
        let meter = Arc::new(BufferMeter::new(options.budget.clone()));
        let beginning = Beginning {
            last: SequenceNumber::ZERO,
            number: 1,
            logs: None,
            immutable: Vec::new(),
        };
        Self(Core::new(comparator, options, meter, beginning))
    }

    /// An empty write buffer that logs what is written, and gives out sequence numbers after
    /// `last_sequence`: [`SequenceNumber::ZERO`] for a new store, and otherwise the last one that
    /// is in use.
    ///
    /// # Errors
    ///
    /// If the first log can't be made.
    pub fn with_logs(
        comparator: C,
        options: WriteBufferOptions,
        logs: Box<dyn Logs>,
        last_sequence: SequenceNumber,
    ) -> io::Result<Self> {
        let meter = Arc::new(BufferMeter::new(options.budget.clone()));
        Self::beginning_with(comparator, options, meter, logs, last_sequence, Vec::new())
    }

    pub(crate) fn beginning_with(
        comparator: C,
        options: WriteBufferOptions,
        meter: Arc<BufferMeter>,
        mut logs: Box<dyn Logs>,
        last: SequenceNumber,
        immutable: Vec<Arc<Numbered<C>>>,
    ) -> io::Result<Self> {
        let (number, current) = logs.create()?;
        let beginning = Beginning {
            last,
            number,
            logs: Some(LogSet::new(logs, current)),
            immutable,
        };
        Ok(Self(Core::new(comparator, options, meter, beginning)))
    }
}

impl<C: Comparator + Clone> WriteBuffer<C> {
    /// Gives `user_key` the value `value`, and says when: its sequence number.
    ///
    /// # Errors
    ///
    /// As [`write_with`](Self::write_with).
    pub fn put(&self, user_key: &[u8], value: &[u8]) -> Result<SequenceNumber, WriteError> {
        self.write_one(ValueType::Value, user_key, value)
    }

    /// Deletes `user_key`, and says when: the tombstone's sequence number.
    ///
    /// # Errors
    ///
    /// As [`write_with`](Self::write_with).
    pub fn delete(&self, user_key: &[u8]) -> Result<SequenceNumber, WriteError> {
        self.write_one(ValueType::Deletion, user_key, b"")
    }

    /// Writes a batch, waiting for room if there is none, and without a sync. Says its last
    /// sequence number.
    ///
    /// # Errors
    ///
    /// As [`write_with`](Self::write_with).
    pub fn write(&self, batch: &WriteBatch) -> Result<SequenceNumber, WriteError> {
        self.write_with(batch, WriteOptions::default())
    }

    /// Writes a batch: gives its records the next sequence numbers, appends it to the log if there
    /// is one, inserts it, and makes it visible. Says its last sequence number. (The one in the
    /// batch's header is not looked at.)
    ///
    /// With a log, batches that come while another is appended are grouped into one record, as
    /// LevelDB groups them. An empty batch writes nothing, but is synced if asked to: and so is
    /// all that was written before.
    ///
    /// # Errors
    ///
    /// [`WriteError`], and nobody sees any of the batch. After a failed sync
    /// ([`WriteError::LogFailed`]), and when a log refuses every append because it could not take
    /// one back, [`replace_log`](Self::replace_log) lets writing go on.
    pub fn write_with(
        &self,
        batch: &WriteBatch,
        options: WriteOptions,
    ) -> Result<SequenceNumber, WriteError> {
        let written = self.try_write(batch, options);
        if let Err(WriteError::WouldBlock(cause) | WriteError::TimedOut(cause)) = &written {
            self.0.commit.lock().stalls.refuse(*cause);
        }
        written
    }

    /// As `write_with`, and a refusal is not counted.
    fn try_write(
        &self,
        batch: &WriteBatch,
        options: WriteOptions,
    ) -> Result<SequenceNumber, WriteError> {
        let need = Need::of(batch)?;
        if need.entries == 0 && !(options.sync && self.0.is_logged) {
            return Ok(self.last_sequence());
        }
        if self.0.is_logged {
            return self.write_logged(batch, need, options);
        }
        self.write_unlogged(batch, need, options.wait)
    }

    /// As [`write_with`](Self::write_with), for tasks: while there is no room it waits without a
    /// thread, and is woken when something was flushed. It needs no particular runtime.
    ///
    /// An append or a sync of the log still takes as long as it takes, on the thread that polls;
    /// and `options.wait` is not looked at. Dropped before it is done, it has written nothing.
    ///
    /// ```
    /// use std::future::Future;
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    /// use strata_dbformat::BytewiseComparator;
    /// use strata_write_batch::WriteBatch;
    /// use strata_write_buffer::{WriteBuffer, WriteBufferOptions, WriteOptions};
    ///
    /// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
    /// let mut batch = WriteBatch::new();
    /// batch.put(b"key", b"value")?;
    /// let mut write = pin!(buffer.write_async(&batch, WriteOptions::default()));
    /// let polled = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    /// assert!(matches!(polled, Poll::Ready(Ok(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`write_with`](Self::write_with), but for having to wait.
    pub async fn write_async(
        &self,
        batch: &WriteBatch,
        options: WriteOptions,
    ) -> Result<SequenceNumber, WriteError> {
        let mut stall = AsyncStall::new(&self.0);
        std::future::poll_fn(|context| self.poll_write(batch, options, &mut stall, context)).await
    }

    fn poll_write(
        &self,
        batch: &WriteBatch,
        options: WriteOptions,
        stall: &mut AsyncStall<'_, C>,
        context: &Context<'_>,
    ) -> Poll<Result<SequenceNumber, WriteError>> {
        let options = WriteOptions {
            wait: Wait::Never,
            ..options
        };
        // Once more after it is known whom to wake: there may have been room in between, or there is
        // now something else to wait for.
        let mut told_to_wake = None;
        loop {
            let cause = match self.try_write(batch, options) {
                Err(WriteError::WouldBlock(cause)) => cause,
                written => return Poll::Ready(written),
            };
            if told_to_wake.is_some_and(|told| cause.is_like(told)) {
                return Poll::Pending;
            }
            stall.begin(cause);
            self.0.wake_later(cause, context.waker());
            told_to_wake = Some(cause);
        }
    }

    /// Makes the active memtable immutable, to be flushed, whatever its size; if it is empty, does
    /// nothing. Says the number of its log.
    ///
    /// # Errors
    ///
    /// [`WriteError::WouldBlock`] or [`WriteError::TimedOut`] if there are as many memtables as
    /// there may be, [`WriteError::Log`] if the next log can't be made.
    pub fn freeze(&self, wait: Wait) -> Result<Option<u64>, WriteError> {
        self.0.freeze(wait)
    }

    /// Takes the oldest immutable memtable to flush it; `None` if there is none, or somebody else
    /// has taken it.
    #[must_use]
    pub fn begin_flush(&self) -> Option<FlushJob<C>> {
        FlushJob::begin(&self.0)
    }

    /// Flushes the oldest immutable memtable into `sink`; `None` if there is nothing to do.
    ///
    /// # Errors
    ///
    /// What the sink says; the memtable stays, and is tried again by the next call.
    pub fn flush_oldest(
        &self,
        sink: &mut (impl Flush<C> + ?Sized),
    ) -> Result<Option<Flushed>, FlushError> {
        let Some(job) = self.begin_flush() else {
            return Ok(None);
        };
        match sink.flush(job.memtable(), job.log_number()) {
            Ok(()) => {
                let flushed = job.finish();
                sink.flushed(&flushed);
                Ok(Some(flushed))
            }
            Err(error) => {
                job.fail(&error);
                Err(error)
            }
        }
    }

    /// Begins another log, with a memtable of its own, after a sync has failed; until then no
    /// write succeeds.
    ///
    /// What was written before is still read. How much of it the logs have is unknown, so until it
    /// is flushed a power failure may take it, and leave what is written and synced from now on:
    /// have it flushed first, if that must not be. Any number of memtables may wait to be flushed
    /// afterwards, [`max_write_buffers`](WriteBufferOptions::max_write_buffers) or not.
    ///
    /// # Errors
    ///
    /// [`WriteError::Log`] if the log can't be made.
    pub fn replace_log(&self) -> Result<(), WriteError> {
        self.0.replace_log(Wait::Forever)
    }

    /// The newest version of `user_key` that `snapshot` sees, perhaps a tombstone; if there is
    /// none, tables are to be asked. It keeps alive what it shows.
    ///
    /// With a snapshot beyond what is visible, such as [`SequenceNumber::MAX`], it sees what is
    /// visible.
    #[must_use]
    pub fn get(&self, user_key: &[u8], snapshot: SequenceNumber) -> Option<OwnedEntry<C>> {
        let snapshot = snapshot.min(self.0.visible());
        let memtables = self.0.memtables.load();
        memtables
            .iter()
            .find_map(|memtable| memtable.reader().get_owned(user_key, snapshot))
    }

    /// As [`get`](Self::get) for several user keys, all at the same moment.
    #[must_use]
    pub fn multi_get<K: AsRef<[u8]>>(
        &self,
        user_keys: &[K],
        snapshot: SequenceNumber,
    ) -> Vec<Option<OwnedEntry<C>>> {
        let view = self.view_at(snapshot);
        view.get_owned_many(user_keys)
    }

    /// A cursor over what is visible now of the user keys within `bounds`; as [`View::cursor`].
    #[must_use]
    pub fn cursor<'b>(&self, bounds: impl std::ops::RangeBounds<&'b [u8]>) -> Cursor<C> {
        self.view().cursor(bounds)
    }

    /// What is visible now.
    #[must_use]
    pub fn view(&self) -> View<C> {
        self.view_at(SequenceNumber::MAX)
    }

    /// What `snapshot` sees, of what is visible now. What was flushed in the meantime is in tables
    /// and no longer here: take the view first, and your list of tables then.
    #[must_use]
    pub fn view_at(&self, snapshot: SequenceNumber) -> View<C> {
        // First what is visible, then where it is: the other way round, a memtable that became
        // active in between would be missing.
        let snapshot = snapshot.min(self.0.visible());
        View::new(self.0.memtables.load_full(), snapshot)
    }

    /// Holds on to what is visible now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshots.take(|| self.0.visible())
    }
}

impl<C> WriteBuffer<C> {
    pub(crate) fn core(&self) -> &Core<C> {
        &self.0
    }
}

impl<C: Comparator> WriteBuffer<C> {
    /// The oldest snapshot there is.
    #[must_use]
    pub fn oldest_snapshot(&self) -> Option<SequenceNumber> {
        self.0.snapshots.oldest()
    }

    /// The last sequence number that is visible.
    #[must_use]
    pub fn last_sequence(&self) -> SequenceNumber {
        self.0.visible()
    }

    /// The number of the oldest log that is still needed: those with smaller ones may be deleted.
    #[must_use]
    pub fn oldest_log(&self) -> u64 {
        self.0.oldest_number()
    }

    /// What the memory of all memtables is used for, those not counted that only readers keep. Of
    /// the active memtable exact when nobody writes.
    #[must_use]
    pub fn memory(&self) -> MemoryUsage {
        let memtables = self.0.memtables.load();
        memtables
            .iter()
            .map(|memtable| memtable.reader().memory())
            .sum()
    }

    /// What memtables have reserved that are flushed and that views, cursors and entries keep, in
    /// bytes.
    #[must_use]
    pub fn pinned_bytes(&self) -> usize {
        self.0.pinned_bytes()
    }

    /// What is known of each memtable, the active one first.
    #[must_use]
    pub fn memtables(&self) -> Vec<MemtableInfo> {
        let memtables = self.0.memtables.load();
        memtables
            .iter()
            .map(|memtable| MemtableInfo::of(memtable))
            .collect()
    }

    /// Why the active memtable should be flushed now, if it should; by the options'
    /// [advice](WriteBufferOptions::advice). The write buffer takes the advice itself when it is
    /// next written to.
    #[must_use]
    pub fn flush_advice(&self) -> Option<FlushReason> {
        self.0.flush_advice()
    }

    /// How long writers have waited for room, and why; those that wait now included.
    #[must_use]
    pub fn stalls(&self) -> Stalls {
        self.0.commit.lock().stalls.stalls()
    }

    /// How flushing has gone.
    #[must_use]
    pub fn flushes(&self) -> FlushCounts {
        self.0.commit.lock().flush.counts()
    }
}

/// What is known of a memtable of a write buffer.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_write_buffer::{WriteBuffer, WriteBufferOptions};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// buffer.put(b"key", b"old")?;
/// buffer.put(b"key", b"new")?;
/// let info = &buffer.memtables()[0];
/// assert_eq!((info.entries, info.memory.shadowed_entries), (2, 1));
/// assert_eq!(info.sequences.map(|(smallest, largest)| (smallest.get(), largest.get())), Some((1, 2)));
/// # Ok::<(), strata_write_buffer::WriteError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemtableInfo {
    /// The number of its log; without logs, its own.
    pub log_number: u64,
    /// How many entries it has, tombstones included.
    pub entries: u64,
    /// How many of them are tombstones.
    pub tombstones: u64,
    /// The smallest and the largest sequence number, if there are entries.
    pub sequences: Option<(SequenceNumber, SequenceNumber)>,
    /// How long ago its first entry was written.
    pub age: Option<Duration>,
    /// How many entries scans that began while it was active have passed over.
    pub skipped: u64,
    /// What its memory is used for.
    pub memory: MemoryUsage,
}

impl MemtableInfo {
    fn of<C: Comparator>(memtable: &Numbered<C>) -> Self {
        let reader = memtable.reader();
        Self {
            log_number: memtable.number,
            entries: reader.len(),
            tombstones: reader.tombstones(),
            sequences: reader.smallest_sequence().zip(reader.largest_sequence()),
            age: memtable.began().map(|began| began.elapsed()),
            skipped: memtable.skipped.get() as u64,
            memory: reader.memory(),
        }
    }
}

impl<C> Clone for WriteBuffer<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Comparator> fmt::Debug for WriteBuffer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBuffer")
            .field("name", &self.0.options.name)
            .field("last_sequence", &self.last_sequence())
            .field("memtables", &self.0.memtables.load().iter().count())
            .field("pinned_bytes", &self.pinned_bytes())
            .finish_non_exhaustive()
    }
}

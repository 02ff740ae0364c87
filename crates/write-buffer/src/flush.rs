//! Where frozen memtables go.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use strata_dbformat::Comparator;
use strata_memtable::ImmutableMemTable;

use crate::core::Core;
use crate::memtables::Numbered;

/// Why a memtable could not be flushed, in the words of whoever tried.
pub type FlushError = Box<dyn Error + Send + Sync>;

/// Takes frozen memtables, the oldest first, and puts them where a restart finds them.
///
/// Ours is [`TableFlush`](crate::TableFlush), which writes LevelDB's tables.
pub trait Flush<C> {
    /// Makes what `memtable` holds durable, and readable for those who read the write buffer after
    /// this returns: they no longer find it there. `log_number` is that of the oldest log its
    /// batches are in.
    ///
    /// It may be asked for the same memtable again, if it failed or if the process died before the
    /// log was deleted: what is flushed twice must not be seen twice, which internal keys, being
    /// the same, see to.
    ///
    /// # Errors
    ///
    /// Whatever it is, the memtable stays where it is, is still read, and is tried again.
    fn flush(&mut self, memtable: &ImmutableMemTable<C>, log_number: u64)
    -> Result<(), FlushError>;

    /// Told when the write buffer has let go of a memtable: now its log may be deleted. By
    /// default, nothing is done.
    fn flushed(&mut self, flushed: &Flushed) {
        let _ = flushed;
    }
}

/// A memtable was flushed, and has left the write buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flushed {
    /// The number of its log.
    pub log_number: u64,
    /// How many entries it had.
    pub entries: u64,
    /// Every log with a smaller number than this may be deleted: what they hold is flushed.
    pub logs_before: u64,
}

/// Where flushing stands; under the write buffer's lock.
#[derive(Debug, Default)]
pub(crate) struct FlushState {
    /// Somebody has taken the oldest memtable to flush it.
    pub(crate) is_under_way: bool,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// What the last attempt said, if it failed.
    pub(crate) last_error: Option<Arc<str>>,
}

impl FlushState {
    pub(crate) fn counts(&self) -> FlushCounts {
        FlushCounts {
            done: self.done,
            failed: self.failed,
            last_error: self.last_error.clone(),
        }
    }
}

/// How flushing has gone so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlushCounts {
    /// How many memtables were flushed.
    pub done: u64,
    /// How many attempts failed.
    pub failed: u64,
    /// What the last attempt said, if it failed.
    pub last_error: Option<Arc<str>>,
}

/// The oldest immutable memtable, taken to be flushed. There is one at a time, so their order is
/// kept.
///
/// If this is dropped, the memtable stays where it was, and the next job is for it again. Dropped
/// by a panic it counts as a flush that failed.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_write_buffer::{Wait, WriteBuffer, WriteBufferOptions};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// buffer.put(b"key", b"value")?;
/// buffer.freeze(Wait::Never)?;
/// let job = buffer.begin_flush().expect("a memtable is frozen");
/// let written: Vec<u8> = job.memtable().iter().flat_map(|entry| entry.encoded()).copied().collect();
/// assert_eq!(job.finish().entries, 1);
/// assert_eq!(written, b"\x0bkey\x01\x01\0\0\0\0\0\0\x05value");
/// # Ok::<(), strata_write_buffer::WriteError>(())
/// ```
pub struct FlushJob<C: Comparator + Clone> {
    core: Arc<Core<C>>,
    memtable: Arc<Numbered<C>>,
    is_over: bool,
}

impl<C: Comparator + Clone> FlushJob<C> {
    /// Takes the oldest immutable memtable, unless somebody else has.
    pub(crate) fn begin(core: &Arc<Core<C>>) -> Option<Self> {
        let mut commit = core.commit.lock();
        if commit.flush.is_under_way {
            return None;
        }
        let memtable = Arc::clone(core.memtables.load().oldest_immutable()?);
        commit.flush.is_under_way = true;
        drop(commit);
        let job = Self {
            core: Arc::clone(core),
            memtable,
            is_over: false,
        };
        // Writers who were given sequence numbers in it insert to the end first. If one has died,
        // what is visible is all there is.
        let last = job.memtable.last_claimed();
        if job.core.sequencer.wait_for(last).is_err() {
            drop(job);
            // Writers who wait for this would wait for ever.
            core.tell_of_room(core.commit.lock());
            return None;
        }
        job.memtable.freeze();
        Some(job)
    }

    /// The memtable to flush.
    #[must_use]
    pub fn memtable(&self) -> &ImmutableMemTable<C> {
        self.memtable.freeze()
    }

    /// The number of its log; without logs, its own.
    #[must_use]
    pub fn log_number(&self) -> u64 {
        self.memtable.number
    }

    /// Lets the write buffer let go of the memtable: it is durable elsewhere.
    ///
    /// Whoever reads both here and there must be able to find it there before this is called, and
    /// looks here first.
    #[must_use = "it says which logs may be deleted"]
    pub fn finish(mut self) -> Flushed {
        self.is_over = true;
        let core = Arc::clone(&self.core);
        let bytes = self.memtable.reserved_bytes();
        core.finishing.add(bytes);
        let mut commit = core.commit.lock();
        let before = core.memtables.load_full();
        let after = Arc::new(before.without_oldest());
        let logs_before = after.oldest().number;
        core.memtables.store(after);
        if let Some(logs) = &mut commit.logs {
            logs.earlier.retain(|(number, _)| *number >= logs_before);
        }
        commit.flush.is_under_way = false;
        commit.flush.done += 1;
        commit.flush.last_error = None;
        core.tell_of_room(commit);
        let flushed = Flushed {
            log_number: self.memtable.number,
            entries: self.memtable.reader().len(),
            logs_before,
        };
        drop((before, self));
        core.finishing.subtract(bytes);
        if let Some(budget) = &core.options.budget {
            // If readers keep the memtable, no memory is given back, but it is theirs from now on.
            budget.nudge();
        }
        flushed
    }

    /// Leaves the memtable where it is, and takes note of why.
    pub fn fail(mut self, error: &dyn fmt::Display) {
        self.is_over = true;
        let mut commit = self.core.commit.lock();
        commit.flush.failed += 1;
        commit.flush.last_error = Some(error.to_string().into());
        self.core.give_back(&mut commit);
    }
}

impl<C: Comparator + Clone> Drop for FlushJob<C> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut commit = self.core.commit.lock();
        if std::thread::panicking() {
            commit.flush.failed += 1;
            commit.flush.last_error = Some("it panicked".into());
        }
        self.core.give_back(&mut commit);
    }
}

impl<C: Comparator + Clone> Core<C> {
    fn give_back(&self, commit: &mut crate::commit::Commit<C>) {
        commit.flush.is_under_way = false;
        self.work.notify_all();
    }
}

impl<C: Comparator + Clone> fmt::Debug for FlushJob<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushJob")
            .field("log_number", &self.memtable.number)
            .field("memtable", self.memtable.reader())
            .finish_non_exhaustive()
    }
}

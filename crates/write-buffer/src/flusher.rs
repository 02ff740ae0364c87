//! A thread that flushes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use strata_dbformat::Comparator;

use crate::atomic::Flag;
use crate::{Flush, Wait, WriteBuffer};

/// How long it waits after a failure before it tries again; then twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest such wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A thread that flushes what a write buffer freezes, and freezes what is too old.
///
/// After a failure it tries again, at longer and longer intervals, and a panic of the sink is one:
/// were the thread to end, all writers would wait for ever. [`WriteBuffer::flushes`] says what went
/// wrong. Dropping it waits for the flush under way and
/// ends the thread; memtables that are not flushed stay in the write buffer.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_memtable::ImmutableMemTable;
/// use strata_write_buffer::{Flush, FlushError, Flusher, Wait, WriteBuffer, WriteBufferOptions};
///
/// struct Count(std::sync::mpsc::Sender<u64>);
///
/// impl Flush<BytewiseComparator> for Count {
///     fn flush(
///         &mut self,
///         memtable: &ImmutableMemTable<BytewiseComparator>,
///         _: u64,
///     ) -> Result<(), FlushError> {
///         Ok(self.0.send(memtable.len())?)
///     }
/// }
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// let (sender, flushed) = std::sync::mpsc::channel();
/// let flusher = Flusher::spawn(buffer.clone(), Count(sender))?;
/// buffer.put(b"key", b"value")?;
/// buffer.freeze(Wait::Forever)?;
/// assert_eq!(flushed.recv()?, 1);
/// # drop(flusher);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Flusher {
    stop: Arc<dyn Stop>,
    thread: Option<JoinHandle<()>>,
}

/// What ends the thread, whatever its comparator.
trait Stop: Send + Sync {
    fn stop(&self);
}

struct Stopper<C> {
    buffer: WriteBuffer<C>,
    is_stopped: Flag,
}

impl<C: Comparator + Clone> Stop for Stopper<C> {
    fn stop(&self) {
        let core = self.buffer.core();
        let commit = core.commit.lock();
        self.is_stopped.raise();
        drop(commit);
        core.work.notify_all();
    }
}

impl Flusher {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// What the system says if it can't.
    pub fn spawn<C, F>(buffer: WriteBuffer<C>, mut sink: F) -> std::io::Result<Self>
    where
        C: Comparator + Clone + 'static,
        F: Flush<C> + Send + 'static,
    {
        let stopper = Arc::new(Stopper {
            buffer,
            is_stopped: Flag::lowered(),
        });
        let stop = Arc::clone(&stopper);
        let thread = std::thread::Builder::new()
            .name("strata-flusher".to_owned())
            .spawn(move || stopper.run(&mut sink))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl<C: Comparator + Clone> Stopper<C> {
    fn run(&self, sink: &mut dyn Flush<C>) {
        let mut pause = FIRST_PAUSE;
        while self.wait_for_work() {
            let flush = AssertUnwindSafe(|| self.buffer.flush_oldest(sink));
            match catch_unwind(flush) {
                Ok(Ok(Some(_))) => pause = FIRST_PAUSE,
                // Somebody else was quicker, or a writer has died and nothing can be flushed.
                Ok(Ok(None)) => self.sleep(FIRST_PAUSE),
                Ok(Err(_)) | Err(_) => {
                    self.sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Whether there is something to flush; not, if it is time to end.
    fn wait_for_work(&self) -> bool {
        let core = self.buffer.core();
        let mut commit = core.commit.lock();
        loop {
            if self.is_stopped.is_raised() {
                return false;
            }
            let memtables = core.memtables.load();
            if !memtables.immutable.is_empty() && !commit.flush.is_under_way {
                return true;
            }
            drop(memtables);
            match core.options.advice.age {
                None => core.work.wait(&mut commit),
                Some(age) => {
                    core.work.wait_for(&mut commit, self.until_old(age));
                    parking_lot::MutexGuard::unlocked(&mut commit, || self.freeze_if_old());
                }
            }
        }
    }

    /// How long it is until the active memtable is too old.
    fn until_old(&self, limit: Duration) -> Duration {
        let age = self.buffer.core().memtables.load().active.began();
        let age = age.map_or(Duration::ZERO, |began| began.elapsed());
        limit.saturating_sub(age).max(FIRST_PAUSE)
    }

    fn freeze_if_old(&self) {
        if self.buffer.flush_advice().is_some() {
            // If there is no place for it, something is being flushed; if there can be no log,
            // the next write is told.
            let _ = self.buffer.freeze(Wait::Never);
        }
    }

    /// Waits, unless it is time to end.
    fn sleep(&self, length: Duration) {
        let core = self.buffer.core();
        let until = Instant::now() + length;
        let mut commit = core.commit.lock();
        while !self.is_stopped.is_raised() {
            if core.work.wait_until(&mut commit, until).timed_out() {
                return;
            }
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            // What a panic had to say was said by it.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_running = self
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished());
        f.debug_struct("Flusher")
            .field("is_running", &is_running)
            .finish_non_exhaustive()
    }
}

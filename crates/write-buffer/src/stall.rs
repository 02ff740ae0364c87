//! Why writers wait, and for how long they have.

use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

/// Why there is no room for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StallCause {
    /// The active memtable is full, and there are as many others as there may be.
    BuffersFull {
        /// The number of the memtable that has to be flushed first.
        oldest: u64,
    },
    /// The memory budget is used up.
    Budget,
}

impl StallCause {
    /// Whether it is of the same kind.
    pub(crate) fn is_like(self, other: Self) -> bool {
        mem::discriminant(&self) == mem::discriminant(&other)
    }
}

impl fmt::Display for StallCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StallCause::BuffersFull { oldest } => {
                write!(
                    f,
                    "all memtables are full, and number {oldest} is to be flushed first"
                )
            }
            StallCause::Budget => {
                f.write_str("the memory budget is used up until something is flushed")
            }
        }
    }
}

/// How writers of one write buffer have waited for room, those that still do included.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_write_buffer::{WriteBuffer, WriteBufferOptions};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// let stalls = buffer.stalls();
/// assert_eq!((stalls.buffers_full.waits, stalls.budget.waiting), (0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stalls {
    /// Because all memtables were full.
    pub buffers_full: StallTime,
    /// Because the memory budget was used up.
    pub budget: StallTime,
}

/// How writers have waited for one cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StallTime {
    /// How many waits there have been.
    pub waits: u64,
    /// How many are waiting now.
    pub waiting: u64,
    /// How long they have waited together.
    pub total: Duration,
    /// How long the longest wait that is over was.
    pub longest: Duration,
    /// How many writes were refused, because they were not to wait or had waited in vain.
    pub refused: u64,
}

/// What [`Stalls`] is made of; under the write buffer's lock.
#[derive(Debug, Default)]
pub(crate) struct StallClock {
    buffers_full: Times,
    budget: Times,
}

#[derive(Debug, Default)]
struct Times {
    waits: u64,
    over: Duration,
    longest: Duration,
    refused: u64,
    /// When those began that are not over.
    open: Vec<Instant>,
}

/// A wait that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    pub(crate) cause: StallCause,
    at: Instant,
}

impl StallClock {
    pub(crate) fn begin(&mut self, cause: StallCause) -> Began {
        let at = Instant::now();
        let times = self.times(cause);
        times.waits += 1;
        times.open.push(at);
        Began { cause, at }
    }

    pub(crate) fn end(&mut self, began: Began) {
        let times = self.times(began.cause);
        if let Some(i) = times.open.iter().position(|&at| at == began.at) {
            times.open.swap_remove(i);
        }
        let length = began.at.elapsed();
        times.over += length;
        times.longest = times.longest.max(length);
    }

    pub(crate) fn refuse(&mut self, cause: StallCause) {
        self.times(cause).refused += 1;
    }

    fn times(&mut self, cause: StallCause) -> &mut Times {
        match cause {
            StallCause::BuffersFull { .. } => &mut self.buffers_full,
            StallCause::Budget => &mut self.budget,
        }
    }

    pub(crate) fn stalls(&self) -> Stalls {
        Stalls {
            buffers_full: self.buffers_full.now(),
            budget: self.budget.now(),
        }
    }
}

impl Times {
    fn now(&self) -> StallTime {
        let open: Duration = self.open.iter().map(Instant::elapsed).sum();
        StallTime {
            waits: self.waits,
            waiting: self.open.len() as u64,
            total: self.over + open,
            longest: self.longest,
            refused: self.refused,
        }
    }
}

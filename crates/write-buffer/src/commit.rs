//! What is decided under the write buffer's lock, and what a write has claimed.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::Waker;

use crate::flush::FlushState;
use crate::group::Waiting;
use crate::sequencer::{Dead, Sequencer};
use crate::stall::{StallCause, StallClock};
use crate::{Log, Logs};

/// What the write buffer's lock protects.
pub(crate) struct Commit<C> {
    /// None if there are no logs.
    pub(crate) logs: Option<LogSet>,
    /// The number of the next memtable, if there are no logs.
    pub(crate) next_number: u64,
    /// Whether a thread is at the front: it appends to the log, or waits for room to. Without
    /// logs, nobody ever is.
    pub(crate) front_taken: bool,
    /// Those who wait to be there.
    pub(crate) queue: VecDeque<Arc<Waiting<C>>>,
    /// Why who is at the front waits for room.
    pub(crate) front_stalled: Option<StallCause>,
    /// Whether it has waited, and tasks that came to wait behind it must look again.
    pub(crate) has_sent_away: bool,
    pub(crate) stalls: StallClock,
    /// Who is to be woken when there is room.
    pub(crate) wakers: Vec<Waker>,
    pub(crate) flush: FlushState,
}

/// The logs, the current one and those before it that may still be needed.
pub(crate) struct LogSet {
    pub(crate) logs: Box<dyn Logs>,
    /// None while it is appended to.
    pub(crate) current: Option<Box<dyn Log>>,
    /// Logs of memtables that are not flushed, whose last records were not synced.
    pub(crate) earlier: Vec<(u64, Box<dyn Log>)>,
    /// Whether something was appended to the current one since it was synced.
    pub(crate) is_unsynced: bool,
    /// What the first sync said that failed.
    pub(crate) failure: Option<Arc<io::Error>>,
}

impl LogSet {
    pub(crate) fn new(logs: Box<dyn Logs>, current: Box<dyn Log>) -> Self {
        Self {
            logs,
            current: Some(current),
            earlier: Vec::new(),
            is_unsynced: false,
            failure: None,
        }
    }
}

impl<C> Commit<C> {
    /// Whether who is at the front uses the log and the active memtable. Who waits for room there
    /// looks again at both when it is over.
    pub(crate) fn is_appending(&self) -> bool {
        self.front_taken && self.front_stalled.is_none()
    }

    pub(crate) fn new(next_number: u64, logs: Option<LogSet>) -> Self {
        Self {
            logs,
            next_number,
            front_taken: false,
            queue: VecDeque::new(),
            front_stalled: None,
            has_sent_away: false,
            stalls: StallClock::default(),
            wakers: Vec::new(),
            flush: FlushState::default(),
        }
    }
}

/// Sequence numbers that were claimed, and are to be made visible.
///
/// If it is dropped before, they become visible without entries, which changes nothing for anybody;
/// unless that is because the thread panics: then some entries may be there, and nothing becomes
/// visible any more.
pub(crate) struct Claim<'c> {
    sequencer: &'c Sequencer,
    first: u64,
    last: u64,
    is_open: bool,
}

impl<'c> Claim<'c> {
    pub(crate) fn new(sequencer: &'c Sequencer, first: u64, last: u64) -> Self {
        Self {
            sequencer,
            first,
            last,
            is_open: true,
        }
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Makes them visible.
    #[inline]
    pub(crate) fn publish(mut self) -> Result<u64, Dead> {
        self.is_open = false;
        self.sequencer.publish(self.first, self.last)?;
        Ok(self.last)
    }

    /// Leaves it to others to make them visible: each claims a part.
    pub(crate) fn pass_on(mut self) {
        self.is_open = false;
    }

    /// Never makes them visible, nor anything after them.
    pub(crate) fn bury(mut self) {
        self.is_open = false;
        self.sequencer.die();
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        if std::thread::panicking() {
            self.sequencer.die();
        } else {
            // Whoever else has died has said so.
            let _ = self.sequencer.publish(self.first, self.last);
        }
    }
}

//! What is visible: every batch whole, and in the order of sequence numbers.
//!
//! Sequence numbers are claimed under the write buffer's lock, and entries are inserted by several
//! threads at once. Each then waits until all numbers before its own are visible, and makes its own
//! visible by one store. So a reader who has seen a number sees everything up to it, and never half
//! of what was claimed together.

use crate::atomic::{Flag, Sequence};
use crate::sync::{Condvar, Mutex, spin_loop, yield_now};

/// How often a writer looks for its predecessor, which is as a rule a few hundred nanoseconds
/// behind, before it lets other threads run.
const SPINS: u32 = if cfg!(loom) { 1 } else { 200 };

/// How often it lets other threads run before it sleeps.
const YIELDS: u32 = if cfg!(loom) { 1 } else { 50 };

/// The sequence number up to which everything is visible, and those who wait for it.
pub(crate) struct Sequencer {
    visible: Sequence,
    /// A number was claimed that nobody will publish.
    is_dead: Flag,
    gate: Mutex<()>,
    moved: Condvar,
}

/// A number was claimed by a thread that panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dead;

impl Sequencer {
    pub(crate) fn new(visible: u64) -> Self {
        Self {
            visible: Sequence::new(visible),
            is_dead: Flag::lowered(),
            gate: Mutex::new(()),
            moved: Condvar::new(),
        }
    }

    /// The number up to which everything is visible.
    #[inline]
    pub(crate) fn visible(&self) -> u64 {
        self.visible.get()
    }

    /// Makes the numbers from `first` to `last` visible, as soon as those before are.
    #[inline]
    pub(crate) fn publish(&self, first: u64, last: u64) -> Result<(), Dead> {
        // As a rule it is so far already: then that is all, and the line is fetched once.
        if first <= last && self.visible.publish_after(first - 1, last) {
            return Ok(());
        }
        self.publish_later(first, last)
    }

    fn publish_later(&self, first: u64, last: u64) -> Result<(), Dead> {
        self.wait_for(first - 1)?;
        // If these are none, those after them may be visible already.
        if first <= last && self.visible.publish(last) {
            self.wake();
        }
        Ok(())
    }

    /// Returns when everything up to `sequence` is visible.
    #[inline]
    pub(crate) fn wait_for(&self, sequence: u64) -> Result<(), Dead> {
        for turn in 0..SPINS + YIELDS {
            if self.visible.get() >= sequence {
                return Ok(());
            }
            if turn < SPINS {
                spin_loop();
            } else {
                yield_now();
            }
        }
        self.sleep_until(sequence)
    }

    #[cold]
    fn sleep_until(&self, sequence: u64) -> Result<(), Dead> {
        let mut gate = self.gate.lock();
        while self.visible.get_and_sleep() < sequence {
            if self.is_dead.is_raised() {
                return Err(Dead);
            }
            self.moved.wait(&mut gate);
        }
        Ok(())
    }

    #[cold]
    fn wake(&self) {
        // Who has seen the number before and does not wait yet holds this.
        drop(self.gate.lock());
        self.moved.notify_all();
    }

    /// Whoever waits for a number that is not visible yet is told that it never will be.
    #[cold]
    pub(crate) fn die(&self) {
        let gate = self.gate.lock();
        self.is_dead.raise();
        drop(gate);
        self.moved.notify_all();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.is_raised()
    }
}

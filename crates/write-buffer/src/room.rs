//! Room for a write: the active memtable, the next one, or a wait for a flush.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use parking_lot::MutexGuard;
use strata_dbformat::Comparator;
use strata_memtable::{MemTable, MemTableOptions};
use strata_write_batch::WriteBatch;

use crate::budget::Reservation;
use crate::commit::{Claim, Commit};
use crate::core::Core;
use crate::error::LogAction;
use crate::lengths::batch_too_long_for_a_table;
use crate::memtables::{Numbered, UnderWay};
use crate::stall::{Began, StallCause};
use crate::{Wait, WriteError};

/// What the encoding of an entry takes beside its user key and value at least, in bytes: the tag
/// and two lengths.
const LEAST_ENCODING: usize = 10;

/// How many sequence numbers there are between two looks at whether to flush.
const WRITES_PER_ADVICE: u64 = 256;

/// What a write takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    pub(crate) entries: u32,
    /// User keys and values together.
    pub(crate) bytes: usize,
}

/// The largest batch, in bytes: half of what a memtable can hold.
const MAX_BATCH: usize = u32::MAX as usize;

impl Need {
    /// What of a batch must be known before it is written; an error, if it can't be.
    pub(crate) fn of(batch: &WriteBatch) -> Result<Self, WriteError> {
        batch.view().check()?;
        let bytes = batch.approximate_size();
        if bytes > MAX_BATCH {
            return Err(WriteError::BatchTooLarge { bytes });
        }
        if let Some(bytes) = batch_too_long_for_a_table(batch.view()) {
            return Err(WriteError::EntryTooLong { bytes });
        }
        Ok(Self {
            entries: batch.count(),
            bytes,
        })
    }

    /// What it takes in a memtable at least, in bytes.
    #[inline]
    fn encoded_bytes(self) -> usize {
        self.bytes
            .saturating_add(self.entries as usize * LEAST_ENCODING)
    }
}

/// Memory of a budget that is set aside for a write, until that is done.
pub(crate) struct SetAside {
    _reservation: Reservation,
    under_way: Arc<UnderWay>,
    need: Need,
}

impl Drop for SetAside {
    fn drop(&mut self) {
        self.under_way.entries.subtract(self.need.entries as usize);
        self.under_way.bytes.subtract(self.need.bytes);
    }
}

/// Whether there is room.
enum Room {
    Here(Option<SetAside>),
    Missing(StallCause),
}

impl<C: Comparator + Clone> Core<C> {
    /// Sees to it that the active memtable has room for a write, and the budget, too: freezes the
    /// active memtable, or waits for a flush.
    ///
    /// The lock is let go of while it waits. Who writes to a log is at the front meanwhile.
    #[inline]
    pub(crate) fn make_room(
        &self,
        commit: &mut MutexGuard<'_, Commit<C>>,
        need: Need,
        wait: Wait,
    ) -> Result<Option<SetAside>, WriteError> {
        match self.room(commit, need)? {
            Room::Here(reservation) => Ok(reservation),
            Room::Missing(cause) => self.wait_for_room(commit, need, wait, cause),
        }
    }

    #[cold]
    fn wait_for_room(
        &self,
        commit: &mut MutexGuard<'_, Commit<C>>,
        need: Need,
        wait: Wait,
        mut cause: StallCause,
    ) -> Result<Option<SetAside>, WriteError> {
        let mut began: Option<Began> = None;
        let outcome = loop {
            let deadline = match wait {
                Wait::Forever => None,
                Wait::Until(at) if Instant::now() < at => Some(at),
                Wait::Until(_) => break Err(WriteError::TimedOut(cause)),
                Wait::Never => break Err(WriteError::WouldBlock(cause)),
            };
            if !began.is_some_and(|began| began.cause.is_like(cause)) {
                let next = commit.stalls.begin(cause);
                if let Some(before) = began.replace(next) {
                    commit.stalls.end(before);
                }
            }
            self.stall(commit, cause, need, deadline);
            match self.room(commit, need) {
                Ok(Room::Here(reservation)) => break Ok(reservation),
                Ok(Room::Missing(now)) => cause = now,
                Err(error) => break Err(error),
            }
        };
        if let Some(began) = began {
            commit.stalls.end(began);
        }
        if outcome.is_err() {
            self.relieve_budget(commit, cause, need);
        }
        Self::go_on(commit);
        outcome
    }

    /// Who is at the front no longer waits for room, if it did.
    fn go_on(commit: &mut Commit<C>) {
        // Tasks that came meanwhile were sent away.
        commit.has_sent_away |= commit.front_stalled.is_some();
        commit.front_goes_on();
    }

    /// To be called without the lock, after a write.
    #[inline]
    pub(crate) fn relieve_softly(&self) {
        if let Some(budget) = &self.options.budget {
            budget.relieve_softly();
        }
    }

    /// Waits until something has changed.
    fn stall(
        &self,
        commit: &mut MutexGuard<'_, Commit<C>>,
        cause: StallCause,
        need: Need,
        deadline: Option<Instant>,
    ) {
        if commit.front_taken && !commit.front_stalled.is_some_and(|now| now.is_like(cause)) {
            commit.front_stalls(cause);
        }
        match (cause, &self.options.budget) {
            (StallCause::Budget, Some(budget)) => {
                let bytes = self.growth_bound(need);
                MutexGuard::unlocked(commit, || budget.wait(bytes, deadline));
            }
            _ => match deadline {
                None => self.room.wait(commit),
                Some(deadline) => {
                    self.room.wait_until(commit, deadline);
                }
            },
        }
    }

    /// A write that does not wait asks for a flush all the same: the next one may find room.
    fn relieve_budget(
        &self,
        commit: &mut MutexGuard<'_, Commit<C>>,
        cause: StallCause,
        need: Need,
    ) {
        if let (StallCause::Budget, Some(budget)) = (cause, &self.options.budget) {
            let bytes = self.growth_bound(need);
            MutexGuard::unlocked(commit, || budget.relieve(bytes));
        }
    }

    /// Looks for room, without waiting.
    #[inline]
    fn room(&self, commit: &mut MutexGuard<'_, Commit<C>>, need: Need) -> Result<Room, WriteError> {
        if self.sequencer.is_dead() {
            return Err(WriteError::Poisoned);
        }
        if let Some(failure) = commit.logs.as_ref().and_then(|logs| logs.failure.as_ref()) {
            let source = Arc::clone(failure);
            return Err(WriteError::LogFailed { source });
        }
        let memtables = self.memtables.load();
        let active = &memtables.active;
        let is_full = self.is_full(active, need);
        if (is_full || active.is_marked.is_raised()) && !active.is_untouched() {
            drop(memtables);
            match self.rotate_if_allowed(commit)? {
                Some(oldest) if is_full => {
                    return Ok(Room::Missing(StallCause::BuffersFull { oldest }));
                }
                _ => {}
            }
        }
        if self.options.budget.is_none() {
            return Ok(Room::Here(None));
        }
        Ok(match self.set_aside(need) {
            None => Room::Missing(StallCause::Budget),
            set_aside => Room::Here(set_aside),
        })
    }

    /// Sets memory aside for a write to the active memtable, if the budget has it. Under the lock.
    pub(crate) fn set_aside(&self, need: Need) -> Option<SetAside> {
        let budget = self.options.budget.as_ref()?;
        let memtables = self.memtables.load();
        let under_way = &memtables.active.under_way;
        let all = Need {
            entries: need
                .entries
                .saturating_add(u32::try_from(under_way.entries.get()).unwrap_or(u32::MAX)),
            bytes: need.bytes.saturating_add(under_way.bytes.get()),
        };
        let reservation = budget.reserve(self.growth_bound(all))?;
        under_way.entries.add(need.entries as usize);
        under_way.bytes.add(need.bytes);
        Some(SetAside {
            _reservation: reservation,
            under_way: Arc::clone(under_way),
            need,
        })
    }

    /// Whether a write may not go to a memtable. LevelDB's rule is that it has taken more than it
    /// may; a batch that is larger than a whole memtable gets one to itself.
    #[inline]
    fn is_full(&self, memtable: &Numbered<C>, need: Need) -> bool {
        let size = self.options.write_buffer_size;
        memtable.reserved_bytes() > size || self.is_giant(need) || memtable.has_giant.is_raised()
    }

    /// Whether a write is larger than a memtable should be.
    #[inline]
    pub(crate) fn is_giant(&self, need: Need) -> bool {
        need.encoded_bytes() > self.options.write_buffer_size
    }

    /// Whether the active memtable has room for a write without any doubt. Takes no lock.
    #[inline]
    pub(crate) fn has_room(&self, active: &Numbered<C>, need: Need) -> bool {
        self.options.budget.is_none()
            && !active.is_marked.is_raised()
            && !self.is_full(active, need)
    }

    /// Claims sequence numbers for a write to the active memtable, under the lock.
    pub(crate) fn claim(&self, active: &Numbered<C>, need: Need) -> Result<Claim<'_>, WriteError> {
        let claim = self.claim_from(active, need)?;
        if self.is_giant(need) {
            active.has_giant.raise();
        }
        match claim {
            Some(claim) => Ok(claim),
            None => unreachable!("a memtable is closed under the lock"),
        }
    }

    /// Claims sequence numbers for a write to a memtable; none if that is no longer active.
    #[inline]
    pub(crate) fn claim_from(
        &self,
        active: &Numbered<C>,
        need: Need,
    ) -> Result<Option<Claim<'_>>, WriteError> {
        let Some(before) = active.claim(need.entries)? else {
            return Ok(None);
        };
        let last = before + u64::from(need.entries);
        if before / WRITES_PER_ADVICE != last / WRITES_PER_ADVICE {
            self.take_advice(active);
        }
        Ok(Some(Claim::new(&self.sequencer, before + 1, last)))
    }

    /// Marks the active memtable if it should be flushed.
    #[cold]
    fn take_advice(&self, active: &Numbered<C>) {
        if self.flush_advice().is_some() {
            active.is_marked.raise();
        }
    }

    /// How much more a write can make the active memtable reserve.
    pub(crate) fn growth_bound(&self, need: Need) -> usize {
        let memtables = self.memtables.load();
        let reader = memtables.active.reader();
        reader.growth_bound(u64::from(need.entries), need.bytes)
    }

    /// Makes the active memtable immutable if that is wanted and there is something in it. If no
    /// log can be made for the next, who writes next is told. Says whether it was done.
    pub(crate) fn rotate_if_marked(&self, commit: &mut Commit<C>) -> bool {
        let memtables = self.memtables.load();
        let active = &memtables.active;
        if !active.is_marked.is_raised() || active.is_untouched() {
            return false;
        }
        drop(memtables);
        matches!(self.rotate_if_allowed(commit), Ok(None))
    }

    /// Makes the active memtable immutable and begins another, unless there are as many as there
    /// may be: then says which has to go first.
    pub(crate) fn rotate_if_allowed(
        &self,
        commit: &mut Commit<C>,
    ) -> Result<Option<u64>, WriteError> {
        let memtables = self.memtables.load();
        if memtables.immutable.len() + 2 > self.options.max_write_buffers
            && let Some(oldest) = memtables.oldest_immutable()
        {
            return Ok(Some(oldest.number));
        }
        drop(memtables);
        self.rotate(commit)?;
        Ok(None)
    }

    /// Makes the active memtable immutable, and begins another with a log of its own.
    pub(crate) fn rotate(&self, commit: &mut Commit<C>) -> Result<(), WriteError> {
        let number = self.begin_log(commit)?;
        let memtable = self.new_memtable();
        let before = self.memtables.load_full();
        // Who finds it closed before the next one is there waits for the lock.
        let last = before.active.close();
        let active = Arc::new(Numbered::new(number, last, memtable));
        self.memtables.store(Arc::new(before.followed_by(active)));
        self.work.notify_all();
        Ok(())
    }

    /// Begins another log, and gives its number.
    fn begin_log(&self, commit: &mut Commit<C>) -> Result<u64, WriteError> {
        let Some(logs) = &mut commit.logs else {
            let number = commit.next_number;
            commit.next_number += 1;
            return Ok(number);
        };
        let (number, log) = logs.logs.create().map_err(|source| WriteError::Log {
            action: LogAction::Create,
            source: Arc::new(source),
        })?;
        let current = logs.current.replace(log);
        // What was not synced is synced with the first record of the next log that is.
        if let (Some(current), true) = (current, logs.is_unsynced) {
            let active = self.memtables.load().active.number;
            logs.earlier.push((active, current));
        }
        logs.is_unsynced = false;
        Ok(number)
    }

    pub(crate) fn new_memtable(&self) -> MemTable<C> {
        MemTable::with_options(
            self.comparator.clone(),
            MemTableOptions {
                pool: self.options.pool.clone(),
                meter: Some(self.meter.clone()),
                ..MemTableOptions::default()
            },
        )
    }
}

impl<C: Comparator + Clone> Core<C> {
    /// Makes the active memtable immutable unless it is empty, though somebody waits for room: who
    /// freezes to flush would otherwise wait for who waits for a flush. None if there is no place.
    fn freeze_at_once(&self) -> Option<Result<Option<u64>, WriteError>> {
        let mut commit = self.commit.lock();
        commit.front_stalled?;
        let memtables = self.memtables.load();
        let number = memtables.active.number;
        if memtables.active.is_untouched() {
            return Some(Ok(None));
        }
        drop(memtables);
        match self.rotate_if_allowed(&mut commit) {
            Ok(None) => Some(Ok(Some(number))),
            Ok(Some(_)) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Makes the active memtable immutable unless it is empty, waiting for a place for it.
    pub(crate) fn freeze(&self, wait: Wait) -> Result<Option<u64>, WriteError> {
        if let Some(frozen) = self.freeze_at_once() {
            return frozen;
        }
        let mut front = self.front(wait)?;
        let mut began = None;
        let outcome = loop {
            let memtables = self.memtables.load();
            let number = memtables.active.number;
            if memtables.active.is_untouched() {
                break Ok(None);
            }
            drop(memtables);
            let oldest = match self.rotate_if_allowed(&mut front) {
                Ok(None) => break Ok(Some(number)),
                Ok(Some(oldest)) => oldest,
                Err(error) => break Err(error),
            };
            // What a writer that died has begun is never flushed.
            if self.sequencer.is_dead() {
                break Err(WriteError::Poisoned);
            }
            let cause = StallCause::BuffersFull { oldest };
            let deadline = match wait {
                Wait::Forever => None,
                Wait::Until(at) if Instant::now() < at => Some(at),
                Wait::Until(_) => break Err(WriteError::TimedOut(cause)),
                Wait::Never => break Err(WriteError::WouldBlock(cause)),
            };
            began.get_or_insert_with(|| front.stalls.begin(cause));
            let nothing = Need {
                entries: 0,
                bytes: 0,
            };
            self.stall(front.guard(), cause, nothing, deadline);
        };
        if let Some(began) = began {
            front.stalls.end(began);
        }
        Self::go_on(&mut front);
        outcome
    }
}

impl<C> Core<C> {
    /// Has `waker` woken when there may be room.
    pub(crate) fn wake_later(&self, cause: StallCause, waker: &Waker) {
        match (cause, &self.options.budget) {
            (StallCause::Budget, Some(budget)) => budget.wake_later(waker),
            _ => {
                let mut commit = self.commit.lock();
                if !commit.wakers.iter().any(|known| known.will_wake(waker)) {
                    commit.wakers.push(waker.clone());
                }
            }
        }
    }

    /// What memtables have reserved that the write buffer has let go of.
    pub(crate) fn pinned_bytes(&self) -> usize
    where
        C: Comparator,
    {
        let held: usize = self
            .memtables
            .load()
            .iter()
            .map(|memtable| memtable.reserved_bytes())
            .sum();
        let held = held + self.finishing.get();
        self.meter.reserved.get().saturating_sub(held)
    }
}

/// A task's wait for room: over when it is dropped.
pub(crate) struct AsyncStall<'c, C> {
    core: &'c Core<C>,
    began: Option<Began>,
}

impl<'c, C> AsyncStall<'c, C> {
    pub(crate) fn new(core: &'c Core<C>) -> Self {
        Self { core, began: None }
    }

    pub(crate) fn begin(&mut self, cause: StallCause) {
        if self.began.is_some_and(|began| began.cause.is_like(cause)) {
            return;
        }
        let mut commit = self.core.commit.lock();
        if let Some(before) = self.began.replace(commit.stalls.begin(cause)) {
            commit.stalls.end(before);
        }
    }
}

impl<C> Drop for AsyncStall<'_, C> {
    fn drop(&mut self) {
        if let Some(began) = self.began.take() {
            self.core.commit.lock().stalls.end(began);
        }
    }
}

//! Writers with a log: one at a time is at the front, and appends for those who wait behind it.
//!
//! As in LevelDB, a group is logged as one record, has consecutive sequence numbers, and takes no
//! more in than its rules of size allow. Other than in LevelDB each then inserts its own batch, all
//! at once.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};
use strata_dbformat::{Comparator, SequenceNumber};
use strata_write_batch::WriteBatch;

use crate::atomic::Flag;
use crate::commit::{Claim, Commit, LogSet};
use crate::core::Core;
use crate::error::LogAction;
use crate::memtables::Numbered;
use crate::room::{Need, SetAside};
use crate::stall::{Began, StallCause};
use crate::{Log, MemoryBudget, Wait, WriteError, WriteOptions};

/// The largest group, in bytes.
const MAX_GROUP: usize = 1 << 20;

/// A first batch of no more bytes than this takes in no more than as many again, so that a small
/// write does not wait for large ones.
const SMALL_BATCH: usize = 128 << 10;

/// How often a writer looks whether its turn has come before it sleeps: an append takes a
/// microsecond or two, about a hundred turns.
const SPINS: u32 = 400;

/// A writer in the queue.
pub(crate) struct Waiting<C> {
    /// What is to be written; none if the front itself is wanted.
    batch: Option<WriteBatch>,
    need: Need,
    options: WriteOptions,
    has_turn: Flag,
    turn: Mutex<Option<Turn<C>>>,
    came: Condvar,
    /// Its wait for room, while who is at the front waits for that.
    stall: Mutex<Option<Began>>,
}

/// What becomes of a writer in the queue.
enum Turn<C> {
    /// It is at the front.
    Front,
    /// It was written with a group.
    Logged(Logged<C>),
    Refused(WriteError),
}

/// A batch that is in the log and has sequence numbers, and is to be inserted.
pub(crate) struct Logged<C> {
    pub(crate) memtable: Arc<Numbered<C>>,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// What was set aside of the budget, until the batch is inserted.
    pub(crate) _set_aside: Option<SetAside>,
    /// Woken when all is done: what runs then may wait for this batch to be visible.
    pub(crate) _sent_away: SentAway,
}

/// The lock, held by who is at the front; which it is no longer when this is dropped.
pub(crate) struct Front<'c, C: Comparator + Clone> {
    core: &'c Core<C>,
    commit: MutexGuard<'c, Commit<C>>,
    /// After the lock, which who is woken may need.
    sent_away: SentAway,
}

/// Tasks that were sent away while who is at the front waited for room: they are woken when this
/// is dropped.
#[derive(Default)]
pub(crate) struct SentAway {
    wakers: Vec<Waker>,
    budget: Option<MemoryBudget>,
}

impl Drop for SentAway {
    fn drop(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
        if let Some(budget) = &self.budget {
            budget.nudge();
        }
    }
}

impl<C: Comparator + Clone> Deref for Front<'_, C> {
    type Target = Commit<C>;

    fn deref(&self) -> &Commit<C> {
        &self.commit
    }
}

impl<C: Comparator + Clone> DerefMut for Front<'_, C> {
    fn deref_mut(&mut self) -> &mut Commit<C> {
        &mut self.commit
    }
}

impl<'c, C: Comparator + Clone> Front<'c, C> {
    pub(crate) fn guard(&mut self) -> &mut MutexGuard<'c, Commit<C>> {
        &mut self.commit
    }
}

impl<C: Comparator + Clone> Drop for Front<'_, C> {
    fn drop(&mut self) {
        let commit = &mut *self.commit;
        self.core.rotate_if_marked(commit);
        if commit.has_sent_away {
            self.sent_away = self.core.sent_away(commit);
        }
        if let Some(next) = commit.queue.pop_front() {
            commit.front_taken = true;
            next.give(Turn::Front);
        } else {
            commit.front_taken = false;
        }
    }
}

impl<C> Waiting<C> {
    /// Under the write buffer's lock, so that there is one turn only.
    fn give(&self, turn: Turn<C>) {
        *self.turn.lock() = Some(turn);
        self.has_turn.raise();
        self.came.notify_one();
    }

    /// Waits for the turn; until `deadline`, if there is one.
    fn take(&self, deadline: Option<Instant>) -> Option<Turn<C>> {
        for _ in 0..SPINS {
            if self.has_turn.is_raised() {
                break;
            }
            std::hint::spin_loop();
        }
        let mut turn = self.turn.lock();
        while turn.is_none() {
            match deadline {
                None => self.came.wait(&mut turn),
                Some(deadline) => {
                    if self.came.wait_until(&mut turn, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        turn.take()
    }
}

impl<C> Commit<C> {
    /// Takes note that who is at the front waits for room, and all behind it with it. Who does not
    /// want to wait for room does not wait behind somebody who does.
    pub(crate) fn front_stalls(&mut self, cause: StallCause) {
        self.front_goes_on();
        self.front_stalled = Some(cause);
        let stalls = &mut self.stalls;
        self.queue.retain(|waiting| {
            let refused = match waiting.options.wait {
                Wait::Never => WriteError::WouldBlock(cause),
                Wait::Until(at) if at <= Instant::now() => WriteError::TimedOut(cause),
                Wait::Forever | Wait::Until(_) => {
                    *waiting.stall.lock() = Some(stalls.begin(cause));
                    return true;
                }
            };
            waiting.give(Turn::Refused(refused));
            false
        });
    }

    /// Takes note that who is at the front no longer waits for room.
    pub(crate) fn front_goes_on(&mut self) {
        if self.front_stalled.take().is_some() {
            for waiting in &self.queue {
                if let Some(began) = waiting.stall.lock().take() {
                    self.stalls.end(began);
                }
            }
        }
    }
}

/// What came of going to the front.
enum Entered<'c, C: Comparator + Clone> {
    Front(Front<'c, C>),
    Logged(Logged<C>),
}

/// What is appended to the log together.
struct Group<'c, C> {
    record: WriteBatch,
    /// What was claimed for all of them.
    claim: Claim<'c>,
    sync: bool,
    leader: Logged<C>,
    followers: Followers<C>,
}

/// Those in a group but the first. They are told whatever happens.
struct Followers<C>(Vec<(Arc<Waiting<C>>, Logged<C>)>);

impl<C> Followers<C> {
    fn tell(mut self, outcome: &Result<(), WriteError>) {
        for (follower, logged) in self.0.drain(..) {
            follower.give(match outcome {
                Ok(()) => Turn::Logged(logged),
                Err(error) => Turn::Refused(error.clone()),
            });
        }
    }
}

impl<C> Drop for Followers<C> {
    /// Who leads them has panicked, and the log with it.
    fn drop(&mut self) {
        for (follower, _) in self.0.drain(..) {
            follower.give(Turn::Refused(WriteError::Poisoned));
        }
    }
}

impl<C: Comparator + Clone> Core<C> {
    /// Appends a batch to the log, by itself or with others, and gives it sequence numbers.
    pub(crate) fn log(
        &self,
        batch: &WriteBatch,
        need: Need,
        options: WriteOptions,
    ) -> Result<Logged<C>, WriteError> {
        match self.enter(Some(batch), need, options)? {
            Entered::Logged(logged) => Ok(logged),
            Entered::Front(mut front) => {
                let mut logged = self.lead(&mut front, batch, need, options)?;
                logged._sent_away = self.sent_away(&mut front);
                Ok(logged)
            }
        }
    }

    /// Who is to be woken now that nobody is at the front who waits.
    fn sent_away(&self, commit: &mut Commit<C>) -> SentAway {
        if !std::mem::take(&mut commit.has_sent_away) {
            return SentAway::default();
        }
        SentAway {
            wakers: std::mem::take(&mut commit.wakers),
            budget: self.options.budget.clone(),
        }
    }

    /// The lock, with nobody in the middle of a write to the log.
    pub(crate) fn front(&self, wait: Wait) -> Result<Front<'_, C>, WriteError> {
        let need = Need {
            entries: 0,
            bytes: 0,
        };
        let options = WriteOptions { sync: false, wait };
        match self.enter(None, need, options)? {
            Entered::Front(front) => Ok(front),
            Entered::Logged(_) => unreachable!("there was nothing to log"),
        }
    }

    fn enter(
        &self,
        batch: Option<&WriteBatch>,
        need: Need,
        options: WriteOptions,
    ) -> Result<Entered<'_, C>, WriteError> {
        let mut commit = self.commit.lock();
        if !commit.front_taken {
            commit.front_taken = commit.logs.is_some();
            return Ok(Entered::Front(Front {
                core: self,
                commit,
                sent_away: SentAway::default(),
            }));
        }
        if let (Some(cause), Wait::Never) = (commit.front_stalled, options.wait) {
            return Err(WriteError::WouldBlock(cause));
        }
        let waiting = Arc::new(Waiting {
            batch: batch.cloned(),
            need,
            options,
            has_turn: Flag::lowered(),
            turn: Mutex::new(None),
            came: Condvar::new(),
            stall: Mutex::new(None),
        });
        if let Some(cause) = commit.front_stalled {
            *waiting.stall.lock() = Some(commit.stalls.begin(cause));
        }
        commit.queue.push_back(Arc::clone(&waiting));
        drop(commit);
        let deadline = match options.wait {
            Wait::Until(deadline) => Some(deadline),
            Wait::Forever | Wait::Never => None,
        };
        match waiting.take(deadline) {
            Some(turn) => self.follow(turn),
            None => self.give_up(&waiting),
        }
    }

    fn follow(&self, turn: Turn<C>) -> Result<Entered<'_, C>, WriteError> {
        match turn {
            Turn::Front => Ok(Entered::Front(Front {
                core: self,
                commit: self.commit.lock(),
                sent_away: SentAway::default(),
            })),
            Turn::Logged(logged) => Ok(Entered::Logged(logged)),
            Turn::Refused(error) => Err(error),
        }
    }

    /// Leaves the queue, unless the turn has come after all, or nobody waits for room: then it is
    /// only an append that takes long, and if it comes to a wait after that, this is refused.
    fn give_up(&self, waiting: &Arc<Waiting<C>>) -> Result<Entered<'_, C>, WriteError> {
        let mut commit = self.commit.lock();
        let place = commit
            .queue
            .iter()
            .position(|queued| Arc::ptr_eq(queued, waiting));
        if let (Some(i), Some(cause)) = (place, commit.front_stalled) {
            commit.queue.remove(i);
            if let Some(began) = waiting.stall.lock().take() {
                commit.stalls.end(began);
            }
            return Err(WriteError::TimedOut(cause));
        }
        drop(commit);
        match waiting.take(None) {
            Some(turn) => self.follow(turn),
            None => unreachable!("there is a turn for everybody sooner or later"),
        }
    }

    /// At the front: makes room, gathers a group, and logs it.
    fn lead(
        &self,
        front: &mut Front<'_, C>,
        batch: &WriteBatch,
        need: Need,
        options: WriteOptions,
    ) -> Result<Logged<C>, WriteError> {
        let set_aside = self.make_room(front.guard(), need, options.wait)?;
        let group = self.gather(front, batch, need, options.sync, set_aside)?;
        let logged = self.append(front, &group);
        let Group {
            claim,
            leader,
            followers,
            ..
        } = group;
        match logged {
            Ok(()) => {
                claim.pass_on();
                followers.tell(&logged);
                Ok(leader)
            }
            Err(error) => {
                // Writers before this group may still insert. One of them may be in need of the lock
                // first, to learn that it is to; and who is woken by what is given back may need it.
                MutexGuard::unlocked(front.guard(), || {
                    followers.tell(&Err(error.clone()));
                    drop((leader, claim));
                });
                Err(error)
            }
        }
    }

    /// Takes those into the group who are next in the queue, by LevelDB's rules.
    fn gather<'c>(
        &'c self,
        commit: &mut Commit<C>,
        batch: &WriteBatch,
        need: Need,
        sync: bool,
        set_aside: Option<SetAside>,
    ) -> Result<Group<'c, C>, WriteError> {
        let memtable = Arc::clone(&self.memtables.load().active);
        let mut record = batch.clone();
        let logged = |claim: &Claim<'_>, need: Need, set_aside| Logged {
            memtable: Arc::clone(&memtable),
            first: claim.first(),
            last: claim.first() + u64::from(need.entries) - 1,
            _set_aside: set_aside,
            _sent_away: SentAway::default(),
        };
        let claim = self.claim(&memtable, need)?;
        let first = claim.first();
        record.set_sequence(SequenceNumber::new(first)?);
        let leader = logged(&claim, need, set_aside);
        claim.pass_on();
        let mut followers = Vec::new();
        let mut size = batch.approximate_size();
        let most = if size <= SMALL_BATCH {
            size + SMALL_BATCH
        } else {
            MAX_GROUP
        };
        while let Some(next) = commit.queue.front() {
            let Some(batch) = &next.batch else { break };
            size += batch.approximate_size();
            if (next.options.sync && !sync) || size > most {
                break;
            }
            let need = next.need;
            if memtable.has_giant.is_raised() || self.is_giant(need) {
                break;
            }
            let set_aside = self.set_aside(need);
            if set_aside.is_none() && self.options.budget.is_some() {
                break;
            }
            if record.count().checked_add(batch.count()).is_none() {
                break;
            }
            let Ok(claim) = self.claim(&memtable, need) else {
                break;
            };
            if record.append(batch).is_err() {
                unreachable!("there is room for as many records");
            }
            let logged = logged(&claim, need, set_aside);
            claim.pass_on();
            if let Some(next) = commit.queue.pop_front() {
                followers.push((next, logged));
            }
        }
        Ok(Group {
            record,
            claim: Claim::new(&self.sequencer, first, memtable.last_claimed()),
            sync,
            leader,
            followers: Followers(followers),
        })
    }

    /// Appends a group to the log, and syncs it if asked to; without the lock.
    fn append(&self, front: &mut Front<'_, C>, group: &Group<'_, C>) -> Result<(), WriteError> {
        let Some(logs) = &mut front.commit.logs else {
            return Ok(());
        };
        let mut earlier = if group.sync {
            std::mem::take(&mut logs.earlier)
        } else {
            Vec::new()
        };
        let Some(mut current) = logs.current.take() else {
            return Err(lost_log());
        };
        let is_unsynced = logs.is_unsynced;
        let (outcome, current, earlier) = MutexGuard::unlocked(front.guard(), move || {
            let outcome = append_and_sync(&mut *current, &mut earlier, group, is_unsynced);
            (outcome, current, earlier)
        });
        let Some(logs) = &mut front.commit.logs else {
            return Ok(());
        };
        logs.current = Some(current);
        // Those that were not synced after all; there were no others to come in between.
        logs.earlier.extend(earlier);
        match &outcome {
            Ok(()) => logs.is_unsynced = !group.sync,
            Err(WriteError::Log {
                action: LogAction::Sync,
                source,
            }) => logs.failure = Some(Arc::clone(source)),
            Err(_) => {}
        }
        outcome
    }

    /// After a failed sync: begins another log, and a memtable for it, so that writing can go on.
    pub(crate) fn replace_log(&self, wait: Wait) -> Result<(), WriteError> {
        let mut front = self.front(wait)?;
        self.rotate(&mut front)?;
        if let Some(LogSet {
            failure, earlier, ..
        }) = &mut front.logs
            && failure.take().is_some()
        {
            // What was not synced in the logs that failed never will be; it is flushed instead.
            earlier.clear();
        }
        Ok(())
    }
}

fn append_and_sync<C>(
    current: &mut dyn Log,
    earlier: &mut Vec<(u64, Box<dyn Log>)>,
    group: &Group<'_, C>,
    is_unsynced: bool,
) -> Result<(), WriteError> {
    let failed = |action| {
        move |source| WriteError::Log {
            action,
            source: Arc::new(source),
        }
    };
    let is_empty = group.record.count() == 0;
    if !is_empty {
        current
            .append(group.record.contents())
            .map_err(failed(LogAction::Append))?;
    }
    if group.sync {
        // A batch that is durable without those before it would be a hole after a power failure.
        for (_, log) in &mut *earlier {
            log.sync().map_err(failed(LogAction::Sync))?;
        }
        earlier.clear();
        if is_unsynced || !is_empty {
            current.sync().map_err(failed(LogAction::Sync))?;
        }
    }
    Ok(())
}

/// The log is gone with a thread that panicked in the middle of an append.
fn lost_log() -> WriteError {
    let source = io::Error::other("a thread panicked while it appended to the log");
    WriteError::LogFailed {
        source: Arc::new(source),
    }
}

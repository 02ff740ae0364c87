//! What a write buffer is, behind its handles.

use std::sync::{Arc, Weak};
use std::task::Waker;

use arc_swap::ArcSwap;
use parking_lot::{Condvar, Mutex, MutexGuard};
use strata_dbformat::{Comparator, SequenceNumber};
use strata_memtable::MemTable;

use crate::WriteBufferOptions;
use crate::atomic::Count;
use crate::budget::{BufferMeter, Holder, Member};
use crate::commit::{Commit, LogSet};
use crate::memtables::{Memtables, Numbered};
use crate::sequencer::Sequencer;
use crate::snapshot::Snapshots;

pub(crate) struct Core<C> {
    pub(crate) comparator: C,
    pub(crate) options: WriteBufferOptions,
    pub(crate) meter: Arc<BufferMeter>,
    /// What a memtable has reserved that is flushed and about to be let go of. No reader keeps it.
    pub(crate) finishing: Count,
    /// Whether there are logs.
    pub(crate) is_logged: bool,
    /// Replaced as a whole, under the lock, and read without it.
    pub(crate) memtables: ArcSwap<Memtables<C>>,
    pub(crate) sequencer: Sequencer,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) commit: Mutex<Commit<C>>,
    /// Told when a memtable is flushed.
    pub(crate) room: Condvar,
    /// Told when there is a memtable to flush.
    pub(crate) work: Condvar,
}

/// What a write buffer begins with.
pub(crate) struct Beginning<C> {
    /// The last sequence number that was used.
    pub(crate) last: SequenceNumber,
    /// The number of the first active memtable, and its log.
    pub(crate) number: u64,
    pub(crate) logs: Option<LogSet>,
    /// What was recovered and is not flushed, the newest first.
    pub(crate) immutable: Vec<Arc<Numbered<C>>>,
}

impl<C: Comparator + Clone + 'static> Core<C> {
    pub(crate) fn new(
        comparator: C,
        options: WriteBufferOptions,
        meter: Arc<BufferMeter>,
        beginning: Beginning<C>,
    ) -> Arc<Self> {
        let Beginning {
            last,
            number,
            logs,
            immutable,
        } = beginning;
        // Replaced at once by one that is counted; it owns no memory.
        let placeholder = MemTable::new(comparator.clone());
        let first = Memtables {
            active: Arc::new(Numbered::new(number, last.get(), placeholder)),
            immutable,
        };
        let core = Arc::new(Self {
            comparator,
            options: options.clipped(),
            meter,
            finishing: Count::zero(),
            is_logged: logs.is_some(),
            memtables: ArcSwap::from_pointee(first),
            sequencer: Sequencer::new(last.get()),
            snapshots: Arc::default(),
            commit: Mutex::new(Commit::new(number + 1, logs)),
            room: Condvar::new(),
            work: Condvar::new(),
        });
        let active = Arc::new(Numbered::new(number, last.get(), core.new_memtable()));
        let immutable = core.memtables.load().immutable.clone();
        core.memtables
            .store(Arc::new(Memtables { active, immutable }));
        if let Some(budget) = &core.options.budget {
            let member: Weak<dyn Member> = Arc::downgrade(&core) as Weak<dyn Member>;
            budget.join(member);
        }
        core
    }
}

impl<C> Core<C> {
    /// The number up to which everything is visible.
    #[inline]
    pub(crate) fn visible(&self) -> SequenceNumber {
        match SequenceNumber::new(self.sequencer.visible()) {
            Ok(sequence) => sequence,
            Err(_) => unreachable!("only sequence numbers are published"),
        }
    }

    /// The number of the memtable that is to be flushed next.
    pub(crate) fn oldest_number(&self) -> u64 {
        self.memtables.load().oldest().number
    }

    /// Wakes whoever waits for a memtable to be flushed. Tasks are woken without the lock: they may
    /// run at once.
    pub(crate) fn tell_of_room(&self, mut commit: MutexGuard<'_, Commit<C>>) {
        let wakers = std::mem::take(&mut commit.wakers);
        drop(commit);
        self.room.notify_all();
        self.work.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<C: Comparator + Clone> Member for Core<C> {
    fn holder(&self) -> Holder {
        let memtables = self.memtables.load();
        let active_bytes = memtables.active.reserved_bytes();
        let immutable = memtables.immutable.iter();
        let queued: usize = immutable.map(|memtable| memtable.reserved_bytes()).sum();
        let immutable_bytes = queued + self.finishing.get();
        let all = self.meter.reserved.get();
        Holder {
            name: self.options.name.clone(),
            active_bytes,
            immutable_bytes,
            pinned_bytes: all.saturating_sub(active_bytes + immutable_bytes),
        }
    }

    fn freeze_for_budget(&self) -> bool {
        let mut commit = self.commit.lock();
        self.memtables.load().active.is_marked.raise();
        // Who is at the front and appends does it afterwards.
        commit.is_appending() || self.rotate_if_marked(&mut commit)
    }
}

//! Memory that several write buffers share.

use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use strata_arena::Meter;

use crate::atomic::{Count, Outstanding};

/// Beyond this fraction of the limit the largest memtable is asked to be flushed, though nobody has
/// to wait yet: 7 of 8.
const SOFT_EIGHTHS: usize = 7;

/// However much readers keep of what was flushed, writers are left this fraction of the limit: one
/// fourth. Otherwise an iterator that is forgotten would stop them for ever.
const LEAST_FRACTION: usize = 4;

/// How long a writer waits until it looks again by itself: whoever was to be flushed may have been
/// unable to begin a log.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A bound on the memory of several write buffers together.
///
/// What counts is what their memtables have asked of the allocator, until it is given back:
/// when a memtable is flushed and the last reader has let go of it. A write sets aside what it
/// may take at most before it begins. If that is not left, the largest active memtables are frozen,
/// whichever write buffers they belong to, and the write waits until enough is flushed.
///
/// The limit is kept, with two exceptions: a write is let through if nothing is left to flush, or a
/// batch larger than the limit could never be written; and what readers alone keep takes at most
/// three fourths of the limit away from writers.
///
/// A clone is the same budget.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_write_buffer::{MemoryBudget, WriteBuffer, WriteBufferOptions};
///
/// let budget = MemoryBudget::new(1 << 20);
/// let with_budget = |name: &str| WriteBufferOptions {
///     name: name.to_owned(),
///     budget: Some(budget.clone()),
///     ..WriteBufferOptions::default()
/// };
/// let users = WriteBuffer::new(BytewiseComparator, with_budget("users"));
/// let posts = WriteBuffer::new(BytewiseComparator, with_budget("posts"));
/// users.put(b"1", b"Ada")?;
/// assert_eq!(budget.used_bytes(), users.memory().reserved_bytes);
/// assert_eq!(budget.holders().len(), 2);
/// # drop(posts);
/// # Ok::<(), strata_write_buffer::WriteError>(())
/// ```
#[derive(Clone)]
pub struct MemoryBudget(Arc<Shared>);

struct Shared {
    limit: Count,
    /// What all memtables have reserved, those included that only readers keep.
    used: Count,
    /// What is set aside for writes under way.
    outstanding: Outstanding,
    /// What was used when the soft limit was last acted upon.
    asked_at: Count,
    members: Mutex<Vec<Weak<dyn Member>>>,
    gate: Mutex<Gate>,
    changed: Condvar,
}

/// Who waits for a change.
#[derive(Default)]
struct Gate {
    /// How many changes there have been.
    changes: u64,
    wakers: Vec<Waker>,
}

/// A write buffer that shares a budget.
pub(crate) trait Member: Send + Sync {
    fn holder(&self) -> Holder;

    /// Freezes the active memtable, now or as soon as the write under way is done; says whether
    /// it can. Takes the write buffer's lock.
    fn freeze_for_budget(&self) -> bool;
}

/// What a write buffer holds of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The write buffer's name, from its options.
    pub name: String,
    /// What the active memtable has reserved, in bytes.
    pub active_bytes: usize,
    /// What the memtables that wait to be flushed have reserved, in bytes.
    pub immutable_bytes: usize,
    /// What memtables have reserved that are flushed and that readers keep, in bytes.
    pub pinned_bytes: usize,
}

impl MemoryBudget {
    /// A budget of `limit_bytes` bytes, of which none is used.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        let shared = Shared {
            limit: Count::zero(),
            used: Count::zero(),
            outstanding: Outstanding::none(),
            asked_at: Count::zero(),
            members: Mutex::new(Vec::new()),
            gate: Mutex::default(),
            changed: Condvar::new(),
        };
        shared.limit.set(limit_bytes);
        Self(Arc::new(shared))
    }

    /// The limit, in bytes.
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.0.limit.get()
    }

    /// Changes the limit. If more is used, later writes wait until enough is flushed.
    pub fn set_limit_bytes(&self, limit_bytes: usize) {
        self.0.limit.set(limit_bytes);
        self.0.tell();
    }

    /// What is used, in bytes: the sum of what the memtables have reserved.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.0.used.get()
    }

    /// Who holds what of it.
    #[must_use]
    pub fn holders(&self) -> Vec<Holder> {
        self.members()
            .iter()
            .map(|member| member.holder())
            .collect()
    }

    pub(crate) fn join(&self, member: Weak<dyn Member>) {
        self.0.members.lock().push(member);
    }

    fn members(&self) -> Vec<Arc<dyn Member>> {
        let mut members = self.0.members.lock();
        members.retain(|member| member.strong_count() > 0);
        members.iter().filter_map(Weak::upgrade).collect()
    }

    /// Sets `bytes` aside, if they are left.
    #[inline]
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let shared = &self.0;
        let limit = shared.limit.get();
        let fits = |outstanding: usize| {
            let taken = outstanding.saturating_add(shared.used.get());
            taken.saturating_add(bytes) <= limit
        };
        if !shared.outstanding.add_if(bytes, fits) && !self.reserve_anyway(bytes) {
            return None;
        }
        Some(Reservation {
            budget: self.clone(),
            bytes,
        })
    }

    /// Sets `bytes` aside if one of the two exceptions says so.
    #[cold]
    fn reserve_anyway(&self, bytes: usize) -> bool {
        self.0.outstanding.add_if(bytes, self.fits_anyway(bytes))
    }

    /// Whether one of the two exceptions says that `bytes` fit onto what is set aside.
    fn fits_anyway(&self, bytes: usize) -> impl Fn(usize) -> bool {
        let Survey { pinned, left, .. } = self.survey();
        move |outstanding| {
            // Looked at again: who gives back what was set aside has used some of it.
            let used = self.used_bytes();
            let taken = outstanding.saturating_add(used).saturating_add(bytes);
            taken <= pinned.saturating_add(left) || (used <= pinned && outstanding == 0)
        }
    }

    /// Whether `bytes` are left.
    fn has(&self, bytes: usize) -> bool {
        let outstanding = self.0.outstanding.get();
        let taken = outstanding.saturating_add(self.used_bytes());
        taken.saturating_add(bytes) <= self.limit_bytes() || self.fits_anyway(bytes)(outstanding)
    }

    /// Who holds what, at one moment as far as that can be.
    fn survey(&self) -> Survey {
        let members = self.members().into_iter();
        let holders: Vec<_> = members.map(|member| (member.holder(), member)).collect();
        let bytes = holders.iter().map(|(holder, _)| holder.flushable_bytes());
        let flushable = bytes.sum();
        // Of write buffers that are gone, too.
        let pinned = self.used_bytes().saturating_sub(flushable);
        let limit = self.limit_bytes();
        let left = limit.saturating_sub(pinned).max(limit / LEAST_FRACTION);
        Survey {
            holders,
            flushable,
            left,
            pinned,
        }
    }

    /// Has the largest memtables frozen until, with what waits to be flushed already, `bytes` more
    /// will be left.
    pub(crate) fn relieve(&self, bytes: usize) {
        let survey = self.survey();
        let wanted = survey.flushable.saturating_add(bytes);
        let shortfall = wanted.saturating_sub(survey.left);
        survey.free(shortfall);
    }

    /// Beyond the soft limit, has the largest memtable frozen unless something waits to be flushed.
    /// Not to be called under a write buffer's lock.
    #[inline]
    pub(crate) fn relieve_softly(&self) {
        if self.used_bytes() > self.limit_bytes() / 8 * SOFT_EIGHTHS {
            self.relieve_beyond_soft_limit();
        }
    }

    /// Once for each time that more was reserved.
    #[cold]
    fn relieve_beyond_soft_limit(&self) {
        let used = self.used_bytes();
        if self.0.asked_at.get() == used {
            return;
        }
        self.0.asked_at.set(used);
        // What readers keep is not flushed by making small memtables of the rest.
        let survey = self.survey();
        if survey.flushable > survey.left / 8 * SOFT_EIGHTHS {
            survey.free(1);
        }
    }

    /// Asks for flushes and waits until something has changed, unless `bytes` are left now; not
    /// much longer than until `deadline`.
    pub(crate) fn wait(&self, bytes: usize, deadline: Option<Instant>) {
        let again = Instant::now() + LOOK_AGAIN;
        let until = deadline.map_or(again, |deadline| deadline.min(again));
        let shared = &self.0;
        let gate = shared.gate.lock();
        shared.outstanding.get_and_sleep();
        let before = gate.changes;
        drop(gate);
        self.relieve(bytes);
        if self.has(bytes) {
            return;
        }
        let mut gate = shared.gate.lock();
        if gate.changes == before {
            shared.changed.wait_until(&mut gate, until);
        }
    }

    /// Has `waker` woken at the next change.
    pub(crate) fn wake_later(&self, waker: &Waker) {
        let mut gate = self.0.gate.lock();
        self.0.outstanding.get_and_sleep();
        if !gate.wakers.iter().any(|known| known.will_wake(waker)) {
            gate.wakers.push(waker.clone());
        }
    }

    /// Wakes whoever waits, though nothing was given back: something else may have changed.
    pub(crate) fn nudge(&self) {
        self.0.tell();
    }
}

impl Shared {
    fn tell(&self) {
        let mut gate = self.gate.lock();
        self.outstanding.wake();
        gate.changes += 1;
        let wakers = std::mem::take(&mut gate.wakers);
        drop(gate);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// How the memory of a budget is shared out.
struct Survey {
    holders: Vec<(Holder, Arc<dyn Member>)>,
    /// What can be flushed, and how much that may be at most.
    flushable: usize,
    left: usize,
    /// What only readers keep.
    pinned: usize,
}

impl Survey {
    /// Has the largest memtables frozen until, with what waits to be flushed already, there is so
    /// much to be flushed.
    fn free(mut self, shortfall: usize) {
        let queued = self
            .holders
            .iter()
            .map(|(holder, _)| holder.immutable_bytes);
        let mut freed: usize = queued.sum();
        self.holders
            .sort_by_key(|(holder, _)| std::cmp::Reverse(holder.active_bytes));
        for (holder, member) in &self.holders {
            if freed >= shortfall || holder.active_bytes == 0 {
                return;
            }
            if member.freeze_for_budget() {
                freed += holder.active_bytes;
            }
        }
    }
}

impl Holder {
    fn flushable_bytes(&self) -> usize {
        self.active_bytes + self.immutable_bytes
    }
}

/// Bytes set aside for a write, until it is done.
pub(crate) struct Reservation {
    budget: MemoryBudget,
    bytes: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let shared = &self.budget.0;
        if shared.outstanding.subtract(self.bytes) {
            shared.tell();
        }
    }
}

/// Counts what the memtables of one write buffer have reserved, for it and for its budget.
#[derive(Debug)]
pub(crate) struct BufferMeter {
    pub(crate) reserved: Count,
    pub(crate) budget: Option<MemoryBudget>,
}

impl BufferMeter {
    pub(crate) fn new(budget: Option<MemoryBudget>) -> Self {
        Self {
            reserved: Count::zero(),
            budget,
        }
    }
}

impl Meter for BufferMeter {
    fn reserved(&self, bytes: usize) {
        self.reserved.add(bytes);
        if let Some(budget) = &self.budget {
            budget.0.used.add(bytes);
        }
    }

    fn released(&self, bytes: usize) {
        self.reserved.subtract(bytes);
        if let Some(budget) = &self.budget {
            budget.0.used.subtract(bytes);
            budget.0.tell();
        }
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudget")
            .field("limit_bytes", &self.limit_bytes())
            .field("used_bytes", &self.used_bytes())
            .field("outstanding_bytes", &self.0.outstanding.get())
            .finish_non_exhaustive()
    }
}

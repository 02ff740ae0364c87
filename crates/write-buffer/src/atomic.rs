//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`Sequence::get`], [`Sequence::get_and_sleep`] | Acquire | [`Sequence::publish`] | the entries up to that sequence number, of whichever threads: each publishes after it has seen its predecessor's number | loom `what_is_visible_is_whole` |
//! | [`Sequence::publish`], [`Sequence::publish_after`] | Release | the above | the same | the same |
//! | [`Sequence::publish`], [`Sequence::get_and_sleep`] | read, modify and write of one word | each other | one comes first: who goes to sleep sees the number, or who publishes it sees that somebody sleeps | loom `who_waits_is_woken`, `all_who_wait_are_woken` |
//! | [`Tail::claim`], [`Tail::close`] | Relaxed, as read, modify and write of one word | each other | nothing of its own: a number is claimed once, and none after the last that closing gave. Who has seen an entry, by the index's own orderings, is given a larger number than it has | concurrent `nothing_is_lost_between_memtables` |
//! | [`Flag::raise`], [`Flag::is_raised`] | Release, Acquire | each other | what was done before it was raised, for who should come to rely on it: whoever acts on one now takes a lock first, or needs nothing of what was before | none |
//! | [`Outstanding::add_if`], [`Outstanding::get_and_sleep`] | Acquire | [`Outstanding::subtract`] | what a write has added to a [`Count`] of reserved bytes, when what was set aside for it is given back | none on x86-64, where these are stronger; `writers_stay_within_a_budget` holds the sums |
//! | [`Outstanding::subtract`] | Release | the above | the same | the same |
//! | [`Count::get`], [`Count::subtract`] | Acquire, Release | each other | what a write has put into a memtable, when it no longer counts as under way | the same |
//! | [`Count`], the others | Relaxed | – | nothing: numbers to decide by and to show, that stand for themselves | – |
//!
//! The list of memtables is an `arc_swap::ArcSwap`, with orderings of its own: who loads it sees the
//! memtables in it as they were made. Which of their entries may be seen, `Sequence` says.

use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// The sequence number up to which everything is visible, and a bit that says whether somebody
/// sleeps until that is more.
///
/// On cache lines of its own, two as processors fetch them in pairs: each writer writes to it, and
/// what lies beside it is read by all.
#[repr(align(128))]
pub(crate) struct Sequence(AtomicU64);

const SLEEPING: u64 = 1;

impl Sequence {
    pub(crate) fn new(sequence: u64) -> Self {
        Self(AtomicU64::new(sequence << 1))
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire) >> 1
    }

    /// As `get`, and whoever publishes next is told that somebody sleeps.
    pub(crate) fn get_and_sleep(&self) -> u64 {
        self.0.fetch_or(SLEEPING, Ordering::Acquire) >> 1
    }

    /// As [`publish`](Self::publish), if everything up to `before` is visible and nothing after it,
    /// and nobody sleeps; says whether that was so.
    #[inline]
    pub(crate) fn publish_after(&self, before: u64, sequence: u64) -> bool {
        self.0
            .compare_exchange(
                before << 1,
                sequence << 1,
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Makes everything up to `sequence` visible; says whether somebody sleeps.
    #[inline]
    pub(crate) fn publish(&self, sequence: u64) -> bool {
        self.0.swap(sequence << 1, Ordering::Release) & SLEEPING != 0
    }
}

/// The last sequence number that was claimed for a memtable, until that is closed. On cache lines of
/// its own, too.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Tail(AtomicU64);

const CLOSED: u64 = 1 << 63;

impl Tail {
    pub(crate) fn after(last: u64) -> Self {
        Self(AtomicU64::new(last))
    }

    /// The last number that was claimed.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) & !CLOSED
    }

    /// Claims `count` numbers up to `most` at most, and gives the last before them; `Err` says the
    /// last there is, if they would be too many, and `Ok(None)` that it is closed.
    #[inline]
    pub(crate) fn claim(&self, count: u64, most: u64) -> Result<Option<u64>, u64> {
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            if last & CLOSED != 0 {
                return Ok(None);
            }
            if count > most.saturating_sub(last) {
                return Err(last);
            }
            match self.0.compare_exchange_weak(
                last,
                last + count,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(Some(last)),
                Err(now) => last = now,
            }
        }
    }

    /// Lets no more be claimed, and gives the last that was.
    pub(crate) fn close(&self) -> u64 {
        self.0.fetch_or(CLOSED, Ordering::Relaxed) & !CLOSED
    }
}

/// Something that happens once.
#[derive(Debug)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn lowered() -> Self {
        Self(AtomicBool::new(false))
    }

    #[inline]
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A number that several threads change.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn zero() -> Self {
        Self::default()
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, number: usize) {
        self.0.store(number, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, number: usize) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, number: usize) {
        self.0.fetch_sub(number, Ordering::Release);
    }
}

/// How many bytes are set aside for writes under way, and a bit that says whether somebody sleeps
/// until it is less.
pub(crate) struct Outstanding(AtomicU64);

impl Outstanding {
    pub(crate) fn none() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn get(&self) -> usize {
        bytes_of(self.0.load(Ordering::Acquire))
    }

    /// Adds `bytes` if they `fit` onto what there is; says whether they did.
    #[inline]
    pub(crate) fn add_if(&self, bytes: usize, fit: impl Fn(usize) -> bool) -> bool {
        let added =
            |word| fit(bytes_of(word)).then(|| u64::saturating_add(word, (bytes as u64) << 1));
        self.0
            .fetch_update(Ordering::Acquire, Ordering::Acquire, added)
            .is_ok()
    }

    /// Subtracts; says whether somebody sleeps.
    pub(crate) fn subtract(&self, bytes: usize) -> bool {
        self.0.fetch_sub((bytes as u64) << 1, Ordering::Release) & SLEEPING != 0
    }

    /// As `get`, and whoever subtracts next is told that somebody sleeps.
    pub(crate) fn get_and_sleep(&self) -> usize {
        bytes_of(self.0.fetch_or(SLEEPING, Ordering::Acquire))
    }

    /// Nobody sleeps any more.
    pub(crate) fn wake(&self) {
        self.0.fetch_and(!SLEEPING, Ordering::Relaxed);
    }
}

/// More than there are addresses is never set aside.
fn bytes_of(word: u64) -> usize {
    usize::try_from(word >> 1).unwrap_or(usize::MAX)
}

//! The memtables of a write buffer: the active one, and those that wait to be flushed.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use strata_dbformat::{Comparator, SequenceNumber, SequenceOutOfRange};
use strata_memtable::{ImmutableMemTable, MemTable, MemTableReader};

use crate::atomic::{Count, Flag, Tail};

/// Writes to a memtable that memory is set aside for. What is left in its blocks may be enough for
/// each of two writes and not for both, so they are looked at together.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    pub(crate) entries: Count,
    /// User keys and values together.
    pub(crate) bytes: Count,
}

/// A memtable and what a write buffer knows of it.
#[derive(Debug)]
pub(crate) struct Numbered<C> {
    /// The number of its log; without logs, a number of its own.
    pub(crate) number: u64,
    reader: MemTableReader<C>,
    /// What it is written through; none if it was recovered.
    writer: Option<MemTable<C>>,
    immutable: OnceLock<ImmutableMemTable<C>>,
    /// The last sequence number before its first.
    base: u64,
    /// The last sequence number that was claimed for it; closed when it is no longer active.
    tail: Tail,
    /// Whether a write to it has to look closer than at its size: it is to be frozen.
    pub(crate) is_marked: Flag,
    /// Whether it has a batch to itself that is larger than a memtable should be.
    pub(crate) has_giant: Flag,
    /// When its first entry was claimed.
    began: OnceLock<Instant>,
    /// What is under way of writes that a budget has set memory aside for.
    pub(crate) under_way: Arc<UnderWay>,
    /// How many entries, hidden or tombstones, scans have passed over since it became active.
    pub(crate) skipped: Count,
}

impl<C: Comparator> Numbered<C> {
    /// An active one, for what comes after the sequence number `base`.
    pub(crate) fn new(number: u64, base: u64, memtable: MemTable<C>) -> Self {
        Self {
            number,
            reader: memtable.reader(),
            writer: Some(memtable),
            immutable: OnceLock::new(),
            base,
            tail: Tail::after(base),
            is_marked: Flag::lowered(),
            has_giant: Flag::lowered(),
            began: OnceLock::new(),
            under_way: Arc::default(),
            skipped: Count::zero(),
        }
    }

    /// One that is immutable from the start.
    pub(crate) fn recovered(number: u64, memtable: ImmutableMemTable<C>) -> Self {
        Self {
            number,
            reader: MemTableReader::clone(&memtable),
            writer: None,
            immutable: OnceLock::from(memtable),
            // Everything in it is visible from the start.
            base: 0,
            tail: Tail::after(0),
            is_marked: Flag::lowered(),
            has_giant: Flag::lowered(),
            began: OnceLock::from(Instant::now()),
            under_way: Arc::default(),
            skipped: Count::zero(),
        }
    }

    #[inline]
    pub(crate) fn reader(&self) -> &MemTableReader<C> {
        &self.reader
    }

    /// What entries are added to. Only the memtable that was active when their sequence numbers
    /// were claimed is asked, and that one was made here.
    #[inline]
    pub(crate) fn writer(&self) -> &MemTable<C> {
        match &self.writer {
            Some(memtable) => memtable,
            None => unreachable!("a recovered memtable was never active"),
        }
    }

    /// The memtable, frozen. All additions to it must have ended.
    pub(crate) fn freeze(&self) -> &ImmutableMemTable<C> {
        self.immutable.get_or_init(|| self.writer().freeze())
    }

    /// Claims so many sequence numbers for entries in it, and gives the last before them; none if
    /// it is no longer active.
    #[inline]
    pub(crate) fn claim(&self, count: u32) -> Result<Option<u64>, SequenceOutOfRange> {
        let count = u64::from(count);
        let claimed = self.tail.claim(count, SequenceNumber::MAX.get());
        if claimed == Ok(Some(self.base)) && count > 0 {
            self.began.get_or_init(Instant::now);
        }
        claimed.map_err(|last| SequenceOutOfRange {
            sequence: last + count,
        })
    }

    /// Whether nothing was claimed for it.
    pub(crate) fn is_untouched(&self) -> bool {
        self.tail.get() == self.base
    }

    /// Makes it no longer the active one, and gives the last sequence number that was claimed.
    pub(crate) fn close(&self) -> u64 {
        self.tail.close()
    }

    /// The last sequence number that was claimed for it.
    pub(crate) fn last_claimed(&self) -> u64 {
        self.tail.get()
    }

    /// When its first entry was written.
    pub(crate) fn began(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    #[inline]
    pub(crate) fn reserved_bytes(&self) -> usize {
        self.reader.approximate_memory_usage()
    }
}

/// All memtables at one moment. Never changed, only replaced.
#[derive(Debug)]
pub(crate) struct Memtables<C> {
    pub(crate) active: Arc<Numbered<C>>,
    /// Those that wait to be flushed, the newest first.
    pub(crate) immutable: Vec<Arc<Numbered<C>>>,
}

impl<C> Memtables<C> {
    /// All of them, the newest first.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Numbered<C>>> {
        std::iter::once(&self.active).chain(&self.immutable)
    }

    /// The oldest of all.
    pub(crate) fn oldest(&self) -> &Arc<Numbered<C>> {
        self.immutable.last().unwrap_or(&self.active)
    }

    /// The one to be flushed next.
    pub(crate) fn oldest_immutable(&self) -> Option<&Arc<Numbered<C>>> {
        self.immutable.last()
    }

    /// These with another active one. The former, closed, is the newest of the immutable ones,
    /// unless nothing was ever claimed for it: then it is gone.
    pub(crate) fn followed_by(&self, active: Arc<Numbered<C>>) -> Self
    where
        C: Comparator,
    {
        let former = Some(&self.active).filter(|former| former.last_claimed() != former.base);
        Self {
            active,
            immutable: former.into_iter().chain(&self.immutable).cloned().collect(),
        }
    }

    /// These without the oldest of the immutable ones.
    pub(crate) fn without_oldest(&self) -> Self {
        let left = self.immutable.len().saturating_sub(1);
        Self {
            active: Arc::clone(&self.active),
            immutable: self.immutable[..left].to_vec(),
        }
    }
}

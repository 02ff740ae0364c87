//! Logs to memtables, in bounded memory.

mod batches;
mod buffer;
mod directory;
mod error;
mod held;
mod report;
mod source;

pub use batches::{LogBatch, LogBatches};
pub use error::RecoveryError;
pub use report::{DropReason, LogDrop, LogMention, LogReport};

use std::io::Read;

use strata_dbformat::{Comparator, SequenceNumber};
use strata_memtable::{AddError, ImmutableMemTable, MemTable, MemTableOptions};
use strata_write_batch::{InsertError, Operation, WriteBatchView};

use crate::{Flush, FlushError};
use batches::announced_last;

/// How logs are recovered.
///
/// ```
/// use strata_write_buffer::RecoveryOptions;
///
/// let options = RecoveryOptions { salvage: true, ..RecoveryOptions::default() };
/// assert_eq!(options.write_buffer_size, 4 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct RecoveryOptions {
    /// After a record with which a memtable has taken more memory than this it is frozen and
    /// flushed, in bytes: 4 MiB by default.
    pub write_buffer_size: usize,
    /// Whether to go on after damage, as [`Reader::salvage`](strata_wal::Reader::salvage) does, but
    /// for what is of a log in a value by its sequence numbers ([`LogBatches`]), and to keep the
    /// records of a malformed batch that are before its fault; by default neither.
    pub salvage: bool,
    /// Whether to keep records whose checksums do not hold: by default they are dropped.
    pub ignore_checksums: bool,
    /// Batches that end with this sequence number or a smaller one are passed over: they are in
    /// tables. By default, 0, none is.
    ///
    /// Memtables are flushed in order, so that everything up to the largest sequence number in a
    /// table is in tables. A log that was to be deleted and is still there changes nothing then.
    pub flushed: SequenceNumber,
    /// What memtables are made with.
    pub memtable: MemTableOptions,
}

impl Default for RecoveryOptions {
    fn default() -> Self {
        Self {
            write_buffer_size: 4 << 20,
            salvage: false,
            ignore_checksums: false,
            flushed: SequenceNumber::ZERO,
            memtable: MemTableOptions::default(),
        }
    }
}

/// Replays logs, the oldest first, into memtables of a limited size, and flushes each that is full.
///
/// The rules are LevelDB's. A record that is too small for a batch is dropped, and so is a batch
/// that is malformed, whole (LevelDB inserts its records before the fault; so does
/// [salvage](RecoveryOptions::salvage)). Every drop is reported, and no drop is an error. A
/// memtable is frozen after the record with which its memory exceeds the write buffer size, or
/// before a batch of which it has an entry already: where sequence numbers repeat, the later
/// record is the newer one, in a later memtable.
///
/// There are never more in memory than one memtable, with a record more than it should have, and
/// one record. No log is changed, so recovering again gives the same, flushed again: the same
/// entries under the same internal keys. To delete the logs is up to the caller, after the last
/// memtable is flushed; [`Flush::flushed`] is not called.
///
/// A recovery is used up by an error; begin another one.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber};
/// use strata_memtable::ImmutableMemTable;
/// use strata_wal::Writer;
/// use strata_write_batch::WriteBatch;
/// use strata_write_buffer::{Flush, FlushError, Recovery, RecoveryOptions};
///
/// /// There is too little here to fill a memtable.
/// struct Nowhere;
///
/// impl Flush<BytewiseComparator> for Nowhere {
///     fn flush(
///         &mut self,
///         _: &ImmutableMemTable<BytewiseComparator>,
///         _: u64,
///     ) -> Result<(), FlushError> {
///         Err("there is nowhere to flush to".into())
///     }
/// }
///
/// let mut batch = WriteBatch::new();
/// batch.set_sequence(SequenceNumber::new(7)?);
/// batch.put(b"a", b"1")?;
/// batch.delete(b"b")?;
/// let mut log = Vec::new();
/// let mut writer = Writer::new(&mut log);
/// writer.add_record(batch.contents())?;
/// writer.add_record(b"no batch")?;
///
/// let mut reports = Vec::new();
/// let recovered = Recovery::new(BytewiseComparator, RecoveryOptions::default())
///     .replay(3, "000003.log", &log[..], &mut Nowhere, &mut |report| reports.push(report))?
///     .finish();
/// let (memtable, log_number) = recovered.memtable.unwrap();
/// assert_eq!((memtable.len(), log_number), (2, 3));
/// assert_eq!((recovered.records, recovered.batches, recovered.tombstones), (2, 1, 1));
/// assert_eq!(recovered.last_sequence.get(), 8);
/// assert_eq!(
///     reports[0].to_string(),
///     "000003.log: 8 bytes at offset 27 dropped: log record too small"
/// );
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct Recovery<C> {
    comparator: C,
    options: RecoveryOptions,
    memtable: MemTable<C>,
    /// The log that the memtable's oldest batch is in, if it has one.
    first_log: Option<u64>,
    /// What has been recovered; its memtable is filled in at the end.
    recovered: Recovered<C>,
}

/// What was recovered of logs, and what of it is not flushed yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovered<C> {
    /// The last memtable, which was not full, and the number of the oldest log that has batches
    /// of it; none if it has no entries.
    ///
    /// Once it is flushed the logs are no longer needed.
    pub memtable: Option<(ImmutableMemTable<C>, u64)>,
    /// The largest sequence number that a batch's header says was given out, whatever became of
    /// the batch; 0 if there is none.
    ///
    /// A database goes on with the number after this one, or after the last that its tables have.
    /// What was in a part of a log that no record was made of nobody knows.
    pub last_sequence: SequenceNumber,
    /// The numbers of the logs that were replayed, in that order.
    pub logs: Vec<u64>,
    /// How many records were read, those included that were passed over or dropped.
    pub records: u64,
    /// How many batches were inserted, in whole or, salvaged, in part.
    pub batches: u64,
    /// How many entries were inserted.
    pub entries: u64,
    /// How many of them are tombstones.
    pub tombstones: u64,
    /// The smallest and the largest sequence number of an entry.
    pub sequences: Option<(SequenceNumber, SequenceNumber)>,
}

/// Why a recovery ends at a record.
enum Stop {
    Flush(FlushError),
    Full(AddError),
}

impl<C: Comparator + Clone> Recovery<C> {
    /// A recovery that has replayed nothing.
    #[must_use]
    pub fn new(comparator: C, options: RecoveryOptions) -> Self {
        Self {
            memtable: MemTable::with_options(comparator.clone(), options.memtable.clone()),
            comparator,
            options,
            first_log: None,
            recovered: Recovered {
                memtable: None,
                last_sequence: SequenceNumber::ZERO,
                logs: Vec::new(),
                records: 0,
                batches: 0,
                entries: 0,
                tombstones: 0,
                sequences: None,
            },
        }
    }

    /// Replays a log. `number` goes with its batches to `flush`, `name` into reports and errors.
    ///
    /// `source` is read in whole blocks and needs no buffer.
    ///
    /// # Errors
    ///
    /// [`RecoveryError`] if the log can't be read, a memtable can't be flushed, or there is no
    /// memory. What was flushed before is flushed.
    pub fn replay(
        mut self,
        number: u64,
        name: &str,
        source: impl Read,
        flush: &mut dyn Flush<C>,
        report: &mut dyn FnMut(LogReport),
    ) -> Result<Self, RecoveryError> {
        self.recovered.logs.push(number);
        let mut batches = LogBatches::new(name, source)
            .salvage(self.options.salvage)
            .verify_checksums(!self.options.ignore_checksums);
        loop {
            let next = match batches.next_batch(report) {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(source) => {
                    return Err(RecoveryError::Read {
                        file: name.to_owned(),
                        offset: batches.bytes_read(),
                        source,
                    });
                }
            };
            if let Err(refusal) = self
                .take(number, next, flush)
                .map_err(|stop| stop.at(name, next.offset))?
                && next.is_whole
            {
                report(LogReport::of_batch(name, next, refusal));
            }
        }
        self.recovered.records += batches.records();
        let last = batches.last_sequence();
        self.recovered.last_sequence = self.recovered.last_sequence.max(last);
        Ok(self)
    }

    /// Ends the recovery. The last memtable is the caller's to flush.
    #[must_use]
    pub fn finish(self) -> Recovered<C> {
        let memtable = self.first_log.map(|log| (self.memtable.freeze(), log));
        Recovered {
            memtable,
            ..self.recovered
        }
    }

    /// Takes a batch of the log with this number. `Ok(Err(..))` is why it was dropped.
    fn take(
        &mut self,
        log: u64,
        next: LogBatch<'_>,
        flush: &mut dyn Flush<C>,
    ) -> Result<Result<(), InsertError>, Stop> {
        if next.is_whole && self.is_flushed(next.batch) {
            return Ok(Ok(()));
        }
        let result = self.insert(log, next.batch, flush)?;
        // LevelDB's rule: after each record, strictly greater.
        if self.memtable.approximate_memory_usage() > self.options.write_buffer_size {
            self.rotate(flush)?;
        }
        Ok(result)
    }

    /// Whether tables have the batch.
    fn is_flushed(&self, batch: WriteBatchView<'_>) -> bool {
        let flushed = self.options.flushed;
        flushed > SequenceNumber::ZERO
            && batch.count() > 0
            && announced_last(batch).is_some_and(|last| last <= flushed)
    }

    /// Inserts a batch, into a fresh memtable if this one has one of its entries already.
    fn insert(
        &mut self,
        log: u64,
        batch: WriteBatchView<'_>,
        flush: &mut dyn Flush<C>,
    ) -> Result<Result<(), InsertError>, Stop> {
        let mut result = batch.insert_into(&self.memtable);
        if let Err(InsertError::Refused(AddError::Duplicate { .. })) = result {
            self.rotate(flush)?;
            result = batch.insert_into(&self.memtable);
        }
        match result {
            Err(InsertError::Refused(error @ AddError::Full(_))) => Err(Stop::Full(error)),
            Ok(()) => {
                self.recovered.count(batch);
                if !self.memtable.is_empty() {
                    self.first_log.get_or_insert(log);
                }
                Ok(Ok(()))
            }
            refused => Ok(refused),
        }
    }

    /// Freezes the memtable, if there is anything in it, flushes it, and begins another.
    fn rotate(&mut self, flush: &mut dyn Flush<C>) -> Result<(), Stop> {
        let Some(log) = self.first_log.take() else {
            return Ok(());
        };
        let immutable = self.memtable.freeze();
        let options = self.options.memtable.clone();
        self.memtable = MemTable::with_options(self.comparator.clone(), options);
        flush.flush(&immutable, log).map_err(Stop::Flush)
    }
}

impl<C> Recovered<C> {
    /// Counts a batch that was inserted.
    fn count(&mut self, batch: WriteBatchView<'_>) {
        self.batches += 1;
        self.entries += u64::from(batch.count());
        let is_tombstone =
            |operation: &Result<_, _>| matches!(operation, Ok(Operation::Delete { .. }));
        self.tombstones += batch.operations().filter(is_tombstone).count() as u64;
        // A salvaged batch may have more records than its header said.
        if let Some(last) = announced_last(batch) {
            self.last_sequence = self.last_sequence.max(last);
        }
        let distance = u64::from(batch.count()).checked_sub(1);
        if let Some(distance) = distance
            && let Ok(first) = batch.sequence()
            && let Ok(last) = first.checked_add(distance)
        {
            let (smallest, largest) = self.sequences.unwrap_or((first, last));
            self.sequences = Some((smallest.min(first), largest.max(last)));
        }
    }
}

impl Stop {
    fn at(self, file: &str, offset: u64) -> RecoveryError {
        let file = file.to_owned();
        match self {
            Self::Flush(source) => RecoveryError::Flush {
                file,
                offset,
                source,
            },
            Self::Full(source) => RecoveryError::Full {
                file,
                offset,
                source,
            },
        }
    }
}

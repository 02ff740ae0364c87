//! Logs through the log reader and the write batch into memtables.

use std::fs::File;
use std::path::Path;

use strata_dbformat::{Comparator, SequenceNumber};
use strata_memtable::{AddError, ImmutableMemTable, MemTable};
use strata_wal::Reader;
use strata_write_batch::{InsertError, MalformedBatch, Operation, WriteBatch, WriteBatchView};

use crate::failure::Failure;
use crate::input::{Input, file_name};
use crate::log_report::{Dropped, LogReport};
use crate::progress::Progress;

/// What LevelDB says of a log record that is too short to be a batch.
const RECORD_TOO_SMALL: &str = "log record too small";

/// What was replayed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replayed {
    pub(crate) records: u64,
    pub(crate) batches: u64,
    pub(crate) entries: u64,
    pub(crate) tombstones: u64,
    /// The smallest and the largest sequence number of an entry.
    pub(crate) sequences: Option<(SequenceNumber, SequenceNumber)>,
    pub(crate) report: LogReport,
}

/// Replays logs into memtables of a limited size, one after the other.
pub(crate) struct Replay<C, F> {
    comparator: C,
    salvage: bool,
    write_buffer_size: usize,
    memtable: MemTable<C>,
    /// What becomes of a memtable when it is frozen.
    flush: F,
    replayed: Replayed,
}

impl<C, F> Replay<C, F>
where
    C: Comparator + Clone,
    F: FnMut(ImmutableMemTable<C>) -> Result<(), Failure>,
{
    /// A replay that freezes a memtable when it has taken more than `write_buffer_size` bytes and
    /// gives it to `flush`.
    pub(crate) fn new(comparator: C, salvage: bool, write_buffer_size: usize, flush: F) -> Self {
        let memtable = MemTable::new(comparator.clone());
        Self {
            comparator,
            salvage,
            write_buffer_size,
            memtable,
            flush,
            replayed: Replayed::default(),
        }
    }

    /// Replays the logs of `input`, in order, and flushes what is left.
    pub(crate) fn run(mut self, input: &Input) -> Result<Replayed, Failure> {
        let mut progress = Progress::new(input.log_bytes());
        for log in &input.logs {
            self.replay_log(log, &mut progress)?;
        }
        self.rotate()?;
        Ok(self.replayed)
    }

    fn replay_log(&mut self, path: &Path, progress: &mut Progress) -> Result<(), Failure> {
        let name = file_name(path);
        progress.begin(name.clone());
        let file = File::open(path).map_err(|error| Failure::at("can't open", path, error))?;
        let length = file.metadata().map_or(u64::MAX, |file| file.len());
        let mut reader = Reader::new(progress.reading(file)).salvage(self.salvage);
        loop {
            let report = &mut self.replayed.report;
            let record = reader
                .read_record(&mut |event| report.take(&name, length, event))
                .map_err(|error| Failure::at("can't read", path, error))?;
            let Some(record) = record else { return Ok(()) };
            self.replayed.records += 1;
            if let Err(reason) = self.apply(record.data)? {
                self.replayed.report.dropped.push(Dropped {
                    file: name.clone(),
                    offset: record.offset,
                    bytes: record.data.len() as u64,
                    reason,
                });
            }
            // LevelDB's rule: after each record, strictly greater.
            if self.memtable.approximate_memory_usage() > self.write_buffer_size {
                self.rotate()?;
            }
        }
    }

    /// Applies one record. `Ok(Err(..))` is why it was dropped.
    fn apply(&mut self, record: &[u8]) -> Result<Result<(), String>, Failure> {
        let Ok(batch) = WriteBatchView::new(record) else {
            return Ok(Err(RECORD_TOO_SMALL.to_owned()));
        };
        match self.insert(batch)? {
            Ok(()) => Ok(Ok(())),
            Err(InsertError::Malformed(fault)) => {
                if self.salvage {
                    self.insert_sound_part(batch, fault)?;
                }
                Ok(Err(fault.to_string()))
            }
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// Inserts a batch, into a fresh memtable if this one has one of its entries already: in logs
    /// whose sequence numbers repeat, the later record is the newer one, as in LevelDB.
    fn insert(&mut self, batch: WriteBatchView<'_>) -> Result<Result<(), InsertError>, Failure> {
        let mut result = batch.insert_into(&self.memtable);
        if matches!(
            result,
            Err(InsertError::Refused(AddError::Duplicate { .. }))
        ) {
            self.rotate()?;
            result = batch.insert_into(&self.memtable);
        }
        match result {
            Err(InsertError::Refused(AddError::Full(error))) => {
                Err(Failure::new(format!("a memtable can't grow: {error}")))
            }
            Ok(()) => {
                self.count(batch);
                Ok(Ok(()))
            }
            refused => Ok(refused),
        }
    }

    /// Inserts the records before the fault, as LevelDB does: what they say was written.
    fn insert_sound_part(
        &mut self,
        batch: WriteBatchView<'_>,
        fault: MalformedBatch,
    ) -> Result<(), Failure> {
        let (Ok(sequence), mut sound) = (batch.sequence(), WriteBatch::new()) else {
            return Ok(());
        };
        sound.set_sequence(sequence);
        for operation in batch.operations().map_while(Result::ok) {
            let appended = match operation {
                Operation::Put { user_key, value } => sound.put(user_key, value),
                Operation::Delete { user_key } => sound.delete(user_key),
            };
            appended.map_err(|error| Failure::new(error.to_string()))?;
        }
        debug_assert!(fault.offset >= sound.approximate_size(), "{fault}");
        if sound.count() > 0 {
            // Whatever is refused here is part of the drop that is reported.
            let _ = self.insert(sound.view())?;
        }
        Ok(())
    }

    fn count(&mut self, batch: WriteBatchView<'_>) {
        let replayed = &mut self.replayed;
        replayed.batches += 1;
        replayed.entries += u64::from(batch.count());
        replayed.tombstones += batch
            .operations()
            .filter(|operation| matches!(operation, Ok(Operation::Delete { .. })))
            .count() as u64;
        let distance = u64::from(batch.count()).saturating_sub(1);
        if batch.count() > 0
            && let Ok(first) = batch.sequence()
            && let Ok(last) = first.checked_add(distance)
        {
            let (smallest, largest) = replayed.sequences.unwrap_or((first, last));
            replayed.sequences = Some((smallest.min(first), largest.max(last)));
        }
    }

    /// Freezes the memtable, if there is anything in it, and begins another.
    fn rotate(&mut self) -> Result<(), Failure> {
        if self.memtable.is_empty() {
            return Ok(());
        }
        let immutable = self.memtable.freeze();
        self.memtable = MemTable::new(self.comparator.clone());
        (self.flush)(immutable)
    }
}

#[cfg(test)]
mod tests;

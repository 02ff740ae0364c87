//! The batches of a log, without memtables.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use parking_lot::Mutex;
use strata_dbformat::SequenceNumber;
use strata_memtable::AddError;
use strata_wal::{Reader, Record};
use strata_write_batch::{InsertError, Operation, WriteBatch, WriteBatchView};

use super::held::{Held, HeldBatches};
use super::source::Counted;
use super::{DropReason, LogReport};
use crate::lengths::batch_too_long_for_a_table;

/// Reads the sound batches of a log, one after the other, each with where its record begins.
///
/// A batch is sound if it is well formed and all its sequence numbers are in range. What is not is
/// dropped, and reported, as is what the log's reader drops. [Salvage](Self::salvage) gives the part
/// of a malformed batch that is before its fault.
///
/// Salvage may find records of a log that a value holds ([`Record::searched`]). Of the batches that
/// were searched those are dropped whose sequence numbers do not ascend between those of their
/// neighbours that were not. However far the numbers of a log jump, none of it is dropped for that.
///
/// Memory: one block and one record; in salvage what its reader takes, one record more, and 1 MiB of
/// batches that were searched.
///
/// ```
/// use strata_dbformat::SequenceNumber;
/// use strata_wal::Writer;
/// use strata_write_batch::WriteBatch;
/// use strata_write_buffer::LogBatches;
///
/// let mut batch = WriteBatch::new();
/// batch.set_sequence(SequenceNumber::new(7)?);
/// batch.put(b"a", b"1")?;
/// let mut log = Vec::new();
/// let mut writer = Writer::new(&mut log);
/// writer.add_record(b"no batch")?;
/// writer.add_record(batch.contents())?;
///
/// let mut reports = Vec::new();
/// let mut batches = LogBatches::new("000003.log", &log[..]);
/// let first = batches.next_batch(&mut |report| reports.push(report))?.unwrap();
/// assert_eq!((first.offset, first.batch.count()), (15, 1));
/// assert!(batches.next_batch(&mut |report| reports.push(report))?.is_none());
/// assert_eq!(batches.records(), 2);
/// assert_eq!(reports.len(), 1);
/// assert_eq!(
///     reports[0].to_string(),
///     "000003.log: 8 bytes at offset 0 dropped: log record too small"
/// );
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct LogBatches<R> {
    name: String,
    reader: Reader<Counted<R>>,
    bytes_read: Arc<Mutex<u64>>,
    salvage: bool,
    records: u64,
    last_sequence: SequenceNumber,
    /// The sound part of the batch that was read last.
    part: WriteBatch,
    held: HeldBatches,
    /// The batch given last, if it was held.
    given: Option<Held>,
    /// The batch that was read last is to be given after those that were held.
    waiting: Option<Soundness>,
    /// Why the log can't be read any further.
    failure: Option<io::Error>,
}

/// A batch of a log.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogBatch<'a> {
    /// The batch. It is well formed, and its sequence numbers are in range.
    pub batch: WriteBatchView<'a>,
    /// The file offset where its record begins.
    pub offset: u64,
    /// The file offset after its record.
    pub end: u64,
    /// Whether this is what was written. Otherwise it is the part of a malformed batch before its
    /// fault, and the batch was reported as dropped.
    pub is_whole: bool,
    /// Whether its record was [found by a search](Record::searched).
    pub searched: bool,
}

/// What there is of the batch in a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Soundness {
    Whole,
    Part,
    Nothing,
}

impl<R> LogBatches<R> {
    /// The batches of the log that begins where `source` stands. `name` goes into reports.
    ///
    /// `source` is read in whole blocks and needs no buffer.
    #[must_use]
    pub fn new(name: impl Into<String>, source: R) -> Self
    where
        R: Read,
    {
        let source = Counted::new(source);
        Self {
            name: name.into(),
            bytes_read: source.counter(),
            reader: Reader::new(source),
            salvage: false,
            records: 0,
            last_sequence: SequenceNumber::ZERO,
            part: WriteBatch::new(),
            held: HeldBatches::default(),
            given: None,
            waiting: None,
            failure: None,
        }
    }

    /// Whether to go on in a damaged block, as [`Reader::salvage`] does, and to give the part of a
    /// malformed batch that is before its fault; by default neither.
    #[must_use]
    pub fn salvage(mut self, salvage: bool) -> Self {
        self.salvage = salvage;
        self.reader = self.reader.salvage(salvage);
        self
    }

    /// Whether a record whose checksum does not hold is dropped. It is, unless this is turned off.
    #[must_use]
    pub fn verify_checksums(mut self, verify: bool) -> Self {
        self.reader = self.reader.verify_checksums(verify);
        self
    }

    /// How many records were read so far, those included that held no sound batch.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The largest sequence number that a batch's header says was given out, so far and whatever
    /// became of the batch; 0 if there is none.
    #[must_use]
    pub fn last_sequence(&self) -> SequenceNumber {
        self.last_sequence
    }

    /// How much of the log has been read, in bytes.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        *self.bytes_read.lock()
    }

    /// The batch that a record holds. Lost parts of it are reported.
    fn judge(
        name: &str,
        record: Record<'_>,
        part: Option<&mut WriteBatch>,
        report: &mut dyn FnMut(LogReport),
    ) -> Soundness {
        let mut drop = |reason| report(LogReport::of_record(name, record, reason));
        let Ok(batch) = WriteBatchView::new(record.data) else {
            drop(DropReason::TooSmall);
            return Soundness::Nothing;
        };
        let Err(error) = check(batch) else {
            let Some(bytes) = batch_too_long_for_a_table(batch) else {
                return Soundness::Whole;
            };
            drop(DropReason::TooLong { bytes });
            return Soundness::Nothing;
        };
        drop(DropReason::Batch(error));
        match part {
            Some(part) if matches!(error, InsertError::Malformed(_)) => {
                keep_sound_part(batch, part)
            }
            _ => Soundness::Nothing,
        }
    }

    /// LevelDB's rule: what a batch's header says was given out.
    fn note_last_sequence(&mut self, last: Option<SequenceNumber>) {
        self.last_sequence = self.last_sequence.max(last.unwrap_or_default());
    }

    /// Takes note of the batch in the record that was read last: holds it, or lets it wait for those
    /// that are held.
    fn note(&mut self, soundness: Soundness) {
        let Some(record) = self.reader.record() else {
            return;
        };
        let batch = in_record(record, soundness, &self.part);
        if record.searched {
            if let Some(batch) = batch {
                self.held.hold(batch);
            }
            return;
        }
        if let Some(batch) = batch {
            self.held.pass(batch.batch);
            self.waiting = Some(soundness);
        }
        let announced = WriteBatchView::new(record.data);
        let last = announced.ok().and_then(announced_last);
        self.note_last_sequence(last);
    }

    fn report_refused(&mut self, report: &mut dyn FnMut(LogReport)) {
        for refused in self.held.take_refused() {
            // The lost part of a batch that is not whole has been reported.
            if refused.is_whole {
                let record = Record {
                    data: &refused.contents,
                    offset: refused.offset,
                    end: refused.end,
                    searched: true,
                };
                report(LogReport::of_record(
                    &self.name,
                    record,
                    DropReason::OutOfOrder,
                ));
            }
        }
    }
}

impl<R: Read> LogBatches<R> {
    /// The next batch, or `None` after the last. Parts that were dropped or passed over on the way to it
    /// is told to `report`; what is lost of a malformed batch is told before its sound part comes.
    ///
    /// # Errors
    ///
    /// If the log can't be read. After it there are no more batches.
    pub fn next_batch(
        &mut self,
        report: &mut dyn FnMut(LogReport),
    ) -> io::Result<Option<LogBatch<'_>>> {
        while self.held.has_none_to_give() && self.waiting.is_none() && self.failure.is_none() {
            if !self.read(report) {
                break;
            }
        }
        if let Some(held) = self.held.next_kept() {
            self.note_last_sequence(held.batch().and_then(announced_last));
            return Ok(self.given.insert(held).given());
        }
        if let Some(soundness) = self.waiting.take() {
            let record = self.reader.record();
            return Ok(record.and_then(|record| in_record(record, soundness, &self.part)));
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    /// Reads a record. Says whether there was one.
    fn read(&mut self, report: &mut dyn FnMut(LogReport)) -> bool {
        let (name, bytes_read) = (&self.name, &self.bytes_read);
        let record = self.reader.read_record(&mut |event| {
            let bytes_read = *bytes_read.lock();
            report(LogReport::of_reader(name, bytes_read, event));
        });
        let is_record = match record {
            Ok(Some(record)) => {
                self.records += 1;
                let part = self.salvage.then_some(&mut self.part);
                let soundness = Self::judge(name, record, part, report);
                self.note(soundness);
                true
            }
            Ok(None) => {
                self.held.settle(None);
                false
            }
            Err(error) => {
                self.held.settle(None);
                self.failure = Some(error);
                false
            }
        };
        self.report_refused(report);
        is_record
    }
}

/// The batch in a record, of whose sound part `part` is.
fn in_record<'a>(
    record: Record<'a>,
    soundness: Soundness,
    part: &'a WriteBatch,
) -> Option<LogBatch<'a>> {
    let batch = match soundness {
        Soundness::Whole => WriteBatchView::new(record.data).ok()?,
        Soundness::Part => part.view(),
        Soundness::Nothing => return None,
    };
    Some(LogBatch {
        batch,
        offset: record.offset,
        end: record.end,
        is_whole: soundness == Soundness::Whole,
        searched: record.searched,
    })
}

/// The last sequence number by a batch's header. Whoever writes gives out no larger number than the
/// largest: with one, this was no batch.
pub(super) fn announced_last(batch: WriteBatchView<'_>) -> Option<SequenceNumber> {
    let first = batch.sequence().ok()?;
    let last = (first.get() + u64::from(batch.count())).checked_sub(1)?;
    SequenceNumber::new(last).ok()
}

/// What a memtable would refuse in a batch because of its bytes.
fn check(batch: WriteBatchView<'_>) -> Result<(), InsertError> {
    batch.check()?;
    let first = batch.sequence()?;
    let distance = u64::from(batch.count().saturating_sub(1));
    first.checked_add(distance).map_err(AddError::from)?;
    Ok(())
}

/// Makes `part` the records before the fault, as LevelDB inserts them: what they say was written.
fn keep_sound_part(batch: WriteBatchView<'_>, part: &mut WriteBatch) -> Soundness {
    let Ok(sequence) = batch.sequence() else {
        return Soundness::Nothing;
    };
    part.clear();
    part.set_sequence(sequence);
    for operation in batch.operations().map_while(Result::ok) {
        let appended = match operation {
            Operation::Put { user_key, value } => part.put(user_key, value),
            Operation::Delete { user_key } => part.delete(user_key),
        };
        if appended.is_err() {
            break;
        }
    }
    if part.count() > 0 && check(part.view()).is_ok() {
        Soundness::Part
    } else {
        Soundness::Nothing
    }
}

impl<R> fmt::Debug for LogBatches<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogBatches")
            .field("name", &self.name)
            .field("reader", &self.reader)
            .field("records", &self.records)
            .field("last_sequence", &self.last_sequence)
            .finish_non_exhaustive()
    }
}

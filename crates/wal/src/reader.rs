//! Getting records back out of a log.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use crate::physical::{Fragment, Fragments, Physical, Tail};
use crate::reporter::Sink;
use crate::{Cause, Dropped, Reason, RecordType, Report};

/// A record, and where it is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What was given to [`Writer::add_record`](crate::Writer::add_record).
    pub data: &'a [u8],
    /// The file offset of the header of its first fragment: LevelDB's `LastRecordOffset`.
    pub offset: u64,
    /// The file offset after its last fragment.
    pub end: u64,
    /// Whether it was found by [salvage](Reader::salvage) searching for a checksum that holds, or
    /// follows one that was, in its block or where blocks no longer begin where they should. It is a
    /// record, but maybe one of a log that a value holds.
    pub searched: bool,
}

/// Reads the records of a log, by LevelDB's rules for what is damaged.
///
/// A bad fragment costs the rest of its block, because its length can't be trusted; a record that
/// the end of the file cuts is no damage; a record is never put together across something lost.
/// Each call of [`read_record`](Self::read_record) returns one record and reports on the way what
/// was [dropped](Report::Dropped) or [passed over](Report::PassedOver).
///
/// Options are set before the first read. Memory: one block (a window of them in
/// [salvage](Self::salvage)), and the record that is being put together of fragments.
///
/// A file that is no log at all mostly looks like one that the end of the file cuts in its first
/// record: no record, and a [torn tail](Cause::TornTail) at offset 0.
///
/// ```
/// use strata_wal::{Reader, Report, Writer};
///
/// let mut log = Vec::new();
/// let mut writer = Writer::new(&mut log);
/// writer.add_record(b"foo")?;
/// writer.add_record(b"bar")?;
/// log[7] ^= 1; // the first byte of foo
///
/// let mut reports = Vec::new();
/// let mut reader = Reader::new(&log[..]);
/// assert_eq!(reader.read_record(&mut |report: Report| reports.push(report.to_string()))?, None);
/// assert_eq!(reports, ["dropped 20 bytes at offset 0: checksum mismatch"]);
///
/// let mut reports = Vec::new();
/// let mut reader = Reader::new(&log[..]).salvage(true);
/// let record = reader.read_record(&mut |report: Report| reports.push(report.to_string()))?;
/// assert_eq!(record.map(|record| record.data), Some(&b"bar"[..]));
/// assert_eq!(reports, ["dropped 10 bytes at offset 0: checksum mismatch"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Reader<R> {
    fragments: Fragments<R>,
    /// Where the fragmented record that is being put together began, if one is.
    partial: Option<u64>,
    /// Its payloads. After it has ended, the record that was returned.
    scratch: Vec<u8>,
    /// Whether one of them was found by a search.
    searched: bool,
    /// Nothing but the middle and the end of a record that began before the initial offset has
    /// been seen.
    resyncing: bool,
    finished: bool,
    /// The record that was returned last.
    found: Option<Found>,
}

/// A record that was found, before it is borrowed.
struct Found {
    offset: u64,
    end: u64,
    /// Where it is in the block; otherwise it is in the scratch.
    in_block: Option<Range<usize>>,
    searched: bool,
}

impl<R> Reader<R> {
    /// A reader of the log that begins where `source` stands.
    ///
    /// Each block is asked for whole, so the source needs no buffer; it may give less than it is
    /// asked for, and be interrupted.
    #[must_use]
    pub fn new(source: R) -> Self {
        Self {
            fragments: Fragments::new(source),
            partial: None,
            scratch: Vec::new(),
            searched: false,
            resyncing: false,
            finished: false,
            found: None,
        }
    }

    /// Whether a fragment whose checksum does not hold is bad. It is, unless this is turned off,
    /// as LevelDB's repair does to get at what a checksum forbids.
    #[must_use]
    pub fn verify_checksums(mut self, verify: bool) -> Self {
        self.fragments.verify_checksums = verify;
        self
    }

    /// Returns no record that begins before this file offset, and reports nothing lost that begins
    /// before it: LevelDB's `initial_offset`.
    ///
    /// Blocks before it are skipped, by reading them. Where the offset is inside a record, the
    /// rest of that record is passed over in silence, if it begins at or after the offset in a
    /// block of its own; after a fragment that begins before the offset, LevelDB no longer knows,
    /// and it is reported as a record without a start. And where a bad fragment begins before the
    /// offset, what it costs after the offset goes unreported.
    #[must_use]
    pub fn initial_offset(mut self, offset: u64) -> Self {
        self.fragments.reporter.set_initial_offset(offset);
        self.resyncing = offset > 0;
        self
    }

    /// Whether to go on after a bad fragment at the next record that is proved to be one, wherever
    /// it begins, rather than with the next block.
    ///
    /// Off, the reader returns what LevelDB's does. On, it returns that and more, in order, and
    /// reports as dropped exactly what it skips: every record comes back that is left whole, its
    /// bytes one behind the other, wherever in the file they are; also where bytes were inserted or
    /// are missing before it, so that blocks no longer begin where they should. In a block, it goes on
    ///
    /// 1. with the bad fragment itself, if its checksum holds under a length that differs from the
    ///    one it says in a single bit, and something that can follow a fragment follows there
    ///    ([`Report::Mended`]);
    /// 2. else where its length says the next one begins, or where that one's length says, if that
    ///    one is bad too, and so on, as soon as there is one whose checksum holds;
    /// 3. else, unless those lengths lead to the very end of the block, and the next one begins as
    ///    it should, or of the file, at the next position of a fragment with a payload and a checksum
    ///    that holds. If the bad one's checksum says that this one follows it, the bad one is mended.
    ///
    /// Nothing is looked for inside a fragment whose own checksum holds, nor inside one whose length
    /// is right, or off by a bit: what its value holds is not taken for records, though it be a log.
    /// Where the length and what the checksum covers are damaged, or the end of the file cuts the
    /// fragment, records that its value holds can't be told from the log's own. All that was found in
    /// step 3, and what follows it in its block or where blocks are shifted, is marked
    /// [`searched`](Record::searched); whoever stores logs in a log must check it, for instance that
    /// sequence numbers ascend. An empty record is not found by step 3.
    ///
    /// Memory: a window of 8 blocks, and, once something was bad, 4 times as much. It costs nothing
    /// where nothing is bad. Damage costs some 50 ns for each byte that could begin a fragment by its
    /// type and length, whatever the bytes are.
    #[must_use]
    pub fn salvage(mut self, salvage: bool) -> Self {
        self.fragments.salvage = salvage.then(Box::default);
        self
    }

    /// The record that [`read_record`](Self::read_record) returned last, again: none before the
    /// first, after the end and after an error.
    #[must_use]
    pub fn record(&self) -> Option<Record<'_>> {
        let found = self.found.as_ref()?;
        let data = match &found.in_block {
            Some(payload) => &self.fragments.blocks.block()[payload.clone()],
            None => &self.scratch,
        };
        Some(Record {
            data,
            offset: found.offset,
            end: found.end,
            searched: found.searched,
        })
    }

    /// The source, which stands after the block that was read last.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.fragments.blocks.into_source()
    }

    fn accept(&mut self, fragment: &Fragment, sink: &mut Sink<'_>) -> Option<Found> {
        let record_type = RecordType::from_byte(fragment.kind);
        if self.resyncing {
            self.resyncing = record_type == Some(RecordType::Middle);
            if matches!(record_type, Some(RecordType::Middle | RecordType::Last)) {
                return None;
            }
        }
        match record_type {
            Some(RecordType::Full) => {
                self.abandon(fragment.offset, Reason::FullBeforeLast, sink);
                return Some(Found {
                    offset: fragment.offset,
                    end: fragment.end,
                    in_block: Some(fragment.payload.clone()),
                    searched: fragment.searched,
                });
            }
            Some(RecordType::First) => {
                self.abandon(fragment.offset, Reason::FirstBeforeLast, sink);
                self.partial = Some(fragment.offset);
                self.searched = false;
                self.extend(fragment);
            }
            Some(RecordType::Middle) if self.partial.is_some() => self.extend(fragment),
            Some(RecordType::Last) if self.partial.is_some() => {
                self.extend(fragment);
                return self.partial.take().map(|offset| Found {
                    offset,
                    end: fragment.end,
                    in_block: None,
                    searched: self.searched,
                });
            }
            Some(RecordType::Middle) => self.drop(fragment, Reason::MiddleWithoutFirst, sink),
            Some(RecordType::Last) => self.drop(fragment, Reason::LastWithoutFirst, sink),
            Some(RecordType::Zero) | None => {
                self.drop(fragment, Reason::UnknownRecordType(fragment.kind), sink);
            }
        }
        None
    }

    fn extend(&mut self, fragment: &Fragment) {
        self.searched |= fragment.searched;
        let payload = &self.fragments.blocks.block()[fragment.payload.clone()];
        self.scratch.extend_from_slice(payload);
    }

    /// Gives up the record that is being put together, because of another that begins at `end`.
    fn abandon(&mut self, end: u64, reason: Reason, sink: &mut Sink<'_>) {
        if self.scratch.is_empty() {
            if let Some(start) = self.partial.take() {
                let reporter = &mut self.fragments.reporter;
                reporter.passed_over(start..end, Cause::EmptyStart, sink);
            }
        } else {
            self.abandon_at_bad(end, reason, sink);
        }
    }

    /// Gives up the record that is being put together, be it without a byte so far.
    fn abandon_at_bad(&mut self, end: u64, reason: Reason, sink: &mut Sink<'_>) {
        if let Some(offset) = self.partial.take() {
            let dropped = Dropped {
                offset,
                end,
                bytes: self.scratch.len() as u64,
                reason,
            };
            self.scratch.clear();
            self.fragments.reporter.dropped(dropped, sink);
        }
    }

    /// Drops a fragment that has no place, and with it the record that is being put together.
    fn drop(&mut self, fragment: &Fragment, reason: Reason, sink: &mut Sink<'_>) {
        let dropped = Dropped {
            offset: self.partial.take().unwrap_or(fragment.offset),
            end: fragment.end,
            bytes: (self.scratch.len() + fragment.payload.len()) as u64,
            reason,
        };
        self.scratch.clear();
        self.fragments.reporter.dropped(dropped, sink);
    }

    /// Reports how the log ends, at offset `end`.
    fn finish(&mut self, tail: &Tail, end: u64, sink: &mut Sink<'_>) {
        self.finished = true;
        let reporter = &mut self.fragments.reporter;
        match (self.partial.take(), tail) {
            (Some(start), _) | (None, &Tail::Torn(start)) => {
                reporter.passed_over(start..end, Cause::TornTail, sink);
            }
            (None, &Tail::Zeros(start)) => reporter.zeros(start..end, sink),
            (None, Tail::Clean) => {}
        }
        reporter.settle(sink);
    }
}

impl<R: Read> Reader<R> {
    /// The next record, or `None` at the end of the log. What was dropped or passed over on the way
    /// to it is told to `report`, in LevelDB's order: the order of the file, except that a bad
    /// fragment comes before the record that it interrupts.
    ///
    /// The record is borrowed until the next call.
    ///
    /// # Errors
    ///
    /// What the source's `read` returns, except `Interrupted`, which is tried again. It has also
    /// been reported: [`Reason::ReadError`], with a whole block of bytes as LevelDB counts it
    /// (unless it came while skipping to the initial offset). After it there are no more records.
    pub fn read_record(
        &mut self,
        report: &mut impl FnMut(Report),
    ) -> io::Result<Option<Record<'_>>> {
        self.found = None;
        self.found = self.find_record(report)?;
        Ok(self.record())
    }

    fn find_record(&mut self, sink: &mut Sink<'_>) -> io::Result<Option<Found>> {
        self.scratch.clear();
        while !self.finished {
            let physical = self.fragments.next(sink).inspect_err(|_| {
                let end = self.fragments.blocks.offset();
                self.finish(&Tail::Clean, end, sink);
            })?;
            match physical {
                Physical::Fragment(fragment) => {
                    if let Some(found) = self.accept(&fragment, sink) {
                        return Ok(Some(found));
                    }
                }
                Physical::Bad { offset } => {
                    self.resyncing = false;
                    self.abandon_at_bad(offset, Reason::BadBeforeLast, sink);
                }
                Physical::End(tail) => {
                    let end = self.fragments.blocks.end_offset();
                    self.finish(&tail, end, sink);
                }
            }
        }
        Ok(None)
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("offset", &self.fragments.blocks.offset())
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

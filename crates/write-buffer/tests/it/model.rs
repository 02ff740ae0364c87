//! Arbitrary programs of writes, freezes, flushes and reads against a sorted map of versions.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, SequenceNumber, Tag, ValueType};
use strata_memtable::{ImmutableMemTable, Lookup, OwnedEntry};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    Flush, FlushError, FlushJob, Flushed, InternalCursor, LogAction, Snapshot, SnapshotCursor,
    StallCause, View, VisibleCursor, Wait, WriteBuffer, WriteBufferOptions, WriteError,
    WriteOptions,
};

use crate::cursors::{Bounds, LARGEST, Move, Owned, Walk, borrowed, number, owned};
use crate::memory_logs::MemoryLogs;
use crate::program::{End, Record, Step};
use crate::shelf::Shelf;
use crate::walks::{
    EVERYTHING, Kept, KeptCursor, Order, visible, walk_versions, walk_visible, within,
};

/// The smallest there can be, in bytes.
const SIZE: usize = 64 << 10;

/// What the model knows of a memtable.
#[derive(Debug)]
struct Table {
    number: u64,
    /// The last sequence number before its first.
    base: u64,
    entries: Vec<Tag>,
    /// Whether sequence numbers were given out for it, if only to be lost.
    is_touched: bool,
    has_giant: bool,
}

/// A flush that fails.
struct InVain;

impl Flush<Order> for InVain {
    fn flush(&mut self, _: &ImmutableMemTable<Order>, _: u64) -> Result<(), FlushError> {
        Err("in vain".into())
    }
}

struct Run {
    buffer: WriteBuffer<Order>,
    logs: Option<MemoryLogs>,
    max_write_buffers: usize,
    shelf: Shelf,
    /// All there are, flushed or not.
    versions: BTreeMap<(Vec<u8>, Reverse<Tag>), Vec<u8>>,
    last: u64,
    /// The oldest first.
    tables: Vec<Table>,
    created: u64,
    append_fails: bool,
    create_fails: bool,
    job: Option<FlushJob<Order>>,
    done: u64,
    failed: u64,
    last_error: Option<&'static str>,
    snapshots: Vec<(Snapshot, u64)>,
    views: Vec<(View<Order>, Vec<Owned>)>,
    cursors: Vec<Kept>,
}

fn of_lookup(found: Lookup<'_>) -> Option<Option<Vec<u8>>> {
    match found {
        Lookup::Absent => None,
        found => Some(found.value().map(<[u8]>::to_vec)),
    }
}

fn of_entry(found: Option<&OwnedEntry<Order>>) -> Option<Owned> {
    let entry = found?.entry();
    Some((
        entry.user_key().to_vec(),
        entry.tag(),
        entry.value().to_vec(),
    ))
}

/// Which of so many is meant.
fn pick(which: usize, many: usize) -> Option<usize> {
    which.checked_rem(many)
}

impl Run {
    fn new(is_logged: bool, max_write_buffers: usize) -> Self {
        let options = WriteBufferOptions {
            write_buffer_size: SIZE,
            max_write_buffers,
            ..WriteBufferOptions::default()
        };
        let logs = is_logged.then(MemoryLogs::default);
        let mut run = Self {
            buffer: match &logs {
                Some(logs) => logs.buffer(options),
                None => WriteBuffer::new(BytewiseComparator, options),
            },
            logs,
            max_write_buffers,
            shelf: Shelf::default(),
            versions: BTreeMap::new(),
            last: 0,
            tables: Vec::new(),
            created: 0,
            append_fails: false,
            create_fails: false,
            job: None,
            done: 0,
            failed: 0,
            last_error: None,
            snapshots: Vec::new(),
            views: Vec::new(),
            cursors: Vec::new(),
        };
        run.add_table();
        run
    }

    fn add_table(&mut self) {
        self.created += 1;
        self.tables.push(Table {
            // As the logs are numbered, or without logs one after the other.
            number: self.created * if self.logs.is_some() { 3 } else { 1 },
            base: self.last,
            entries: Vec::new(),
            is_touched: false,
            has_giant: false,
        });
    }

    fn active(&mut self) -> &mut Table {
        self.tables.last_mut().unwrap()
    }

    /// What a rotation comes to; if that is nothing, there is another table.
    fn rotate(&mut self) -> Option<Refusal> {
        if self.tables.len() + 1 > self.max_write_buffers && self.tables.len() > 1 {
            return Some(Refusal::Full(self.tables[0].number));
        }
        if std::mem::take(&mut self.create_fails) {
            return Some(Refusal::Create);
        }
        self.add_table();
        None
    }

    /// What becomes of a write, by the model.
    fn model_write(&mut self, batch: &WriteBatch, bytes: usize, sync: bool) -> Option<Refusal> {
        let is_logged = self.logs.is_some();
        let count = u64::from(batch.count());
        if count == 0 && !(sync && is_logged) {
            return None;
        }
        let taken = self.buffer.memtables()[0].memory.reserved_bytes;
        let is_giant = bytes + 10 * batch.count() as usize > SIZE;
        let active = self.active();
        if active.is_touched && (taken > SIZE || is_giant || active.has_giant) {
            let refusal = self.rotate();
            if refusal.is_some() {
                return refusal;
            }
        }
        let first = self.last + 1;
        self.last += count;
        let active = self.active();
        active.is_touched |= count > 0;
        active.has_giant |= is_giant;
        if count > 0 && std::mem::take(&mut self.append_fails) {
            return Some(Refusal::Append);
        }
        for (sequence, operation) in (first..).zip(batch.operations()) {
            let operation = operation.unwrap();
            let tag = Tag::new(number(sequence), operation.value_type());
            self.active().entries.push(tag);
            let key = (operation.user_key().to_vec(), Reverse(tag));
            self.versions.insert(key, operation.value().to_vec());
        }
        None
    }

    fn write(&mut self, records: &[Record], sync: bool, as_batch: bool) {
        let mut batch = WriteBatch::new();
        for (i, (user_key, value)) in records.iter().enumerate() {
            match value {
                None => batch.delete(user_key).unwrap(),
                Some(bytes) => {
                    // None is like another.
                    let mark = self.last + i as u64;
                    let value: Vec<_> = mark
                        .to_le_bytes()
                        .into_iter()
                        .cycle()
                        .take(*bytes)
                        .collect();
                    batch.put(user_key, &value).unwrap();
                }
            }
        }
        let options = WriteOptions {
            sync,
            wait: Wait::Never,
        };
        let refusal = self.model_write(&batch, batch.approximate_size(), sync);
        let written = match &batch.operations().next() {
            // These wait for ever; and what is to be refused is not given to them.
            Some(Ok(only)) if !as_batch && refusal.is_none() => match only.value_type() {
                ValueType::Value => self.buffer.put(only.user_key(), only.value()),
                ValueType::Deletion => self.buffer.delete(only.user_key()),
            },
            _ => self.buffer.write_with(&batch, options),
        };
        match refusal {
            None => assert_eq!(written.unwrap().get(), self.last),
            Some(refusal) => refusal.check(&written.unwrap_err()),
        }
    }

    fn freeze(&mut self) {
        let number = self.active().number;
        let refusal = match self.active().is_touched {
            false => None,
            true => self.rotate(),
        };
        let frozen = self.buffer.freeze(Wait::Never);
        match refusal {
            None => {
                let expected = (self.active().number != number).then_some(number);
                assert_eq!(frozen.unwrap(), expected);
            }
            Some(refusal) => refusal.check(&frozen.unwrap_err()),
        }
    }

    fn may_flush(&self) -> bool {
        self.job.is_none() && self.tables.len() > 1
    }

    fn flushed(&mut self, flushed: Flushed) {
        let table = self.tables.remove(0);
        let expected = Flushed {
            log_number: table.number,
            entries: table.entries.len() as u64,
            logs_before: self.tables[0].number,
        };
        assert_eq!(flushed, expected);
        self.done += 1;
        self.last_error = None;
    }

    fn failed(&mut self) {
        self.failed += 1;
        self.last_error = Some("in vain");
    }

    fn begin_flush(&mut self) {
        let may = self.may_flush();
        let job = self.buffer.begin_flush();
        assert_eq!(job.is_some(), may);
        if let Some(job) = job {
            let tags: Vec<_> = job.memtable().iter().map(|entry| entry.tag()).collect();
            assert_eq!(job.log_number(), self.tables[0].number);
            assert_eq!(tags.len(), self.tables[0].entries.len());
            assert!(tags.iter().all(|tag| self.tables[0].entries.contains(tag)));
            self.job = Some(job);
        }
    }

    fn end_flush(&mut self, end: End) {
        let Some(job) = self.job.take() else { return };
        match end {
            End::Finish => {
                let mut shelf = self.shelf.clone();
                shelf.flush(job.memtable(), job.log_number()).unwrap();
                self.flushed(job.finish());
            }
            End::Fail => {
                job.fail(&"in vain");
                self.failed();
            }
            End::Drop => drop(job),
        }
    }

    /// A sequence number from none to some more than there are.
    fn scaled(&self, moment: u64) -> u64 {
        match moment {
            LARGEST => SequenceNumber::MAX.get(),
            moment => moment * (self.last + 3) / LARGEST,
        }
    }

    /// Every version after `base` and up to `snapshot`.
    fn seen(&self, base: u64, snapshot: u64) -> Vec<Owned> {
        let versions = self.versions.iter();
        let versions =
            versions.map(|((key, Reverse(tag)), value)| (key.clone(), *tag, value.clone()));
        let is_seen = |version: &Owned| {
            let sequence = version.1.sequence().get();
            base < sequence && sequence <= snapshot
        };
        versions.filter(is_seen).collect()
    }

    fn keep_view(&mut self, moment: u64) {
        let snapshot = self.scaled(moment);
        let view = self.buffer.view_at(number(snapshot));
        assert_eq!(view.snapshot().get(), snapshot.min(self.last));
        let entries = self.seen(self.tables[0].base, view.snapshot().get());
        self.views.push((view, entries));
    }

    fn read_view(&self, which: usize) {
        let Some(i) = pick(which, self.views.len()) else {
            return;
        };
        let (view, entries) = &self.views[i];
        let mut cursor = view.internal_cursor(..);
        let Ok(()) = cursor.seek_to_first();
        for entry in entries {
            assert_eq!(owned(cursor.entry()).as_ref(), Some(entry));
            let Ok(()) = cursor.next();
        }
        assert_eq!(cursor.entry(), None);
        let mut keys: Vec<_> = self.versions.keys().map(|(key, _)| key.clone()).collect();
        keys.dedup();
        let many = view.get_many(&keys);
        for (key, found) in keys.iter().zip(many) {
            let newest = entries.iter().find(|entry| entry.0 == *key);
            let expected = newest.map(|(_, tag, value)| {
                (tag.value_type() == ValueType::Value).then(|| value.clone())
            });
            assert_eq!(of_lookup(found), expected);
            assert_eq!(view.get(key), found);
        }
    }

    fn keep_cursor(&mut self, which: usize, is_visible: bool, bounds: &Bounds) {
        let Some(i) = pick(which, self.views.len()) else {
            return;
        };
        let (view, entries) = &self.views[i];
        let entries = within(entries.clone(), bounds);
        self.cursors.truncate(5);
        self.cursors.insert(
            0,
            match is_visible {
                true => Kept {
                    cursor: KeptCursor::Visible(view.cursor(borrowed(bounds))),
                    entries: visible(entries),
                    at: None,
                },
                false => Kept {
                    cursor: KeptCursor::Internal(view.internal_cursor(borrowed(bounds))),
                    entries,
                    at: None,
                },
            },
        );
    }

    fn make_moves(&mut self, which: usize, moves: &[Move]) {
        let Some(i) = pick(which, self.cursors.len()) else {
            return;
        };
        let Kept {
            cursor,
            entries,
            at,
        } = &mut self.cursors[i];
        for step in moves {
            match cursor {
                KeptCursor::Visible(cursor) => walk_visible(cursor, entries, at, step),
                KeptCursor::Internal(cursor) => walk_versions(cursor, entries, at, step),
            }
        }
    }

    /// What of the write buffer only, and what with all that was flushed, is found.
    fn get(&self, keys: &[Vec<u8>], moment: u64) {
        let snapshot = self.scaled(moment);
        let base = self.tables[0].base;
        let (here, all) = (self.seen(base, snapshot), self.seen(0, snapshot));
        let many = self.buffer.multi_get(keys, number(snapshot));
        assert_eq!(many.len(), keys.len());
        for (key, among_many) in keys.iter().zip(&many) {
            let newest = here.iter().find(|entry| entry.0 == *key).cloned();
            assert_eq!(of_entry(among_many.as_ref()), newest);
            let found = self.buffer.get(key, number(snapshot));
            assert_eq!(of_entry(found.as_ref()), newest);
            let newest_of_all = all.iter().find(|entry| entry.0 == *key);
            let value = match found {
                None => self.shelf.get(key, number(snapshot)),
                Some(found) => {
                    (!found.entry().is_tombstone()).then(|| found.entry().value().to_vec())
                }
            };
            let expected = newest_of_all.filter(|(_, tag, _)| tag.value_type() == ValueType::Value);
            assert_eq!(value.as_ref(), expected.map(|(_, _, value)| value));
        }
    }

    /// A walk over the write buffer and all that was flushed.
    fn walk(&self, walk: &Walk) {
        let view = self.buffer.view_at(number(self.scaled(walk.snapshot)));
        let (snapshot, bounds) = (view.snapshot(), borrowed(&walk.bounds));
        let entries = within(self.seen(0, snapshot.get()), &walk.bounds);
        let source = self.shelf.merged(&view);
        let mut cursor = SnapshotCursor::new(BytewiseComparator, source, snapshot, bounds);
        let mut at = None;
        for step in &walk.moves {
            walk_versions(&mut cursor, &entries, &mut at, step);
        }
        let entries = visible(entries);
        let source = self.shelf.merged(&view);
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, snapshot, bounds);
        let mut at = None;
        for step in &walk.moves {
            walk_visible(&mut cursor, &entries, &mut at, step);
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Write(records, sync) => self.write(records, *sync, true),
            Step::Put(record) => self.write(std::slice::from_ref(record), false, false),
            Step::Freeze => self.freeze(),
            Step::Flush => {
                let may = self.may_flush();
                let flushed = self.buffer.flush_oldest(&mut self.shelf.clone()).unwrap();
                assert_eq!(flushed.is_some(), may);
                flushed
                    .into_iter()
                    .for_each(|flushed| self.flushed(flushed));
            }
            Step::FlushInVain => {
                let flushed = self.buffer.flush_oldest(&mut InVain);
                assert_eq!(flushed.is_err(), self.may_flush());
                flushed.unwrap_or_else(|_| {
                    self.failed();
                    None
                });
            }
            Step::BeginFlush => self.begin_flush(),
            Step::EndFlush(end) => self.end_flush(*end),
            Step::Snapshot => self.snapshots.push((self.buffer.snapshot(), self.last)),
            Step::CloneSnapshot(which) => {
                let of = pick(*which, self.snapshots.len());
                let cloned = of.map(|i| self.snapshots[i].clone());
                self.snapshots.extend(cloned);
            }
            Step::DropSnapshot(which) => {
                let of = pick(*which, self.snapshots.len());
                of.map(|i| self.snapshots.swap_remove(i));
            }
            Step::KeepView(moment) => self.keep_view(*moment),
            Step::ReadView(which) => self.read_view(*which),
            Step::DropView(which) => {
                let of = pick(*which, self.views.len());
                of.map(|i| self.views.swap_remove(i));
            }
            Step::KeepCursor(which, is_visible, bounds) => {
                self.keep_cursor(*which, *is_visible, bounds);
            }
            Step::Move(which, moves) => self.make_moves(*which, moves),
            Step::Get(keys, moment) => self.get(keys, *moment),
            Step::Walk(walk) => self.walk(walk),
            Step::FailAppend => self.fail(false),
            Step::FailCreate => self.fail(true),
        }
    }

    fn fail(&mut self, create: bool) {
        let Some(logs) = &self.logs else { return };
        if create && !self.create_fails {
            logs.fail_create();
            self.create_fails = true;
        } else if !create && !self.append_fails {
            logs.fail_append();
            self.append_fails = true;
        }
    }

    /// What the write buffer says of itself is as the model has it.
    fn check(&self) {
        let buffer = &self.buffer;
        assert_eq!(buffer.last_sequence().get(), self.last);
        let oldest = self.snapshots.iter().map(|(_, sequence)| *sequence).min();
        assert_eq!(buffer.oldest_snapshot().map(SequenceNumber::get), oldest);
        for (snapshot, sequence) in &self.snapshots {
            assert_eq!(snapshot.sequence().get(), *sequence);
        }
        assert_eq!(buffer.oldest_log(), self.tables[0].number);
        let found = buffer.memtables();
        assert_eq!(found.len(), self.tables.len());
        for (found, table) in found.iter().zip(self.tables.iter().rev()) {
            assert_eq!(found.log_number, table.number);
            assert_eq!(found.entries, table.entries.len() as u64);
            let tombstones = table
                .entries
                .iter()
                .filter(|tag| tag.value_type().is_tombstone());
            assert_eq!(found.tombstones, tombstones.count() as u64);
            let numbers = table.entries.first().zip(table.entries.last());
            let numbers = numbers.map(|(first, last)| (first.sequence(), last.sequence()));
            assert_eq!(found.sequences, numbers);
        }
        let counts = buffer.flushes();
        assert_eq!((counts.done, counts.failed), (self.done, self.failed));
        assert_eq!(counts.last_error.as_deref(), self.last_error);
    }

    /// Everything is there, flushed or not, and in the logs what is not.
    fn end(mut self) {
        self.walk(&Walk {
            snapshot: LARGEST,
            bounds: EVERYTHING,
            moves: std::iter::once(Move::SeekToFirst)
                .chain(vec![Move::Next; self.versions.len()])
                .collect(),
        });
        (0..self.views.len()).for_each(|i| self.read_view(i));
        if let Some(logs) = &self.logs {
            let logged: Vec<_> = logs.replayed().into_values().collect();
            let mut written = self.seen(0, self.last);
            written.sort_by_key(|version| version.1);
            assert_eq!(logged, written);
        }
        self.snapshots.clear();
        assert_eq!(self.buffer.oldest_snapshot(), None);
    }
}

/// Why something is refused.
#[derive(Debug)]
enum Refusal {
    Full(u64),
    Create,
    Append,
}

impl Refusal {
    fn check(&self, error: &WriteError) {
        let is_it = match (self, error) {
            (Self::Full(number), WriteError::WouldBlock(StallCause::BuffersFull { oldest })) => {
                oldest == number
            }
            (Self::Create, WriteError::Log { action, .. }) => *action == LogAction::Create,
            (Self::Append, WriteError::Log { action, .. }) => *action == LogAction::Append,
            _ => false,
        };
        assert!(is_it, "{error:?} instead of {self:?}");
    }
}

fn any_program(is_logged: bool, steps: &[Step]) {
    let mut run = Run::new(is_logged, 2 + steps.len() % 4);
    for step in steps {
        run.take(step);
        run.check();
    }
    run.end();
}

#[test]
fn any_program_without_logs_is_that_of_a_sorted_map() {
    fn property(steps: Vec<Step>) {
        any_program(false, &steps);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(500, 41))
        .tests(60)
        .quickcheck(property as fn(Vec<Step>));
}

#[test]
fn any_program_with_logs_is_that_of_a_sorted_map() {
    fn property(steps: Vec<Step>) {
        any_program(true, &steps);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(500, 42))
        .tests(60)
        .quickcheck(property as fn(Vec<Step>));
}

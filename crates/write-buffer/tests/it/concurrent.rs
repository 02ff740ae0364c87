//! Threads that write, read, freeze and flush at once, and check each other.

use std::cmp::Reverse;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, yield_now};
use std::time::Duration;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::{ImmutableMemTable, Lookup};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    Flush, FlushError, InternalCursor, View, VisibleCursor, Wait, WriteBuffer, WriteBufferOptions,
    WriteOptions,
};

use crate::cursors::{Owned, owned};
use crate::logged::pauses;
use crate::memory_logs::MemoryLogs;
use crate::shelf::Shelf;

type Buffer = WriteBuffer<BytewiseComparator>;

/// A flush that fails when it is told to.
struct Fails;

impl Flush<BytewiseComparator> for Fails {
    fn flush(
        &mut self,
        _: &ImmutableMemTable<BytewiseComparator>,
        _: u64,
    ) -> Result<(), FlushError> {
        Err("it was told to fail".into())
    }
}

pub(crate) const WRITERS: usize = 3;
/// How many records a batch has.
const TOGETHER: usize = 5;
/// What a writer's two accounts hold together.
const SUM: usize = 1_000_000;

pub(crate) fn key(what: &str, writer: usize) -> Vec<u8> {
    format!("{what}{writer}").into_bytes()
}

pub(crate) fn read(value: &[u8]) -> usize {
    std::str::from_utf8(value)
        .unwrap()
        .trim_end()
        .parse()
        .unwrap()
}

/// The `round`th batch of a writer: one and the same number under two keys, two accounts that have
/// the same sum as ever, and a key that is there after every other batch. It takes `bytes` more.
pub(crate) fn batch(writer: usize, round: usize, bytes: usize) -> WriteBatch {
    let mut batch = WriteBatch::new();
    let value = |number: usize| format!("{number}{:bytes$}", "").into_bytes();
    batch.put(&key("left", writer), &value(round)).unwrap();
    batch
        .put(&key("debit", writer), &value(SUM - round))
        .unwrap();
    match round % 2 {
        0 => batch.delete(&key("odd", writer)).unwrap(),
        _ => batch.put(&key("odd", writer), &value(round)).unwrap(),
    }
    batch.put(&key("credit", writer), &value(round)).unwrap();
    batch.put(&key("right", writer), &value(round)).unwrap();
    batch
}

pub(crate) fn index(sequence: SequenceNumber) -> usize {
    usize::try_from(sequence.get()).unwrap()
}

/// The keys in the order of a walk.
pub(crate) const KEYS: [&str; 5] = ["credit", "debit", "left", "odd", "right"];

/// What a moment shows of a writer, in the order of the keys; it must be the whole of a batch, and
/// none before `least`. Says which.
#[track_caller]
pub(crate) fn check_moment(found: &[Option<usize>], least: usize) -> usize {
    let Some(round) = found[0] else {
        assert_eq!((found, least), (&[None; 5][..], 0));
        return 0;
    };
    let odd = (round % 2 == 1).then_some(round);
    let whole = [
        Some(round),
        Some(SUM - round),
        Some(round),
        odd,
        Some(round),
    ];
    assert_eq!(found, whole, "a part of a batch");
    assert!(round >= least, "{round} is before {least}");
    round
}

/// What is found of each writer, by way of `get`.
fn look_up(mut get: impl FnMut(&[u8]) -> Option<usize>) -> Vec<Vec<Option<usize>>> {
    let of = |writer| KEYS.iter().map(|what| get(&key(what, writer))).collect();
    (0..WRITERS).map(of).collect()
}

/// The entries as a walk shows them, sorted into writers.
fn sort(entries: Vec<Owned>) -> Vec<Vec<Option<usize>>> {
    let mut left = entries.into_iter().peekable();
    let mut found = vec![vec![None; KEYS.len()]; WRITERS];
    for (what, name) in KEYS.iter().enumerate() {
        for (writer, found) in found.iter_mut().enumerate() {
            if let Some((_, _, value)) = left.next_if(|entry| entry.0 == key(name, writer)) {
                found[what] = Some(read(&value));
            }
        }
    }
    assert_eq!(left.next(), None, "in this order");
    found
}

/// A reader, which knows what it has seen.
struct Reader<'a> {
    buffer: &'a Buffer,
    shelf: &'a Shelf,
    seen: SequenceNumber,
    rounds: [usize; WRITERS],
}

impl<'a> Reader<'a> {
    fn new(buffer: &'a Buffer, shelf: &'a Shelf) -> Self {
        Self {
            buffer,
            shelf,
            seen: SequenceNumber::ZERO,
            rounds: [0; WRITERS],
        }
    }

    fn check(&mut self, found: &[Vec<Option<usize>>]) {
        for (found, least) in found.iter().zip(&mut self.rounds) {
            *least = check_moment(found, *least);
        }
        // Everything was written by them, and nothing else.
        assert_eq!(
            index(self.seen),
            self.rounds.iter().sum::<usize>() * TOGETHER
        );
    }

    fn view(&mut self) -> View<BytewiseComparator> {
        let view = self.buffer.view();
        assert!(view.snapshot() >= self.seen, "less than before");
        self.seen = view.snapshot();
        view
    }

    fn gets(&mut self) {
        let view = self.view();
        let found = look_up(|key| match view.get(key) {
            Lookup::Absent => self
                .shelf
                .get(key, view.snapshot())
                .map(|value| read(&value)),
            found => found.value().map(read),
        });
        self.check(&found);
    }

    fn multi_gets(&mut self) {
        let view = self.view();
        let keys: Vec<_> = (0..WRITERS)
            .flat_map(|writer| KEYS.map(|what| key(what, writer)))
            .collect();
        let (many, owned) = (
            view.get_many(&keys),
            self.buffer.multi_get(&keys, view.snapshot()),
        );
        for found in owned.iter().flatten() {
            assert!(found.entry().sequence() <= view.snapshot());
        }
        let mut all = keys.iter().zip(many.into_iter().zip(owned));
        let found = look_up(|wanted| {
            let (key, (lookup, owned)) = all.next().unwrap();
            assert_eq!(key, wanted);
            let flushed = || {
                self.shelf
                    .get(key, view.snapshot())
                    .map(|value| read(&value))
            };
            let owned = match owned {
                None => flushed(),
                Some(entry) if entry.entry().is_tombstone() => None,
                Some(entry) => Some(read(entry.entry().value())),
            };
            let seen = match lookup {
                Lookup::Absent => flushed(),
                found => found.value().map(read),
            };
            assert_eq!(seen, owned);
            if let Some(newest) = self.buffer.get(key, SequenceNumber::MAX) {
                assert!(newest.entry().sequence() <= self.buffer.last_sequence());
            }
            seen
        });
        self.check(&found);
    }

    fn walks(&mut self, forward: bool) {
        let view = self.view();
        let source = self.shelf.merged(&view);
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, view.snapshot(), ..);
        let mut entries = Vec::new();
        let Ok(()) = if forward {
            cursor.seek_to_first()
        } else {
            cursor.seek_to_last()
        };
        while let Some(entry) = owned(cursor.entry()) {
            assert!(entry.1.sequence() <= view.snapshot());
            entries.push(entry);
            let Ok(()) = if forward {
                cursor.next()
            } else {
                cursor.prev()
            };
        }
        if !forward {
            entries.reverse();
        }
        self.check(&sort(entries));
    }

    /// Of all versions each is there once, up to the view's sequence number, and none beyond.
    fn walks_versions(&mut self, forward: bool) {
        let view = self.view();
        let mut cursor = self.shelf.merged(&view);
        let mut is_there = vec![false; index(view.snapshot())];
        let mut before: Option<Owned> = None;
        let Ok(()) = if forward {
            cursor.seek_to_first()
        } else {
            cursor.seek_to_last()
        };
        while let Some(entry) = owned(cursor.entry()) {
            let place = index(entry.1.sequence()) - 1;
            // What was flushed since the view was made may be newer than it.
            if let Some(is_there) = is_there.get_mut(place) {
                assert!(!std::mem::replace(is_there, true), "{} twice", place + 1);
            }
            if let Some(before) = before {
                let (first, second) = if forward {
                    (&before, &entry)
                } else {
                    (&entry, &before)
                };
                assert!((&first.0, Reverse(first.1)) < (&second.0, Reverse(second.1)));
            }
            before = Some(entry);
            let Ok(()) = if forward {
                cursor.next()
            } else {
                cursor.prev()
            };
        }
        assert_eq!(is_there.iter().position(|is_there| !is_there), None);
    }
}

pub(crate) fn small() -> WriteBufferOptions {
    WriteBufferOptions {
        write_buffer_size: 64 << 10,
        max_write_buffers: 4,
        ..WriteBufferOptions::default()
    }
}

fn write(buffer: &Buffer, shelf: &Shelf, writer: usize, rounds: usize) {
    for round in 1..=rounds {
        // Every third is large, so that memtables fill up.
        let bytes = if round % 3 == 0 { 60 } else { 0 };
        let options = WriteOptions {
            sync: round % 7 == 0,
            wait: Wait::Forever,
        };
        let last = buffer
            .write_with(&batch(writer, round, bytes), options)
            .unwrap();
        let view = buffer.view();
        assert!(view.snapshot() >= last);
        let own = key("left", writer);
        let found = match view.get(&own) {
            Lookup::Absent => shelf.get(&own, view.snapshot()),
            found => found.value().map(<[u8]>::to_vec),
        };
        assert_eq!(
            found.map(|value| read(&value)),
            Some(round),
            "its own write"
        );
    }
}

/// Freezes, and flushes now well and now not, until `is_over`. Says how many were flushed.
fn disturb(buffer: &Buffer, shelf: &Shelf, is_over: impl Fn() -> bool) -> usize {
    let mut kept = Vec::new();
    let mut flushed = 0;
    for turn in 0_usize.. {
        if is_over() {
            break;
        }
        match turn % 5 {
            0 => {
                let _ = buffer.freeze(Wait::Never);
            }
            1 => drop(buffer.begin_flush()),
            2 => {
                let _ = buffer.flush_oldest(&mut Fails);
            }
            3 => kept.push(buffer.view()),
            _ => {
                flushed += usize::from(buffer.flush_oldest(&mut shelf.clone()).unwrap().is_some());
            }
        }
        if kept.len() > 8 {
            kept.clear();
        }
        yield_now();
    }
    flushed
}

/// Runs a test that would hang rather than fail if somebody were forgotten.
pub(crate) fn must_end(test: impl FnOnce() + Send + 'static) {
    let (sender, over) = mpsc::channel::<()>();
    let test = thread::spawn(move || {
        let _dropped_at_the_end = sender;
        test();
    });
    let waited = over.recv_timeout(Duration::from_secs(100));
    assert_ne!(
        waited,
        Err(RecvTimeoutError::Timeout),
        "somebody waits for ever"
    );
    if let Err(panic) = test.join() {
        resume_unwind(panic);
    }
}

fn check_each_other(buffer: &Buffer, rounds: usize) {
    let shelf = &Shelf::default();
    // Each writer has a clone until it ends, however that is.
    let running = &Arc::new(());
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let running = Arc::clone(running);
            scope.spawn(move || {
                let _running = running;
                write(buffer, shelf, writer, rounds);
            });
        }
        let is_over = move || Arc::strong_count(running) == 1;
        let reader = scope.spawn(move || {
            let mut reader = Reader::new(buffer, shelf);
            for turn in 0.. {
                if is_over() && turn >= 64 {
                    break;
                }
                match turn % 8 {
                    0 | 5 => reader.gets(),
                    1 | 4 => reader.multi_gets(),
                    2 => reader.walks(true),
                    3 => reader.walks(false),
                    _ if turn % 64 == 6 => reader.walks_versions(true),
                    _ if turn % 64 == 39 => reader.walks_versions(false),
                    _ => reader.gets(),
                }
            }
        });
        let flushed = disturb(buffer, shelf, || is_over() && reader.is_finished());
        assert!(flushed > 3, "{flushed} were flushed");
    });
    let mut reader = Reader::new(buffer, shelf);
    reader.rounds = [rounds; WRITERS];
    reader.gets();
    reader.walks_versions(true);
    assert_eq!(index(buffer.last_sequence()), WRITERS * rounds * TOGETHER);
}

#[test]
fn no_part_of_a_batch_is_ever_seen() {
    must_end(|| check_each_other(&WriteBuffer::new(BytewiseComparator, small()), 700));
}

#[test]
fn no_part_of_a_batch_is_ever_seen_with_a_log() {
    must_end(|| {
        let logs = MemoryLogs::default();
        let buffer = logs.buffer(small());
        let rounds = 1000;
        check_each_other(&buffer, rounds);
        assert_eq!(logs.replayed().len(), WRITERS * rounds * TOGETHER);
    });
}

/// All versions there are, by sequence number.
fn versions(view: &View<BytewiseComparator>) -> Vec<Owned> {
    let mut cursor = view.internal_cursor(..);
    let Ok(()) = cursor.seek_to_first();
    let mut versions = Vec::new();
    while let Some(entry) = owned(cursor.entry()) {
        versions.push(entry);
        let Ok(()) = cursor.next();
    }
    versions.sort_by_key(|version| version.1);
    versions
}

/// Two at least must wait behind a third for a group, so there is a third.
#[test]
fn two_writers_with_a_log_group() {
    let logs = MemoryLogs::default();
    let options = WriteBufferOptions {
        max_write_buffers: 1000,
        ..WriteBufferOptions::default()
    };
    let buffer = logs.buffer(options);
    let mut written = 0;
    for pause in pauses() {
        logs.hold();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let buffer = &buffer;
                scope.spawn(move || {
                    for round in 0..200 {
                        buffer.write(&batch(writer, round, 0)).unwrap();
                    }
                });
            }
            // Time for the others to queue up behind the first.
            logs.wait_until_held();
            thread::sleep(pause);
            logs.release();
            buffer.freeze(Wait::Never).unwrap();
        });
        written += WRITERS * 200;
        if logs
            .record_counts()
            .iter()
            .any(|&count| count as usize > TOGETHER)
        {
            break;
        }
    }
    let counts = logs.record_counts();
    assert!(counts.len() < written, "none was grouped");
    assert_eq!(
        counts.iter().map(|&count| count as usize).sum::<usize>(),
        written * TOGETHER
    );
    let replayed: Vec<_> = logs.replayed().into_values().collect();
    assert_eq!(replayed.len(), written * TOGETHER);
    assert!(
        replayed == versions(&buffer.view()),
        "what is visible is what is in the log"
    );
}

/// Of one key there is a version for each sequence number, and most are in a memtable of their own:
/// what a view sees must not be in one that it hasn't.
#[test]
fn a_view_has_the_memtables_of_what_it_sees() {
    let options = WriteBufferOptions {
        max_write_buffers: 1_000_000,
        ..WriteBufferOptions::default()
    };
    let buffer = &WriteBuffer::new(BytewiseComparator, options);
    let read_all = move || {
        let mut seen = 0;
        while seen < VERSIONS {
            let view = buffer.view();
            seen = index(view.snapshot());
            if seen > 0 {
                assert_eq!(view.get(b"key").value().map(read), Some(seen));
                let newest = buffer.get(b"key", SequenceNumber::MAX).unwrap();
                assert!(newest.entry().sequence() >= view.snapshot());
            }
        }
    };
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(read_all)));
        for version in 1..=VERSIONS {
            buffer.put(b"key", version.to_string().as_bytes()).unwrap();
            buffer.freeze(Wait::Never).unwrap();
        }
    });
}

const VERSIONS: usize = 2000;

#[test]
fn nothing_is_lost_between_memtables() {
    must_end(write_between_memtables);
}

fn write_between_memtables() {
    let options = WriteBufferOptions {
        max_write_buffers: 1_000_000,
        ..WriteBufferOptions::default()
    };
    let buffer = WriteBuffer::new(BytewiseComparator, options);
    let mut written: Vec<(usize, Vec<u8>)> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let buffer = &buffer;
                scope.spawn(move || {
                    let write = |round| {
                        let key = format!("{writer}-{round}").into_bytes();
                        (index(buffer.put(&key, &key).unwrap()), key)
                    };
                    (0..20_000).map(write).collect::<Vec<_>>()
                })
            })
            .collect();
        // Not without end: each copies the list of those before.
        let mut frozen = 0;
        while frozen < 1500 && writers.iter().any(|writer| !writer.is_finished()) {
            frozen += usize::from(buffer.freeze(Wait::Never).unwrap().is_some());
            yield_now();
        }
        let written = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap());
        written.collect()
    });
    written.sort();
    let view = buffer.view();
    let memtables: Vec<_> = view.memtables().collect();
    let mut found = Vec::new();
    for (_, memtable) in memtables.iter().rev() {
        let first = found.len();
        let entries = memtable.iter();
        found.extend(entries.map(|entry| (index(entry.sequence()), entry.user_key().to_vec())));
        // So each has a range of its own, and the older has the smaller.
        found[first..].sort();
    }
    assert!(found == written, "each is in one, where its number belongs");
    let numbers = found.iter().map(|(sequence, _)| *sequence);
    assert!(numbers.eq(1..=WRITERS * 20_000), "without a gap");
    assert!(memtables.is_sorted_by(|newer, older| newer.0 > older.0));
    assert!(memtables.len() > 10, "only {} memtables", memtables.len());
}

//! Cursors at an old snapshot while a writer adds newer versions and keys beneath them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::thread;

use strata_dbformat::{BytewiseComparator, Tag, ValueType};
use strata_memtable::{MemTable, MemTableReader};
use strata_write_buffer::{InternalCursor, MergingCursor, SnapshotCursor, VisibleCursor};

use crate::cursors::{Owned, number, owned};

/// A small generator, so that walks differ and come again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

const KEYS: u64 = 200;
/// The entries there are before the walks begin; the snapshot sees these.
const OLD: u64 = 1200;
const NEW: u64 = 120_000;

fn key(i: u64) -> Vec<u8> {
    format!("key{i:04}").into_bytes()
}

type Memtable = MemTable<BytewiseComparator>;

/// Half of the old entries in a frozen memtable, half in one that is still written to, and all of
/// them in a model.
fn old_entries() -> (Memtable, Memtable, Vec<Owned>) {
    let (frozen, active) = (
        MemTable::new(BytewiseComparator),
        MemTable::new(BytewiseComparator),
    );
    let mut random = Random(7);
    let mut entries = BTreeMap::new();
    for sequence in 1..=OLD {
        // New keys will come between these.
        let key = key(random.below(KEYS) * 2);
        let memtable = match sequence <= OLD / 2 {
            true => &frozen,
            false => &active,
        };
        let tombstone = random.below(4) == 0;
        let (value_type, value) = match tombstone {
            true => (ValueType::Deletion, Vec::new()),
            false => (ValueType::Value, sequence.to_string().into_bytes()),
        };
        memtable
            .add(number(sequence), value_type, &key, &value)
            .unwrap();
        let tag = Tag::new(number(sequence), value_type);
        entries.insert((key, Reverse(tag)), value);
    }
    let entries = entries.into_iter();
    let entries = entries.map(|((key, Reverse(tag)), value)| (key, tag, value));
    (frozen, active, entries.collect())
}

fn write(memtable: &Memtable) {
    let mut random = Random(11);
    for sequence in OLD + 1..=OLD + NEW {
        // One key gets most of the versions; half of the others are new.
        let key = match random.below(3) {
            0 => key(KEYS),
            _ => key(random.below(2 * KEYS)),
        };
        let value_type = match random.below(4) {
            0 => ValueType::Deletion,
            _ => ValueType::Value,
        };
        memtable
            .add(number(sequence), value_type, &key, b"new")
            .unwrap();
    }
}

fn merged(
    frozen: &Memtable,
    active: &MemTableReader<BytewiseComparator>,
) -> impl InternalCursor<Error = Infallible> + Send + use<> {
    let sources = vec![active.owned_cursor(), frozen.reader().owned_cursor()];
    MergingCursor::new(BytewiseComparator, sources)
}

/// One seek and some steps to and fro, each checked.
fn walk_visible<S>(
    cursor: &mut VisibleCursor<S, BytewiseComparator>,
    model: &[Owned],
    random: &mut Random,
) where
    S: InternalCursor<Error = Infallible>,
{
    let sought = key(random.below(2 * KEYS));
    let (Ok(()), mut at) = match random.below(4) {
        0 => (cursor.seek_to_first(), Some(0)),
        1 => (cursor.seek_to_last(), model.len().checked_sub(1)),
        2 => (
            cursor.seek(&sought),
            Some(model.partition_point(|entry| entry.0 < sought)),
        ),
        _ => {
            let after = model.partition_point(|entry| entry.0 <= sought);
            (cursor.seek_for_prev(&sought), after.checked_sub(1))
        }
    };
    let mostly_forward = random.below(2) == 0;
    for _ in 0..60 {
        let expected = at.and_then(|at| model.get(at)).cloned();
        assert_eq!(owned(cursor.entry()), expected);
        at = at.filter(|&at| at < model.len());
        if (random.below(5) == 0) == mostly_forward {
            let Ok(()) = cursor.prev();
            at = at.and_then(|at| at.checked_sub(1));
        } else {
            let Ok(()) = cursor.next();
            at = at.map(|at| at + 1);
        }
    }
}

#[test]
fn an_old_snapshot_stays_as_it_was_while_a_writer_goes_on() {
    let (frozen, active, seen) = old_entries();
    let mut visible = seen.clone();
    visible.dedup_by(|later, first| later.0 == first.0);
    visible.retain(|(_, tag, _)| tag.value_type() == ValueType::Value);
    let reader = active.reader();
    let (reader, frozen, visible) = (&reader, &frozen, &visible);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(&active));
        let walker = scope.spawn(move || {
            let source = merged(frozen, reader);
            let mut cursor = VisibleCursor::new(BytewiseComparator, source, number(OLD), ..);
            let mut random = Random(3);
            let mut walks = 0;
            while walks < 20 || !writer.is_finished() {
                walk_visible(&mut cursor, visible, &mut random);
                walks += 1;
            }
        });
        let source = merged(frozen, reader);
        let mut cursor = SnapshotCursor::new(BytewiseComparator, source, number(OLD), ..);
        let mut walks = 0;
        while walks < 20 || !walker.is_finished() {
            let Ok(()) = cursor.seek_to_first();
            for entry in &seen {
                assert_eq!(owned(cursor.entry()).as_ref(), Some(entry));
                let Ok(()) = cursor.next();
            }
            assert_eq!(cursor.entry(), None);
            let Ok(()) = cursor.seek_to_last();
            for entry in seen.iter().rev() {
                assert_eq!(owned(cursor.entry()).as_ref(), Some(entry));
                let Ok(()) = cursor.prev();
            }
            assert_eq!(cursor.entry(), None);
            walks += 1;
        }
    });
    // What the walks were to be disturbed by was there.
    assert_eq!(active.len(), OLD / 2 + NEW);
    let newest = reader.get_entry(&key(KEYS), number(OLD + NEW)).unwrap();
    assert!(newest.sequence() > number(OLD));
}

//! What a memtable says its memory is used for, against its entries, an allocator's count, and a
//! model of which entries are shadowed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;

use allocation_counter::measure;
use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, Comparator, ReverseBytewiseComparator, ValueType};
use strata_memtable::{MemTable, MemTableReader, MemoryUsage};

use crate::sequence;

/// What scanning finds: shadowed entries, their bytes, and the three parts of all entries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scanned {
    shadowed_entries: u64,
    shadowed_bytes: usize,
    key_bytes: usize,
    value_bytes: usize,
    encoding_bytes: usize,
}

fn scanned<C: Comparator>(memtable: &MemTableReader<C>) -> Scanned {
    let mut scanned = Scanned::default();
    let mut last: Option<Vec<u8>> = None;
    for entry in memtable.iter() {
        let (key, value, all) = (
            entry.user_key().len(),
            entry.value().len(),
            entry.encoded().len(),
        );
        scanned.key_bytes += key;
        scanned.value_bytes += value;
        scanned.encoding_bytes += all - key - value;
        let order = memtable.user_comparator();
        if last.is_some_and(|last| order.compare(&last, entry.user_key()).is_eq()) {
            scanned.shadowed_entries += 1;
            scanned.shadowed_bytes += all;
        }
        last = Some(entry.user_key().to_vec());
    }
    scanned
}

fn said(usage: MemoryUsage) -> Scanned {
    Scanned {
        shadowed_entries: usage.shadowed_entries,
        shadowed_bytes: usage.shadowed_bytes,
        key_bytes: usage.key_bytes,
        value_bytes: usage.value_bytes,
        encoding_bytes: usage.encoding_bytes,
    }
}

fn sum(usage: MemoryUsage) -> usize {
    let entries = usage.key_bytes + usage.value_bytes + usage.encoding_bytes;
    entries + usage.index_bytes + usage.slack_bytes + usage.unused_bytes
}

/// An entry to add: which of a few user keys, at which sequence number.
#[derive(Clone, Copy, Debug)]
struct Version {
    key: u8,
    sequence: u16,
    is_tombstone: bool,
    value_length: u8,
}

impl Arbitrary for Version {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            key: u8::arbitrary(g) % 12,
            sequence: u16::arbitrary(g) % 400,
            is_tombstone: u8::arbitrary(g).is_multiple_of(4),
            value_length: u8::arbitrary(g),
        }
    }
}

impl Version {
    /// Keys that differ early, late, in their length, and beyond what prefixes reach.
    fn user_key(self) -> Vec<u8> {
        let long = [b'p'; 60];
        match self.key {
            0 => Vec::new(),
            1 => vec![0],
            key @ 2..6 => vec![b'a', key],
            key @ 6..9 => [b"common/prefix/", &[key][..]].concat(),
            key => [&long[..], &[key]].concat(),
        }
    }

    fn value_type(self) -> ValueType {
        match self.is_tombstone {
            true => ValueType::Deletion,
            false => ValueType::Value,
        }
    }
}

/// Adds versions in the order given, in batches where sequence numbers go up by one; checks the
/// count after each.
fn check<C: Comparator>(comparator: C, versions: &[Version]) {
    let memtable = MemTable::new(comparator);
    let mut model: BTreeMap<Vec<u8>, BTreeSet<(u16, bool)>> = BTreeMap::new();
    let mut rest = versions;
    while let [first, ..] = rest {
        let run = rest
            .windows(2)
            .take_while(|pair| pair[0].sequence + 1 == pair[1].sequence)
            .count();
        let (batch, others) = rest.split_at(run + 1);
        rest = others;
        let entries: Vec<_> = batch
            .iter()
            .map(|version| {
                let value = vec![b'v'; version.value_length.into()];
                (version.value_type(), version.user_key(), value)
            })
            .collect();
        let borrowed = entries
            .iter()
            .map(|(value_type, key, value)| (*value_type, &key[..], &value[..]));
        let added = match batch.len() {
            1 => {
                let (value_type, key, value) = &entries[0];
                memtable.add(sequence(first.sequence.into()), *value_type, key, value)
            }
            _ => memtable.add_batch(sequence(first.sequence.into()), borrowed),
        };
        if added.is_ok() {
            for version in batch {
                let of_key = model.entry(version.user_key()).or_default();
                of_key.insert((version.sequence, version.is_tombstone));
            }
        }
        let expected: usize = model.values().map(|versions| versions.len() - 1).sum();
        assert_eq!(memtable.shadowed_entries(), expected as u64);
    }
    assert_eq!(said(memtable.memory()), scanned(&memtable));
    assert_eq!(said(memtable.freeze().memory()), scanned(&memtable));
}

#[test]
fn shadowed_versions_are_counted_in_whatever_order_they_come() {
    fn holds(versions: Vec<Version>) -> bool {
        check(BytewiseComparator, &versions);
        check(ReverseBytewiseComparator, &versions);
        check(Unprefixed, &versions);
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(400, 21))
        .tests(60)
        .quickcheck(holds as fn(_) -> _);
}

/// The bytewise order without prefixes: every comparison is of keys.
#[derive(Debug)]
struct Unprefixed;

impl Comparator for Unprefixed {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "test.Unprefixed"
    }
}

/// Enough versions of each user key for them to fill nodes, split them, and lie at their ends.
#[test]
fn versions_over_many_nodes_are_counted() {
    for (keys, versions) in [(1u64, 2000u64), (3, 700), (500, 5)] {
        for descending in [false, true] {
            let memtable = MemTable::new(BytewiseComparator);
            for i in 0..keys * versions {
                let number = if descending { keys * versions - i } else { i };
                let key = format!("key{:04}", i % keys);
                let at = sequence(number);
                memtable
                    .add(at, ValueType::Value, key.as_bytes(), b"value")
                    .unwrap();
            }
            assert_eq!(
                memtable.shadowed_entries(),
                keys * (versions - 1),
                "{keys} keys, descending: {descending}"
            );
            assert_eq!(said(memtable.memory()), scanned(&memtable));
        }
    }
}

/// Threads add versions of the same few keys side by side: who shadows whom is decided between
/// them, in the middle of nodes and at their ends, while these are split.
#[test]
fn threads_that_add_versions_of_the_same_keys_count_each_once() {
    const THREADS: usize = 4;
    const EACH: usize = 1500;
    for (round, keys) in [1, 2, 7, 40, 300].into_iter().enumerate() {
        let memtable = MemTable::new(BytewiseComparator);
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (memtable, start) = (&memtable, &start);
                scope.spawn(move || {
                    start.wait();
                    for i in 0..EACH {
                        // Up and down, so that versions come before and after each other.
                        let turn = if (i + round).is_multiple_of(2) {
                            i
                        } else {
                            EACH * 2 - i
                        };
                        let number = (turn * THREADS + thread) as u64;
                        let key = format!("key{:03}", (i / 3) % keys);
                        let value = vec![b'v'; i % 50];
                        memtable
                            .add(sequence(number), ValueType::Value, key.as_bytes(), &value)
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(memtable.len(), (THREADS * EACH) as u64);
        let usage = memtable.memory();
        assert_eq!(said(usage), scanned(&memtable), "{keys} keys");
        let distinct = memtable.len() - usage.shadowed_entries;
        assert_eq!(distinct, keys as u64);
    }
}

/// Three times as many writers as lanes, adding by one and in batches: every entry is there once,
/// and every number is that of the entries.
#[test]
fn more_writers_than_lanes_are_counted_exactly() {
    const THREADS: u64 = 24;
    const EACH: u64 = 400;
    /// An entry, of which only the sequence number is known beforehand.
    fn entry(number: u64) -> (ValueType, Vec<u8>, Vec<u8>) {
        let value_type = match number % 7 {
            0 => ValueType::Deletion,
            _ => ValueType::Value,
        };
        let key = format!(
            "{:0width$}",
            number * 31 % 300,
            width = 3 + usize::from(number.is_multiple_of(5)) * 150
        );
        let value = vec![b'v'; usize::try_from(number % 3 * 70 + number % 11).unwrap()];
        (value_type, key.into_bytes(), value)
    }
    let memtable = MemTable::new(BytewiseComparator);
    let start = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (memtable, start) = (&memtable, &start);
            scope.spawn(move || {
                start.wait();
                let first = 1 + thread * EACH;
                let mut number = first;
                while number < first + EACH {
                    let some = (first + EACH - number).min(1 + number % 5);
                    let entries: Vec<_> = (number..number + some).map(entry).collect();
                    let (value_type, key, value) = &entries[0];
                    if some > 1 {
                        let batch = entries.iter();
                        let batch = batch.map(|(kind, key, value)| (*kind, &key[..], &value[..]));
                        memtable.add_batch(sequence(number), batch).unwrap();
                    } else {
                        let at = sequence(number);
                        memtable.add(at, *value_type, key, value).unwrap();
                    }
                    number += some;
                }
            });
        }
    });
    let mut model: Vec<_> = (1..=THREADS * EACH)
        .map(|number| {
            let (value_type, key, value) = entry(number);
            (key, std::cmp::Reverse(number), value_type, value)
        })
        .collect();
    model.sort();
    let found = memtable.iter().map(|entry| {
        let sequence = std::cmp::Reverse(entry.sequence().get());
        let (key, value) = (entry.user_key().to_vec(), entry.value().to_vec());
        (key, sequence, entry.value_type(), value)
    });
    assert!(found.eq(model.iter().cloned()));
    let tombstones = model.iter().filter(|entry| entry.2.is_tombstone()).count();
    assert_eq!(
        (memtable.len(), memtable.tombstones()),
        (model.len() as u64, tombstones as u64)
    );
    assert_eq!(memtable.smallest_sequence(), Some(sequence(1)));
    assert_eq!(memtable.largest_sequence(), Some(sequence(THREADS * EACH)));
    assert_eq!(said(memtable.memory()), scanned(&memtable));
    assert_eq!(sum(memtable.memory()), memtable.approximate_memory_usage());
}

#[test]
fn every_byte_that_was_asked_for_is_in_one_part() {
    for value_length in [0, 1, 100, 5000, 70_000] {
        let mut made = None;
        let info = measure(|| {
            let memtable = MemTable::new(BytewiseComparator);
            for i in 0..1000u64 {
                let key = (i * 7919 % 997).to_be_bytes();
                memtable
                    .add(sequence(i), ValueType::Value, &key, &VALUE[..value_length])
                    .unwrap();
                let usage = memtable.memory();
                assert_eq!(usage.reserved_bytes, memtable.approximate_memory_usage());
                assert_eq!(sum(usage), usage.reserved_bytes);
            }
            made = Some(memtable);
        });
        let memtable = made.unwrap();
        let usage = memtable.memory();
        // The rest is the memtable itself, which is not in the arena.
        let itself = usize::try_from(info.bytes_current).unwrap() - usage.reserved_bytes;
        assert!(itself < 4096, "{itself}");
        assert_eq!(usage.key_bytes, 8 * 1000);
        assert_eq!(usage.value_bytes, value_length * 1000);
        assert_eq!(said(usage), scanned(&memtable));
        assert_eq!(
            usage.reserved_bytes - usage.unused_bytes - usage.slack_bytes,
            usage.key_bytes + usage.value_bytes + usage.encoding_bytes + usage.index_bytes
        );
        assert!(usage.index_bytes >= 1000 / 64 * 576 || cfg!(strata_small_nodes));
        // Beside that, nodes are set aside for the next split: seven at most in so small an index.
        let lost = usage.slack_bytes + usage.unused_bytes;
        assert!(lost < usage.reserved_bytes / 3 + 7 * 576, "{usage:?}");
    }
}

static VALUE: [u8; 70_000] = [b'v'; 70_000];

#[test]
fn an_empty_memtable_uses_nothing() {
    let memtable = MemTable::new(BytewiseComparator);
    assert_eq!(memtable.memory(), MemoryUsage::default());
    assert_eq!(
        (memtable.shadowed_entries(), memtable.shadowed_bytes()),
        (0, 0)
    );
}

#[test]
fn what_is_refused_is_in_no_part_but_slack() {
    let memtable = MemTable::new(BytewiseComparator);
    let add = || memtable.add(sequence(5), ValueType::Value, b"key", b"value");
    add().unwrap();
    let before = memtable.memory();
    add().unwrap_err();
    let batch = [(ValueType::Value, &b"new"[..], &b""[..]); 2];
    memtable.add_batch(sequence(4), batch.into_iter()).unwrap();
    memtable
        .add_batch(sequence(4), batch.into_iter())
        .unwrap_err();
    let after = memtable.memory();
    assert_eq!(after.shadowed_entries, 1);
    assert_eq!(after.key_bytes, before.key_bytes + 6);
    assert_eq!(said(after), scanned(&memtable));
}

#[test]
fn usages_add_up() {
    let usages: Vec<MemoryUsage> = (1..4u64)
        .map(|versions| {
            let memtable = MemTable::new(BytewiseComparator);
            for version in 0..versions {
                memtable
                    .add(sequence(version), ValueType::Value, b"key", b"value")
                    .unwrap();
            }
            memtable.memory()
        })
        .collect();
    let all: MemoryUsage = usages.iter().copied().sum();
    assert_eq!((all.key_bytes, all.value_bytes), (6 * 3, 6 * 5));
    assert_eq!((all.shadowed_entries, all.shadowed_bytes), (3, 3 * 18));
    assert_eq!(sum(all), all.reserved_bytes);
    let mut added = usages[0];
    added += usages[1];
    assert_eq!(added + usages[2], all);
}

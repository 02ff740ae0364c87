//! The list beside a B-tree, with one writer and with two.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use benches::SplitMix64;
use strata_dbformat::{BytewiseComparator, SequenceNumber};

use super::InlineList;

/// What the list holds, in its order.
type Model = BTreeMap<(Vec<u8>, Reverse<u64>), Vec<u8>>;

fn at(sequence: u64) -> SequenceNumber {
    SequenceNumber::new(sequence).unwrap()
}

/// Keys of many lengths with shared beginnings, each written several times, in this order of theirs.
fn writes(seed: u64, order: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<(Vec<u8>, u64, Vec<u8>)> {
    let mut rng = SplitMix64::new(seed);
    let mut keys: Vec<Vec<u8>> = (0..1500)
        .map(|_| {
            let shared = usize::try_from(rng.below(200)).unwrap();
            let mut key = vec![b'k'; shared];
            key.extend_from_slice(&rng.below(400).to_be_bytes()[6..]);
            key
        })
        .collect();
    order(&mut keys);
    let value = |number: u64| vec![b'v'; usize::try_from(number % 300).unwrap()];
    let writes = (1..).zip(keys);
    writes
        .map(|(number, key)| (key, number, value(number)))
        .collect()
}

fn model(writes: &[(Vec<u8>, u64, Vec<u8>)]) -> Model {
    let entry = |(key, sequence, value): &(Vec<u8>, u64, Vec<u8>)| {
        ((key.clone(), Reverse(*sequence)), value.clone())
    };
    writes.iter().map(entry).collect()
}

fn assert_same(list: &InlineList<BytewiseComparator>, model: &Model) {
    let mut cursor = list.cursor();
    cursor.seek_to_first();
    for ((key, Reverse(sequence)), value) in model {
        let entry = cursor.entry().unwrap();
        assert_eq!((entry.user_key, entry.value()), (&key[..], &value[..]));
        assert_eq!(entry.tag >> 8, *sequence);
        cursor.next();
    }
    assert!(cursor.entry().is_none());
    cursor.seek_to_last();
    for ((key, _), value) in model.iter().rev() {
        let entry = cursor.entry().unwrap();
        assert_eq!((entry.user_key, entry.value()), (&key[..], &value[..]));
        cursor.prev();
    }
    assert!(cursor.entry().is_none());
}

fn assert_lookups(list: &InlineList<BytewiseComparator>, model: &Model, seed: u64) {
    let mut rng = SplitMix64::new(seed);
    for (key, _) in model.keys() {
        let mut key = key.clone();
        if rng.below(4) == 0 {
            key.push(0);
        }
        let snapshot = rng.below(2000);
        let newest = model.range((key.clone(), Reverse(snapshot))..).next();
        let expected = newest.filter(|((found, _), _)| *found == key);
        let found = list.get(&key, at(snapshot)).map(|entry| entry.value());
        assert_eq!(found, expected.map(|(_, value)| &value[..]));
        let mut cursor = list.cursor();
        cursor.seek(&key, at(snapshot));
        let sought = cursor.entry().map(|entry| entry.user_key);
        assert_eq!(sought, newest.map(|((key, _), _)| &key[..]));
    }
}

#[test]
fn a_sole_writer_makes_what_a_sorted_map_holds_in_any_order() {
    let orders: [fn(&mut Vec<Vec<u8>>); 3] = [
        |_| {},
        |keys| keys.sort(),
        |keys| keys.sort_by(|a, b| b.cmp(a)),
    ];
    for (seed, order) in (1..).zip(orders) {
        let list = InlineList::new(BytewiseComparator);
        let writes = writes(seed, order);
        let mut writer = list.sole_writer();
        for (key, sequence, value) in &writes {
            writer.insert(key, at(*sequence), value);
        }
        let model = model(&writes);
        assert_same(&list, &model);
        assert_lookups(&list, &model, seed);
    }
}

#[test]
fn two_writers_make_what_one_does_while_a_reader_finds_all_that_was_written() {
    for seed in 1..20 {
        let list = InlineList::touched(BytewiseComparator, 1 << 20);
        let writes = writes(seed, |_| {});
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for first in 0..2 {
                let (list, writes, done) = (&list, &writes, &done);
                scope.spawn(move || {
                    let mut writer = list.concurrent_writer();
                    for (key, sequence, value) in writes.iter().skip(first).step_by(2) {
                        writer.insert(key, at(*sequence), value);
                        if first == 0 {
                            done.fetch_add(2, Ordering::Release);
                        }
                    }
                });
            }
            scope.spawn(|| {
                while done.load(Ordering::Acquire) < writes.len() {
                    let written = done.load(Ordering::Acquire);
                    for (key, sequence, value) in writes[..written].iter().step_by(2) {
                        let entry = list.get(key, at(*sequence)).unwrap();
                        assert_eq!(entry.value(), value);
                    }
                }
            });
        });
        assert_same(&list, &model(&writes));
    }
}

#[test]
fn an_entry_larger_than_what_a_writer_takes_at_a_time_has_room() {
    let list = InlineList::new(BytewiseComparator);
    let value = vec![7; 3 << 20];
    let mut writer = list.sole_writer();
    writer.insert(b"large", at(1), &value);
    writer.insert(b"small", at(2), b"");
    assert_eq!(list.get(b"large", at(9)).unwrap().value(), value);
    assert_eq!(list.get(b"small", at(9)).unwrap().value(), b"");
    assert!(list.get(b"small", at(1)).is_none());
}

#[test]
#[should_panic(expected = "inserted once")]
fn a_version_that_is_there_is_refused() {
    let list = InlineList::new(BytewiseComparator);
    let mut writer = list.sole_writer();
    writer.insert(b"key", at(1), b"");
    writer.insert(b"key", at(1), b"");
}

#[test]
#[should_panic(expected = "a sole writer has no others beside it")]
fn a_sole_writer_has_none_beside_it() {
    let list = InlineList::new(BytewiseComparator);
    let _first = list.concurrent_writer();
    let _second = list.sole_writer();
}

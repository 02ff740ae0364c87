//! Insertions of versions whose numbers are given late, beside each other and beside others.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use loom::sync::atomic::{AtomicU8, Ordering};
use loom::thread;
use strata_skiplist::{Compare, KeyValue, Prefix, SkipList};

use crate::{Finish, outcomes};

/// The order of names with a number behind them, the greatest first.
#[derive(Default)]
struct NewestFirst;

/// A name whose number is given late.
struct Late {
    name: u8,
    number: Cell<u8>,
}

/// A name's byte and its number's, which sorts backward.
fn version(name: u8, number: u8) -> [u8; 2] {
    [name, !number]
}

impl Compare<[u8]> for NewestFirst {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        a.cmp(b)
    }

    fn prefix(&self, key: &[u8]) -> Option<Prefix> {
        Some(Prefix::of_bytes(&key[..1]))
    }
}

impl Compare<[u8], Late> for NewestFirst {
    fn compare(&self, key: &[u8], late: &Late) -> std::cmp::Ordering {
        key.cmp(&version(late.name, late.number.get())[..])
    }

    fn prefix(&self, late: &Late) -> Option<Prefix> {
        Some(Prefix::of_bytes(&[late.name]))
    }
}

type Versions = SkipList<KeyValue, NewestFirst>;

fn insert_version(list: &Versions, name: u8, number: u8) {
    let key = version(name, number);
    list.insert_key_value(&key[..], &[&key], b"").unwrap();
}

/// Inserts a version of `name` with the next number there is; gives that.
fn insert_late(list: &Versions, name: u8, next: &AtomicU8) -> u8 {
    let late = Late {
        name,
        number: Cell::new(u8::MAX),
    };
    let end = |_: &_| {
        late.number.set(next.fetch_add(1, Ordering::Relaxed));
        Some([!late.number.get()])
    };
    list.writer()
        .insert_version_late(&late, &[name], b"", end)
        .unwrap()
        .unwrap();
    late.number.get()
}

/// Two versions of one name whose numbers are given late: whichever is given first comes last, with
/// room in the leaf and without.
#[test]
fn late_insertions_beside_each_other_are_in_the_order_of_their_numbers() {
    for versions in [1, 3, 4] {
        let given = outcomes(move || {
            let list = Arc::new(Versions::default());
            for number in 1..=versions {
                insert_version(&list, b'k', number);
            }
            let next = Arc::new(AtomicU8::new(versions + 1));
            let (other, numbers) = (list.clone(), next.clone());
            let thread = thread::spawn(move || insert_late(&other, b'k', &numbers));
            let mine = insert_late(&list, b'k', &next);
            let theirs = thread.join().unwrap();
            assert_eq!(mine + theirs, 2 * versions + 3);
            let numbers: Vec<u8> = list.iter().map(|entry| !entry.key()[1]).collect();
            let expected: Vec<u8> = (1..=versions + 2).rev().collect();
            assert_eq!(numbers, expected);
            mine < theirs
        });
        assert_eq!(given, BTreeSet::from([false, true]));
    }
}

/// A late insertion beside one of another name, before it and after it, in a leaf with room for one
/// and for none.
#[test]
fn a_late_insertion_beside_an_insertion_loses_nothing() {
    for (versions, name) in [(3, b'j'), (4, b'j'), (4, b'l')] {
        let is_first = outcomes(move || {
            let list = Arc::new(Versions::default());
            for number in 1..=versions {
                insert_version(&list, b'k', number);
            }
            let (other, finish) = (list.clone(), Arc::new(Finish::default()));
            let others_finish = finish.clone();
            let thread = thread::spawn(move || {
                insert_version(&other, name, 1);
                others_finish.place();
            });
            insert_late(&list, b'k', &AtomicU8::new(versions + 1));
            let place = finish.place();
            thread.join().unwrap();
            let mut expected: Vec<[u8; 2]> = (1..=versions + 1)
                .map(|number| version(b'k', number))
                .collect();
            expected.push(version(name, 1));
            expected.sort_unstable();
            assert!(list.iter().map(KeyValue::key).eq(&expected));
            assert_eq!(list.len(), expected.len() as u64);
            place == 0
        });
        assert_eq!(is_first, BTreeSet::from([false, true]));
    }
}

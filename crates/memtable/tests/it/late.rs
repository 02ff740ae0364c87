//! Entries whose sequence numbers are given when their place is found.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use strata_dbformat::{
    BytewiseComparator, Comparator, ReverseBytewiseComparator, SequenceNumber, ValueType,
};
use strata_memtable::{AddError, Lookup, MemTable, MemTableReader};

use crate::sequence;

#[test]
fn several_writers_of_few_keys_keep_their_versions_in_order() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 10_000;
    const KEYS: u64 = 5;
    let memtable = MemTable::new(BytewiseComparator);
    let last = AtomicU64::new(0);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (memtable, last) = (&memtable, &last);
            scope.spawn(move || {
                for i in 0..EACH {
                    let user_key = [b'k', u8::try_from((i * 7 + writer) % KEYS).unwrap()];
                    let mut given = 0;
                    let next = || {
                        given = last.fetch_add(1, Ordering::Relaxed) + 1;
                        SequenceNumber::new(given).ok()
                    };
                    let added = memtable.add_late(ValueType::Value, &user_key, b"value", next);
                    assert_eq!(added, Ok(true));
                    let snapshot = SequenceNumber::new(given).unwrap();
                    let entry = memtable.get_entry(&user_key, snapshot).unwrap();
                    assert_eq!(entry.sequence().get(), given);
                }
            });
        }
    });
    let mut seen = vec![false; usize::try_from(WRITERS * EACH).unwrap() + 1];
    let mut before: Option<(Vec<u8>, u64)> = None;
    for entry in &memtable {
        let sequence = entry.sequence().get();
        assert!(!std::mem::replace(
            &mut seen[usize::try_from(sequence).unwrap()],
            true
        ));
        if let Some((user_key, newer)) = before {
            assert!(
                user_key.as_slice() < entry.user_key() || newer > sequence,
                "{entry}"
            );
        }
        before = Some((entry.user_key().to_vec(), sequence));
    }
    assert!(seen[1..].iter().all(|&seen| seen));
    assert_eq!(memtable.memory().shadowed_entries, WRITERS * EACH - KEYS);
}

#[test]
fn without_a_sequence_number_nothing_is_added() {
    let memtable = MemTable::new(BytewiseComparator);
    let number = |number| move || SequenceNumber::new(number).ok();
    assert_eq!(
        memtable.add_late(ValueType::Value, b"a", b"1", number(1)),
        Ok(true)
    );
    assert_eq!(
        memtable.add_late(ValueType::Value, b"a", b"2", || None),
        Ok(false)
    );
    assert_eq!(
        memtable.add_late(ValueType::Deletion, b"b", b"", || None),
        Ok(false)
    );
    assert_eq!((memtable.len(), memtable.tombstones()), (1, 0));
    assert_eq!(
        memtable.get_at(b"a", SequenceNumber::MAX),
        Lookup::Value(b"1")
    );
    assert_eq!(memtable.memory().shadowed_entries, 0);
    assert_eq!(
        memtable.add_late(ValueType::Deletion, b"a", b"", number(2)),
        Ok(true)
    );
    assert_eq!(
        memtable.get_at(b"a", SequenceNumber::MAX),
        Lookup::Tombstone
    );

    memtable.freeze();
    let refused = memtable.add_late(ValueType::Value, b"c", b"", || unreachable!("it is frozen"));
    assert_eq!(refused, Err(AddError::Frozen));
}

/// Checks that entries are in order, that every snapshot sees the right version of `user_key`, and
/// that the numbers said of shadowed entries are those that a scan finds.
fn assert_is_whole<C: Comparator>(memtable: &MemTableReader<C>, user_key: &[u8], case: &str) {
    let order = memtable.user_comparator();
    let entries: Vec<_> = memtable.iter().collect();
    let (mut shadowed, mut shadowed_bytes) = (0, 0);
    for pair in entries.windows(2) {
        match order.compare(pair[0].user_key(), pair[1].user_key()) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => {
                assert!(
                    pair[0].tag() > pair[1].tag(),
                    "{case}: {} is before {}",
                    pair[0],
                    pair[1]
                );
                shadowed += 1;
                shadowed_bytes += pair[1].encoded().len();
            }
            std::cmp::Ordering::Greater => panic!("{case}: {} is before {}", pair[0], pair[1]),
        }
    }
    assert!(
        memtable
            .iter()
            .rev()
            .map(|entry| entry.encoded())
            .eq(entries.iter().rev().map(|entry| entry.encoded())),
        "{case}"
    );
    let mut versions: Vec<u64> = entries
        .iter()
        .filter(|entry| order.compare(entry.user_key(), user_key).is_eq())
        .map(|entry| entry.sequence().get())
        .collect();
    versions.reverse();
    for &version in &versions {
        for snapshot in [version.saturating_sub(1), version, version + 1] {
            let seen = versions.partition_point(|&version| version <= snapshot);
            let expected = seen.checked_sub(1).map(|newest| versions[newest]);
            let found = memtable.get_entry(user_key, sequence(snapshot));
            let found = found.map(|entry| entry.sequence().get());
            assert_eq!(found, expected, "{case}, at {snapshot}");
        }
    }
    assert_eq!(memtable.len(), entries.len() as u64, "{case}");
    assert_eq!(
        (memtable.shadowed_entries(), memtable.shadowed_bytes()),
        (shadowed, shadowed_bytes),
        "{case}"
    );
}

/// Adds versions, and then one late with each number that may be wrong for it.
fn check_numbers<C: Comparator + Default>(versions: &[u64]) {
    const KEY: &[u8] = b"tenant/0042/key";
    let largest = versions.iter().copied().max().unwrap_or(0);
    let step = usize::try_from(largest / 30).unwrap().max(1);
    let around = versions
        .iter()
        .take(3)
        .flat_map(|&version| version - 1..version + 2);
    for given in (0..largest + 3).step_by(step).chain(around) {
        let memtable = MemTable::new(C::default());
        for user_key in [&b""[..], b"tenant/0042/kex", b"tenant/0042/key0", b"z"] {
            memtable
                .add(sequence(5), ValueType::Value, user_key, b"other")
                .unwrap();
        }
        for &version in versions {
            memtable
                .add(sequence(version), ValueType::Value, KEY, b"value")
                .unwrap();
        }
        let expected = match versions.contains(&given) {
            true => Err(AddError::Duplicate {
                sequence: sequence(given),
                value_type: ValueType::Value,
            }),
            false => Ok(true),
        };
        let added = memtable.add_late(ValueType::Value, KEY, b"late", || Some(sequence(given)));
        let case = format!("{given} added late to {} versions", versions.len());
        assert_is_whole(&memtable, KEY, &case);
        assert_eq!(added, expected, "{case}");
        let value = match expected {
            Ok(_) => &b"late"[..],
            Err(_) => b"value",
        };
        assert_eq!(memtable.get_at(KEY, sequence(given)), Lookup::Value(value));
    }
}

#[test]
fn a_number_that_is_not_the_newest_finds_its_place_or_is_a_duplicate() {
    let many: Vec<u64> = (1..300).map(|i| i * 10).collect();
    for versions in [&[10, 5][..], &[5, 10], &many] {
        check_numbers::<BytewiseComparator>(versions);
        check_numbers::<ReverseBytewiseComparator>(versions);
    }
}

/// While a number is asked for, others add entries before it, after it and the same one.
#[test]
fn a_number_finds_its_place_beside_what_is_added_while_it_is_asked_for() {
    for present in [0, 1, 63, 64, 200u64] {
        for others in [1, 2, 31, 32, 33, 64, 130u64] {
            for given in [0, 1, 499, 500, 501, 999, 1000] {
                let memtable = MemTable::new(BytewiseComparator);
                let add = |number| {
                    memtable
                        .add(sequence(number), ValueType::Value, b"key", b"")
                        .unwrap();
                };
                let before: Vec<u64> = (1000..1000 + present).collect();
                // Up and down from the middle.
                let up_and_down = |i: u64| {
                    if i.is_multiple_of(2) {
                        500 + i
                    } else {
                        500 - i
                    }
                };
                let between: Vec<u64> = (0..others).map(up_and_down).collect();
                before.iter().copied().for_each(add);
                let added = memtable.add_late(ValueType::Value, b"key", b"late", || {
                    between.iter().copied().for_each(add);
                    Some(sequence(given))
                });
                let case = format!("{given} late among {present} and {others}: {added:?}");
                assert_is_whole(&memtable, b"key", &case);
                let is_there = before.contains(&given) || between.contains(&given);
                assert_eq!(added.is_err(), is_there, "{case}");
                assert_eq!(
                    memtable.len(),
                    present + others + u64::from(!is_there),
                    "{case}"
                );
            }
        }
    }
}

/// Several writers whose numbers go up and down, as no counter's do: all find their place, and each
/// entry that is shadowed is counted once.
#[test]
fn writers_with_numbers_in_no_order_keep_their_versions_in_order() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 3000;
    const KEYS: u64 = 3;
    let memtable = MemTable::new(BytewiseComparator);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let memtable = &memtable;
            scope.spawn(move || {
                for i in 0..EACH {
                    // A permutation of the numbers of all writers.
                    let number = (i * WRITERS + writer) * 7919 % (EACH * WRITERS);
                    let user_key = [b'k', u8::try_from(number % KEYS).unwrap()];
                    let give = || Some(sequence(number));
                    let added = memtable.add_late(ValueType::Value, &user_key, b"value", give);
                    assert_eq!(added, Ok(true));
                    let found = memtable.get_entry(&user_key, sequence(number)).unwrap();
                    assert_eq!(found.sequence(), sequence(number));
                }
            });
        }
    });
    for key in 0..KEYS {
        let user_key = [b'k', u8::try_from(key).unwrap()];
        assert_is_whole(&memtable, &user_key, "numbers in no order");
    }
    assert_eq!(memtable.len(), WRITERS * EACH);
}

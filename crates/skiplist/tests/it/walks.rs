//! Walks that turn at will beside inserters, in orders that make leaves shift, split and be replaced.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use strata_skiplist::{Bytewise, SkipList};

use crate::concurrent::Random;

/// The `i`th key of an inserter, in one of four orders: ascending, descending, mixed, and mixed in
/// groups whose keys have much in common and differ late.
fn shaped_key(shape: u64, inserter: u64, i: u64) -> Vec<u8> {
    let number = match shape {
        0 => i,
        1 => EACH - 1 - i,
        _ => i * 7919 % EACH,
    };
    match shape {
        3 => format!(
            "group/{:02}/with/a/long/name/{inserter}/{number:05}",
            number % 10
        )
        .into_bytes(),
        _ => [number.to_be_bytes(), inserter.to_be_bytes()].concat(),
    }
}

/// How many keys an inserter inserts.
const EACH: u64 = 1500;

/// Notes what is there, then steps to and fro from one of those keys, and checks that no step
/// passes over another.
fn walk_at_will(list: &SkipList<[u8], Bytewise>, mut known: Vec<Vec<u8>>, random: &mut Random) {
    known.sort_unstable();
    let Some(last) = known.len().checked_sub(1) else {
        return;
    };
    let start = &known[usize::try_from(random.below(last as u64 + 1)).unwrap()];
    let mut cursor = list.cursor();
    cursor.seek(&start[..]);
    assert_eq!(cursor.key(), Some(&start[..]));
    for _ in 0..20 {
        let forward = random.below(2) == 0;
        for _ in 0..random.below(60) {
            let Some(at) = cursor.item() else { return };
            if forward {
                let next = known.partition_point(|key| key[..] <= *at);
                cursor.next();
                assert!(cursor.key().is_none_or(|key| key > at));
                match (cursor.key(), known.get(next)) {
                    (Some(key), Some(known)) => assert!(key <= &known[..], "missed {known:?}"),
                    (None, Some(known)) => panic!("missed {known:?}"),
                    _ => {}
                }
            } else {
                let before = known.partition_point(|key| key[..] < *at);
                cursor.prev();
                assert!(cursor.key().is_none_or(|key| key < at));
                match (cursor.key(), before.checked_sub(1).map(|i| &known[i][..])) {
                    (Some(key), Some(known)) => assert!(key >= known, "missed {known:?}"),
                    (None, Some(known)) => panic!("missed {known:?}"),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_walk_that_turns_at_will_misses_nothing_beside_inserters() {
    for (inserters, shape) in
        (1..=4).flat_map(|inserters| (0..4).map(move |shape| (inserters, shape)))
    {
        let list = SkipList::<[u8], Bytewise>::default();
        let published: Vec<AtomicU64> = (0..inserters).map(|_| AtomicU64::new(0)).collect();
        let (list, published) = (&list, &published);
        let known = || -> Vec<Vec<u8>> {
            let counts = published.iter().zip(0..);
            counts
                .flat_map(|(count, inserter)| {
                    let count = count.load(Ordering::Acquire);
                    (0..count).map(move |i| shaped_key(shape, inserter, i))
                })
                .collect()
        };
        let known = &known;
        thread::scope(|scope| {
            for (published, inserter) in published.iter().zip(0..) {
                scope.spawn(move || {
                    for i in 0..EACH {
                        list.insert_bytes(&shaped_key(shape, inserter, i)).unwrap();
                        published.store(i + 1, Ordering::Release);
                    }
                });
            }
            for reader in 0..2 {
                scope.spawn(move || {
                    let mut random = Random::new(inserters * 100 + shape * 10 + reader + 1);
                    while list.len() < inserters * EACH {
                        walk_at_will(list, known(), &mut random);
                    }
                    walk_at_will(list, known(), &mut random);
                });
            }
        });
        let mut all = known();
        all.sort_unstable();
        assert!(list.iter().eq(all.iter().map(Vec::as_slice)));
        assert!(list.iter().rev().eq(all.iter().rev().map(Vec::as_slice)));
    }
}

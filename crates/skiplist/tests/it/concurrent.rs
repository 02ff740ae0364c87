//! Threads that check each other.
//!
//! The reader's test is LevelDB's. Keys are (k, generation, hash of both); for each of a few k the
//! writer inserts generations 1, 2, 3, ... and publishes the last. A reader notes the published
//! generations, then walks the list, and may not miss a key whose generation is at most the noted
//! one, nor meet a key whose hash is wrong, nor go backward. What a reader and a writer step do is
//! first tried by one thread that alternates between them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use strata_skiplist::{InsertError, Numeric, SkipList};

/// A Lehmer generator, LevelDB's.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0 * 16807 % 2_147_483_647;
        self.0 % bound
    }
}

/// How many k there are.
const K: u64 = 4;

fn hash(k: u64, generation: u64) -> u64 {
    ((k << 32 | generation).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 56
}

fn make_key(k: u64, generation: u64) -> u64 {
    k << 40 | generation << 8 | hash(k, generation)
}

fn k_of(key: u64) -> u64 {
    key >> 40
}

fn generation_of(key: u64) -> u64 {
    key >> 8 & 0xffff_ffff
}

fn index(k: u64) -> usize {
    usize::try_from(k).unwrap()
}

fn is_valid(key: u64) -> bool {
    key & 0xff == hash(k_of(key), generation_of(key))
}

#[derive(Default)]
struct Checked {
    list: SkipList<u64, Numeric>,
    /// The last generation of each k whose insertion has returned.
    published: [AtomicU64; 4],
}

impl Checked {
    fn published(&self, k: u64) -> u64 {
        self.published[index(k)].load(Ordering::Acquire)
    }

    /// Inserts the next generation of some k. One thread at a time.
    fn write_step(&self, random: &mut Random) {
        let k = random.below(K);
        let generation = self.published(k) + 1;
        self.list.insert(make_key(k, generation)).unwrap();
        self.published[index(k)].store(generation, Ordering::Release);
    }

    /// Walks from a random place to the end, now and then jumping ahead, and checks what it meets.
    fn read_step(&self, random: &mut Random) {
        let noted: Vec<u64> = (0..K).map(|k| self.published(k)).collect();
        let mut position = random_target(random);
        let mut cursor = self.list.cursor();
        cursor.seek(&position);
        loop {
            let current = match cursor.key() {
                Some(&key) => {
                    assert!(is_valid(key), "{key:x}");
                    key
                }
                None => make_key(K, 0),
            };
            assert!(position <= current, "should not go backwards");
            // Everything between the two was not in the list when the walk began.
            while position < current {
                let (k, generation) = (k_of(position), generation_of(position));
                assert!(k < K, "{position:x}");
                assert!(
                    generation == 0 || generation > noted[index(k)],
                    "key {k}, generation {generation} of {} was missed",
                    noted[index(k)]
                );
                position = if k_of(position) < k_of(current) {
                    make_key(k + 1, 0)
                } else {
                    make_key(k, generation + 1)
                };
            }
            if !cursor.valid() {
                return;
            }
            if random.below(2) == 0 {
                cursor.next();
                position = make_key(k_of(position), generation_of(position) + 1);
            } else {
                let target = random_target(random);
                if target > position {
                    position = target;
                    cursor.seek(&target);
                }
            }
        }
    }
}

fn random_target(random: &mut Random) -> u64 {
    match random.below(10) {
        0 => make_key(0, 0),
        1 => make_key(K, 0),
        _ => make_key(random.below(K), 0),
    }
}

#[test]
fn the_steps_check_one_thread() {
    let checked = Checked::default();
    let mut random = Random::new(301);
    for _ in 0..10_000 {
        checked.read_step(&mut random);
        checked.write_step(&mut random);
    }
}

fn run_reader_beside_writer(seed: u64) {
    for round in 0..1000 {
        let checked = Checked::default();
        let done = AtomicBool::new(false);
        let (checked, done) = (&checked, &done);
        thread::scope(|scope| {
            let started = Arc::new(Barrier::new(2));
            let at_start = Arc::clone(&started);
            scope.spawn(move || {
                let mut random = Random::new(seed * 1000 + round);
                at_start.wait();
                while !done.load(Ordering::Acquire) {
                    checked.read_step(&mut random);
                }
                checked.read_step(&mut random);
            });
            let mut random = Random::new(seed * 2000 + round);
            started.wait();
            for _ in 0..1000 {
                checked.write_step(&mut random);
            }
            done.store(true, Ordering::Release);
        });
    }
}

#[test]
fn a_reader_misses_nothing_beside_a_writer_1() {
    run_reader_beside_writer(1);
}

#[test]
fn a_reader_misses_nothing_beside_a_writer_2() {
    run_reader_beside_writer(2);
}

#[test]
fn a_reader_misses_nothing_beside_a_writer_3() {
    run_reader_beside_writer(3);
}

#[test]
fn a_reader_misses_nothing_beside_a_writer_4() {
    run_reader_beside_writer(4);
}

#[test]
fn a_reader_misses_nothing_beside_a_writer_5() {
    run_reader_beside_writer(5);
}

/// Several inserters, each with keys of its own in an order of its own, beside readers that walk
/// both ways: the order is strict at every moment and everything is there at the end.
#[test]
fn inserters_lose_none_of_each_others_keys() {
    const INSERTERS: u64 = 4;
    const KEYS: u64 = 20_000;
    for shape in 0..4 {
        let list = SkipList::<u64, Numeric>::default();
        let done = AtomicBool::new(false);
        let (list, done) = (&list, &done);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(move || {
                    while !done.load(Ordering::Acquire) {
                        assert!(list.iter().is_sorted_by(|a, b| a < b));
                        assert!(list.iter().rev().take(500).is_sorted_by(|a, b| a > b));
                    }
                });
            }
            let inserters: Vec<_> = (0..INSERTERS)
                .map(|inserter| {
                    scope.spawn(move || {
                        for i in 0..KEYS {
                            let i = match shape {
                                0 => i,
                                1 => KEYS - 1 - i,
                                // A permutation: 7919 has no factor in common with 20 000.
                                2 => i * 7919 % KEYS,
                                _ => i ^ 1,
                            };
                            let key = i * INSERTERS + inserter;
                            assert_eq!(list.insert(key), Ok(&key));
                        }
                    })
                })
                .collect();
            for inserter in inserters {
                inserter.join().unwrap();
            }
            done.store(true, Ordering::Release);
        });
        assert_eq!(list.len(), INSERTERS * KEYS);
        assert!(list.iter().copied().eq(0..INSERTERS * KEYS));
    }
}

/// All inserters want the same keys: each key is won by exactly one.
#[test]
fn an_equal_key_is_won_by_one_inserter() {
    const KEYS: u64 = 10_000;
    for round in 0..5 {
        let list = SkipList::<u64, Numeric>::default();
        let (list, start) = (&list, &Barrier::new(4));
        let won: u64 = thread::scope(|scope| {
            let inserters: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(move || {
                        start.wait();
                        let results = (0..KEYS).map(|i| list.insert(i * 7919 % KEYS + round));
                        let (won, lost): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
                        assert!(
                            lost.iter()
                                .all(|result| *result == Err(InsertError::Duplicate))
                        );
                        won.len() as u64
                    })
                })
                .collect();
            inserters
                .into_iter()
                .map(|inserter| inserter.join().unwrap())
                .sum()
        });
        assert_eq!((won, list.len()), (KEYS, KEYS));
        assert!(list.iter().copied().eq(round..KEYS + round));
    }
}

/// A reader that walks back from the last key beside an inserter: it misses nothing that was there
/// when it began, while leaves are shifted, split and replaced under it.
#[test]
fn a_walk_back_misses_nothing_beside_an_inserter() {
    const KEYS: u64 = 20_000;
    // A permutation, ascending, descending.
    let orders: [fn(u64) -> u64; 3] = [|i| i * 7919 % KEYS, |i| i, |i| KEYS - 1 - i];
    for order in orders.repeat(30) {
        let list = SkipList::<u64, Numeric>::default();
        let inserted = AtomicU64::new(0);
        let (list, inserted) = (&list, &inserted);
        thread::scope(|scope| {
            scope.spawn(move || {
                for i in 0..KEYS {
                    list.insert(order(i)).unwrap();
                    inserted.store(i + 1, Ordering::Release);
                }
            });
            loop {
                let before = inserted.load(Ordering::Acquire);
                // The last keys of those that were there, and any that came since.
                let known: Vec<u64> = (before.saturating_sub(300)..before).map(order).collect();
                let least = known.iter().copied().min().unwrap_or(KEYS);
                let seen: Vec<u64> = list
                    .iter()
                    .rev()
                    .copied()
                    .take_while(|&key| key >= least)
                    .collect();
                assert!(seen.is_sorted_by(|a, b| a > b));
                for key in known {
                    let found = seen.binary_search_by(|seen| key.cmp(seen));
                    assert!(found.is_ok(), "{key} was missed, {before} were there");
                }
                if before == KEYS {
                    return;
                }
            }
        });
    }
}

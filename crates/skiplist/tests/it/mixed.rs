//! More threads than cores on one list, with all that can be done with it at once.

use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use strata_skiplist::{Bytewise, InsertError, SkipList};

use crate::concurrent::Random;

const INSERTERS: u64 = 8;
/// How many keys an inserter inserts in each of four orders. No factor in common with 377.
const PHASE: u64 = 1024;

const EACH: u64 = 4 * PHASE;

/// How many keys are inserted between two looks of an inserter.
const STEP: u64 = 16;

type List = SkipList<[u8], Bytewise>;

/// The `i`th key of an inserter, with a check behind it. All inserters go through the same places at
/// the same time, so that they meet in one leaf: upward, downward, mixed, and mixed with names that
/// have much in common.
fn key(inserter: u64, i: u64) -> Vec<u8> {
    let (phase, i) = (i / PHASE, i % PHASE);
    let place = match phase {
        0 => i,
        1 => PHASE - 1 - i,
        _ => i * 377 % PHASE,
    };
    let check = check(inserter, place);
    let name = match phase {
        3 => format!("3/tenant/0042/users/{place:06}/{inserter}"),
        _ => format!("{phase}/{place:06}/{inserter}"),
    };
    [name.as_bytes(), &[check]].concat()
}

fn check(inserter: u64, place: u64) -> u8 {
    let hash = (inserter * 31 + place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash.to_be_bytes()[0]
}

/// Whether the key is one that `key` makes.
fn is_valid(bytes: &[u8]) -> bool {
    let Some((check, name)) = bytes.split_last() else {
        return false;
    };
    let name = std::str::from_utf8(name).unwrap();
    let mut parts = name.rsplit('/').map(|part| part.parse::<u64>());
    let (Some(Ok(inserter)), Some(Ok(place))) = (parts.next(), parts.next()) else {
        return false;
    };
    self::check(inserter, place) == *check
}

/// What was published of each inserter's keys: how many of them are there for certain.
struct Published([AtomicU64; 8]);

impl Published {
    fn of(&self, inserter: u64) -> u64 {
        self.0[usize::try_from(inserter).unwrap()].load(Ordering::Acquire)
    }

    fn set(&self, inserter: u64, count: u64) {
        self.0[usize::try_from(inserter).unwrap()].store(count, Ordering::Release);
    }

    fn all(&self) -> Vec<u64> {
        (0..INSERTERS).map(|inserter| self.of(inserter)).collect()
    }

    /// Some key that is there, if one is.
    fn some_key(&self, random: &mut Random) -> Option<Vec<u8>> {
        let inserter = random.below(INSERTERS);
        let count = self.of(inserter);
        (count > 0).then(|| key(inserter, random.below(count)))
    }
}

/// Inserts keys one by one, some of them in batches; tries each a second time now and then.
fn insert_some(list: &List, inserter: u64, published: &Published) {
    let mut random = Random::new(inserter + 1);
    for first in (0..EACH).step_by(usize::try_from(STEP).unwrap()) {
        let keys: Vec<Vec<u8>> = (first..first + STEP).map(|i| key(inserter, i)).collect();
        if random.below(3) == 0 {
            let mut writer = list.writer();
            writer.reserve(keys.iter().map(Vec::len)).unwrap();
            for key in &keys {
                assert_eq!(writer.insert_parts(&key[..], &[key]), Ok(&key[..]));
            }
        } else {
            for key in &keys {
                assert_eq!(list.insert_bytes(key), Ok(&key[..]));
            }
        }
        published.set(inserter, first + STEP);
        for key in &keys {
            assert_eq!(list.get(&key[..]), Some(&key[..]));
        }
        if let Some(other) = published.some_key(&mut random) {
            assert_eq!(list.insert_bytes(&other), Err(InsertError::Duplicate));
        }
    }
}

/// Counts the keys of a walk, which must be in strict order, all of them valid, and no fewer than
/// were there when it began.
fn check_walk<'a>(keys: impl Iterator<Item = &'a [u8]>, is_forward: bool, published: &Published) {
    let least: u64 = published.all().iter().sum();
    let mut last: Option<&[u8]> = None;
    let mut count = 0;
    for key in keys {
        assert!(is_valid(key));
        assert!(last.is_none_or(|last| (last < key) == is_forward && last != key));
        last = Some(key);
        count += 1;
    }
    assert!(count >= least, "{count} of {least} were met");
}

fn read_some(list: &List, random: &mut Random, published: &Published) {
    let Some(known) = published.some_key(random) else {
        return;
    };
    match random.below(6) {
        0 => check_walk(list.iter(), true, published),
        1 => check_walk(list.iter().rev(), false, published),
        2 => {
            let mut cursor = list.cursor();
            cursor.seek(&known[..]);
            for _ in 0..200 {
                let at = cursor.item();
                match random.below(2) {
                    0 => cursor.next(),
                    _ => cursor.prev(),
                }
                if at.is_none() || cursor.key().is_none() {
                    cursor.seek(&known[..]);
                }
                assert!(cursor.key().is_some_and(is_valid));
            }
            cursor.seek_for_prev(&known[..]);
            assert_eq!(cursor.key(), Some(&known[..]));
        }
        3 => {
            let mut both = list.range::<[u8], _>((Bound::Included(&known[..]), Bound::Unbounded));
            assert_eq!(both.next(), Some(&known[..]));
            let (mut front, mut back) = (&known[..], None);
            for _ in 0..100 {
                match (both.next(), both.next_back()) {
                    (Some(next), Some(before)) => {
                        assert!(front < next && next < before);
                        assert!(back.is_none_or(|back| before < back));
                        (front, back) = (next, Some(before));
                    }
                    _ => break,
                }
            }
        }
        4 => {
            let targets: Vec<Vec<u8>> =
                (0..20).filter_map(|_| published.some_key(random)).collect();
            for (target, found) in list.first_versions::<[u8], _>(targets) {
                assert_eq!(found, Some(&target[..]));
            }
        }
        _ => {
            assert_eq!(list.lower_bound(&known[..]), Some(&known[..]));
            assert!(list.first().is_some_and(|first| first <= &known[..]));
            assert!(list.last().is_some_and(|last| last >= &known[..]));
        }
    }
}

#[test]
fn more_threads_than_cores_do_everything_at_once() {
    for _ in 0..8 {
        run_once();
    }
}

fn run_once() {
    const READERS: u64 = 4;
    let list = Arc::new(List::default());
    let published = Published(std::array::from_fn(|_| AtomicU64::new(0)));
    let start = Barrier::new(usize::try_from(INSERTERS + READERS).unwrap());
    thread::scope(|scope| {
        for inserter in 0..INSERTERS {
            let (list, published, start) = (&list, &published, &start);
            scope.spawn(move || {
                start.wait();
                insert_some(list, inserter, published);
            });
        }
        for reader in 0..READERS {
            let (list, published, start) = (&list, &published, &start);
            scope.spawn(move || {
                start.wait();
                let mut random = Random::new(reader + 100);
                // An owned iterator that is left open meanwhile.
                let mut open = list.owned_iter();
                let mut last: Option<Vec<u8>> = None;
                while published.all().iter().sum::<u64>() < INSERTERS * EACH {
                    read_some(list, &mut random, published);
                    if let Some(key) = open.next() {
                        assert!(last.is_none_or(|last| last[..] < *key));
                        last = Some(key.to_vec());
                    } else {
                        open = list.owned_iter();
                        last = None;
                    }
                }
                read_some(list, &mut random, published);
            });
        }
    });
    let mut keys: Vec<Vec<u8>> = (0..INSERTERS)
        .flat_map(|inserter| (0..EACH).map(move |i| key(inserter, i)))
        .collect();
    keys.sort_unstable();
    assert_eq!(list.len(), INSERTERS * EACH);
    assert!(list.iter().eq(keys.iter().map(Vec::as_slice)));
    assert!(list.iter().rev().eq(keys.iter().rev().map(Vec::as_slice)));
    check_walk(list.iter(), true, &published);
}

//! The list under loom: every interleaving of its threads, and every result an acquiring or a
//! relaxed load may give. Lists have two levels here, and the seeds are chosen so that nodes of
//! both heights take part.
//!
//! The reader is always the spawned thread and the inserter the main one: loom 0.7 remembers one
//! last access an atomic, so a load of the inserter's own hides an earlier one of the reader's,
//! and with the roles reversed it explores a single interleaving.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`.
#![cfg(loom)]

use std::sync::atomic::{AtomicU32, Ordering};

use loom::sync::Arc;
use loom::thread;
use strata_arena::Arena;
use strata_skiplist::{InsertError, Natural, SkipList};

type List = SkipList<[u8], Natural>;

/// Seeds whose first heights are (1, 1), (2, 1), (1, 2) and (2, 2), by what `bytes_used` says.
const SEEDS: [u64; 4] = [1, 0, 9, 6];

fn list(seed: u64) -> Arc<List> {
    Arc::new(List::new(Natural, Arena::new(), seed))
}

fn keys(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(<[u8]>::to_vec).collect()
}

/// How many bytes the first and the second key take: a link more if they are two levels high.
fn bytes_used(seed: u64) -> [usize; 2] {
    let list = list(seed);
    let mut used = 0;
    [b"aaaaaaaa", b"bbbbbbbb"].map(|key| {
        list.insert_bytes(key).unwrap();
        let before = std::mem::replace(&mut used, list.arena().used_bytes());
        used - before
    })
}

/// The seeds below are only good as long as they draw the heights they were chosen for.
#[test]
fn the_seeds_draw_both_heights() {
    loom::model(|| {
        let [low, high] = {
            let sizes = SEEDS.map(bytes_used);
            let mut all = sizes.concat();
            all.sort_unstable();
            [all[0], all[7]]
        };
        assert!(low < high);
        let expected = [[low, low], [high, low], [low, high], [high, high]];
        assert_eq!(SEEDS.map(bytes_used), expected);
    });
}

/// A reader beside an inserter: a node that is found is whole, and one that was inserted before
/// is never missed.
#[test]
fn a_published_node_is_whole() {
    for seed in SEEDS {
        let seen = std::sync::Arc::new(AtomicU32::new(0));
        let in_model = seen.clone();
        loom::model(move || {
            let seen = &in_model;
            let list = list(seed);
            list.insert_bytes(b"m").unwrap();
            let reader = list.clone();
            let thread = thread::spawn(move || {
                let found = keys(&reader);
                assert!(found == [b"m"] || found == [b"c", b"m"], "{found:?}");
                assert_eq!(reader.lower_bound(&b"d"[..]), Some(&b"m"[..]));
                found.len()
            });
            list.insert_bytes(b"c").unwrap();
            seen.fetch_or(1 << thread.join().unwrap(), Ordering::Relaxed);
            assert_eq!(keys(&list), [b"c", b"m"]);
            assert!(list.contains(&b"c"[..]));
        });
        assert_eq!(
            seen.load(Ordering::Relaxed),
            0b110,
            "the reader came before and after"
        );
    }
}

/// Two inserters at the same place: neither key is lost, at any level.
#[test]
fn an_inserter_never_loses_another() {
    for seed in SEEDS {
        loom::model(move || {
            let list = list(seed);
            let other = list.clone();
            let thread = thread::spawn(move || {
                other.insert_bytes(b"b").unwrap();
            });
            list.insert_bytes(b"a").unwrap();
            thread.join().unwrap();
            assert_eq!(keys(&list), [b"a", b"b"]);
            assert!(list.contains(&b"a"[..]));
            assert!(list.contains(&b"b"[..]));
            assert_eq!(list.len(), 2);
        });
    }
}

/// Two inserters of one key: one wins, and it is there once.
#[test]
fn an_equal_key_is_inserted_once() {
    for seed in SEEDS {
        loom::model(move || {
            let list = list(seed);
            let other = list.clone();
            let thread = thread::spawn(move || other.insert_bytes(b"k").map(|_| ()));
            let mine = list.insert_bytes(b"k").map(|_| ());
            let theirs = thread.join().unwrap();
            let lost = Err(InsertError::Duplicate);
            assert!((mine, theirs) == (Ok(()), lost) || (mine, theirs) == (lost, Ok(())));
            assert_eq!(keys(&list), [b"k"]);
            assert_eq!(list.len(), 1);
        });
    }
}

/// What one thread inserted before it told another, the other finds.
#[test]
fn an_insertion_that_returned_is_seen() {
    for seed in SEEDS {
        loom::model(move || {
            let list = list(seed);
            let told = Arc::new(loom::sync::atomic::AtomicBool::new(false));
            let (reader, hear) = (list.clone(), told.clone());
            let thread = thread::spawn(move || {
                if hear.load(Ordering::Acquire) {
                    assert!(reader.contains(&b"a"[..]));
                    assert_eq!(reader.last(), Some(&b"b"[..]));
                }
            });
            list.insert_bytes(b"a").unwrap();
            list.insert_bytes(b"b").unwrap();
            told.store(true, Ordering::Release);
            thread.join().unwrap();
        });
    }
}

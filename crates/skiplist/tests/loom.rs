//! The list under loom: the interleavings of two threads, with every result that an acquiring or a
//! relaxed load may give. Nodes have four slots here, so that the fifth key of a leaf splits it.
//!
//! A model is a list that is built before the second thread begins, an insertion into it, and what
//! goes on beside. Each states all the outcomes that there are, and fails if it has met another or
//! has not met one of them: so it can't pass by exploring too little.
//!
//! The reader is always the spawned thread and the inserter the main one: loom 0.7 remembers one
//! last access an atomic, so a load of the inserter's own hides an earlier one of the reader's,
//! and with the roles reversed it explores a single interleaving.
//!
//! Threads are preempted at most `PREEMPTIONS` times in a run: a split is some thirty steps, and without a
//! bound a walk over it does not end.
//!
//! Run with `RUSTFLAGS="--cfg loom --cfg strata_plain_arena" cargo test --release --test loom`.
#![cfg(loom)]

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use loom::model::Builder;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use strata_skiplist::{Bytewise, Compare, InsertError, Natural, SkipList};

#[path = "loom/late.rs"]
mod late;

const PREEMPTIONS: usize = 2;

type List<C> = SkipList<[u8], C>;

/// Runs a model, and gives the outcomes of all its runs.
fn outcomes<T: Ord + Send + 'static>(model: impl Fn() -> T + Send + Sync + 'static) -> BTreeSet<T> {
    outcomes_within(PREEMPTIONS, model)
}

/// As [`outcomes`], for models of three threads: with one preemption less, so that they end. Models
/// in which a node takes another's place have one less for the same reason.
fn outcomes_of_three<T: Ord + Send + 'static>(
    model: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    outcomes_within(PREEMPTIONS - 1, model)
}

fn outcomes_within<T: Ord + Send + 'static>(
    preemptions: usize,
    model: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let in_model = seen.clone();
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 100_000;
    builder.check(move || {
        let outcome = model();
        in_model.lock().unwrap().insert(outcome);
    });
    std::mem::take(&mut *seen.lock().unwrap())
}

fn list_of<C: Compare<[u8]> + Default>(keys: &[&str]) -> Arc<List<C>> {
    let list = Arc::new(List::default());
    for key in keys {
        list.insert_bytes(key.as_bytes()).unwrap();
    }
    list
}

fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).unwrap()
}

fn forward<C: Compare<[u8]>>(list: &List<C>) -> String {
    let keys: Vec<&str> = list.iter().map(text).collect();
    keys.join(" ")
}

fn backward<C: Compare<[u8]>>(list: &List<C>) -> String {
    let keys: Vec<&str> = list.iter().rev().map(text).collect();
    keys.join(" ")
}

/// What is inserted into which list.
#[derive(Clone, Copy)]
struct Insertion {
    before: &'static [&'static str],
    key: &'static str,
}

/// Into a leaf that has room: the new key goes first, between, last.
const ROOM: [Insertion; 3] = [
    insertion(&["b", "c"], "a"),
    insertion(&["a", "c"], "b"),
    insertion(&["a", "b"], "c"),
];

/// Into a leaf that is full: in the lower part, as the first of the upper, in the upper, before
/// all, after all, and with another leaf to the right.
const SPLIT: [Insertion; 6] = [
    insertion(&["a", "c", "d", "e"], "b"),
    insertion(&["a", "b", "d", "e"], "c"),
    insertion(&["a", "b", "c", "e"], "d"),
    insertion(&["b", "c", "d", "e"], "a"),
    insertion(&["a", "b", "c", "d"], "e"),
    insertion(&["a", "b", "c", "e", "z"], "d"),
];

/// Into a leaf that is full and whose heads are all the same: another takes its place first.
const REPLACEMENT: [Insertion; 2] = [
    insertion(&["long/a", "long/c", "long/d", "long/e"], "long/b"),
    insertion(&["long/a", "long/b", "long/c", "long/d"], "long/e"),
];

const fn insertion(before: &'static [&'static str], key: &'static str) -> Insertion {
    Insertion { before, key }
}

impl Insertion {
    /// All keys, in order, once the insertion is done.
    fn after(self) -> Vec<&'static str> {
        let mut keys = [self.before, &[self.key]].concat();
        keys.sort_unstable();
        keys
    }

    /// Runs `read` beside the insertion, and says what it gave.
    fn beside<C, T>(self, read: fn(&List<C>) -> T) -> BTreeSet<T>
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
        T: Ord + Send + 'static,
    {
        outcomes(move || {
            let list = list_of::<C>(self.before);
            let reader = list.clone();
            let thread = thread::spawn(move || read(&reader));
            list.insert_bytes(self.key.as_bytes()).unwrap();
            let outcome = thread.join().unwrap();
            assert_eq!(forward(&list), self.after().join(" "));
            outcome
        })
    }

    /// A walk meets the keys that were there, and the new one or not.
    fn assert_walks_are_whole<C>(self)
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
    {
        let (mut before, mut after) = (self.before.to_vec(), self.after());
        let expected = BTreeSet::from([before.join(" "), after.join(" ")]);
        assert_eq!(self.beside::<C, _>(forward), expected);
        before.reverse();
        after.reverse();
        let expected = BTreeSet::from([before.join(" "), after.join(" ")]);
        assert_eq!(self.beside::<C, _>(backward), expected);
    }

    /// The first and the last key that were there are found, in whatever node they are now.
    fn assert_lookups_find<C>(self)
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
    {
        self.assert_lookups_find_within::<C>(PREEMPTIONS);
    }

    fn assert_lookups_find_within<C>(self, preemptions: usize)
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
    {
        let (before, key) = (self.before, self.key);
        let found = outcomes_within(preemptions, move || {
            let list = list_of::<C>(before);
            let reader = list.clone();
            let thread = thread::spawn(move || {
                for old in [before[0], before[before.len() - 1]] {
                    assert_eq!(reader.get(old.as_bytes()), Some(old.as_bytes()));
                }
                reader.contains(key.as_bytes())
            });
            list.insert_bytes(key.as_bytes()).unwrap();
            let found = thread.join().unwrap();
            assert!(list.contains(key.as_bytes()));
            found
        });
        assert_eq!(found, BTreeSet::from([false, true]));
    }

    /// The first and the last key are those of one of the two lists.
    fn assert_ends_are_known<C>(self)
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
    {
        let last = |keys: &[&'static str]| keys[keys.len() - 1].to_owned();
        let expected = BTreeSet::from([last(self.before), last(&self.after())]);
        assert_eq!(
            self.beside::<C, _>(|list| text(list.last().unwrap()).to_owned()),
            expected
        );
        let expected = BTreeSet::from([self.before[0].to_owned(), self.after()[0].to_owned()]);
        assert_eq!(
            self.beside::<C, _>(|list| text(list.first().unwrap()).to_owned()),
            expected
        );
    }

    /// Another insertion loses nothing and is not lost.
    fn assert_two_make_both<C>(self, other: &'static str)
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
    {
        self.assert_two_make_both_within::<C>(PREEMPTIONS, other);
    }

    fn assert_two_make_both_within<C>(self, preemptions: usize, other: &'static str)
    where
        C: Compare<[u8]> + Default + Send + Sync + 'static,
    {
        let is_first = outcomes_within(preemptions, move || {
            let list = list_of::<C>(self.before);
            let inserter = list.clone();
            let finish = Arc::new(Finish::default());
            let others_finish = finish.clone();
            let thread = thread::spawn(move || {
                inserter.insert_bytes(other.as_bytes()).unwrap();
                others_finish.place();
                assert!(inserter.contains(other.as_bytes()));
            });
            list.insert_bytes(self.key.as_bytes()).unwrap();
            let place = finish.place();
            assert!(list.contains(self.key.as_bytes()));
            thread.join().unwrap();
            assert_is_whole(&list, &[self.before, &[self.key, other]].concat());
            place == 0
        });
        assert_eq!(is_first, BTreeSet::from([false, true]));
    }
}

/// Tells threads which of them was done first. It is no atomic of the model, so that there is nothing
/// more to explore.
#[derive(Default)]
struct Finish(AtomicUsize);

impl Finish {
    fn place(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// What can be asked of a list that nobody changes is answered right.
fn assert_is_whole<C: Compare<[u8]>>(list: &List<C>, keys: &[&str]) {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    assert_eq!(forward(list), keys.join(" "));
    for key in &keys {
        assert_eq!(list.get(key.as_bytes()).map(text), Some(*key));
    }
    assert_eq!(list.len(), keys.len() as u64);
    keys.reverse();
    assert_eq!(backward(list), keys.join(" "));
}

#[test]
fn a_walk_beside_an_insertion_is_whole() {
    for insertion in ROOM {
        insertion.assert_walks_are_whole::<Bytewise>();
        insertion.assert_walks_are_whole::<Natural>();
    }
}

#[test]
fn a_lookup_beside_an_insertion_finds_what_was_there() {
    for insertion in ROOM {
        insertion.assert_lookups_find::<Bytewise>();
        insertion.assert_lookups_find::<Natural>();
    }
}

#[test]
fn a_walk_over_a_split_is_whole() {
    for insertion in SPLIT {
        insertion.assert_walks_are_whole::<Bytewise>();
    }
}

#[test]
fn a_walk_over_a_split_without_heads_is_whole() {
    for insertion in SPLIT {
        insertion.assert_walks_are_whole::<Natural>();
    }
}

#[test]
fn a_lookup_beside_a_split_finds_what_was_there() {
    for insertion in SPLIT {
        insertion.assert_lookups_find::<Bytewise>();
        insertion.assert_lookups_find::<Natural>();
    }
}

#[test]
fn the_ends_are_known_beside_a_split() {
    for insertion in SPLIT {
        insertion.assert_ends_are_known::<Bytewise>();
    }
}

#[test]
fn a_walk_over_a_replacement_is_whole() {
    for insertion in REPLACEMENT {
        insertion.assert_walks_are_whole::<Bytewise>();
    }
}

#[test]
fn a_lookup_beside_a_replacement_finds_what_was_there() {
    for insertion in REPLACEMENT {
        insertion.assert_lookups_find_within::<Bytewise>(PREEMPTIONS - 1);
    }
}

#[test]
fn the_ends_are_known_beside_a_replacement() {
    for insertion in REPLACEMENT {
        insertion.assert_ends_are_known::<Bytewise>();
    }
}

/// Two inserters at one leaf: with room for both, for one, for none.
#[test]
fn an_inserter_never_loses_another() {
    let room = insertion(&["d"], "b");
    let one = insertion(&["b", "d", "f"], "a");
    let none = insertion(&["b", "d", "f", "h"], "a");
    for (insertion, others) in [(room, ["a", "e"]), (one, ["c", "g"]), (none, ["c", "i"])] {
        for other in others {
            insertion.assert_two_make_both::<Bytewise>(other);
        }
    }
    none.assert_two_make_both::<Natural>("g");
}

/// An inserter beside one that puts another leaf in the place of the one they both want.
#[test]
fn an_inserter_beside_a_replacement_is_not_lost() {
    for (insertion, other) in REPLACEMENT.into_iter().zip(["long/cc", "long/f"]) {
        insertion.assert_two_make_both_within::<Bytewise>(PREEMPTIONS - 1, other);
    }
}

/// Two inserters of the first key: one makes the first leaf.
#[test]
fn a_list_is_begun_once() {
    let nothing = insertion(&[], "a");
    nothing.assert_two_make_both::<Bytewise>("b");
    nothing.assert_two_make_both::<Natural>("b");
}

/// Two inserters of one key: either wins, and it is there once.
#[test]
fn an_equal_key_is_inserted_once() {
    for before in [&[][..], &["j"], &["i", "j", "l", "m"]] {
        let won = outcomes(move || {
            let list = list_of::<Bytewise>(before);
            let other = list.clone();
            let thread = thread::spawn(move || other.insert_bytes(b"k").map(|_| ()));
            let mine = list.insert_bytes(b"k").map(|_| ());
            let theirs = thread.join().unwrap();
            let lost = Err(InsertError::Duplicate);
            assert!((mine, theirs) == (Ok(()), lost) || (mine, theirs) == (lost, Ok(())));
            assert_is_whole(&list, &[before, &["k"]].concat());
            mine.is_ok()
        });
        assert_eq!(won, BTreeSet::from([false, true]));
    }
}

/// What one thread inserted before it told another, the other finds, even in a leaf that was split
/// in between.
#[test]
fn an_insertion_that_returned_is_seen() {
    for before in [&[][..], &["a", "b", "d"], &["long/a", "long/b", "long/d"]] {
        let told = outcomes(move || {
            let list = list_of::<Bytewise>(before);
            let told = Arc::new(AtomicBool::new(false));
            let (reader, hear) = (list.clone(), told.clone());
            let thread = thread::spawn(move || {
                let heard = hear.load(Ordering::Acquire);
                if heard {
                    assert!(reader.contains(&b"m"[..]));
                    assert_eq!(reader.last(), Some(&b"n"[..]));
                }
                heard
            });
            list.insert_bytes(b"m").unwrap();
            list.insert_bytes(b"n").unwrap();
            told.store(true, Ordering::Release);
            thread.join().unwrap()
        });
        assert_eq!(told, BTreeSet::from([false, true]));
    }
}

/// A cursor in a leaf that is being split, whose thread meanwhile fills the new leaf until that is
/// split, too: the key it is at moves on twice, and the next one is still the next. What is before
/// it is there, with the other thread's key or without.
#[test]
fn a_cursor_goes_on_from_a_key_that_two_splits_moved() {
    let before = outcomes(|| {
        let list = list_of::<Bytewise>(&["b", "d", "f", "h", "z"]);
        let other = list.clone();
        let thread = thread::spawn(move || {
            let mut cursor = other.cursor();
            cursor.seek(&b"h"[..]);
            for key in [b"j", b"i"] {
                other.insert_bytes(key).unwrap();
            }
            cursor.next();
            assert_eq!(cursor.key(), Some(&b"i"[..]));
            cursor.prev();
            assert_eq!(cursor.key(), Some(&b"h"[..]));
            let mut before = Vec::new();
            cursor.prev();
            while let Some(key) = cursor.key() {
                before.push(text(key).to_owned());
                cursor.prev();
            }
            before.join(" ")
        });
        list.insert_bytes(b"a").unwrap();
        let before = thread.join().unwrap();
        assert_is_whole(&list, &["a", "b", "d", "f", "h", "i", "j", "z"]);
        before
    });
    let expected = ["f d b", "f d b a"].map(str::to_owned);
    assert_eq!(before, BTreeSet::from(expected));
}

/// Four full leaves under a full root: an insertion into any of them splits the leaf and the root,
/// and begins a level.
const LEVEL: [&str; 16] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
];

/// A leaf in front whose keys have nothing in common with the others: when it splits, the root, which
/// took what the others have in common for common to all, is replaced.
const UNLIKE: [&str; 9] = [
    "long/b", "long/c", "long/d", "long/e", "long/f", "a1", "a2", "a3", "a4",
];

const ABOVE: [Insertion; 4] = [
    insertion(&LEVEL, "q"),
    insertion(&LEVEL, "cc"),
    insertion(&LEVEL, "nn"),
    insertion(&UNLIKE, "a5"),
];

/// What a search gives that goes down from the root while nodes above the leaves are split or
/// replaced: every key that was there, and the new one or not.
#[test]
fn a_lookup_beside_a_change_above_the_leaves_finds_what_was_there() {
    for Insertion { before, key } in ABOVE {
        for old in [before.len() / 4, before.len() - 1] {
            let found = outcomes_within(PREEMPTIONS - 1, move || {
                let list = list_of::<Bytewise>(before);
                let reader = list.clone();
                let thread = thread::spawn(move || {
                    let old = before[old].as_bytes();
                    assert_eq!(reader.get(old), Some(old));
                    reader.contains(key.as_bytes())
                });
                list.insert_bytes(key.as_bytes()).unwrap();
                let found = thread.join().unwrap();
                assert_is_whole(&list, &[before, &[key]].concat());
                found
            });
            assert_eq!(found, BTreeSet::from([false, true]));
        }
    }
}

/// The same without heads, whose upper nodes hold where keys are.
#[test]
fn a_lookup_beside_a_split_above_the_leaves_without_heads_finds_what_was_there() {
    for Insertion { before, key } in [ABOVE[0], ABOVE[1]] {
        let found = outcomes(move || {
            let list = list_of::<Natural>(before);
            let reader = list.clone();
            let thread = thread::spawn(move || {
                assert_eq!(reader.get(&b"d"[..]), Some(&b"d"[..]));
                reader.contains(key.as_bytes())
            });
            list.insert_bytes(key.as_bytes()).unwrap();
            let found = thread.join().unwrap();
            assert!(list.contains(key.as_bytes()));
            found
        });
        assert_eq!(found, BTreeSet::from([false, true]));
    }
}

/// Two inserters, of which both want to change the level above, or one does. With one preemption
/// less, as they take long.
#[test]
fn an_inserter_beside_a_change_above_the_leaves_is_not_lost() {
    ABOVE[0].assert_two_make_both_within::<Bytewise>(PREEMPTIONS - 1, "gg");
    ABOVE[3].assert_two_make_both_within::<Bytewise>(PREEMPTIONS - 1, "a6");
}

/// A batch beside a walk: its keys come one after the other.
#[test]
fn a_walk_beside_a_batch_meets_its_keys_in_the_order_they_come() {
    // With room, with a split, and with one that the second key makes.
    let lists: [&[&str]; 3] = [&["b", "e"], &["a", "b", "e", "f"], &["a", "b", "e"]];
    for before in lists {
        let met = outcomes(move || {
            let list = list_of::<Bytewise>(before);
            let reader = list.clone();
            let thread = thread::spawn(move || forward(&reader));
            let mut writer = list.writer();
            writer.reserve([1, 1].into_iter()).unwrap();
            for key in [b"c", b"d"] {
                writer.insert_parts(&key[..], &[key]).unwrap();
            }
            let met = thread.join().unwrap();
            assert_is_whole(&list, &[before, &["c", "d"]].concat());
            met
        });
        let with = |keys: &[&'static str]| {
            let mut keys = [before, keys].concat();
            keys.sort_unstable();
            keys.join(" ")
        };
        assert_eq!(
            met,
            BTreeSet::from([with(&[]), with(&["c"]), with(&["c", "d"])])
        );
    }
}

/// A batch beside an insertion.
#[test]
fn a_batch_beside_an_inserter_loses_nothing() {
    for before in [&["b"][..], &["a", "b", "e", "f"]] {
        let is_first = outcomes(move || {
            let list = list_of::<Bytewise>(before);
            let (inserter, finish) = (list.clone(), Arc::new(Finish::default()));
            let others_finish = finish.clone();
            let thread = thread::spawn(move || {
                inserter.insert_bytes(b"cc").unwrap();
                others_finish.place();
            });
            let mut writer = list.writer();
            writer.reserve([1, 1].into_iter()).unwrap();
            for key in [b"c", b"d"] {
                writer.insert_parts(&key[..], &[key]).unwrap();
            }
            let place = finish.place();
            thread.join().unwrap();
            assert_is_whole(&list, &[before, &["c", "cc", "d"]].concat());
            place == 0
        });
        assert_eq!(is_first, BTreeSet::from([false, true]));
    }
}

/// A walk beside two inserters, each in a thread of its own: with room for both, for one, for none.
#[test]
fn a_walk_beside_two_inserters_meets_each_key_or_not() {
    let cases: [(&[&str], [&str; 2]); 3] = [
        (&["b", "f"], ["c", "d"]),
        (&["b", "e", "f"], ["c", "d"]),
        (&["b", "d", "f", "h"], ["c", "g"]),
    ];
    for (before, keys) in cases {
        let met = outcomes_of_three(move || {
            let list = list_of::<Bytewise>(before);
            let (reader, inserter) = (list.clone(), list.clone());
            let walk = thread::spawn(move || forward(&reader));
            let other = thread::spawn(move || inserter.insert_bytes(keys[1].as_bytes()).map(drop));
            list.insert_bytes(keys[0].as_bytes()).unwrap();
            other.join().unwrap().unwrap();
            let met = walk.join().unwrap();
            assert_is_whole(&list, &[before, &keys].concat());
            met
        });
        let subsets = [&[][..], &keys[..1], &keys[1..], &keys];
        let expected = subsets.map(|keys| {
            let mut keys = [before, keys].concat();
            keys.sort_unstable();
            keys.join(" ")
        });
        assert_eq!(met, BTreeSet::from(expected));
    }
}

//! Lookups that are interrupted: between two of its comparisons, the list is changed as much as
//! other threads could have changed it. One thread plays both, so every case is met every time.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::rc::{Rc, Weak};

use strata_arena::Arena;
use strata_skiplist::{Compare, Prefix, SkipList};

use crate::concurrent::Random;

type List = SkipList<[u8], Interrupting>;

/// The order of bytes. After some comparisons it inserts keys before it makes the next one.
#[derive(Default)]
struct Interrupting {
    list: OnceCell<Weak<List>>,
    /// How many comparisons are left until the keys are inserted.
    left: Cell<u64>,
    keys: RefCell<Vec<Vec<u8>>>,
    /// How many comparisons were made in all.
    made: Cell<u64>,
}

/// No lookup in these lists takes as many: one that does goes in circles.
const TOO_MANY: u64 = 100_000;

impl Interrupting {
    fn list() -> Rc<List> {
        Rc::new_cyclic(|weak| {
            let order = Self::default();
            order.list.set(weak.clone()).map_err(drop).unwrap();
            List::new(order, Arena::new())
        })
    }

    /// Inserts `keys` when `left` more comparisons have been made.
    fn interrupt(&self, left: u64, keys: &[Vec<u8>]) {
        self.made.set(0);
        self.left.set(left);
        *self.keys.borrow_mut() = keys.to_vec();
    }

    /// Whether the keys were inserted.
    fn has_interrupted(&self) -> bool {
        self.keys.borrow_mut().drain(..).count() == 0
    }
}

impl Compare<[u8]> for Interrupting {
    fn compare(&self, key: &[u8], target: &[u8]) -> Ordering {
        self.made.set(self.made.get() + 1);
        assert!(self.made.get() < TOO_MANY, "a lookup does not end");
        match self.left.get() {
            0 => {
                let keys = self.keys.take();
                if !keys.is_empty() {
                    let list = self.list.get().and_then(Weak::upgrade).unwrap();
                    for key in &keys {
                        list.insert_bytes(key).unwrap();
                    }
                    self.made.set(0);
                }
            }
            left => self.left.set(left - 1),
        }
        key.cmp(target)
    }

    fn prefix(&self, target: &[u8]) -> Option<Prefix> {
        Some(Prefix::of_bytes(target))
    }
}

/// Bytes that are mostly alike, so that there are ties to compare, and heads that are zero.
fn sparse_key(random: &mut Random) -> Vec<u8> {
    let mut key = [0; 21];
    for byte in key[..16].iter_mut().step_by(2) {
        *byte = u8::from(random.below(2) == 0);
    }
    key[20] = u8::try_from(random.below(16)).unwrap();
    key.to_vec()
}

/// Up to `count` keys that begin with `start` and were not in `taken`, but are now.
fn new_keys(
    taken: &mut BTreeSet<Vec<u8>>,
    random: &mut Random,
    start: &[u8],
    count: usize,
) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    for _ in 0..count {
        let mut key = sparse_key(random);
        key[..start.len()].copy_from_slice(start);
        if taken.insert(key.clone()) {
            keys.push(key);
        }
    }
    keys
}

/// Whatever changes in the middle of a lookup, it finds a key that was there before, and ends.
///
/// A node whose slots are emptied while someone looks at them must let them go on, even with its
/// first key as the target.
#[test]
fn an_interrupted_lookup_finds_what_was_there() {
    const LISTS: u64 = 4000;
    let mut random = Random::new(5);
    let mut interrupted = 0;
    for round in 0..LISTS {
        let list = Interrupting::list();
        let mut taken = BTreeSet::new();
        for key in new_keys(&mut taken, &mut random, &[], 100) {
            list.insert_bytes(&key).unwrap();
        }
        let before: Vec<Vec<u8>> = taken.iter().cloned().collect();
        // Many of them near the target, so that the nodes change that the lookup comes by.
        let target = &before[usize::try_from(random.below(before.len() as u64)).unwrap()];
        let start = &target[..usize::try_from(random.below(3)).unwrap() * 4];
        let keys = new_keys(&mut taken, &mut random, start, 60);
        list.comparator().interrupt(round % 4, &keys);
        assert_eq!(list.get(&target[..]), Some(&target[..]));
        interrupted += u64::from(list.comparator().has_interrupted());
    }
    assert!(
        interrupted > LISTS / 2,
        "only {interrupted} were interrupted"
    );
}

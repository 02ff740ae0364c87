//! Comparators that panic, at the first call of an operation, at the second, and so on until it is
//! done: the panic comes through, and the list is whole afterwards. Nothing in it is locked, every
//! key whose insertion returned is there, and keys are dropped once.

use std::cmp::Ordering;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering::Relaxed};
use std::time::Duration;

use strata_arena::Arena;
use strata_skiplist::{Compare, InsertError, Prefix, SkipList};

use crate::support::{SLOTS, Versions, differs, insert, insert_late, key, within};

/// What is panicked with.
#[derive(Debug)]
struct Bang;

/// The order of numbers and of bytes, which panics when it is told to.
#[derive(Debug)]
struct Panicking<const PREFIXED: bool> {
    /// How many calls are answered until one panics; less than none if none does.
    left: AtomicI64,
}

impl<const PREFIXED: bool> Default for Panicking<PREFIXED> {
    fn default() -> Self {
        Self {
            left: AtomicI64::new(-1),
        }
    }
}

impl<const PREFIXED: bool> Panicking<PREFIXED> {
    #[inline(never)]
    fn called(&self) {
        let left = self.left.load(Relaxed);
        if left >= 0 {
            self.left.store(left - 1, Relaxed);
        }
        if left == 0 {
            // Without the message that `panic!` prints.
            resume_unwind(Box::new(Bang));
        }
    }

    /// Runs an operation of which call `at` panics; none does if that is less than none, or if there
    /// are fewer. Gives nothing if it did.
    fn interrupt<T>(&self, at: i64, run: impl FnOnce() -> T) -> Option<T> {
        self.left.store(at, Relaxed);
        let given = catch_unwind(AssertUnwindSafe(run));
        let has_panicked = at >= 0 && self.left.load(Relaxed) < 0;
        self.left.store(-1, Relaxed);
        match given {
            Ok(given) => {
                assert!(!has_panicked, "the panic did not come through");
                Some(given)
            }
            Err(panic) if panic.is::<Bang>() => None,
            Err(other) => resume_unwind(other),
        }
    }
}

impl<const PREFIXED: bool> Compare<[u8]> for Panicking<PREFIXED> {
    fn compare(&self, key: &[u8], target: &[u8]) -> Ordering {
        self.called();
        key.cmp(target)
    }

    fn prefix(&self, target: &[u8]) -> Option<Prefix> {
        self.called();
        PREFIXED.then(|| Prefix::of_bytes(target))
    }
}

/// A key that counts how often it is dropped.
#[derive(Debug)]
struct Counted {
    bytes: Box<[u8]>,
    index: usize,
    drops: Arc<[AtomicU8]>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops[self.index].fetch_add(1, Relaxed);
    }
}

impl<const PREFIXED: bool> Compare<Counted> for Panicking<PREFIXED> {
    fn compare(&self, key: &Counted, target: &Counted) -> Ordering {
        self.compare(&key.bytes[..], &target.bytes[..])
    }

    fn prefix(&self, target: &Counted) -> Option<Prefix> {
        Compare::<[u8]>::prefix(self, &target.bytes[..])
    }
}

impl<const PREFIXED: bool> Compare<Counted, [u8]> for Panicking<PREFIXED> {
    fn compare(&self, key: &Counted, target: &[u8]) -> Ordering {
        self.compare(&key.bytes[..], target)
    }

    fn prefix(&self, target: &[u8]) -> Option<Prefix> {
        Compare::<[u8]>::prefix(self, target)
    }
}

/// More keys than one node above the leaves has slots for.
const KEYS: u64 = if SLOTS == 4 { 300 } else { 4500 };

/// Keys with much in common, in three orders: leaves and what is above them split, and are replaced.
fn orders() -> [Vec<Vec<u8>>; 3] {
    let keys = |number: fn(u64) -> u64| {
        let key = |i| format!("tenant/0042/{:06}", number(i)).into_bytes();
        (0..KEYS).map(key).collect()
    };
    [
        keys(|i| i),
        keys(|i| KEYS - 1 - i),
        keys(|i| i * 7919 % KEYS),
    ]
}

/// A list that is made while the comparator panics at every call it is made with.
fn check_insertions<const PREFIXED: bool>(keys: &[Vec<u8>]) {
    let drops: Arc<[AtomicU8]> = (0..keys.len() * 100).map(|_| AtomicU8::new(0)).collect();
    let dropped = |index: usize| drops[index].load(Relaxed);
    let list = SkipList::<Counted, Panicking<PREFIXED>>::default();
    // For each key that was made, whether it is in the list.
    let mut made: Vec<bool> = Vec::new();
    let (mut panics, mut visible) = (0, 0);
    for (before, bytes) in (0..).zip(keys) {
        // Where a node can't be put into the level above for a panic, lookups may go right for long:
        // so not every one of them is interrupted.
        let is_interrupted = before % 3 == 0;
        for at in if is_interrupted { 0 } else { -1 }.. {
            let index = made.len();
            assert!(index < drops.len(), "an insertion takes too many calls");
            let key = Counted {
                bytes: bytes.clone().into(),
                index,
                drops: Arc::clone(&drops),
            };
            let used = list.arena().used_bytes();
            let inserted = list
                .comparator()
                .interrupt(at, || list.insert(key).map(|key| key.index));
            let grown = list.arena().used_bytes() - used;
            let is_there = list.get(&bytes[..]).is_some_and(|key| key.index == index);
            made.push(is_there);
            assert_eq!(dropped(index), u8::from(!is_there));
            if let Some(inserted) = inserted {
                assert_eq!((inserted, is_there), (Ok(index), true));
                break;
            }
            panics += 1;
            // Where a node was made or replaced, and now and then.
            if is_there || grown > 100 || panics % 500 == 0 {
                let count = before + u64::from(is_there);
                assert_eq!(list.len(), count);
                assert_eq!(list.iter().count() as u64, count);
                assert!(list.iter().is_sorted_by(|a, b| a.bytes < b.bytes));
                assert_eq!(list.iter().rev().count() as u64, count);
            }
            if is_there {
                visible += 1;
                break;
            }
        }
    }
    // A panic after the key was put into its leaf: the node that made is not in the level above.
    assert!(visible > 0 && panics > KEYS / 2, "{visible} of {panics}");
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert!(list.iter().map(|key| &key.bytes[..]).eq(&sorted));
    assert!(
        list.iter()
            .rev()
            .map(|key| &key.bytes[..])
            .eq(sorted.iter().rev())
    );
    for bytes in keys {
        assert_eq!(
            list.get(&bytes[..]).map(|key| &key.bytes[..]),
            Some(&bytes[..])
        );
    }
    for (index, is_there) in made.iter().enumerate() {
        assert_eq!(dropped(index), u8::from(!is_there));
    }
    drop(list);
    for index in 0..made.len() {
        assert_eq!(dropped(index), 1, "key {index} of {}", made.len());
    }
}

#[test]
fn an_insertion_that_panics_leaves_a_whole_list() {
    within(Duration::from_secs(60), || {
        for keys in orders() {
            check_insertions::<true>(&keys);
            check_insertions::<false>(&keys);
        }
    });
}

/// A duplicate that panics on its way is dropped once, too, and takes no place.
#[test]
fn a_duplicate_that_panics_is_dropped_once() {
    let drops: Arc<[AtomicU8]> = (0..1000).map(|_| AtomicU8::new(0)).collect();
    let mut next = 0;
    let mut counted = |bytes: &[u8]| {
        next += 1;
        Counted {
            bytes: bytes.into(),
            index: next - 1,
            drops: Arc::clone(&drops),
        }
    };
    let list = SkipList::<Counted, Panicking<true>>::default();
    let keys: Vec<[u8; 2]> = (0..200u8).map(|i| [b'k', i]).collect();
    for key in &keys {
        list.insert(counted(key)).unwrap();
    }
    for key in keys.iter().step_by(7) {
        for at in 0.. {
            let again = counted(key);
            let index = again.index;
            let inserted = list
                .comparator()
                .interrupt(at, || list.insert(again).map(drop));
            assert_eq!(drops[index].load(Relaxed), 1);
            if let Some(inserted) = inserted {
                assert_eq!(inserted, Err(InsertError::Duplicate));
                break;
            }
        }
    }
    assert_eq!(list.len(), 200);
    let before: u32 = drops
        .iter()
        .map(|drops| u32::from(drops.load(Relaxed)))
        .sum();
    drop(list);
    let after: u32 = drops
        .iter()
        .map(|drops| u32::from(drops.load(Relaxed)))
        .sum();
    assert_eq!((after - before, after), (200, u32::try_from(next).unwrap()));
}

#[test]
fn a_reservation_goes_on_after_a_panic() {
    within(Duration::from_secs(60), || {
        for keys in orders() {
            let keys = &keys[..keys.len().min(600)];
            let list = SkipList::<[u8], Panicking<true>>::default();
            let mut writer = list.writer();
            writer.reserve(keys.iter().map(Vec::len)).unwrap();
            let order = list.comparator();
            for (before, key) in (0..).zip(keys) {
                for at in 0.. {
                    let mut insert = || writer.insert_parts(&key[..], &[key]).map(<[u8]>::len);
                    let inserted = order.interrupt(at, &mut insert);
                    let is_there = list.contains(&key[..]);
                    assert_eq!(list.len(), before + u64::from(is_there));
                    match inserted {
                        Some(inserted) => assert_eq!((inserted, is_there), (Ok(key.len()), true)),
                        None if is_there => assert_eq!(insert(), Err(InsertError::Duplicate)),
                        None => continue,
                    }
                    break;
                }
            }
            let mut sorted = keys.to_vec();
            sorted.sort_unstable();
            assert!(list.iter().eq(sorted.iter().map(Vec::as_slice)));
        }
    });
}

#[test]
fn a_lookup_that_panics_changes_nothing() {
    for keys in orders() {
        let list = SkipList::<[u8], Panicking<true>>::default();
        let plain = SkipList::<[u8], Panicking<false>>::default();
        for key in &keys {
            list.insert_bytes(key).unwrap();
            plain.insert_bytes(key).unwrap();
        }
        for key in keys.iter().step_by(keys.len() / 20) {
            check_lookups(&list, key);
            check_lookups(&plain, key);
        }
        assert_eq!((list.len(), plain.len()), (KEYS, KEYS));
    }
}

fn check_lookups<const PREFIXED: bool>(list: &SkipList<[u8], Panicking<PREFIXED>>, key: &[u8]) {
    let order = list.comparator();
    let mut cursor = list.cursor();
    let first = list.first().unwrap();
    for at in 0.. {
        cursor.seek_to_first();
        let found = order.interrupt(at, || list.get(key));
        let bound = order.interrupt(at, || list.lower_bound(key));
        let sought = order.interrupt(at, || cursor.seek(key));
        match sought {
            Some(()) => assert_eq!(cursor.key(), Some(key)),
            None => assert_eq!(cursor.key(), Some(first)),
        }
        cursor.seek_to_first();
        let sought_before = order.interrupt(at, || cursor.seek_for_prev(key));
        match sought_before {
            Some(()) => assert_eq!(cursor.key(), Some(key)),
            None => assert_eq!(cursor.key(), Some(first)),
        }
        let mut range = list.range::<[u8], _>((Bound::Unbounded, Bound::Included(key)));
        let last = order.interrupt(at, || range.next_back());
        // An iterator that panicked goes on, or has ended.
        let next = range.next_back();
        match last {
            Some(last) => assert_eq!(last, Some(key)),
            None => assert!(next.is_none_or(|next| next <= key)),
        }
        let all = order.interrupt(at, || {
            list.first_versions::<[u8], _>([key, first])
                .filter(|(target, found)| *found == Some(*target))
                .count()
        });
        assert!(all.is_none_or(|found| found == 2));
        assert_eq!(list.get(key), Some(key));
        if found.is_some()
            && bound.is_some()
            && sought.is_some()
            && sought_before.is_some()
            && last.is_some()
            && all.is_some()
        {
            assert_eq!((found, bound), (Some(Some(key)), Some(Some(key))));
            return;
        }
    }
}

/// What gives a late number may panic, too.
#[test]
fn a_late_insertion_whose_number_panics_leaves_no_trace() {
    const NAME: &[u8] = b"name/";
    let list = Versions::<true>::default();
    let mut keys = Vec::new();
    for number in 1..=3 * SLOTS as u64 {
        let late = || insert_late(&list, NAME, u64::MAX, || resume_unwind(Box::new(Bang)));
        let panic = catch_unwind(AssertUnwindSafe(late)).unwrap_err();
        assert!(panic.is::<Bang>());
        assert_eq!(differs(&list, &keys), None);
        insert(&list, &key(NAME, number)).unwrap();
        keys.insert(0, key(NAME, number));
    }
    assert_eq!(differs(&list, &keys), None);
}

/// A key of no more than the memory there is: a panic in the first insertion of a list.
#[test]
fn a_list_can_be_begun_after_a_panic() {
    let list = SkipList::<[u8], Panicking<true>>::new(Panicking::default(), Arena::new());
    let inserted = list
        .comparator()
        .interrupt(0, || list.insert_bytes(b"key").map(drop));
    assert_eq!(inserted, None);
    assert!(list.is_empty() && list.first().is_none());
    assert_eq!(list.insert_bytes(b"key"), Ok(&b"key"[..]));
}

//! Insertions for which there is no memory, in the middle of splits and of what they change above.
//! A test program of its own, as its allocator refuses.
#![cfg(not(loom))]

mod refusing;

use std::cmp::Ordering;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use refusing::{Refuse, refuse};
use strata_skiplist::{Compare, InsertError, Prefix, SkipList};

/// The order of bytes, counting comparisons; with prefixes or without.
#[derive(Debug, Default)]
struct Counting<const PREFIXED: bool>(AtomicU64);

impl<const PREFIXED: bool> Compare<[u8]> for Counting<PREFIXED> {
    fn compare(&self, key: &[u8], target: &[u8]) -> Ordering {
        self.0.fetch_add(1, Relaxed);
        key.cmp(target)
    }

    fn prefix(&self, target: &[u8]) -> Option<Prefix> {
        PREFIXED.then(|| Prefix::of_bytes(target))
    }
}

type List<const PREFIXED: bool> = SkipList<[u8], Counting<PREFIXED>>;

/// How many keys are inserted: enough to split nodes above the leaves.
const KEYS: u64 = if cfg!(strata_small_nodes) { 3000 } else { 9000 };

/// The keys, in three orders. They have much in common, so that nodes are replaced, too.
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

/// Which requests are refused, by how many come before.
const MODES: [fn(u32) -> Refuse; 2] = [Refuse::One, Refuse::AllAfter];

/// What was met while a list was made.
#[derive(Debug, Default)]
struct Met {
    /// Insertions that failed.
    failed: u64,
    /// Those that did not, though some of what they asked for was refused.
    made_do: u64,
}

/// Inserts the keys. Each insertion is first made with its first request refused, then with its
/// second, and so on, until it is done; `check` sees the list after each that failed.
fn insert_all<const PREFIXED: bool>(
    list: &List<PREFIXED>,
    keys: &[Vec<u8>],
    mode: fn(u32) -> Refuse,
    mut check: impl FnMut(&[u8], u64),
) -> Met {
    let mut met = Met::default();
    for (key, before) in keys.iter().zip(0..) {
        for at in 0.. {
            let (inserted, refusals) = refuse(mode(at), || list.insert_bytes(key).map(drop));
            match inserted {
                Ok(()) => {
                    met.made_do += u64::from(refusals > 0);
                    break;
                }
                Err(InsertError::Full(_)) if refusals > 0 => {
                    met.failed += 1;
                    check(key, before);
                }
                Err(error) => panic!("{error} after {refusals} refusals"),
            }
        }
    }
    met
}

fn sorted(keys: &[Vec<u8>]) -> Vec<&[u8]> {
    let mut sorted: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    sorted
}

fn check_traces<const PREFIXED: bool>() {
    for keys in orders() {
        for mode in MODES {
            let list = List::<PREFIXED>::default();
            let met = insert_all(&list, &keys, mode, |key, before| {
                assert!(!list.contains(key));
                assert_eq!(list.len(), before);
                assert_eq!(list.is_empty(), before == 0);
                let mut at = list.cursor();
                at.seek(key);
                assert!(at.key().is_none_or(|next| next > key));
                assert!(list.iter().is_sorted_by(|a, b| a < b));
                assert_eq!(list.iter().rev().count() as u64, before);
            });
            let sorted = sorted(&keys);
            assert!(list.iter().eq(sorted.iter().copied()), "{met:?}");
            assert!(list.iter().rev().eq(sorted.iter().rev().copied()));
            for key in &keys {
                assert_eq!(list.get(&key[..]), Some(&key[..]));
                let again = list.insert_bytes(key);
                assert_eq!(again, Err(InsertError::Duplicate));
            }
            let refusals = met.failed + met.made_do;
            assert!(refusals > 20, "only {met:?}");
        }
    }
}

#[test]
fn an_insertion_that_is_refused_memory_leaves_no_trace() {
    check_traces::<true>();
    check_traces::<false>();
}

/// How many comparisons the lookups take that take the most, and all of them.
fn costs(list: &List<false>, keys: &[Vec<u8>]) -> (u64, u64) {
    let count = &list.comparator().0;
    let mut most = 0;
    let mut all = 0;
    for key in keys {
        count.store(0, Relaxed);
        assert!(list.contains(&key[..]));
        most = most.max(count.load(Relaxed));
        all += count.load(Relaxed);
    }
    (most, all)
}

/// A node that could not be put into the level above at first is not reached by going right for
/// ever: in the end a lookup costs what it costs in a list that was never refused anything.
#[test]
fn lookups_cost_no_more_after_refusals() {
    for (order, keys) in orders().into_iter().enumerate() {
        let usual = List::<false>::default();
        for key in &keys {
            usual.insert_bytes(key).unwrap();
        }
        let (usual_most, usual_all) = costs(&usual, &keys);
        for mode in MODES {
            let list = List::<false>::default();
            let met = insert_all(&list, &keys, mode, |_, _| {});
            let (most, all) = costs(&list, &keys);
            assert!(
                most <= usual_most + 2 && all <= usual_all + usual_all / 100,
                "a lookup takes {most} comparisons, all {all}; without refusals {usual_most} and \
                 {usual_all}; order {order}, {met:?}"
            );
        }
    }
}

/// All nodes are refused while keys come: only what fits into the leaves there are is taken. Later
/// everything is.
#[test]
fn a_list_goes_on_after_a_time_without_memory() {
    for keys in orders() {
        let list = List::<true>::default();
        let (early, late) = keys.split_at(keys.len() / 2);
        for key in early {
            list.insert_bytes(key).unwrap();
        }
        let taken: Vec<bool> = late
            .iter()
            .map(|key| {
                let (inserted, _) = refuse(Refuse::AllAfter(0), || list.insert_bytes(key));
                inserted.is_ok()
            })
            .collect();
        let refused = taken.iter().filter(|taken| !**taken).count();
        assert!(refused > late.len() / 4, "only {refused} were refused");
        for (key, taken) in late.iter().zip(taken) {
            let expected = match taken {
                true => Err(InsertError::Duplicate),
                false => Ok(&key[..]),
            };
            assert_eq!(list.insert_bytes(key), expected);
        }
        assert!(list.iter().eq(sorted(&keys)));
    }
}

/// What was reserved is inserted without another request: keys, and the nodes for them.
#[test]
fn insertions_that_were_reserved_ask_for_nothing() {
    for keys in orders() {
        for present in [0, keys.len() / 2] {
            for count in [1, 40, keys.len() / 2] {
                let list = List::<true>::default();
                let (early, late) = keys.split_at(present);
                for key in early {
                    list.insert_bytes(key).unwrap();
                }
                let late = &late[..count];
                let mut writer = list.writer();
                writer.reserve(late.iter().map(Vec::len)).unwrap();
                let (stored, refusals) = refuse(Refuse::AllAfter(0), || {
                    let is_stored = |key: &&Vec<u8>| writer.insert_parts(&key[..], &[key]).is_ok();
                    late.iter().filter(is_stored).count()
                });
                assert_eq!((stored, refusals), (count, 0), "{present} were there");
                assert!(list.iter().eq(sorted(&keys[..present + count])));
            }
        }
    }
}

/// A reservation that is refused keeps nothing from those that come after it, however often it is
/// made again: what it may have set aside already, the next one uses.
#[test]
fn refused_reservations_do_not_use_up_memory() {
    for keys in orders() {
        for present in [0, keys.len() / 2] {
            for mode in MODES {
                let list = List::<true>::default();
                let (early, late) = keys.split_at(present);
                for key in early {
                    list.insert_bytes(key).unwrap();
                }
                let reserved_at = (0..).find(|&at| {
                    let reserved = || {
                        let lengths = late.iter().map(Vec::len);
                        refuse(mode(at), || list.writer().reserve(lengths).is_ok()).0
                    };
                    let used_bytes = || list.arena().used_bytes();
                    let mut used = None;
                    for attempt in 0..8 {
                        if reserved() {
                            return true;
                        }
                        // The second may get further, and set aside what the others then have.
                        if attempt > 0 {
                            assert_eq!(*used.get_or_insert_with(used_bytes), used_bytes());
                        }
                        assert_eq!(list.len(), present as u64);
                    }
                    false
                });
                assert!(reserved_at.is_some());
                for key in late {
                    list.insert_bytes(key).unwrap();
                }
                assert!(list.iter().eq(sorted(&keys)));
            }
        }
    }
}

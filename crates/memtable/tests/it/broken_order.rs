//! Comparators that break their contract: they contradict themselves, or panic. Additions, batches,
//! lookups, walks and freezing must all return, and a panic must leave nothing locked.

use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use strata_dbformat::{Comparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, Lookup, MemTable};

use crate::sequence;

/// What is panicked with.
#[derive(Debug)]
struct Bang;

/// How a comparator is wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// Right, until it panics.
    Panicking,
    Always(Ordering),
    Turning(u64),
    Random,
}

#[derive(Debug)]
struct Broken {
    wrong: Wrong,
    /// Whether its prefixes are those of the keys, reversed, or none.
    prefixes: Option<bool>,
    calls: AtomicU64,
    /// How many calls are answered until one panics; less than none if none does.
    left: AtomicI64,
}

impl Broken {
    fn new(wrong: Wrong, prefixes: Option<bool>, seed: u64) -> Self {
        Self {
            wrong,
            prefixes,
            calls: AtomicU64::new(seed),
            left: AtomicI64::new(-1),
        }
    }

    #[inline(never)]
    fn called(&self) -> u64 {
        let left = self.left.load(Relaxed);
        if left >= 0 {
            self.left.store(left - 1, Relaxed);
        }
        if left == 0 {
            // Without the message that `panic!` prints.
            resume_unwind(Box::new(Bang));
        }
        let call = self.calls.fetch_add(1, Relaxed) + 1;
        call.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
    }
}

impl Comparator for Broken {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let random = self.called();
        let right = a.cmp(b);
        match self.wrong {
            Wrong::Panicking => right,
            Wrong::Always(order) => order,
            Wrong::Turning(calls) => match self.calls.load(Relaxed) / calls % 2 {
                0 => right,
                _ => right.reverse(),
            },
            Wrong::Random => [Ordering::Less, Ordering::Equal, Ordering::Greater]
                [usize::try_from(random % 3).unwrap()],
        }
    }

    fn name(&self) -> &str {
        "test.Broken"
    }

    fn prefix(&self, user_key: &[u8]) -> Option<[u64; 6]> {
        self.called();
        let is_right = self.prefixes?;
        let mut first = [0; 8];
        for (byte, from) in first.iter_mut().zip(user_key) {
            *byte = *from;
        }
        let first = u64::from_be_bytes(first);
        Some([if is_right { first } else { !first }, 0, 0, 0, 0, 0])
    }
}

/// Runs `run` on another thread, and fails if it panics, or does not end in a minute.
fn within_a_minute(run: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        run();
        // The test may have ended.
        let _ = sender.send(());
    });
    match receiver.recv_timeout(Duration::from_secs(60)) {
        Err(RecvTimeoutError::Timeout) => panic!("not done after a minute"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
    }
    thread.join().unwrap_or_else(|panic| resume_unwind(panic));
}

fn user_key(i: u64) -> Vec<u8> {
    format!("{:05}", i * 7919 % 1000).into_bytes()
}

/// Does everything with a memtable, and takes whatever comes of it.
fn exercise(memtable: &MemTable<Broken>) {
    let (mut added, mut next) = (0, 0);
    for i in 0..300 {
        let key = user_key(i);
        let kind = match i % 5 {
            0 => ValueType::Deletion,
            _ => ValueType::Value,
        };
        let result = match i % 3 {
            0 => memtable.add(sequence(next), kind, &key, b"value"),
            1 => {
                let late = memtable.add_late(kind, &key, b"late", || Some(sequence(next)));
                late.map(|is_added| assert!(is_added))
            }
            _ => {
                let keys: Vec<Vec<u8>> = (0..20).map(|j| user_key(i * 31 + j)).collect();
                let batch = keys.iter().map(|key| (kind, &key[..], &b"batch"[..]));
                let result = memtable.add_batch(sequence(next), batch);
                added += 19 * u64::from(result.is_ok());
                next += 19;
                result
            }
        };
        next += 1;
        match result {
            Ok(()) => added += 1,
            Err(error) => assert!(matches!(error, AddError::Duplicate { .. }), "{error}"),
        }
        let _ = memtable.get_at(&key, SequenceNumber::MAX);
        let _ = memtable.get_owned(&key, sequence(next));
        let mut cursor = memtable.cursor();
        cursor.seek_to(&key, SequenceNumber::MAX);
        cursor.next_user_key();
        cursor.prev();
        cursor.seek_for_prev(&key, sequence(next));
        let other = user_key(i + 1);
        assert!(memtable.range(&key[..]..&other[..]).count() as u64 <= next);
        assert!(memtable.range(&key[..]..).rev().count() as u64 <= next);
    }
    // A batch that a wrong order called a duplicate halfway may have left entries.
    let len = memtable.len();
    assert!(added <= len && len <= next);
    assert_eq!(memtable.iter().count() as u64, len);
    let immutable = memtable.freeze();
    assert_eq!(immutable.len(), len);
}

#[test]
fn a_comparator_that_contradicts_itself_breaks_nothing_but_the_order() {
    within_a_minute(|| {
        let wrong = [
            Wrong::Always(Ordering::Less),
            Wrong::Always(Ordering::Equal),
            Wrong::Always(Ordering::Greater),
            Wrong::Turning(1),
            Wrong::Turning(5),
            Wrong::Turning(1000),
            Wrong::Random,
        ];
        for wrong in wrong {
            for prefixes in [None, Some(true), Some(false)] {
                for seed in 0..10 {
                    exercise(&MemTable::new(Broken::new(wrong, prefixes, seed)));
                }
            }
        }
    });
}

/// Runs an operation of which call `at` panics. None if it did, and not if there are fewer.
fn interrupt<T>(memtable: &MemTable<Broken>, at: i64, run: impl FnOnce() -> T) -> Option<T> {
    let left = &memtable.user_comparator().left;
    left.store(at, Relaxed);
    let given = catch_unwind(AssertUnwindSafe(run));
    let has_panicked = left.swap(-1, Relaxed) < 0;
    match given {
        Ok(given) => {
            assert!(!has_panicked, "the panic did not come through");
            Some(given)
        }
        Err(panic) if panic.is::<Bang>() => None,
        Err(other) => resume_unwind(other),
    }
}

fn encoded(memtable: &MemTable<Broken>) -> Vec<Vec<u8>> {
    memtable.iter().map(|e| e.encoded().to_vec()).collect()
}

fn check_panics(prefixes: Option<bool>) {
    let memtable = MemTable::new(Broken::new(Wrong::Panicking, prefixes, 0));
    let mut next = 0;
    for i in 0..600 {
        let key = user_key(i);
        for at in 0.. {
            let number = sequence(next);
            next += 1;
            let kind = ValueType::Value;
            let added = interrupt(&memtable, at, || match i % 2 {
                0 => memtable.add(number, kind, &key, b"value").map(|()| true),
                _ => memtable.add_late(kind, &key, b"value", || Some(number)),
            });
            // What panicked is there whole or not at all.
            let found = memtable
                .get_entry(&key, number)
                .filter(|e| e.sequence() == number);
            match added {
                Some(added) => {
                    assert_eq!(added, Ok(true));
                    assert_eq!(found.map(|entry| entry.value()), Some(&b"value"[..]));
                    break;
                }
                None => assert!(found.is_none_or(|entry| entry.value() == b"value")),
            }
        }
    }
    let entries: Vec<_> = memtable.iter().collect();
    assert!(entries.is_sorted_by(|a, b| { (a.user_key(), b.tag()) < (b.user_key(), a.tag()) }));
    assert_eq!(memtable.iter().rev().count(), entries.len());
    for i in 0..600 {
        let found = memtable.get_at(&user_key(i), SequenceNumber::MAX);
        assert_eq!(found, Lookup::Value(b"value"));
    }
    // Nothing is locked: additions by other threads, and freezing, do not wait for ever.
    thread::scope(|scope| {
        for thread in 0..12 {
            let memtable = &memtable;
            scope.spawn(move || {
                for i in 0..200 {
                    let number = sequence(next + thread * 200 + i);
                    let kind = ValueType::Value;
                    memtable.add(number, kind, &user_key(i), b"value").unwrap();
                }
            });
        }
    });
    memtable.freeze();
}

#[test]
fn an_addition_that_panics_leaves_a_whole_memtable() {
    within_a_minute(|| {
        check_panics(Some(true));
        check_panics(None);
    });
}

/// A batch that panics may be there in part: what is there is a beginning of it, in order.
#[test]
fn a_batch_that_panics_leaves_a_whole_memtable() {
    within_a_minute(|| {
        for prefixes in [Some(true), None] {
            for present in [0, 200] {
                let keys: Vec<Vec<u8>> = (0..80).map(|i| user_key(i + 900)).collect();
                for at in (0..).step_by(7) {
                    let memtable = MemTable::new(Broken::new(Wrong::Panicking, prefixes, 0));
                    for i in 0..present {
                        let kind = ValueType::Value;
                        memtable
                            .add(sequence(i), kind, &user_key(i), b"value")
                            .unwrap();
                    }
                    let before = encoded(&memtable);
                    let entries = keys
                        .iter()
                        .map(|key| (ValueType::Value, &key[..], &b"batch"[..]));
                    let add = |first| memtable.add_batch(sequence(first), entries.clone());
                    let added = interrupt(&memtable, at, || add(present));
                    let stored = memtable.iter().filter(|entry| entry.value() == b"batch");
                    let mut numbers: Vec<u64> = stored.map(|e| e.sequence().get()).collect();
                    numbers.sort_unstable();
                    assert!(
                        numbers
                            .iter()
                            .copied()
                            .eq(present..present + numbers.len() as u64)
                    );
                    let others = memtable.iter().filter(|entry| entry.value() != b"batch");
                    assert!(others.map(|entry| entry.encoded()).eq(&before));
                    // At later numbers all of it goes in.
                    add(present + 80).unwrap();
                    for (i, key) in (0..).zip(&keys) {
                        let entry = memtable.get_entry(key, SequenceNumber::MAX).unwrap();
                        assert!(entry.sequence().get() >= present + 80 + i);
                    }
                    if let Some(added) = added {
                        assert_eq!((added, numbers.len()), (Ok(()), 80));
                        break;
                    }
                }
            }
        }
    });
}

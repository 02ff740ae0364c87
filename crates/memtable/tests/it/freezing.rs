//! Freezing: one moment for all threads, from wherever it is called.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock, Weak};
use std::thread;

use strata_arena::Meter;
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, ImmutableMemTable, MemTable, MemTableOptions};

use crate::sequence;

type Table = MemTable<BytewiseComparator>;

fn add(table: &Table, number: u64) -> Result<(), AddError> {
    let key = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    table.add(sequence(number), ValueType::Value, &key, b"value")
}

fn contents(table: &ImmutableMemTable<BytewiseComparator>) -> Vec<Vec<u8>> {
    table.iter().map(|entry| entry.encoded().to_vec()).collect()
}

/// Freezes its memtable when that has reserved so many bytes.
#[derive(Debug, Default)]
struct Freezer {
    table: OnceLock<Weak<Table>>,
    most: usize,
    reserved: AtomicUsize,
    frozen: OnceLock<(ImmutableMemTable<BytewiseComparator>, Vec<Vec<u8>>)>,
}

impl Meter for Freezer {
    fn reserved(&self, bytes: usize) {
        let reserved = self.reserved.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if reserved > self.most
            && let Some(table) = self.table.get().and_then(Weak::upgrade)
        {
            let frozen = table.freeze();
            let contents = contents(&frozen);
            self.frozen.get_or_init(|| (frozen, contents));
        }
    }

    fn released(&self, bytes: usize) {
        self.reserved.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The meter is told after the addition, with nothing held: what it freezes has the entry that
/// made the memtable grow, and all others that were accepted.
#[test]
fn a_meter_may_freeze_its_memtable() {
    for threads in [1, 4] {
        let freezer = Arc::new(Freezer {
            most: 100_000,
            ..Freezer::default()
        });
        let table = Arc::new(Table::with_options(
            BytewiseComparator,
            MemTableOptions {
                meter: Some(Arc::clone(&freezer) as Arc<dyn Meter>),
                ..MemTableOptions::default()
            },
        ));
        freezer.table.set(Arc::downgrade(&table)).unwrap();
        let accepted = AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..threads {
                let (table, accepted) = (&table, &accepted);
                scope.spawn(move || {
                    for i in 0.. {
                        match add(table, i * threads + thread) {
                            Ok(()) => accepted.fetch_add(1, Ordering::Relaxed),
                            Err(AddError::Frozen) => return,
                            Err(error) => unreachable!("{error}"),
                        };
                    }
                });
            }
        });
        let (frozen, then) = freezer.frozen.get().unwrap();
        assert_eq!(frozen.len(), accepted.load(Ordering::Relaxed));
        assert_eq!(&contents(frozen), then, "it has not changed since");
    }
}

#[test]
fn a_sequence_closure_that_freezes_has_its_addition_refused() {
    let table = Table::new(BytewiseComparator);
    add(&table, 1).unwrap();
    let mut frozen = None;
    let added = table.add_late(ValueType::Value, b"late", b"value", || {
        add(&table, 2).unwrap();
        frozen = Some(table.freeze());
        assert_eq!(add(&table, 3), Err(AddError::Frozen));
        Some(sequence(4))
    });
    assert_eq!(added, Err(AddError::Frozen));
    let frozen = frozen.unwrap();
    assert_eq!((frozen.len(), frozen.iter().count()), (2, 2));
    assert_eq!(add(&table, 5), Err(AddError::Frozen));
}

/// Closures of several threads freeze at once: none waits for another's addition, and none of
/// these is in what is frozen.
#[test]
fn sequence_closures_of_several_threads_freeze_at_once() {
    const THREADS: u8 = 6;
    for _ in 0..100 {
        let table = Table::new(BytewiseComparator);
        add(&table, 100).unwrap();
        let start = Barrier::new(usize::from(THREADS));
        let late = |thread: u8| {
            let key = [thread];
            start.wait();
            let mut frozen = None;
            let added = table.add_late(ValueType::Value, &key, b"", || {
                frozen = Some(table.freeze());
                Some(sequence(thread.into()))
            });
            assert_eq!(added, Err(AddError::Frozen));
            // Refused before the closure was called, or because it froze.
            frozen.is_none_or(|frozen| contents(&frozen).len() == 1)
        };
        let late = &late;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || late(thread)))
                .collect();
            assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        });
        assert_eq!(table.len(), 1);
    }
}

/// An iterator that freezes at some entry, in some pass over the batch: the batch is added whole or
/// not at all, and after freezing only if it was begun.
#[test]
fn a_batch_whose_iterator_freezes_is_whole_or_not_there() {
    const COUNT: usize = 40;
    let mut wholes = Vec::new();
    for at in 0.. {
        let table = Table::new(BytewiseComparator);
        // So that the batch's entries are looked for before they are added.
        add(&table, 1000).unwrap();
        let calls = AtomicUsize::new(0);
        let frozen = OnceLock::new();
        let keys: Vec<[u8; 2]> = (0..COUNT)
            .map(|i| [b'k', u8::try_from(i * 7 % COUNT).unwrap()])
            .collect();
        let batch = keys.iter().map(|key| {
            if calls.fetch_add(1, Ordering::Relaxed) == at {
                frozen.set(contents(&table.freeze()).len()).unwrap();
            }
            (ValueType::Value, &key[..], &b"v"[..])
        });
        let added = table.add_batch(sequence(1), batch);
        let Some(&when_frozen) = frozen.get() else {
            assert_eq!(added, Ok(()));
            assert!(at > 3 * COUNT);
            break;
        };
        match added {
            Ok(()) => assert_eq!(table.iter().count(), COUNT + 1),
            Err(error) => {
                assert_eq!((error, table.iter().count()), (AddError::Frozen, 1));
                assert_eq!(when_frozen, 1);
            }
        }
        assert_eq!(add(&table, 2000), Err(AddError::Frozen));
        wholes.push(added.is_ok());
    }
    assert!(wholes.is_sorted(), "only from some point on");
    let refused = wholes.iter().filter(|whole| !**whole).count();
    assert!(refused > 3 * COUNT, "{refused} of {}", wholes.len());
}

/// Threads tell each other of refusals: an addition that begins when one is known of is refused,
/// too.
#[test]
fn freezing_is_one_moment() {
    const THREADS: u8 = 4;
    for round in 0..300 {
        let table = Table::new(BytewiseComparator);
        let is_refused = AtomicBool::new(false);
        let start = Barrier::new(usize::from(THREADS) + 1);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (table, is_refused, start) = (&table, &is_refused, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut after = 0;
                    for i in 0.. {
                        let was_refused = is_refused.load(Ordering::Acquire);
                        let added = add(table, i * u64::from(THREADS) + u64::from(thread));
                        assert!(added.is_err() || !was_refused, "accepted after a refusal");
                        if added.is_err() {
                            is_refused.store(true, Ordering::Release);
                            after += 1;
                        }
                        if after > 3 {
                            return;
                        }
                    }
                });
            }
            start.wait();
            for _ in 0..round * 10 {
                std::hint::spin_loop();
            }
            let frozen = table.freeze();
            let then = contents(&frozen);
            thread::yield_now();
            assert_eq!(contents(&frozen), then);
            assert_eq!(frozen.len(), then.len() as u64);
        });
    }
}

/// A closure that adds, in whose closure another adds, and so on, in more threads than there are
/// lanes: none waits for a lane that is held for its own sake.
#[test]
fn more_writers_than_lanes_add_within_additions() {
    const THREADS: u8 = 24;
    const DEPTH: u8 = 5;
    const ROUNDS: u64 = 40;
    fn nested(table: &Table, last: &AtomicU64, thread: u8, depth: u8) {
        let next = || SequenceNumber::new(last.fetch_add(1, Ordering::Relaxed) + 1).ok();
        let key = [thread, depth];
        let added = table.add_late(ValueType::Value, &key, b"value", || {
            if depth < DEPTH {
                nested(table, last, thread, depth + 1);
                thread::yield_now();
            }
            next()
        });
        assert_eq!(added, Ok(true));
    }
    let table = Table::new(BytewiseComparator);
    let last = AtomicU64::new(0);
    let start = Barrier::new(usize::from(THREADS));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (table, last, start) = (&table, &last, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..ROUNDS {
                    nested(table, last, thread, 0);
                }
            });
        }
    });
    let keys = u64::from(THREADS) * u64::from(DEPTH + 1);
    let all = keys * ROUNDS;
    assert_eq!((table.len(), table.iter().count() as u64), (all, all));
    assert_eq!(table.largest_sequence(), Some(sequence(all)));
    assert_eq!(table.shadowed_entries(), all - keys);
}

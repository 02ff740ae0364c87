//! Writers, readers and freezing at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, Lookup, MemTable};

use crate::sequence;

/// Writers overwrite a few keys with values that say their sequence number. A reader that has seen
/// the number of a finished write must find that write's key at that snapshot with exactly that
/// value, must see each key's newest version go forward only, and must meet entries in order.
#[test]
fn a_reader_never_misses_or_goes_back_while_writers_add() {
    const KEYS: u64 = 16;
    const WRITES: u64 = 20_000;
    let memtable = MemTable::new(BytewiseComparator);
    let next = AtomicU64::new(1);
    // For each key, the largest number whose addition has returned.
    let finished: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let done = AtomicBool::new(false);
    let (memtable, next, finished, done) = (&memtable, &next, &finished, &done);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number > WRITES {
                            return;
                        }
                        let key = number * 2_654_435_761 % KEYS;
                        let value_type = if number % 5 == 0 {
                            ValueType::Deletion
                        } else {
                            ValueType::Value
                        };
                        let value = number.to_le_bytes();
                        memtable
                            .add(sequence(number), value_type, &key.to_be_bytes(), &value)
                            .unwrap();
                        finished[usize::try_from(key).unwrap()]
                            .fetch_max(number, Ordering::Release);
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(move || {
                let mut newest = vec![0; finished.len()];
                while !done.load(Ordering::Acquire) {
                    for (key, (finished, newest)) in (0..KEYS).zip(finished.iter().zip(&mut newest))
                    {
                        let number = finished.load(Ordering::Acquire);
                        if number == 0 {
                            continue;
                        }
                        let key = key.to_be_bytes();
                        let entry = memtable.get_entry(&key, sequence(number)).unwrap();
                        assert_eq!(entry.sequence(), sequence(number));
                        assert_eq!(entry.value(), number.to_le_bytes());
                        let entry = memtable.get_entry(&key, SequenceNumber::MAX).unwrap();
                        assert!(entry.sequence().get() >= number.max(*newest));
                        *newest = entry.sequence().get();
                    }
                    let keys: Vec<_> = memtable
                        .iter()
                        .take(300)
                        .map(|e| (e.user_key(), !e.sequence().get()))
                        .collect();
                    assert!(keys.is_sorted_by(|a, b| a < b));
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(
        (memtable.len(), memtable.tombstones()),
        (WRITES, WRITES / 5)
    );
    assert_eq!(memtable.smallest_sequence(), Some(sequence(1)));
    assert_eq!(memtable.largest_sequence(), Some(sequence(WRITES)));
}

/// Writers race with freezing: what was added before is in the immutable memtable, what was
/// refused is not, and it does not change once it is there.
#[test]
fn freezing_draws_a_line_through_the_writes() {
    for round in 0..200u64 {
        let memtable = MemTable::new(BytewiseComparator);
        let memtable = &memtable;
        thread::scope(|scope| {
            let writers: Vec<_> = (0..2u64)
                .map(|writer| {
                    scope.spawn(move || {
                        for number in 0.. {
                            let key = (number * 2 + writer).to_be_bytes();
                            let entries = [(ValueType::Value, &key[..], &b"v"[..]); 3];
                            let first = sequence(number * 6 + writer * 3);
                            match memtable.add_batch(first, entries.into_iter()) {
                                Ok(()) => {}
                                Err(error) => {
                                    assert_eq!(error, AddError::Frozen);
                                    return number;
                                }
                            }
                        }
                        unreachable!()
                    })
                })
                .collect();
            while memtable.len() < round {
                std::hint::spin_loop();
            }
            let immutable = memtable.freeze();
            let frozen: Vec<_> = immutable.iter().map(|entry| entry.encoded()).collect();
            let batches: u64 = writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .sum();
            assert_eq!(frozen.len() as u64, batches * 3);
            assert_eq!(immutable.len(), batches * 3);
            assert!(immutable.iter().map(|entry| entry.encoded()).eq(frozen));
        });
    }
}

/// All writers add the same entries: each entry is added by exactly one of them.
#[test]
fn an_entry_is_added_by_one_writer() {
    let memtable = MemTable::new(BytewiseComparator);
    let memtable = &memtable;
    let added: usize = thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(move || {
                    (0..5000u64)
                        .filter(|number| {
                            let key = (number % 50).to_be_bytes();
                            memtable
                                .add(sequence(*number), ValueType::Value, &key, b"v")
                                .is_ok()
                        })
                        .count()
                })
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum()
    });
    assert_eq!((added, memtable.len()), (5000, 5000));
    assert_eq!(
        memtable.get_at(&7u64.to_be_bytes(), SequenceNumber::MAX),
        Lookup::Value(b"v")
    );
}

//! Entries whose sequence numbers are given when their place is found.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, Lookup, MemTable};

#[test]
fn several_writers_of_few_keys_keep_their_versions_in_order() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 10_000;
    const KEYS: u64 = 5;
    let memtable = MemTable::new(BytewiseComparator);
    let last = AtomicU64::new(0);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (memtable, last) = (&memtable, &last);
            scope.spawn(move || {
                for i in 0..EACH {
                    let user_key = [b'k', u8::try_from((i * 7 + writer) % KEYS).unwrap()];
                    let mut given = 0;
                    let next = || {
                        given = last.fetch_add(1, Ordering::Relaxed) + 1;
                        SequenceNumber::new(given).ok()
                    };
                    let added = memtable.add_late(ValueType::Value, &user_key, b"value", next);
                    assert_eq!(added, Ok(true));
                    let snapshot = SequenceNumber::new(given).unwrap();
                    let entry = memtable.get_entry(&user_key, snapshot).unwrap();
                    assert_eq!(entry.sequence().get(), given);
                }
            });
        }
    });
    let mut seen = vec![false; usize::try_from(WRITERS * EACH).unwrap() + 1];
    let mut before: Option<(Vec<u8>, u64)> = None;
    for entry in &memtable {
        let sequence = entry.sequence().get();
        assert!(!std::mem::replace(
            &mut seen[usize::try_from(sequence).unwrap()],
            true
        ));
        if let Some((user_key, newer)) = before {
            assert!(
                user_key.as_slice() < entry.user_key() || newer > sequence,
                "{entry}"
            );
        }
        before = Some((entry.user_key().to_vec(), sequence));
    }
    assert!(seen[1..].iter().all(|&seen| seen));
    assert_eq!(memtable.memory().shadowed_entries, WRITERS * EACH - KEYS);
}

#[test]
fn without_a_sequence_number_nothing_is_added() {
    let memtable = MemTable::new(BytewiseComparator);
    let number = |number| move || SequenceNumber::new(number).ok();
    assert_eq!(
        memtable.add_late(ValueType::Value, b"a", b"1", number(1)),
        Ok(true)
    );
    assert_eq!(
        memtable.add_late(ValueType::Value, b"a", b"2", || None),
        Ok(false)
    );
    assert_eq!(
        memtable.add_late(ValueType::Deletion, b"b", b"", || None),
        Ok(false)
    );
    assert_eq!((memtable.len(), memtable.tombstones()), (1, 0));
    assert_eq!(
        memtable.get_at(b"a", SequenceNumber::MAX),
        Lookup::Value(b"1")
    );
    assert_eq!(memtable.memory().shadowed_entries, 0);
    assert_eq!(
        memtable.add_late(ValueType::Deletion, b"a", b"", number(2)),
        Ok(true)
    );
    assert_eq!(
        memtable.get_at(b"a", SequenceNumber::MAX),
        Lookup::Tombstone
    );

    memtable.freeze();
    let refused = memtable.add_late(ValueType::Value, b"c", b"", || unreachable!("it is frozen"));
    assert_eq!(refused, Err(AddError::Frozen));
}

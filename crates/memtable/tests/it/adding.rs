//! What is refused, that it leaves no trace, and what lookups cost.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use allocation_counter::measure;
use strata_dbformat::{BytewiseComparator, Comparator, LookupKey, SequenceNumber, Tag, ValueType};
use strata_memtable::{
    AddError, ImmutableMemTable, Lookup, MemTable, MemTableOptions, MemTableReader, OwnedCursor,
    OwnedEntry, OwnedIter,
};

use crate::sequence;

fn is_send_and_sync<T: Send + Sync + 'static>() {}

#[test]
fn memtables_and_what_is_owned_go_between_threads() {
    is_send_and_sync::<MemTable<BytewiseComparator>>();
    is_send_and_sync::<ImmutableMemTable<Box<dyn Comparator>>>();
    is_send_and_sync::<MemTableReader<BytewiseComparator>>();
    is_send_and_sync::<OwnedIter<BytewiseComparator>>();
    is_send_and_sync::<OwnedCursor<Box<dyn Comparator>>>();
    is_send_and_sync::<OwnedEntry<BytewiseComparator>>();
}

/// What can be seen of a memtable, to compare before and after.
fn state<C: Comparator>(memtable: &MemTable<C>) -> (u64, u64, usize, Option<SequenceNumber>) {
    let entries = memtable.iter().count() as u64;
    (
        entries,
        memtable.len(),
        memtable.used_bytes(),
        memtable.largest_sequence(),
    )
}

#[test]
fn a_duplicate_is_refused_and_leaves_no_trace() {
    let memtable = MemTable::new(BytewiseComparator);
    memtable
        .add(sequence(5), ValueType::Value, b"key", b"value")
        .unwrap();
    let before = state(&memtable);
    let duplicate = AddError::Duplicate {
        sequence: sequence(5),
        value_type: ValueType::Value,
    };
    assert_eq!(
        memtable.add(sequence(5), ValueType::Value, b"key", b"else"),
        Err(duplicate)
    );
    assert_eq!(state(&memtable), before);
    assert_eq!(
        memtable.get_at(b"key", sequence(5)),
        Lookup::Value(b"value")
    );
    // Another type at the same number is another entry, and the value comes first.
    memtable
        .add(sequence(5), ValueType::Deletion, b"key", b"")
        .unwrap();
    assert_eq!(
        memtable.get_at(b"key", sequence(5)),
        Lookup::Value(b"value")
    );
    assert!(memtable.contains(b"key", Tag::new(sequence(5), ValueType::Deletion)));
    assert!(!memtable.contains(b"key", Tag::new(sequence(4), ValueType::Deletion)));
}

#[test]
fn a_full_memtable_refuses_what_does_not_fit_and_takes_what_does() {
    let options = MemTableOptions {
        memory_limit_bytes: 64 << 10,
        ..MemTableOptions::default()
    };
    let memtable = MemTable::with_options(BytewiseComparator, options);
    let before = state(&memtable);
    let value = vec![0; 100_000];
    let error = memtable
        .add(sequence(1), ValueType::Value, b"large", &value)
        .unwrap_err();
    assert!(matches!(error, AddError::Full(_)), "{error}");
    assert_eq!(state(&memtable), before);
    let mut added = 0;
    while memtable
        .add(sequence(added + 1), ValueType::Value, b"key", &value[..100])
        .is_ok()
    {
        added += 1;
    }
    assert!(added > 300, "{added}");
    assert_eq!(
        (memtable.len(), memtable.iter().count() as u64),
        (added, added)
    );
    assert!(memtable.approximate_memory_usage() <= 64 << 10);
}

#[test]
fn a_batch_is_added_whole_or_not_at_all() {
    let options = MemTableOptions {
        memory_limit_bytes: 64 << 10,
        ..MemTableOptions::default()
    };
    let memtable = MemTable::with_options(BytewiseComparator, options);
    memtable
        .add(sequence(12), ValueType::Value, b"c", b"there")
        .unwrap();
    let batch = |count: usize, value: &'static [u8]| {
        [&b"a"[..], b"b", b"c", b"d"]
            .into_iter()
            .cycle()
            .take(count)
            .map(move |key| (ValueType::Value, key, value))
    };
    let before = state(&memtable);
    let refused = memtable.add_batch(sequence(10), batch(4, b"v"));
    let duplicate = AddError::Duplicate {
        sequence: sequence(12),
        value_type: ValueType::Value,
    };
    assert_eq!(refused, Err(duplicate), "the third entry is there already");
    assert_eq!(state(&memtable), before);

    let refused = memtable.add_batch(sequence(20), batch(1000, &[0; 100]));
    assert!(matches!(refused, Err(AddError::Full(_))), "{refused:?}");
    assert_eq!(state(&memtable), before);

    let refused = memtable.add_batch(sequence((1 << 56) - 2), batch(3, b"v"));
    assert!(
        matches!(refused, Err(AddError::SequenceOutOfRange(_))),
        "{refused:?}"
    );
    assert_eq!(state(&memtable), before);

    memtable.add_batch(sequence(20), batch(4, b"v")).unwrap();
    memtable.add_batch(sequence(30), batch(0, b"v")).unwrap();
    assert_eq!(
        (memtable.len(), memtable.largest_sequence()),
        (5, Some(sequence(23)))
    );
}

#[test]
fn a_frozen_memtable_refuses_and_can_be_read() {
    let memtable = MemTable::new(BytewiseComparator);
    memtable
        .add(sequence(1), ValueType::Value, b"a", b"1")
        .unwrap();
    let (reader, mut cursor, mut entries) = (
        memtable.reader(),
        memtable.owned_cursor(),
        memtable.owned_iter(),
    );
    let immutable = memtable.freeze();
    assert!(memtable.is_frozen());
    let batch: [(_, &[u8], &[u8]); 1] = [(ValueType::Value, b"b", b"2")];
    assert_eq!(
        memtable.add(sequence(2), ValueType::Value, b"b", b"2"),
        Err(AddError::Frozen)
    );
    assert_eq!(
        memtable.add_batch(sequence(2), batch.into_iter()),
        Err(AddError::Frozen)
    );
    drop(memtable);
    cursor.seek_to_first();
    assert_eq!(cursor.value(), Some(&b"1"[..]));
    assert_eq!(entries.next().unwrap().entry().value(), b"1");
    assert!(entries.next().is_none());
    assert_eq!(
        reader.get_at(b"a", SequenceNumber::MAX),
        Lookup::Value(b"1")
    );
    assert_eq!(immutable.clone().into_iter().count(), 1);
}

/// Counts how often it is asked.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Comparator for Counting {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.0.fetch_add(1, Relaxed);
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "test.Counting"
    }
}

#[test]
fn a_lookup_is_one_seek_however_many_newer_versions_there_are() {
    let memtable = MemTable::new(Counting::default());
    for number in 1..=20_000 {
        memtable
            .add(sequence(number), ValueType::Value, b"hot", b"value")
            .unwrap();
    }
    let asked = || memtable.user_comparator().0.load(Relaxed);
    for snapshot in [1, 100, 10_000, 19_999, 20_000] {
        let before = asked();
        let entry = memtable.get_entry(b"hot", sequence(snapshot)).unwrap();
        assert_eq!(entry.sequence(), sequence(snapshot));
        assert!(asked() - before < 100, "{} comparisons", asked() - before);
        let before = asked();
        let mut cursor = memtable.cursor();
        cursor.seek_to(b"hot", sequence(snapshot));
        cursor.next_user_key();
        assert!(!cursor.valid());
        assert!(asked() - before < 200, "{} comparisons", asked() - before);
    }
}

#[test]
fn lookups_allocate_nothing() {
    let memtable = MemTable::new(BytewiseComparator);
    for number in 1..=1000 {
        let key = format!("{:016}", number * 7919 % 1000);
        memtable
            .add(sequence(number), ValueType::Value, key.as_bytes(), b"value")
            .unwrap();
    }
    let short = LookupKey::new(b"0000000000000500", SequenceNumber::MAX).unwrap();
    let long_key = [b'k'; 5000];
    let info = measure(|| {
        assert_eq!(memtable.get(&short), Lookup::Value(b"value"));
        assert_eq!(
            memtable.get_at(&long_key, SequenceNumber::MAX),
            Lookup::Absent
        );
        let key = LookupKey::new(b"0000000000000007", sequence(1000)).unwrap();
        assert_eq!(memtable.get(&key), Lookup::Value(b"value"));
        let mut cursor = memtable.cursor();
        cursor.seek(short.internal_key()).unwrap();
        cursor.next();
        cursor.prev();
        assert!(cursor.valid());
        assert_eq!(
            memtable
                .range(&b"00000000000001"[..]..&b"00000000000002"[..])
                .count(),
            100
        );
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn memory_is_what_the_allocator_gave() {
    let mut made = None;
    let info = measure(|| {
        let memtable = MemTable::new(BytewiseComparator);
        for number in 1..=10_000u64 {
            let key = (number * 7919 % 10_000).to_be_bytes();
            memtable
                .add(sequence(number), ValueType::Value, &key, &[0; 100])
                .unwrap();
        }
        made = Some(memtable);
    });
    let memtable = made.unwrap();
    // The rest is the memtable itself: the arena's lanes and the counters, each on lines of their
    // own.
    let fixed = info.bytes_current - memtable.approximate_memory_usage() as i64;
    assert!((0..4096).contains(&fixed), "{fixed}");
    let payload = 10_000 * (8 + 100);
    let overhead = (memtable.used_bytes() - payload) as f64 / 10_000.0;
    assert!(
        overhead < 25.0,
        "{overhead} bytes an entry beyond key and value"
    );
    let info = measure(|| drop(memtable));
    assert!(
        info.count_total == 0 && info.bytes_current < 0,
        "all of it is given back"
    );

    let info = measure(|| drop(MemTable::new(BytewiseComparator)));
    assert!(
        info.bytes_max < 4096,
        "{} bytes for an empty memtable",
        info.bytes_max
    );
}

#[test]
fn a_cursor_refuses_what_is_no_internal_key_and_stays() {
    let memtable = MemTable::new(BytewiseComparator);
    memtable
        .add(sequence(1), ValueType::Value, b"key", b"value")
        .unwrap();
    let mut cursor = memtable.cursor();
    cursor.seek_to_first();
    assert!(cursor.seek(b"short").is_err());
    assert!(cursor.seek(b"key\x07\0\0\0\0\0\0\0").is_err());
    assert_eq!(cursor.value(), Some(&b"value"[..]));
    cursor.seek(b"kez\x01\0\0\0\0\0\0\0").unwrap();
    assert!(!cursor.valid());
}

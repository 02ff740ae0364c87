//! The single-threaded cases LevelDB's `skiplist_test` holds, in our words; those with threads are
//! in `concurrent`.

use std::collections::BTreeSet;

use strata_skiplist::{InsertError, Numeric, SkipList};

use crate::concurrent::Random;

#[test]
fn an_empty_list_has_no_keys() {
    let list = SkipList::<u64, Numeric>::default();
    assert!(!list.contains(&10));
    assert!(list.is_empty());
    assert_eq!((list.len(), list.first(), list.last()), (0, None, None));
    let mut cursor = list.cursor();
    assert!(!cursor.valid());
    cursor.seek_to_first();
    assert!(!cursor.valid());
    cursor.seek(&100);
    assert!(!cursor.valid());
    cursor.seek_to_last();
    assert!(!cursor.valid());
    assert_eq!(list.iter().next(), None);
    assert_eq!(list.iter().next_back(), None);
}

#[test]
fn what_is_inserted_is_found_and_nothing_else() {
    const DRAWS: usize = 2000;
    const RANGE: u64 = 5000;
    let mut random = Random::new(1000);
    let mut keys = BTreeSet::new();
    let list = SkipList::<u64, Numeric>::default();
    for _ in 0..DRAWS {
        let key = random.below(RANGE);
        let inserted = if keys.insert(key) {
            Ok(&key)
        } else {
            Err(InsertError::Duplicate)
        };
        assert_eq!(list.insert(key), inserted);
    }
    assert_eq!(list.len(), keys.len() as u64);
    for key in 0..RANGE {
        assert_eq!(list.contains(&key), keys.contains(&key), "{key}");
    }

    let mut cursor = list.cursor();
    assert!(!cursor.valid());
    cursor.seek(&0);
    assert_eq!(cursor.key(), keys.first());
    cursor.seek_to_first();
    assert_eq!(cursor.key(), keys.first());
    cursor.seek_to_last();
    assert_eq!(cursor.key(), keys.last());

    for start in 0..RANGE {
        cursor.seek(&start);
        let mut expected = keys.range(start..);
        for _ in 0..3 {
            let key = expected.next();
            assert_eq!(cursor.key(), key, "from {start}");
            if key.is_none() {
                break;
            }
            cursor.next();
        }
    }

    cursor.seek_to_last();
    for key in keys.iter().rev() {
        assert_eq!(cursor.key(), Some(key));
        cursor.prev();
    }
    assert!(!cursor.valid());
}

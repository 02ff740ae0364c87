//! LevelDB's table harness over the memtable, in our words: for two orders, the same cases, each
//! walked forward, walked backward, and walked at random against a sorted map. The second order
//! is the harness's own: that of the keys' bytes read from the end.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber, ValueType};
use strata_memtable::{Lookup, MemTable, OwnedCursor};

use crate::sequence;

/// Orders keys by their bytes from the last to the first.
#[derive(Clone, Copy, Debug)]
struct FromTheEnd;

impl Comparator for FromTheEnd {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.iter().rev().cmp(b.iter().rev())
    }

    fn name(&self) -> &str {
        "test.FromTheEnd"
    }
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0 * 16807 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % bound
    }

    /// Small numbers more often than large ones: below a random power of two.
    fn skewed(&mut self, max_log: usize) -> usize {
        let bits = self.below(max_log + 1);
        self.below(1 << bits)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| u8::try_from(b' ' as usize + self.below(95)).unwrap())
            .collect()
    }

    /// A key that is likely to differ little from others.
    fn key(&mut self, length: usize) -> Vec<u8> {
        const LETTERS: &[u8] = b"\0\x01abcde\xfd\xfe\xff";
        (0..length)
            .map(|_| LETTERS[self.below(LETTERS.len())])
            .collect()
    }
}

/// Puts the pairs into a memtable in the order given, and checks all walks over it. A key given
/// twice keeps its last value in the model; in the memtable, its newest version comes first, and
/// the walks step from user key to user key.
fn check<C: Comparator + Copy>(comparator: C, pairs: &Pairs) {
    let borrowed = pairs.iter().map(|(key, value)| (&key[..], &value[..]));
    let memtable = MemTable::from_pairs(comparator, sequence(1), borrowed).unwrap();
    let mut sorted: Pairs = pairs.clone();
    sorted.reverse();
    sorted.sort_by(|a, b| comparator.compare(&a.0, &b.0));
    sorted.dedup_by(|later, first| later.0 == first.0);

    let mut cursor = memtable.owned_cursor();
    assert!(!cursor.valid(), "a new cursor is at no entry");
    forward(&mut cursor, &sorted);
    backward(&mut cursor, &sorted);
    at_random(&mut cursor, comparator, &sorted);
    for (key, value) in &sorted {
        assert_eq!(
            memtable.get_at(key, SequenceNumber::MAX),
            Lookup::Value(value)
        );
    }
}

fn at<C: Comparator>(cursor: &OwnedCursor<C>) -> Option<(&[u8], &[u8])> {
    cursor
        .entry()
        .map(|entry| (entry.user_key(), entry.value()))
}

fn as_slices((key, value): &(Vec<u8>, Vec<u8>)) -> (&[u8], &[u8]) {
    (key, value)
}

fn forward<C: Comparator>(cursor: &mut OwnedCursor<C>, sorted: &Pairs) {
    cursor.seek_to_first();
    for pair in sorted {
        assert_eq!(at(cursor), Some(as_slices(pair)));
        cursor.next_user_key();
    }
    assert!(!cursor.valid());
}

fn backward<C: Comparator>(cursor: &mut OwnedCursor<C>, sorted: &Pairs) {
    cursor.seek_to_last();
    for pair in sorted.iter().rev() {
        newest_version(cursor);
        assert_eq!(at(cursor), Some(as_slices(pair)));
        cursor.prev();
    }
    assert!(!cursor.valid());
}

/// Moves from any version of a user key to its newest.
fn newest_version<C: Comparator>(cursor: &mut OwnedCursor<C>) {
    if let Some(entry) = cursor.entry() {
        let user_key = entry.user_key().to_vec();
        cursor.seek_to(&user_key, SequenceNumber::MAX);
    }
}

fn at_random<C: Comparator>(cursor: &mut OwnedCursor<C>, comparator: C, sorted: &Pairs) {
    let mut random = Random(301);
    // An index into `sorted`, or its length for no entry.
    let mut model = sorted.len();
    cursor.seek_to_last();
    cursor.next();
    for _ in 0..200 {
        match random.below(5) {
            0 if model < sorted.len() => {
                cursor.next_user_key();
                model += 1;
            }
            1 => {
                cursor.seek_to_first();
                model = 0;
            }
            2 => {
                let target = random_target(&mut random, sorted);
                cursor.seek_to(&target, SequenceNumber::MAX);
                model = sorted.partition_point(|(key, _)| comparator.compare(key, &target).is_lt());
            }
            3 if model < sorted.len() => {
                cursor.prev();
                newest_version(cursor);
                model = model.checked_sub(1).unwrap_or(sorted.len());
            }
            _ => {
                cursor.seek_to_last();
                newest_version(cursor);
                model = sorted.len().saturating_sub(1);
            }
        }
        assert_eq!(at(cursor), sorted.get(model).map(as_slices));
    }
}

/// A key that is there, or one a little before or after it.
fn random_target(random: &mut Random, sorted: &Pairs) -> Vec<u8> {
    if sorted.is_empty() {
        return b"foo".to_vec();
    }
    let mut key = sorted[random.below(sorted.len())].0.clone();
    match random.below(3) {
        0 => {}
        1 => {
            if let Some(last) = key.last_mut() {
                *last = last.wrapping_sub(1);
            }
        }
        _ => key.push(0),
    }
    key
}

fn check_both(pairs: &[(&[u8], &[u8])]) {
    let pairs: Pairs = pairs
        .iter()
        .map(|(k, v)| (k.to_vec(), v.to_vec()))
        .collect();
    check(BytewiseComparator, &pairs);
    check(FromTheEnd, &pairs);
}

#[test]
fn an_empty_memtable_walks_nowhere() {
    check_both(&[]);
}

#[test]
fn an_empty_key_is_a_key() {
    check_both(&[(b"", b"v")]);
}

#[test]
fn a_single_entry_walks() {
    check_both(&[(b"abc", b"v")]);
}

#[test]
fn several_entries_walk() {
    check_both(&[(b"abc", b"v"), (b"abcd", b"v"), (b"ac", b"v2")]);
}

#[test]
fn the_largest_bytes_are_a_key() {
    check_both(&[(b"\xff\xff", b"v3")]);
}

#[test]
fn random_entries_walk() {
    let mut random = Random(42);
    let mut count = 0;
    while count < 2000 {
        let pairs: Pairs = (0..count)
            .map(|_| {
                let length = random.skewed(4);
                let key = random.key(length);
                let length = random.skewed(5);
                (key, random.bytes(length))
            })
            .collect();
        check(BytewiseComparator, &pairs);
        check(FromTheEnd, &pairs);
        count += if count < 50 { 1 } else { 200 };
    }
}

/// LevelDB's `MemTableTest.Simple`, and what its DB tests ask of memtables through the DB.
#[test]
fn the_newest_version_a_snapshot_sees_is_found() {
    // Short keys, and ones too long for a lookup key without heap.
    for user_key in [&b"foo"[..], &[b'x'; 200]] {
        let memtable = MemTable::new(BytewiseComparator);
        let mut model: BTreeMap<u64, Lookup<'_>> = BTreeMap::new();
        let writes: [(u64, Lookup<'_>); 5] = [
            (100, Lookup::Value(b"v1")),
            (101, Lookup::Value(b"v2")),
            (103, Lookup::Tombstone),
            (104, Lookup::Value(b"")),
            (107, Lookup::Tombstone),
        ];
        for (number, lookup) in writes {
            let value_type = match lookup {
                Lookup::Value(_) => ValueType::Value,
                _ => ValueType::Deletion,
            };
            let value = lookup.value().unwrap_or_default();
            memtable
                .add(sequence(number), value_type, user_key, value)
                .unwrap();
            model.insert(number, lookup);
        }
        for snapshot in 95..110 {
            let expected = model
                .range((Bound::Unbounded, Bound::Included(snapshot)))
                .next_back()
                .map_or(Lookup::Absent, |(_, &lookup)| lookup);
            assert_eq!(
                memtable.get_at(user_key, sequence(snapshot)),
                expected,
                "@ {snapshot}"
            );
        }
        assert_eq!(memtable.get_at(b"fo", SequenceNumber::MAX), Lookup::Absent);
        assert_eq!(
            memtable.get_at(b"fooo", SequenceNumber::MAX),
            Lookup::Absent
        );
    }
}

/// LevelDB's custom comparator test: keys that compare as equal are one key.
#[test]
fn equal_keys_are_one_key_whatever_their_bytes() {
    #[derive(Debug)]
    struct Numbers;

    fn number(key: &[u8]) -> u64 {
        let text = std::str::from_utf8(key).unwrap().trim_matches(['[', ']']);
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
            None => text.parse().unwrap(),
        }
    }

    impl Comparator for Numbers {
        fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
            number(a).cmp(&number(b))
        }

        fn name(&self) -> &str {
            "test.Numbers"
        }
    }

    let boxed: Box<dyn Comparator> = Box::new(Numbers);
    let memtable = MemTable::new(boxed);
    memtable
        .add(sequence(1), ValueType::Value, b"[10]", b"ten")
        .unwrap();
    memtable
        .add(sequence(2), ValueType::Value, b"[0x14]", b"twenty")
        .unwrap();
    for (key, value) in [
        ("[10]", "ten"),
        ("[0xa]", "ten"),
        ("[20]", "twenty"),
        ("[0x14]", "twenty"),
    ] {
        let found = memtable.get_at(key.as_bytes(), SequenceNumber::MAX);
        assert_eq!(found, Lookup::Value(value.as_bytes()), "{key}");
    }
    assert_eq!(
        memtable.get_at(b"[15]", SequenceNumber::MAX),
        Lookup::Absent
    );
    assert_eq!(
        memtable
            .get_owned(b"[0xa]", sequence(1))
            .unwrap()
            .entry()
            .value(),
        b"ten"
    );
    let mut cursor = memtable.cursor();
    cursor.seek_to(b"[0xa]", SequenceNumber::MAX);
    cursor.next_user_key();
    assert_eq!(cursor.value(), Some(&b"twenty"[..]));
}

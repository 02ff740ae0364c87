//! Lists of keys with values: the bytes they are kept as, at every length that takes another form.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use strata_arena::Arena;
use strata_skiplist::{Bytewise, Compare, InsertError, KeyValue, Prefix, SkipList};

type List = SkipList<KeyValue, Bytewise>;

#[test]
fn an_entry_has_the_bytes_of_leveldb() {
    let list = List::default();
    // Sequence number 123 and the type of a value, as LevelDB puts them behind a user key.
    let tag = (123u64 << 8 | 1).to_le_bytes();
    let target = [b"abc", &tag[..]].concat();
    let entry = list
        .insert_key_value(&target[..], &[b"abc", &tag], b"123")
        .unwrap()
        .key;
    assert_eq!(
        entry.as_bytes(),
        b"\x0babc\x01\x7b\x00\x00\x00\x00\x00\x00\x03123"
    );
    assert_eq!((entry.key(), entry.value()), (&target[..], &b"123"[..]));
    assert_eq!(
        format!(
            "{:?}",
            list.insert_key_value(&b"a\""[..], &[b"a\""], b"\0")
                .unwrap()
                .key
        ),
        r#"KeyValue('a\"' => '\x00')"#
    );
}

#[test]
fn lengths_around_each_more_byte_of_a_varint_are_kept() {
    const LENGTHS: [usize; 9] = [0, 1, 126, 127, 128, 129, 16_383, 16_384, 16_385];
    let list = List::default();
    for key_length in LENGTHS {
        for value_length in LENGTHS {
            let key = [vec![b'k'; key_length], value_length.to_be_bytes().to_vec()].concat();
            let value = vec![b'v'; value_length];
            let (front, back) = key.split_at(key_length / 2);
            let entry = list
                .insert_key_value(&key[..], &[front, b"", back], &value)
                .unwrap()
                .key;
            assert_eq!((entry.key(), entry.value()), (&key[..], &value[..]));
        }
    }
    for entry in &list {
        let found = list.get(entry.key()).unwrap();
        assert_eq!(found.as_bytes(), entry.as_bytes());
        let lengths = [entry.key().len(), entry.value().len()];
        let varints =
            lengths.map(|length| 1 + usize::from(length > 127) + usize::from(length > 16_383));
        let whole = lengths.iter().chain(&varints).sum::<usize>();
        assert_eq!(entry.as_bytes().len(), whole);
    }
    assert_eq!(list.iter().count(), LENGTHS.len() * LENGTHS.len());
}

#[test]
fn keys_and_values_may_be_empty() {
    let list = List::default();
    let entry = list.insert_key_value(&b""[..], &[], b"").unwrap().key;
    assert_eq!(entry.as_bytes(), b"\0\0");
    assert_eq!((entry.key(), entry.value()), (&b""[..], &b""[..]));
    let again = list.insert_key_value(&b""[..], &[b""], b"other");
    assert!(matches!(again, Err(InsertError::Duplicate)));
    assert_eq!(list.first().map(KeyValue::value), Some(&b""[..]));
}

#[test]
fn reserved_entries_fit_whatever_the_limit() {
    let entries: Vec<(Vec<u8>, Vec<u8>)> = (0..150u8)
        .map(|i| (vec![i; usize::from(i)], vec![!i; usize::from(i) * 2 % 137]))
        .collect();
    let lengths = entries.iter().map(|(key, value)| (key.len(), value.len()));
    let list = List::new(Bytewise, Arena::with_limit(48 << 10));
    let mut writer = list.writer();
    writer.reserve(lengths.clone()).unwrap();
    // Whatever else was free is taken.
    let filler = |i: u64| [&b"\xff"[..], &i.to_be_bytes()].concat();
    while list
        .insert_key_value(&filler(list.len())[..], &[&filler(list.len())], b"")
        .is_ok()
    {}
    let others = list.len();
    for (key, value) in &entries {
        let entry = writer.insert_key_value(&key[..], &[key], value).unwrap();
        assert_eq!((entry.key.key(), entry.key.value()), (&key[..], &value[..]));
    }
    assert_eq!(list.len(), others + 150);
    assert!(list.iter().is_sorted_by_key(|entry| entry.key()));

    let used = list.arena().used_bytes();
    assert!(matches!(
        list.writer().reserve(lengths),
        Err(InsertError::Full(_))
    ));
    for absurd in [(usize::MAX, 1), (1, usize::MAX), (1 << 32, 0), (0, 1 << 32)] {
        let refused = list.writer().reserve([absurd].into_iter());
        assert!(matches!(refused, Err(InsertError::Full(_))), "{absurd:?}");
    }
    assert_eq!(list.arena().used_bytes(), used, "nothing is taken");
}

/// Orders entries by their keys, of which the last byte is a version and not in the prefix.
#[derive(Debug, Default)]
struct Versioned<const PREFIXED: bool>;

impl<const PREFIXED: bool> Compare<[u8]> for Versioned<PREFIXED> {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn prefix(&self, key: &[u8]) -> Option<Prefix> {
        PREFIXED.then(|| Prefix::of_bytes(key.split_last().map_or(b"", |(_, name)| name)))
    }
}

/// Inserts keys in the order of their hashes, or sorted, and compares what each was put between
/// with what a sorted set says.
fn check_neighbours<const PREFIXED: bool>(names: u64, versions: u8, order: fn(u64) -> u64) {
    let list = SkipList::<KeyValue, Versioned<PREFIXED>>::default();
    let mut keys: Vec<(u64, Vec<u8>)> = (0..names)
        .flat_map(|name| (0..versions).map(move |version| (name, version)))
        .map(|(name, version)| {
            let key = [format!("name/{name:04}").as_bytes(), &[version]].concat();
            (order(name * 256 + u64::from(version)), key)
        })
        .collect();
    keys.sort();
    let mut sorted = BTreeSet::new();
    for (_, key) in &keys {
        let inserted = list.insert_key_value(&key[..], &[key], b"").unwrap();
        assert_eq!(inserted.key.key(), key);
        let name = |key: &[u8]| key.split_last().map(|(_, name)| name.to_vec());
        let sides = [
            (inserted.before, sorted.range(..key.clone()).next_back()),
            (inserted.after, sorted.range(key.clone()..).next()),
        ];
        for (told, neighbour) in sides {
            match told {
                Some(told) => assert_eq!(Some(told.key()), neighbour.map(Vec::as_slice)),
                None => assert!(
                    neighbour.is_none_or(|other| PREFIXED && name(other) != name(key)),
                    "{neighbour:?} was left out beside {key:?}"
                ),
            }
        }
        sorted.insert(key.clone());
    }
}

#[test]
fn an_insertion_tells_what_it_was_put_between() {
    let orders: [fn(u64) -> u64; 3] = [
        |i| i,
        |i| u64::MAX - i,
        |i| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7,
    ];
    for order in orders {
        for (names, versions) in [(1, 255), (30, 40), (700, 3)] {
            check_neighbours::<true>(names, versions, order);
            check_neighbours::<false>(names, versions, order);
        }
    }
}

/// Otherwise every insertion would read keys that it need not.
#[test]
fn neighbours_with_other_prefixes_are_left_out() {
    let list = SkipList::<KeyValue, Versioned<true>>::default();
    for i in (0..2000u32).map(|i| i * 733 % 2000) {
        let key = [&i.to_be_bytes()[..], b"v"].concat();
        let inserted = list.insert_key_value(&key[..], &[&key], b"").unwrap();
        assert!(inserted.before.is_none() && inserted.after.is_none());
    }
}

#[test]
fn reserved_entries_tell_their_neighbours_too() {
    let list = SkipList::<KeyValue, Versioned<true>>::default();
    let mut writer = list.writer();
    writer.reserve([(3, 0); 3].into_iter()).unwrap();
    for (key, before, after) in [
        (b"a/2", None, None),
        (b"a/1", None, Some(b"a/2")),
        (b"a/3", Some(b"a/2"), None),
    ] {
        let inserted = writer.insert_key_value(&key[..], &[key], b"").unwrap();
        let of = |key: Option<&[u8; 3]>| key.map(|key| key.to_vec());
        assert_eq!(
            inserted.before.map(|entry| entry.key().to_vec()),
            of(before)
        );
        assert_eq!(inserted.after.map(|entry| entry.key().to_vec()), of(after));
    }
    assert_eq!(
        format!(
            "{:?}",
            list.insert_key_value(&b"a/4"[..], &[b"a/4"], b"").unwrap()
        ),
        "Inserted { key: KeyValue('a/4' => ''), before: Some(KeyValue('a/3' => '')), after: None }"
    );
}

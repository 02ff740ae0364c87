//! Lists of keys with values: the bytes they are kept as, at every length that takes another form.

use std::cmp::Ordering;

use strata_arena::Arena;
use strata_skiplist::{Compare, InsertError, KeyValue, Prefix, SkipList};

#[derive(Default)]
struct ByKey;

impl Compare<KeyValue, [u8]> for ByKey {
    fn compare(&self, entry: &KeyValue, key: &[u8]) -> Ordering {
        entry.key().cmp(key)
    }

    fn prefix(&self, key: &[u8]) -> Option<Prefix> {
        Some(Prefix::of_bytes(key))
    }
}

impl Compare<KeyValue> for ByKey {
    fn compare(&self, a: &KeyValue, b: &KeyValue) -> Ordering {
        a.key().cmp(b.key())
    }

    fn prefix(&self, entry: &KeyValue) -> Option<Prefix> {
        Some(Prefix::of_bytes(entry.key()))
    }
}

type List = SkipList<KeyValue, ByKey>;

#[test]
fn an_entry_has_the_bytes_of_leveldb() {
    let list = List::default();
    // Sequence number 123 and the type of a value, as LevelDB puts them behind a user key.
    let tag = (123u64 << 8 | 1).to_le_bytes();
    let target = [b"abc", &tag[..]].concat();
    let entry = list
        .insert_key_value(&target[..], &[b"abc", &tag], b"123")
        .unwrap();
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
                .unwrap();
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
    let entry = list.insert_key_value(&b""[..], &[], b"").unwrap();
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
    let list = List::new(ByKey, Arena::with_limit(48 << 10));
    let mut reservation = list.reserve(lengths.clone()).unwrap();
    // Whatever else was free is taken.
    let filler = |i: u64| [&b"\xff"[..], &i.to_be_bytes()].concat();
    while list
        .insert_key_value(&filler(list.len())[..], &[&filler(list.len())], b"")
        .is_ok()
    {}
    let others = list.len();
    for (key, value) in &entries {
        let entry = reservation
            .insert_key_value(&key[..], &[key], value)
            .unwrap();
        assert_eq!((entry.key(), entry.value()), (&key[..], &value[..]));
    }
    assert_eq!(list.len(), others + 150);
    assert!(list.iter().is_sorted_by_key(|entry| entry.key()));

    let used = list.arena().used_bytes();
    assert!(matches!(list.reserve(lengths), Err(InsertError::Full(_))));
    for absurd in [(usize::MAX, 1), (1, usize::MAX), (1 << 32, 0), (0, 1 << 32)] {
        let refused = list.reserve([absurd].into_iter());
        assert!(matches!(refused, Err(InsertError::Full(_))), "{absurd:?}");
    }
    assert_eq!(list.arena().used_bytes(), used, "nothing is taken");
}

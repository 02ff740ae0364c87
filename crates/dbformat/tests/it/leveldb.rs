//! The cases LevelDB's `dbformat_test` holds, in our words.

use strata_dbformat::{
    BytewiseComparator, Comparator, InternalKey, InternalKeyComparator, ParsedInternalKey,
    SequenceNumber, ValueType,
};

fn internal_key(user_key: &[u8], sequence: u64, value_type: ValueType) -> Vec<u8> {
    let sequence = SequenceNumber::new(sequence).unwrap();
    InternalKey::new(user_key, sequence, value_type)
        .encode()
        .to_vec()
}

fn value(user_key: &str, sequence: u64) -> Vec<u8> {
    internal_key(user_key.as_bytes(), sequence, ValueType::Value)
}

fn shorten(start: &[u8], limit: &[u8]) -> Vec<u8> {
    let mut result = start.to_vec();
    InternalKeyComparator::new(BytewiseComparator).find_shortest_separator(&mut result, limit);
    result
}

fn short_successor(key: &[u8]) -> Vec<u8> {
    let mut result = key.to_vec();
    InternalKeyComparator::new(BytewiseComparator).find_short_successor(&mut result);
    result
}

#[test]
fn internal_keys_encode_and_decode() {
    let sequences: Vec<u64> = [2, 1 << 8, 1 << 16, 1 << 32]
        .into_iter()
        .flat_map(|n| [n - 1, n, n + 1])
        .collect();
    for user_key in ["", "k", "hello", "longggggggggggggggggggggg"] {
        for &sequence in &sequences {
            for value_type in [ValueType::Value, ValueType::Deletion] {
                let encoded = internal_key(user_key.as_bytes(), sequence, value_type);
                let parsed = ParsedInternalKey::decode(&encoded).unwrap();
                assert_eq!(parsed.user_key, user_key.as_bytes());
                assert_eq!(parsed.sequence.get(), sequence);
                assert_eq!(parsed.value_type, value_type);
                assert_eq!(parsed.encoded_length(), encoded.len());
            }
        }
    }
    assert!(ParsedInternalKey::decode(b"bar").is_err());
}

#[test]
fn an_internal_key_does_not_decode_from_nothing() {
    assert!(InternalKey::decode(b"").is_err());
}

#[test]
fn a_separator_is_short_only_where_it_separates() {
    let (foo, seek) = (value("foo", 100), |key: &str| {
        value(key, SequenceNumber::MAX.get())
    });
    // One user key: its versions can't be separated by a shorter key.
    assert_eq!(shorten(&foo, &value("foo", 99)), foo);
    assert_eq!(shorten(&foo, &value("foo", 101)), foo);
    assert_eq!(shorten(&foo, &value("foo", 100)), foo);
    assert_eq!(
        shorten(&foo, &internal_key(b"foo", 100, ValueType::Deletion)),
        foo
    );
    // Misordered.
    assert_eq!(shorten(&foo, &value("bar", 99)), foo);
    // Different, and ordered: the tag is the one that sorts first.
    assert_eq!(shorten(&foo, &value("hello", 200)), seek("g"));
    // One a prefix of the other.
    assert_eq!(shorten(&foo, &value("foobar", 200)), foo);
    assert_eq!(
        shorten(&value("foobar", 100), &value("foo", 200)),
        value("foobar", 100)
    );
}

#[test]
fn a_successor_is_short_where_there_is_one() {
    assert_eq!(
        short_successor(&value("foo", 100)),
        value("g", SequenceNumber::MAX.get())
    );
    let all_ones = internal_key(b"\xff\xff", 100, ValueType::Value);
    assert_eq!(short_successor(&all_ones), all_ones);
}

#[test]
fn a_parsed_internal_key_shows_itself_as_leveldb_does() {
    let key = ParsedInternalKey {
        user_key: b"The \"key\" in 'single quotes'",
        sequence: SequenceNumber::new(42).unwrap(),
        value_type: ValueType::Value,
    };
    assert_eq!(key.to_string(), "'The \"key\" in 'single quotes'' @ 42 : 1");
}

#[test]
fn an_internal_key_shows_itself_as_leveldb_does() {
    let key = InternalKey::new(
        b"The \"key\" in 'single quotes'",
        SequenceNumber::new(42).unwrap(),
        ValueType::Value,
    );
    assert_eq!(key.to_string(), "'The \"key\" in 'single quotes'' @ 42 : 1");
    assert_eq!(InternalKey::default().to_string(), "(bad)");
}

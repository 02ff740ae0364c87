//! Literal bytes: what lies in the arena is LevelDB's entry.

use strata_dbformat::{
    BytewiseComparator, LookupKey, ParsedInternalKey, SequenceNumber, ValueType,
};
use strata_memtable::{Lookup, MemTable};

use crate::sequence;

#[test]
fn an_entry_is_leveldbs_byte_for_byte() {
    let memtable = MemTable::new(BytewiseComparator);
    memtable
        .add(sequence(123), ValueType::Value, b"abc", b"123")
        .unwrap();
    memtable
        .add(
            sequence(0x0001_0203_0405_0607),
            ValueType::Deletion,
            b"abd",
            b"",
        )
        .unwrap();
    let long_key = [b'b'; 120];
    let long_value = [b'v'; 300];
    memtable
        .add(sequence(0), ValueType::Value, &long_key, &long_value)
        .unwrap();
    memtable
        .add(SequenceNumber::MAX, ValueType::Value, b"", b"")
        .unwrap();

    let encoded: Vec<&[u8]> = memtable.iter().map(|entry| entry.encoded()).collect();
    assert_eq!(encoded[0], b"\x08\x01\xff\xff\xff\xff\xff\xff\xff\x00");
    assert_eq!(encoded[1], b"\x0babc\x01\x7b\0\0\0\0\0\0\x03123");
    assert_eq!(encoded[2], b"\x0babd\x00\x07\x06\x05\x04\x03\x02\x01\x00");
    let mut long = vec![0x80, 0x01];
    long.extend_from_slice(&long_key);
    long.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    long.extend_from_slice(&[0xac, 0x02]);
    long.extend_from_slice(&long_value);
    assert_eq!(encoded[3], long);
}

#[test]
fn an_entry_begins_with_the_memtable_key_it_is_looked_up_by() {
    let memtable = MemTable::new(BytewiseComparator);
    memtable
        .add(sequence(9), ValueType::Value, b"key", b"value")
        .unwrap();
    let key = LookupKey::new(b"key", sequence(9)).unwrap();
    let entry = memtable.first().unwrap();
    assert!(entry.encoded().starts_with(key.memtable_key()));
    assert_eq!(entry.internal_key(), key.internal_key());
    assert_eq!(
        Ok(entry.parsed_internal_key()),
        ParsedInternalKey::decode(key.internal_key())
    );
    assert_eq!(memtable.get(&key), Lookup::Value(b"value"));
}

#[test]
fn entries_show_themselves() {
    let memtable = MemTable::new(BytewiseComparator);
    memtable
        .add(sequence(1), ValueType::Value, b"k\0", b"\xff'v'")
        .unwrap();
    memtable
        .add(sequence(2), ValueType::Deletion, b"k\0", b"")
        .unwrap();
    let shown: Vec<String> = memtable.iter().map(|entry| entry.to_string()).collect();
    assert_eq!(shown, [r"'k\x00' @ 2 : 0", r"'k\x00' @ 1 : 1 => '\xff'v''"]);
    let owned = memtable.owned_iter().next().unwrap();
    assert_eq!(format!("{owned:?}"), r"OwnedEntry('k\x00' @ 2 : 0)");
    let shown = format!("{memtable:?}");
    assert!(
        shown.contains("entries: 2") && shown.contains("tombstones: 1"),
        "{shown}"
    );
}

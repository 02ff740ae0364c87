//! Literal bytes.

use strata_dbformat::{BytewiseComparator, ValueType};
use strata_table::{Compression, TableSummary};

use crate::support::{entry, key, list, open, options, write};

/// Two keys, one of them deleted, without compression and filter. LevelDB writes the same:
/// `tests/data/tiny_raw.ldb`.
const TINY: &[u8] = &[
    // Data block at 0, 60 bytes. Entry: 0 shared, 13 unshared, no value; apple @ 3, a tombstone.
    0x00, 0x0d, 0x00, b'a', b'p', b'p', b'l', b'e', 0x00, 0x03, 0, 0, 0, 0, 0, 0, //
    // 5 shared, 8 unshared, 3 of value; the tag of apple @ 1, a value.
    0x05, 0x08, 0x03, 0x01, 0x01, 0, 0, 0, 0, 0, 0, b'r', b'e', b'd', //
    // 2 shared, 13 unshared, 6 of value; apricot @ 2.
    0x02, 0x0d, 0x06, b'r', b'i', b'c', b'o', b't', 0x01, 0x02, 0, 0, 0, 0, 0, 0, //
    b'o', b'r', b'a', b'n', b'g', b'e', //
    // Its one restart point; its trailer.
    0, 0, 0, 0, 1, 0, 0, 0, 0x00, 0xb6, 0xb0, 0x73, 0xb2, //
    // Metaindex at 65, 8 bytes: no entries, one restart point; its trailer.
    0, 0, 0, 0, 1, 0, 0, 0, 0x00, 0xc0, 0xf2, 0xa1, 0xb0, //
    // Index at 78, 22 bytes: 0 shared, 9 unshared, 2 of value; "b" @ the largest tag; the handle
    // of 60 bytes at 0.
    0x00, 0x09, 0x02, b'b', 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x3c, //
    0, 0, 0, 0, 1, 0, 0, 0, 0x00, 0x8d, 0xae, 0x2f, 0x62, //
    // Footer: the handles of 8 bytes at 65 and of 22 bytes at 78, padding, the magic number.
    0x41, 0x08, 0x4e, 0x16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
    0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb,
];

#[test]
fn a_tiny_table_is_these_bytes() {
    let entries = [
        entry(b"apple", 3, None),
        entry(b"apple", 1, Some(b"red")),
        entry(b"apricot", 2, Some(b"orange")),
    ];
    let raw = options(Compression::None, None, 4096);
    let (bytes, summary) = write(&entries, BytewiseComparator, &raw);
    assert_eq!(bytes, TINY);
    assert_eq!(include_bytes!("../data/tiny_raw.ldb"), TINY);

    let table = open(TINY, BytewiseComparator).unwrap();
    assert_eq!(list(&table).unwrap(), entries);
    assert_eq!(table.verify().unwrap(), summary);
    assert_eq!(
        (summary.entries, summary.tombstones, summary.data_blocks),
        (3, 1, 1)
    );
    assert_eq!(summary.file_bytes, 153);
    assert_eq!(summary.smallest, key(b"apple", 3, ValueType::Deletion));
    assert_eq!(summary.largest, key(b"apricot", 2, ValueType::Value));
}

#[test]
fn a_table_of_nothing_is_these_bytes() {
    let block = [0, 0, 0, 0, 1, 0, 0, 0, 0x00, 0xc0, 0xf2, 0xa1, 0xb0];
    let mut expected = [block, block].concat();
    expected.extend_from_slice(&[0, 8, 13, 8]);
    expected.resize(2 * block.len() + 40, 0);
    expected.extend_from_slice(&[0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]);

    let raw = options(Compression::None, None, 4096);
    let (bytes, summary) = write(&[], BytewiseComparator, &raw);
    assert_eq!(bytes, expected);
    let table = open(&bytes, BytewiseComparator).unwrap();
    assert_eq!(list(&table).unwrap(), []);
    assert_eq!(table.verify().unwrap(), summary);
    assert_eq!((summary.entries, summary.data_blocks), (0, 0));
    let TableSummary {
        smallest, largest, ..
    } = summary;
    assert_eq!((smallest.user_key(), largest.user_key()), (None, None));
}

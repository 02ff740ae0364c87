//! Blocks with right checksums around wrong contents.

use strata_dbformat::BytewiseComparator;
use strata_table::{Compression, Fault, Lookup};

use crate::craft::{
    block, block_fault, fault, ikey, raw_entry, table, verify_fault, with_restarts,
};
use crate::support::{entry, list, open, options, sequence, write};

#[test]
fn crafted_tables_are_tables() {
    let data = block(&[(&ikey("a", 2), b"new"), (&ikey("a", 1), b"old")]);
    let bytes = table(&[
        (&data, &ikey("a", 1)),
        (&block(&[(&ikey("b", 3), b"")]), &ikey("c", 1)),
    ]);
    let table = open(&bytes, BytewiseComparator).unwrap();
    assert_eq!(
        list(&table).unwrap(),
        [
            entry(b"a", 2, Some(b"new")),
            entry(b"a", 1, Some(b"old")),
            entry(b"b", 3, Some(b""))
        ]
    );
    let summary = table.verify().unwrap();
    assert_eq!((summary.entries, summary.data_blocks), (3, 2));
}

#[test]
fn a_block_of_unknown_compression_is_named() {
    let contents = block(&[(&ikey("a", 1), b"")]);
    for number in (5..=255).chain([3]) {
        assert_eq!(
            block_fault(&contents, number),
            Fault::UnknownCompression { number }
        );
    }
    assert_eq!(
        Fault::UnknownCompression { number: 3 }.to_string(),
        "the block is compressed with method 3; 0 (none), 1 (snappy), 2 (zstd or zlib) or 4 \
         (deflate) was expected"
    );
}

#[cfg(feature = "snappy")]
#[test]
fn a_block_that_does_not_decompress_is_an_error() {
    let reason = |contents: &[u8]| match block_fault(contents, 1) {
        Fault::Compressed { reason, .. } => reason,
        fault => panic!("{fault}"),
    };
    // Five bytes that claim to be 4 GiB: nothing is allocated for them.
    assert_eq!(
        reason(&[0xff, 0xff, 0xff, 0xff, 0x0f]),
        "it says that it is 4294967295 bytes long, and its 5 bytes can be 110 at most"
    );
    assert!(reason(&[]).contains("empty"));
    assert!(!reason(&[0xff; 12]).is_empty(), "a length beyond 32 bits");
    assert!(
        !reason(&[8, 0xf0]).is_empty(),
        "a literal without its bytes"
    );
    assert!(
        !reason(&[8, 0x01, 0x01]).is_empty(),
        "a copy from before the beginning"
    );
}

/// The most that snappy can compress: a byte, then copies of 64 bytes, each in three.
#[cfg(feature = "snappy")]
#[test]
fn the_densest_block_is_within_the_bound() {
    let value = vec![0; 1 << 20];
    let data = options(Compression::Snappy, None, 4096);
    let entries = [entry(b"zeros", 1, Some(&value))];
    let (bytes, _) = write(&entries, BytewiseComparator, &data);
    assert!(bytes.len() < value.len() / 20, "{} bytes", bytes.len());
    let table = open(&bytes, BytewiseComparator).unwrap();
    assert_eq!(list(&table).unwrap(), entries);
}

#[test]
fn wrong_restart_points_are_an_error() {
    let entries = [
        raw_entry(0, &ikey("a", 1), b""),
        raw_entry(0, &ikey("b", 1), b""),
    ]
    .concat();
    let second = u32::try_from(entries.len() / 2).unwrap();
    let end = 2 * second;
    let wrong = [
        Vec::new(),
        vec![0, 0, 0],
        1_u32.to_le_bytes().to_vec(),
        u32::MAX.to_le_bytes().to_vec(),
        with_restarts(&[], &[0, 0]),
        with_restarts(&[], &[1]),
        with_restarts(&entries, &[]),
        with_restarts(&entries, &[second]),
        with_restarts(&entries, &[1]),
        with_restarts(&entries, &[0, 0]),
        with_restarts(&entries, &[0, second, second]),
        with_restarts(&entries, &[0, second, 1]),
        with_restarts(&entries, &[0, end]),
        with_restarts(&entries, &[0, u32::MAX]),
    ];
    for contents in wrong {
        assert!(
            matches!(block_fault(&contents, 0), Fault::Restarts { .. }),
            "{contents:?}"
        );
    }
}

#[test]
fn wrong_entries_are_an_error() {
    let a = raw_entry(0, &ikey("a", 1), b"");
    let then = |second: &[u8]| with_restarts(&[&a[..], second].concat(), &[0]);
    let wrong = [
        // Lengths that are cut short, too long or beyond the block.
        with_restarts(&[0], &[0]),
        with_restarts(&[0, 0], &[0]),
        with_restarts(&[0, 0x80, 0x80, 0x80, 0x80, 0x80, 0], &[0]),
        with_restarts(&[0, 9, 0], &[0]),
        with_restarts(&[0, 0, 1], &[0]),
        with_restarts(
            &[
                0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0xff, 0x0f,
            ],
            &[0],
        ),
        then(&raw_entry(0, b"b", b"")[..3]),
        // A first key that shares; a key that shares more than there is.
        with_restarts(&raw_entry(1, &ikey("a", 1), b""), &[0]),
        then(&raw_entry(10, &ikey("b", 1), b"")),
    ];
    for contents in wrong {
        assert!(
            matches!(block_fault(&contents, 0), Fault::Entry { .. }),
            "{contents:?}"
        );
    }
}

/// A lookup jumps over the entries before a restart point, so it may not notice.
#[test]
fn a_restart_point_that_is_not_at_an_entry_is_an_error() {
    let a = raw_entry(0, &ikey("a", 1), &raw_entry(0, &ikey("c", 1), b""));
    let b = raw_entry(1, &ikey("", 1), b"");
    let inside = u32::try_from(a.len() - 12).unwrap();
    let shared = u32::try_from(a.len()).unwrap();
    for restart in [inside, shared] {
        let contents = with_restarts(&[&a[..], &b[..]].concat(), &[0, restart]);
        let bytes = table(&[(&contents, &ikey("z", 1))]);
        assert!(matches!(verify_fault(&bytes), Fault::Entry { .. }));
        let listed = list(&open(&bytes, BytewiseComparator).unwrap());
        assert!(matches!(fault(listed.unwrap_err()), Fault::Entry { .. }));
    }
}

#[test]
fn keys_that_are_no_internal_keys_are_an_error() {
    for bad in [&b""[..], b"1234567", b"a\x02\0\0\0\0\0\0\0"] {
        let contents = block(&[(bad, b"value")]);
        let bytes = table(&[(&contents, &ikey("z", 1))]);
        assert!(matches!(verify_fault(&bytes), Fault::Key { .. }));
        let listed = list(&open(&bytes, BytewiseComparator).unwrap());
        assert!(matches!(fault(listed.unwrap_err()), Fault::Key { .. }));
        // In the index.
        let bytes = table(&[(&block(&[(&ikey("a", 1), b"")]), bad)]);
        assert!(matches!(verify_fault(&bytes), Fault::Key { .. }));
    }
}

#[test]
fn keys_that_do_not_ascend_are_an_error() {
    let one = |name, number| block(&[(&ikey(name, number)[..], b"")]);
    let two = |a: &[u8], b: &[u8]| block(&[(a, b""), (b, b"")]);
    let z = ikey("z", 1);
    let wrong = [
        table(&[(&two(&ikey("b", 1), &ikey("a", 1)), &z)]),
        table(&[(&two(&ikey("a", 1), &ikey("a", 1)), &z)]),
        table(&[(&two(&ikey("a", 1), &ikey("a", 2)), &z)]),
        // Across blocks: not after the last entry, not after the index's key.
        table(&[(&one("b", 1), &ikey("b", 1)), (&one("b", 1), &z)]),
        table(&[(&one("b", 1), &ikey("d", 1)), (&one("c", 1), &z)]),
    ];
    for bytes in wrong {
        let fault = verify_fault(&bytes);
        assert!(matches!(fault, Fault::KeyNotAscending { .. }), "{fault}");
    }
    let bytes = table(&[(&two(&ikey("b", 1), &ikey("a", 7)), &z)]);
    assert_eq!(
        verify_fault(&bytes).to_string(),
        "'a' @ 7 : 1 is not after 'b' @ 1 : 1 in the order of leveldb.BytewiseComparator; \
         was the table written with another --comparator?"
    );
}

#[test]
fn an_index_key_before_its_block_is_an_error() {
    let bytes = table(&[(&block(&[(&ikey("b", 1), b"")]), &ikey("b", 2))]);
    assert!(matches!(verify_fault(&bytes), Fault::IndexKey { .. }));
    // Equal is right.
    let bytes = table(&[(&block(&[(&ikey("b", 1), b"")]), &ikey("b", 1))]);
    open(&bytes, BytewiseComparator).unwrap().verify().unwrap();
}

/// The index's key for the first block is between two versions of a key. LevelDB's writer makes
/// none such, but the format permits them, and then the next block has to be looked at.
#[test]
fn a_version_in_the_next_block_is_found() {
    let bytes = table(&[
        (&block(&[(&ikey("k", 12), b"new")]), &ikey("k", 10)),
        (&block(&[(&ikey("k", 7), b"old")]), &ikey("m", 1)),
    ]);
    let table = open(&bytes, BytewiseComparator).unwrap();
    table.verify().unwrap();
    for (number, value) in [(12, "new"), (11, "old"), (10, "old"), (7, "old")] {
        let found = table.get(b"k", sequence(number)).unwrap();
        assert_eq!(found, Lookup::Value(value.into()), "at {number}");
    }
    assert_eq!(table.get(b"k", sequence(6)).unwrap(), Lookup::Absent);
    assert_eq!(table.get(b"l", sequence(9)).unwrap(), Lookup::Absent);
}

//! Blocks with right checksums around wrong contents.

use strata_dbformat::BytewiseComparator;
use strata_table::{BlockFault, Fault, Lookup};

use crate::craft::{
    block, block_fault, fault, ikey, raw_entry, table, verify_fault, with_restarts,
};
use crate::support::{entry, list, open, sequence};

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

/// What can be wrong with a block as such is held in the block's own tests.
#[test]
fn what_is_wrong_with_a_block_is_found_however_it_is_read() {
    let entry = raw_entry(0, &ikey("a", 1), b"");
    let sound = with_restarts(&entry, &[0]);
    let number = 3;
    assert_eq!(
        block_fault(&sound, number),
        BlockFault::UnknownCompression { number }
    );
    let fault = block_fault(&with_restarts(&entry, &[1]), 0);
    assert!(matches!(fault, BlockFault::Restarts { .. }));
    let shares = with_restarts(&raw_entry(1, &ikey("a", 1), b""), &[0]);
    let fault = block_fault(&shares, 0);
    assert!(matches!(fault, BlockFault::Entry { .. }));
    assert_eq!(block_fault(&sound, 2), BlockFault::UnknownFrame);
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

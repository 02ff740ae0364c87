//! Tables whose blocks are right and whose handles, footer or meta blocks are not; and arbitrary
//! contents behind right checksums.

use std::sync::Arc;

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::BytewiseComparator;
use strata_table::{BlockFault, Fault, Lookup, TableCursor, TableError};

use crate::craft::{
    Craft, Handle, block, encode, fault, ikey, open_fault, table, verify_fault, with_restarts,
};
use crate::support::{entry, list, open, sequence};
use crate::walk::Step;

#[test]
fn handles_outside_the_file_are_an_error() {
    let footer = |metaindex, index| {
        let mut craft = Craft::default();
        craft.block(&block(&[]), 0);
        craft.finish(metaindex, index)
    };
    let right = (0, 8);
    for wrong in [
        (0, 9),
        (1, 8),
        (14, 0),
        (usize::MAX, 0),
        (0, usize::MAX),
        (usize::MAX, usize::MAX),
    ] {
        let outside =
            |fault: &Fault| matches!(fault, Fault::Block(BlockFault::HandleOutside { .. }));
        assert!(outside(&open_fault(&footer(right, wrong))), "{wrong:?}");
        // Without the metaindex there is no filter; that costs speed.
        let table = open(&footer(wrong, right), BytewiseComparator).unwrap();
        assert_eq!(list(&table).unwrap(), []);
        let found = table.filter_fault().unwrap();
        assert!(matches!(found, TableError::Corrupt { fault, .. } if outside(fault)));
        assert!(outside(&fault(table.verify().unwrap_err())), "{wrong:?}");
    }
    // In the index; that there is no handle at all, too.
    for handle in [
        &encode((0, 1 << 40))[..],
        &encode((1 << 60, 0)),
        b"",
        b"\x80",
        b"\0\x80",
        &[0x80; 20],
    ] {
        let mut craft = Craft::default();
        let metaindex = craft.block(&block(&[]), 0);
        let index = craft.block(&block(&[(&ikey("z", 1), handle)]), 0);
        let bytes = craft.finish(metaindex, index);
        assert!(matches!(
            open_fault(&bytes),
            Fault::Block(BlockFault::HandleOutside { .. } | BlockFault::Handle(_))
        ));
    }
}

/// 750 kB of handles of one block listed 3 * 10^12 entries once: all that is read is read once.
#[test]
fn blocks_that_repeat_overlap_or_go_back_are_an_error_when_a_table_is_opened() {
    let data = block(&[(&ikey("a", 1), b"")]);
    let length = data.len();
    let with_index = |handles: &[Handle]| {
        let mut craft = Craft::default();
        craft.block(&data, 0);
        craft.block(&data, 0);
        let metaindex = craft.block(&block(&[]), 0);
        let key = ikey("z", 1);
        let handles: Vec<Vec<u8>> = handles.iter().copied().map(encode).collect();
        let entries: Vec<(&[u8], &[u8])> = handles.iter().map(|it| (&key[..], &it[..])).collect();
        let index = craft.block(&block(&entries), 0);
        craft.finish(metaindex, index)
    };
    let (first, second) = ((0, length), (length + 5, length));
    open(&with_index(&[first, second]), BytewiseComparator).unwrap();
    for (wrong, end) in [
        (vec![first, first], length + 5),
        (vec![first; 50], length + 5),
        (vec![second, first], 2 * (length + 5)),
        (vec![first, (length + 4, 3)], length + 5),
        (vec![first, (length, 0)], length + 5),
    ] {
        let end = end as u64;
        let found = open_fault(&with_index(&wrong));
        assert_eq!(found, Fault::BlockOverlaps { end }, "{wrong:?}");
    }
}

#[test]
fn bytes_between_blocks_and_blocks_used_twice_are_an_error() {
    let data = block(&[(&ikey("a", 1), b"")]);
    let with_gap = |before: &[u8], between: &[u8], after: &[u8]| {
        let mut craft = Craft {
            bytes: before.to_vec(),
        };
        let handle = craft.block(&data, 0);
        craft.bytes.extend_from_slice(between);
        let metaindex = craft.block(&block(&[]), 0);
        let index = craft.block(&block(&[(&ikey("b", 1), &encode(handle))]), 0);
        craft.bytes.extend_from_slice(after);
        craft.finish(metaindex, index)
    };
    open(&with_gap(b"", b"", b""), BytewiseComparator)
        .unwrap()
        .verify()
        .unwrap();
    for bytes in [
        with_gap(b"x", b"", b""),
        with_gap(b"", b"x", b""),
        with_gap(b"", b"", b"x"),
    ] {
        assert!(matches!(verify_fault(&bytes), Fault::BlockNotNext { .. }));
        // The entries are all there.
        let table = open(&bytes, BytewiseComparator).unwrap();
        assert_eq!(list(&table).unwrap(), [entry(b"a", 1, Some(b""))]);
    }

    let mut craft = Craft::default();
    let empty = craft.block(&block(&[]), 0);
    assert!(matches!(
        verify_fault(&craft.finish(empty, empty)),
        Fault::BlockNotNext { .. }
    ));
}

#[test]
fn a_footer_that_no_writer_makes_is_read_and_noticed() {
    let bytes = table(&[(&block(&[(&ikey("a", 1), b"")]), &ikey("b", 1))]);
    let footer = bytes.len() - 48;
    let mut padded = bytes.clone();
    padded[footer + 39] = 1;
    // The first number of the first handle in two bytes where one would do.
    let mut over_long = bytes.clone();
    over_long[footer] |= 0x80;
    over_long.insert(footer + 1, 0);
    over_long.remove(footer + 40);
    for bytes in [padded, over_long] {
        assert_eq!(verify_fault(&bytes), Fault::FooterPadding);
        let table = open(&bytes, BytewiseComparator).unwrap();
        assert_eq!(list(&table).unwrap(), [entry(b"a", 1, Some(b""))]);
    }
}

/// A table of one data block with a meta block.
fn with_meta(name: &[u8], meta: &[u8]) -> Vec<u8> {
    let mut craft = Craft::default();
    let data = craft.block(&block(&[(&ikey("key", 1), b"value")]), 0);
    let meta = craft.block(meta, 0);
    let metaindex = craft.block(&block(&[(name, &encode(meta))]), 0);
    let index = craft.block(&block(&[(&ikey("z", 1), &encode(data))]), 0);
    craft.finish(metaindex, index)
}

const FILTER: &[u8] = b"filter.leveldb.BuiltinBloomFilter2";

#[test]
fn meta_blocks_of_other_names_are_passed_over() {
    for name in [
        &b"filter.somebody.Filter"[..],
        b"stats",
        b"leveldb.BuiltinBloomFilter2",
    ] {
        let mut bytes = with_meta(name, b"\xffwhat it likes\xff");
        let table = open(&bytes, BytewiseComparator).unwrap();
        assert!(!table.has_filter());
        table.verify().unwrap();
        assert_ne!(table.get(b"key", sequence(1)).unwrap(), Lookup::Absent);
        // But their checksums are checked.
        let meta = bytes
            .windows(4)
            .position(|window| window == b"what")
            .unwrap();
        bytes[meta] ^= 1;
        assert!(matches!(
            verify_fault(&bytes),
            Fault::Block(BlockFault::Checksum { .. })
        ));
    }
}

#[test]
fn a_filter_block_that_can_not_be_taken_apart_costs_speed_only_and_is_reported() {
    let wrong: [&[u8]; 8] = [
        b"",
        b"\0\0\0\x0b",
        b"\x01\0\0\0\x0b",
        b"\xff\xff\xff\xff\x0b",
        b"xxx\0\0\0\0\x0b",
        b"\x01\0\0\0\0\0\0\0\x0b",
        b"12\x02\0\0\0\x01\0\0\0\x02\0\0\0\x0b",
        b"\0\0\0\0\x40",
    ];
    for meta in wrong {
        let table = open(&with_meta(FILTER, meta), BytewiseComparator).unwrap();
        assert_eq!(
            table.get(b"key", sequence(1)).unwrap(),
            Lookup::Value(b"value".to_vec())
        );
        assert_eq!(list(&table).unwrap(), [entry(b"key", 1, Some(b"value"))]);
        assert!(!table.has_filter());
        let said = table.filter_fault().unwrap().to_string();
        let found = table.verify().unwrap_err();
        assert_eq!(found.to_string(), said, "{meta:?}");
        assert!(matches!(fault(found), Fault::FilterBlock { .. }), "{said}");
    }
}

#[test]
fn a_filter_that_denies_a_key_of_its_block_is_an_error() {
    // One filter without a bit set; one that is empty.
    for meta in [
        &b"\0\0\0\0\0\0\0\0\x06\0\0\0\0\x09\0\0\0\x0b"[..],
        b"\0\0\0\0\0\0\0\0\x0b",
    ] {
        let bytes = with_meta(FILTER, meta);
        let user_key = b"key".to_vec();
        assert_eq!(verify_fault(&bytes), Fault::FilterMisses { user_key });
        // Lookups believe it.
        let table = open(&bytes, BytewiseComparator).unwrap();
        assert!(table.has_filter());
        assert_eq!(table.get(b"key", sequence(1)).unwrap(), Lookup::Absent);
    }
    // No filter for the block, so it may contain the key.
    let bytes = with_meta(FILTER, b"\0\0\0\0\x0b");
    open(&bytes, BytewiseComparator).unwrap().verify().unwrap();
}

#[test]
fn a_block_without_restart_points_is_an_empty_one() {
    let mut craft = Craft::default();
    let metaindex = craft.block(&[0; 4], 0);
    let index = craft.block(&[0; 4], 0);
    let bytes = craft.finish(metaindex, index);
    let table = open(&bytes, BytewiseComparator).unwrap();
    assert_eq!(table.verify().unwrap().entries, 0);
    assert_eq!(table.get(b"key", sequence(1)).unwrap(), Lookup::Absent);
}

#[test]
fn arbitrary_contents_behind_right_checksums_never_panic() {
    fn read(bytes: &[u8]) {
        if let Ok(table) = open(bytes, BytewiseComparator) {
            let _ = table.verify();
            let _ = list(&table);
            for user_key in [&b""[..], b"a", b"b", b"\xff\xff"] {
                let _ = table.get(user_key, sequence(5));
            }
            let mut cursor = TableCursor::new(Arc::new(table));
            for (end, step) in [(Step::First, Step::Next), (Step::Last, Step::Prev)] {
                let seek = Step::Seek(b"a".to_vec(), 5);
                for start in [end, seek] {
                    let _ = start.take(&mut cursor);
                    while cursor.entry().is_some() {
                        if step.take(&mut cursor).is_err() {
                            assert!(cursor.entry().is_none());
                        }
                    }
                }
            }
        }
    }
    /// Small numbers, as lengths and offsets are.
    fn small(bytes: &[u8]) -> Vec<u8> {
        let small = |byte: &u8| match byte {
            0..64 => byte % 4,
            64..192 => byte % 20,
            _ => *byte,
        };
        bytes.iter().map(small).collect()
    }
    fn property(blocks: (Vec<u8>, Vec<u8>, Vec<u8>), restarts: u8, compression: u8) -> bool {
        let (data, meta, index) = blocks;
        let (data, meta, index) = (small(&data), small(&meta), small(&index));
        let points: Vec<u32> = (0..u32::from(restarts % 4)).map(|i| i * 5).collect();
        let data = with_restarts(&data, &points);
        let mut craft = Craft::default();
        let data = encode(craft.block(&data, compression % 3));
        let filter = encode(craft.block(&meta, 0));
        // Each of the three kinds of block in turn.
        let good_meta = block(&[(FILTER, &filter)]);
        let good_index = block(&[(&ikey("z", 1), &data)]);
        let wild_index = with_restarts(&index, &points);
        for (metaindex, index) in [
            (&block(&[]), &good_index),
            (&good_meta, &good_index),
            (&wild_index, &good_index),
            (&block(&[]), &wild_index),
        ] {
            let mut craft = Craft {
                bytes: craft.bytes.clone(),
            };
            let metaindex = craft.block(metaindex, 0);
            let index = craft.block(index, 0);
            read(&craft.finish(metaindex, index));
        }
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(80, 9))
        .tests(20_000)
        .quickcheck(property as fn((Vec<u8>, Vec<u8>, Vec<u8>), u8, u8) -> bool);
}

//! What a file can make a reader do is in proportion to its length.

use std::time::{Duration, Instant};

use strata_coding::put_varint32;
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_table::{BlockFault, Fault, Lookup, Scan};

use crate::craft::{Craft, block, encode, fault, ikey, table, with_restarts};
use crate::support::{list, open};

/// Far more than any of these takes, and far less than what they took.
const SOON: Duration = Duration::from_secs(30);

/// An entry whose key shares so many bytes with the one before.
fn sharing(shared: usize, unshared: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for length in [shared, unshared.len(), value.len()] {
        put_varint32(&mut bytes, u32::try_from(length).unwrap());
    }
    [&bytes, unshared, value].concat()
}

/// One key of `length` bytes, and so many that share all but the last 8 of it.
fn sharers(length: usize, entries: usize) -> Vec<u8> {
    let tag = &ikey("", 1)[..];
    let mut bytes = sharing(0, &[&vec![b'k'; length][..], tag].concat(), b"");
    // Each shares the first byte of the tag, which is 1, as the next byte of its user key.
    for i in 0..entries {
        let number = u32::try_from(i).unwrap().to_be_bytes();
        bytes.extend(sharing(length, &[&number, tag].concat(), b""));
    }
    with_restarts(&bytes, &[0])
}

/// 1.3 MB of which 100 000 keys share 16 kB each made 16 GB of copies, and more with longer keys.
#[test]
fn keys_that_share_out_of_proportion_are_an_error_wherever_they_are_read() {
    let contents = sharers(600_000, 50_000);
    let bytes = table(&[(&contents, &ikey("z", 1))]);
    assert!(bytes.len() < 1_500_000);
    let begin = Instant::now();
    let table = open(&bytes, BytewiseComparator).unwrap();
    let most = 1025 * contents.len() as u64;
    let expected = Fault::Block(BlockFault::KeysTooLong { most });
    assert_eq!(fault(list(&table).unwrap_err()), expected);
    assert_eq!(fault(table.verify().unwrap_err()), expected);
    assert_eq!(
        fault(table.get(b"k", SequenceNumber::MAX).unwrap_err()),
        expected
    );
    assert_eq!(fault(table.cursor().seek_to_last().unwrap_err()), expected);
    let mut scan = Scan::new(&bytes[..]).unwrap();
    let mut told = Vec::new();
    assert!(scan.next_block(&mut |it| told.push(it)).unwrap().is_none());
    assert_eq!(told[0].fault, expected);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

/// As the index, too.
#[test]
fn an_index_whose_keys_share_out_of_proportion_is_an_error() {
    let mut craft = Craft::default();
    let metaindex = craft.block(&block(&[]), 0);
    let index = craft.block(&sharers(600_000, 50_000), 0);
    let bytes = craft.finish(metaindex, index);
    let error = open(&bytes, BytewiseComparator).unwrap_err();
    assert!(matches!(
        fault(error),
        Fault::Block(BlockFault::KeysTooLong { .. })
    ));
}

/// A file of 750 kB that is nearly all index, of one block: refused, where it listed 3 * 10^12
/// entries.
#[test]
fn an_index_of_one_block_time_and_again_lists_nothing() {
    let mut craft = Craft::default();
    let data = block(&[(&ikey("a", 1), b"")]);
    let handle = encode(craft.block(&data, 0));
    let metaindex = craft.block(&block(&[]), 0);
    let key = ikey("z", 1);
    let index = craft.block(&block(&vec![(&key[..], &handle[..]); 45_000]), 0);
    let bytes = craft.finish(metaindex, index);
    let error = open(&bytes, BytewiseComparator).unwrap_err();
    assert!(matches!(fault(error), Fault::BlockOverlaps { .. }));
    // The one block is there all the same.
    let mut scan = Scan::new(&bytes[..]).unwrap();
    let mut entries = 0;
    while let Some(block) = scan.next_block(&mut |_| {}).unwrap() {
        let mut block = block;
        while block.advance() {
            entries += 1;
        }
    }
    assert_eq!(entries, 1);
}

#[test]
fn a_handle_of_the_index_itself_is_an_error() {
    let mut craft = Craft::default();
    let metaindex = craft.block(&block(&[]), 0);
    let length = block(&[(&ikey("z", 1), &encode((13, 25)))]).len();
    let contents = block(&[(&ikey("z", 1), &encode((craft.bytes.len(), length)))]);
    assert_eq!(contents.len(), length);
    let index = craft.block(&contents, 0);
    let bytes = craft.finish(metaindex, index);
    let error = open(&bytes, BytewiseComparator).unwrap_err();
    assert!(matches!(fault(error), Fault::BlockOverlaps { .. }));
    let mut scan = Scan::new(&bytes[..]).unwrap();
    assert!(scan.next_block(&mut |_| {}).unwrap().is_none());
}

/// A lookup in a block without restart points is one pass over it.
#[test]
fn a_lookup_in_a_block_without_restart_points_is_one_pass() {
    let mut bytes = Vec::new();
    for i in 0..100_000 {
        bytes.extend(sharing(0, &ikey(&format!("{i:06}"), 1), b"v"));
    }
    let bytes = table(&[(&with_restarts(&bytes, &[0]), &ikey("z", 1))]);
    let table = open(&bytes, BytewiseComparator).unwrap();
    let found = table.get(b"099999", SequenceNumber::MAX).unwrap();
    assert_eq!(found, Lookup::Value(b"v".to_vec()));
}

//! What a block can make a reader do is in proportion to its length.

use std::time::{Duration, Instant};

use strata_block::{BlockCursor, BlockFault};
use strata_coding::put_varint32;

use crate::support::{list, parse, read, with_restarts};

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

/// One key of `length` bytes, and so many that share all of it.
fn sharers(length: usize, entries: usize) -> Vec<u8> {
    let mut bytes = sharing(0, &vec![b'k'; length], b"");
    for i in 0..entries {
        let number = u32::try_from(i).unwrap().to_be_bytes();
        bytes.extend(sharing(length, &number, b""));
    }
    with_restarts(&bytes, &[0])
}

/// 1 MB of which 50 000 keys share 600 kB each would be 30 GB of copies.
#[test]
fn keys_that_share_out_of_proportion_are_an_error() {
    let contents = sharers(600_000, 50_000);
    let begin = Instant::now();
    let most = 1025 * contents.len() as u64;
    assert_eq!(read(&contents, 0), Err(BlockFault::KeysTooLong { most }));
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

/// Blocks as writers make them are within the bound.
#[test]
fn keys_that_share_as_a_writer_makes_them_are_read() {
    let read = read(&sharers(4000, 1000), 0).unwrap();
    assert_eq!(read.len(), 1001);
}

/// A block without restart points but the first: each step back went through it from its beginning.
#[test]
fn going_backwards_takes_as_many_steps_as_there_are_entries() {
    let entries = 200_000;
    let mut bytes = Vec::new();
    for i in 0..entries {
        bytes.extend(sharing(0, format!("{i:06}").as_bytes(), b""));
    }
    let block = parse(&with_restarts(&bytes, &[0])).unwrap();
    let listed = list(&block).unwrap();
    let begin = Instant::now();
    let mut cursor = BlockCursor::default();
    cursor.move_after_last(&block);
    for (key, _) in listed.iter().rev() {
        assert!(cursor.retreat(&block).unwrap());
        assert_eq!(cursor.key(), key);
        // There and back and there again.
        if cursor.retreat(&block).unwrap() {
            assert!(cursor.advance(&block).unwrap());
        }
    }
    assert!(!cursor.retreat(&block).unwrap());
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

//! Blocks with right checksums around wrong contents.

use quickcheck::quickcheck;
use strata_block::{BlockCursor, BlockFault};

use crate::support::{list, parse, raw_entry, read, with_restarts};

#[test]
fn a_block_of_unknown_compression_is_named() {
    for number in (5..=255).chain([3]) {
        let fault = BlockFault::UnknownCompression { number };
        assert_eq!(read(b"contents", number), Err(fault));
    }
}

#[test]
fn wrong_restart_points_are_an_error() {
    let entries = [raw_entry(0, b"a", b""), raw_entry(0, b"b", b"")].concat();
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
        let fault = read(&contents, 0).unwrap_err();
        assert!(matches!(fault, BlockFault::Restarts { .. }), "{contents:?}");
    }
}

#[test]
fn wrong_entries_are_an_error() {
    let a = raw_entry(0, b"a", b"");
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
        with_restarts(&raw_entry(1, b"a", b""), &[0]),
        then(&raw_entry(2, b"b", b"")),
    ];
    for contents in wrong {
        let fault = read(&contents, 0).unwrap_err();
        assert!(matches!(fault, BlockFault::Entry { .. }), "{contents:?}");
        // A search and a walk from the end come to it, too.
        let block = parse(&contents).unwrap();
        let mut cursor = BlockCursor::default();
        cursor.seek(&block, |_| true).unwrap_err();
        cursor.move_after_last(&block);
        cursor.retreat(&block).unwrap_err();
    }
}

/// A search jumps over the entries before a restart point, so it may not notice.
#[test]
fn a_restart_point_that_is_not_at_an_entry_is_an_error() {
    let a = raw_entry(0, b"a", &raw_entry(0, b"c", b""));
    let b = raw_entry(1, b"b", b"");
    let inside = u32::try_from(a.len() - 4).unwrap();
    let shared = u32::try_from(a.len()).unwrap();
    for restart in [inside, shared] {
        let contents = with_restarts(&[&a[..], &b[..]].concat(), &[0, restart]);
        let fault = read(&contents, 0).unwrap_err();
        assert!(matches!(fault, BlockFault::Entry { .. }));
    }
}

/// An entry that is not well formed costs those up to the next restart point.
#[test]
fn a_cursor_goes_on_behind_an_entry_that_is_none() {
    let entries = [
        raw_entry(0, b"a", b"1"),
        raw_entry(9, b"b", b"2"),
        raw_entry(0, b"c", b"3"),
    ];
    let third = u32::try_from(entries[0].len() + entries[1].len()).unwrap();
    let block = parse(&with_restarts(&entries.concat(), &[0, third])).unwrap();
    let mut cursor = BlockCursor::default();
    assert!(cursor.advance(&block).unwrap());
    let before = cursor.position();
    cursor.advance(&block).unwrap_err();
    assert_eq!((cursor.position(), cursor.key()), (before, &b"a"[..]));
    cursor.skip_to_restart(&block);
    assert_eq!(cursor.position(), third as usize);
    assert!(cursor.advance(&block).unwrap());
    assert_eq!(cursor.value(&block), b"3");
    assert!(!cursor.advance(&block).unwrap());
}

quickcheck! {
    fn arbitrary_contents_never_panic(bytes: Vec<u8>, restarts: Vec<u8>) -> bool {
        let restarts: Vec<u32> = restarts.into_iter().map(u32::from).collect();
        let contents = with_restarts(&bytes, &restarts);
        if let Ok(block) = parse(&contents) {
            let listed = list(&block);
            let mut cursor = BlockCursor::default();
            let _ = cursor.seek(&block, |key| key < &bytes[..]);
            cursor.move_after_last(&block);
            let mut back = 0;
            while cursor.retreat(&block).unwrap_or(false) {
                back += 1;
            }
            assert!(listed.is_err() || listed.unwrap().len() == back);
        }
        for number in 0..5 {
            let _ = read(&bytes, number);
        }
        true
    }
}

//! Literal bytes.

use strata_block::{BlockFault, BlockHandle, Compression};
use strata_coding::DecodeError;

use crate::support::{entry, list, only, parse, sealed, source, write};

/// Two keys that share their beginning, then a restart point.
const BLOCK: &[u8] = &[
    // 0 shared, 5 unshared, 3 of value.
    0, 5, 3, b'a', b'p', b'p', b'l', b'e', b'r', b'e', b'd', //
    // 2 shared, 5 unshared, no value.
    2, 5, 0, b'r', b'i', b'c', b'o', b't', //
    // At 19, where a restart point is: a whole key.
    0, 4, 1, b'a', b'q', b'u', b'a', b'!', //
    // Restart points, their number; no compression, the masked checksum.
    0, 0, 0, 0, 19, 0, 0, 0, 2, 0, 0, 0, 0x00, 0x37, 0x6d, 0xcb, 0xf8,
];

#[test]
fn a_block_is_these_bytes_with_its_trailer() {
    let entries = [
        entry(b"apple", b"red"),
        entry(b"apricot", b""),
        entry(b"aqua", b"!"),
    ];
    assert_eq!(write(&entries, 2, Compression::None), BLOCK);
    let read = source(BLOCK).read_block(only(BLOCK)).unwrap();
    assert_eq!(list(&read).unwrap(), entries);
    assert_eq!(sealed(&BLOCK[..BLOCK.len() - 5], 0), BLOCK);
}

#[test]
fn an_empty_block_has_one_restart_point_and_none_are_read_too() {
    let empty = write(&[], 16, Compression::None);
    assert_eq!(empty, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 0xf2, 0xa1, 0xb0]);
    for contents in [&empty[..8], &[0; 4]] {
        assert_eq!(list(&parse(contents).unwrap()).unwrap(), []);
    }
}

#[test]
fn handles_end_behind_the_trailer_and_more_may_follow_them() {
    let handle = BlockHandle {
        offset: u64::MAX,
        length: 1,
    };
    assert_eq!(handle.encode().len(), 11);
    assert_eq!(handle.end(), u64::MAX);
    let most = BlockHandle {
        length: u64::MAX,
        ..handle
    };
    assert_eq!(most.encode().len(), BlockHandle::LONGEST);
    assert_eq!(BlockHandle::decode(b"\x05\x07more").unwrap().1, b"more");
    for bytes in [&b""[..], b"\x05", b"\x05\x80"] {
        assert_eq!(BlockHandle::decode(bytes), Err(DecodeError::Truncated));
    }
    let error = source(b"12345").read(BlockHandle {
        offset: 1,
        length: 0,
    });
    let outside = BlockFault::HandleOutside {
        offset: 1,
        length: 0,
        end: 5,
    };
    assert_eq!(
        error.unwrap_err().to_string(),
        format!("corrupt block, at byte 1: {outside}")
    );
}

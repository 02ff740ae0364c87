//! Literal bytes and texts.

use std::io::ErrorKind;

use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Reason, RecordType};

use crate::support::{log_of, read};

#[rustfmt::skip]
const SMALL: [u8; 38] = [
    // checksum                 length      type  payload
    0xdd, 0x5f, 0xb3, 0x7a,     0x03, 0x00, 0x01, b'f', b'o', b'o',
    0xba, 0xea, 0xec, 0x44,     0x03, 0x00, 0x01, b'b', b'a', b'r',
    0x05, 0x2b, 0x28, 0x43,     0x00, 0x00, 0x01,
    0x15, 0x3d, 0x26, 0xe9,     0x04, 0x00, 0x01, b'x', b'x', b'x', b'x',
];

#[test]
fn a_small_log_is_these_bytes() {
    assert_eq!(log_of(&["foo", "bar", "", "xxxx"]), SMALL);
    assert_eq!(read(&SMALL).data(), [&b"foo"[..], b"bar", b"", b"xxxx"]);
}

/// The checksums were computed bit by bit, outside of this crate.
#[test]
fn a_fragmented_record_is_these_bytes() {
    let log = log_of(&[vec![b'x'; 32740], vec![b'Z'; 14 + 32761 + 3]]);
    let middle = BLOCK_SIZE;
    let last = 2 * BLOCK_SIZE;
    assert_eq!(log.len(), last + 10);
    assert_eq!(log[..7], [0x76, 0xc5, 0x9e, 0xf4, 0xe4, 0x7f, 1], "32740 x");
    assert_eq!(
        log[32747..32754],
        [0x0f, 0xf3, 0xba, 0x76, 14, 0, 2],
        "14 Z"
    );
    assert_eq!(log[32754..middle], [b'Z'; 14]);
    assert_eq!(
        log[middle..middle + 7],
        [0xff, 0x13, 0xa2, 0x7f, 0xf9, 0x7f, 3]
    );
    assert_eq!(log[middle + 7..last], [b'Z'; 32761]);
    assert_eq!(log[last..last + 7], [0xc9, 0x52, 0xb2, 0x5d, 3, 0, 4]);
    assert_eq!(log[last + 7..], *b"ZZZ");
}

#[test]
fn seven_bytes_at_the_end_of_a_block_are_a_first_fragment_of_no_bytes() {
    let log = log_of(&[vec![b'x'; 32761 - 7], vec![b'a']]);
    assert_eq!(log[32761..32768], [0x64, 0x51, 0xd0, 0xe9, 0, 0, 2]);
    assert_eq!(log[32768 + 4..], [1, 0, 4, b'a']);
}

#[test]
fn six_bytes_at_the_end_of_a_block_are_zeros() {
    let log = log_of(&[vec![b'x'; 32761 - 6], vec![b'a']]);
    assert_eq!(log[32762..32768], [0; 6]);
    assert_eq!(log[32768..], [0xb5, 0xcd, 0x0b, 0xa2, 1, 0, 1, b'a']);
}

#[test]
fn types_are_leveldbs_numbers() {
    use RecordType::{First, Full, Last, Middle, Zero};
    let types = [Zero, Full, First, Middle, Last];
    for byte in 0..=u8::MAX {
        let expected = types.get(usize::from(byte)).copied();
        assert_eq!(RecordType::from_byte(byte), expected);
    }
    assert_eq!(types.map(|record_type| record_type as u8), [0, 1, 2, 3, 4]);
    assert_eq!((BLOCK_SIZE, HEADER_SIZE), (32768, 7));
}

#[test]
fn reasons_are_leveldbs_texts() {
    for (reason, text) in [
        (Reason::FullBeforeLast, "partial record without end(1)"),
        (Reason::FirstBeforeLast, "partial record without end(2)"),
        (
            Reason::MiddleWithoutFirst,
            "missing start of fragmented record(1)",
        ),
        (
            Reason::LastWithoutFirst,
            "missing start of fragmented record(2)",
        ),
        (Reason::BadBeforeLast, "error in middle of record"),
        (Reason::UnknownRecordType(105), "unknown record type 105"),
        (Reason::BadRecordLength, "bad record length"),
        (Reason::ChecksumMismatch, "checksum mismatch"),
        (Reason::DataBehindZeroHeader, "data behind a zeroed header"),
        (
            Reason::ReadError(ErrorKind::TimedOut),
            "read error: timed out",
        ),
    ] {
        assert_eq!(reason.to_string(), text);
    }
}

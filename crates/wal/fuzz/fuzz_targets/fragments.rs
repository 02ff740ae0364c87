//! Of any bytes as a log, among them fragments of any type in any order under right checksums, the
//! reader reaches the end in every mode, and each byte is in one record, in one range reported, or
//! in a trailer. What the default gives, salvage gives too, in order. From an initial offset the
//! records are those that begin there or after it.

#![no_main]

mod outcome;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use outcome::{Options, is_subsequence, noise, read};
use strata_wal::{BLOCK_SIZE, HEADER_SIZE};

/// So many that records of several fragments fit, and no more, for speed.
const MOST_BLOCKS: usize = 6;

/// Part of a log.
#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Bytes(&'a [u8]),
    Fragment {
        kind: u8,
        payload: &'a [u8],
    },
    /// Of bytes that the input need not hold; the longest that fits its block, if it must.
    LongFragment {
        kind: u8,
        length: u16,
    },
    /// Of a length that leaves so many bytes of its block.
    FragmentToBlockEnd {
        kind: u8,
        left: u8,
    },
    /// A fragment whose stored length is another.
    WrongLength {
        kind: u8,
        payload: &'a [u8],
        bits: u16,
    },
    Zeros(u16),
    ZerosToBlockEnd,
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    initial_offset: u32,
    pieces: Vec<Piece<'a>>,
    tail: &'a [u8],
}

/// A fragment of any type, with the right checksum. Most types are known ones.
fn put_fragment(log: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let kind = if kind < 0xf0 { kind % 5 } else { kind };
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&[kind]), payload);
    let masked = checksum.rotate_right(15).wrapping_add(0xa282_ead8);
    log.extend_from_slice(&masked.to_le_bytes());
    log.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_le_bytes());
    log.push(kind);
    log.extend_from_slice(payload);
}

fn put_piece(log: &mut Vec<u8>, piece: &Piece<'_>) {
    let (start, left) = (log.len(), BLOCK_SIZE - log.len() % BLOCK_SIZE);
    let room = left.saturating_sub(HEADER_SIZE);
    match *piece {
        Piece::Bytes(bytes) => log.extend_from_slice(bytes),
        Piece::Fragment { kind, payload } => put_fragment(log, kind, payload),
        Piece::LongFragment { kind, length } => {
            let length = usize::from(length).min(room);
            put_fragment(log, kind, &noise(start as u64, length));
        }
        Piece::FragmentToBlockEnd { kind, left } => {
            let length = room.saturating_sub(usize::from(left));
            put_fragment(log, kind, &noise(start as u64, length));
        }
        Piece::WrongLength {
            kind,
            payload,
            bits,
        } => {
            put_fragment(log, kind, payload);
            let [low, high] = bits.to_le_bytes();
            log[start + 4] ^= low;
            log[start + 5] ^= high;
        }
        Piece::Zeros(length) => log.resize(start + usize::from(length), 0),
        Piece::ZerosToBlockEnd => log.resize(start + left, 0),
    }
}

fn check(log: &[u8], verify_checksums: bool, initial_offset: u64) {
    let options = |salvage, initial_offset| Options {
        verify_checksums,
        initial_offset,
        salvage,
    };
    let [default, salvaged] = [false, true].map(|salvage| {
        let outcome = read(log, options(salvage, 0));
        let there = read(log, options(salvage, initial_offset));
        let from_there = outcome
            .records
            .iter()
            .filter(|(offset, _)| *offset >= initial_offset);
        assert!(there.records.iter().eq(from_there), "from {initial_offset}");
        outcome
    });
    assert!(is_subsequence(&default.records, &salvaged.records));
    default.account(log);
    salvaged.account(log);
}

fuzz_target!(|input: Input<'_>| {
    let mut log = Vec::new();
    for piece in &input.pieces {
        put_piece(&mut log, piece);
    }
    log.extend_from_slice(input.tail);
    log.truncate(MOST_BLOCKS * BLOCK_SIZE);
    let initial_offset = u64::from(input.initial_offset) % (log.len() as u64 + 10);
    check(&log, true, initial_offset);
    check(&log, false, initial_offset);
});

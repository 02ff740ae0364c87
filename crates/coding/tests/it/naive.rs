//! Arbitrary bytes against a decoder written as LevelDB's documentation reads, one bit at a time.

use quickcheck::{Gen, QuickCheck};
use strata_coding::{
    DecodeError, get_length_prefixed_slice, get_varint32, get_varint64, put_varint64,
};

/// The value of the varint at the front of `bytes`, in `bits` bits, and how long it is.
fn naive_varint(bytes: &[u8], bits: usize) -> Result<(u64, usize), DecodeError> {
    let mut value: u128 = 0;
    for i in 0..bits.div_ceil(7) {
        let byte = *bytes.get(i).ok_or(DecodeError::Truncated)?;
        value |= u128::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return Ok((u64::try_from(value & ((1 << bits) - 1)).unwrap(), i + 1));
        }
    }
    Err(DecodeError::TooLong)
}

/// Bytes in which varints of every length are common: most bytes have their high bit set.
fn varint_heavy(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|byte| {
            if byte % 8 == 0 {
                byte & 0x7f
            } else {
                byte | 0x80
            }
        })
        .collect()
}

#[test]
fn varints_decode_as_the_naive_decoder_does() {
    fn agrees(bytes: Vec<u8>) -> bool {
        [varint_heavy(&bytes), bytes].iter().all(|bytes| {
            let got32 =
                get_varint32(bytes).map(|(v, rest)| (u64::from(v), bytes.len() - rest.len()));
            let got64 = get_varint64(bytes).map(|(v, rest)| (v, bytes.len() - rest.len()));
            got32 == naive_varint(bytes, 32) && got64 == naive_varint(bytes, 64)
        })
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(24, 1))
        .tests(100_000)
        .quickcheck(agrees as fn(_) -> _);
}

#[test]
fn a_written_varint_is_read_back_and_nothing_after_it() {
    fn returns(value: u64, shift: u8, tail: Vec<u8>) -> bool {
        let value = value >> (shift % 64);
        let mut buffer = Vec::new();
        put_varint64(&mut buffer, value);
        buffer.extend_from_slice(&tail);
        get_varint64(&buffer) == Ok((value, &tail[..]))
    }
    QuickCheck::new()
        .tests(20_000)
        .quickcheck(returns as fn(_, _, _) -> _);
}

#[test]
fn a_length_prefixed_slice_never_reaches_past_the_bytes() {
    fn holds(bytes: Vec<u8>) -> bool {
        match (get_length_prefixed_slice(&bytes), naive_varint(&bytes, 32)) {
            (Ok((slice, rest)), Ok((length, prefix))) => {
                slice.len() as u64 == length && prefix + slice.len() + rest.len() == bytes.len()
            }
            (Err(DecodeError::Truncated), Ok((length, prefix))) => {
                length > (bytes.len() - prefix) as u64
            }
            (Err(got), Err(expected)) => got == expected,
            _ => false,
        }
    }
    QuickCheck::new()
        .tests(50_000)
        .quickcheck(holds as fn(_) -> _);
}

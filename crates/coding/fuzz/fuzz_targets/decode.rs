//! At every position of any bytes, each decoder gives what one written for plainness gives: the
//! same value and the same rest of the input, or the same error. What was decoded, encoded again,
//! takes no more bytes than it took, is decoded to the same, and no proper prefix of it is.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use strata_coding::{
    DecodeError, MAX_VARINT32_LENGTH, MAX_VARINT64_LENGTH, get_fixed32, get_fixed64,
    get_length_prefixed_slice, get_varint32, get_varint64, put_fixed32, put_fixed64,
    put_length_prefixed_slice, put_varint32, put_varint64, varint_length,
};

type Decoded<'a, T> = Result<(T, &'a [u8]), DecodeError>;

/// The low `bits` bits of a varint of at most `most` bytes.
fn naive_varint(bytes: &[u8], most: usize, bits: u32) -> Decoded<'_, u64> {
    let mut value = 0u128;
    for (i, &byte) in bytes.iter().take(most).enumerate() {
        value |= u128::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            let value = value & ((1 << bits) - 1);
            return Ok((u64::try_from(value).unwrap(), &bytes[i + 1..]));
        }
    }
    Err(if bytes.len() < most {
        DecodeError::Truncated
    } else {
        DecodeError::TooLong
    })
}

fn naive_fixed(bytes: &[u8], length: usize) -> Decoded<'_, u64> {
    if bytes.len() < length {
        return Err(DecodeError::Truncated);
    }
    let (value, rest) = bytes.split_at(length);
    let value = value
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte));
    Ok((value, rest))
}

fn naive_length_prefixed(bytes: &[u8]) -> Decoded<'_, &[u8]> {
    let (length, rest) = naive_varint(bytes, MAX_VARINT32_LENGTH, u32::BITS)?;
    if length > rest.len() as u64 {
        return Err(DecodeError::Truncated);
    }
    Ok(rest.split_at(usize::try_from(length).unwrap()))
}

/// Checks what was decoded from the front of `bytes`, and what it is encoded as.
fn check<T: Copy + PartialEq + Debug + Into<u64>>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Decoded<'_, T>,
    expected: Decoded<'_, u64>,
    encode: impl Fn(&mut Vec<u8>, T),
) {
    let decoded = decode(bytes);
    let (Ok((value, rest)), Ok((expected_value, expected_rest))) = (decoded, expected) else {
        assert_eq!(decoded.err(), expected.err());
        return;
    };
    assert_eq!(value.into(), expected_value);
    assert!(std::ptr::eq(rest, expected_rest));

    let mut encoded = Vec::new();
    encode(&mut encoded, value);
    assert!(encoded.len() <= bytes.len() - rest.len());
    assert_eq!(decode(&encoded), Ok((value, &[][..])));
    for length in 0..encoded.len() {
        assert_eq!(decode(&encoded[..length]), Err(DecodeError::Truncated));
    }
}

fn check_slice(bytes: &[u8]) {
    let decoded = get_length_prefixed_slice(bytes);
    let expected = naive_length_prefixed(bytes);
    let (Ok((slice, rest)), Ok((expected_slice, expected_rest))) = (decoded, expected) else {
        assert_eq!(decoded.err(), expected.err());
        return;
    };
    assert!(std::ptr::eq(slice, expected_slice));
    assert!(std::ptr::eq(rest, expected_rest));

    let mut encoded = Vec::new();
    put_length_prefixed_slice(&mut encoded, slice).unwrap();
    assert!(encoded.len() <= bytes.len() - rest.len());
    assert_eq!(get_length_prefixed_slice(&encoded), Ok((slice, &[][..])));
}

fuzz_target!(|data: &[u8]| {
    for start in 0..=data.len() {
        let bytes = &data[start..];
        let varint32 = naive_varint(bytes, MAX_VARINT32_LENGTH, u32::BITS);
        let varint64 = naive_varint(bytes, MAX_VARINT64_LENGTH, u64::BITS);
        check(bytes, get_varint32, varint32, put_varint32);
        check(bytes, get_varint64, varint64, put_varint64);
        check(bytes, get_fixed32, naive_fixed(bytes, 4), put_fixed32);
        check(bytes, get_fixed64, naive_fixed(bytes, 8), put_fixed64);
        check_slice(bytes);

        if let Ok((value, rest)) = varint64 {
            let least = (1..MAX_VARINT64_LENGTH).find(|&length| value >> (7 * length) == 0);
            assert_eq!(varint_length(value), least.unwrap_or(MAX_VARINT64_LENGTH));
            assert!(varint_length(value) <= bytes.len() - rest.len());
        }
    }
});

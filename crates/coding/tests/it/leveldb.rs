//! The cases LevelDB's `coding_test` holds, in our words.

use strata_coding::{
    DecodeError, get_fixed32, get_fixed64, get_length_prefixed_slice, get_varint32, get_varint64,
    put_fixed32, put_fixed64, put_length_prefixed_slice, put_varint32, put_varint64, varint_length,
};

#[test]
fn fixed32_returns_every_value_written() {
    let mut buffer = Vec::new();
    for value in 0..100_000 {
        put_fixed32(&mut buffer, value);
    }
    let mut rest = &buffer[..];
    for value in 0..100_000 {
        let (decoded, after) = get_fixed32(rest).unwrap();
        assert_eq!(decoded, value);
        rest = after;
    }
    assert_eq!(get_fixed32(rest), Err(DecodeError::Truncated));
}

#[test]
fn fixed64_returns_powers_of_two_and_their_neighbours() {
    let values: Vec<u64> = (0..64)
        .flat_map(|power| {
            let value = 1u64 << power;
            [value - 1, value, value + 1]
        })
        .collect();
    let mut buffer = Vec::new();
    for &value in &values {
        put_fixed64(&mut buffer, value);
    }
    let mut rest = &buffer[..];
    for &value in &values {
        let (decoded, after) = get_fixed64(rest).unwrap();
        assert_eq!(decoded, value);
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn varint32_returns_every_value_and_length() {
    let values: Vec<u32> = (0..32 * 32u32).map(|i| (i / 32) << (i % 32)).collect();
    let mut buffer = Vec::new();
    for &value in &values {
        put_varint32(&mut buffer, value);
    }
    let mut rest = &buffer[..];
    for &value in &values {
        let (decoded, after) = get_varint32(rest).unwrap();
        assert_eq!(decoded, value);
        assert_eq!(rest.len() - after.len(), varint_length(u64::from(value)));
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn varint64_returns_every_value_and_length() {
    let mut values = vec![0, 100, u64::MAX, u64::MAX - 1];
    for power in 0..64 {
        let value = 1u64 << power;
        values.extend([value, value - 1, value + 1]);
    }
    let mut buffer = Vec::new();
    for &value in &values {
        put_varint64(&mut buffer, value);
    }
    let mut rest = &buffer[..];
    for &value in &values {
        let (decoded, after) = get_varint64(rest).unwrap();
        assert_eq!(decoded, value);
        assert_eq!(rest.len() - after.len(), varint_length(value));
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn an_overflowing_varint_is_refused() {
    let bytes = [0x81, 0x82, 0x83, 0x84, 0x85, 0x11];
    assert_eq!(get_varint32(&bytes), Err(DecodeError::TooLong));
    let bytes = [
        0x81, 0x82, 0x83, 0x84, 0x85, 0x81, 0x82, 0x83, 0x84, 0x85, 0x11,
    ];
    assert_eq!(get_varint64(&bytes), Err(DecodeError::TooLong));
}

#[test]
fn every_proper_prefix_of_a_varint_is_truncated() {
    let mut buffer = Vec::new();
    put_varint32(&mut buffer, (1 << 31) + 100);
    for length in 0..buffer.len() {
        assert_eq!(
            get_varint32(&buffer[..length]),
            Err(DecodeError::Truncated),
            "{length}"
        );
    }
    assert_eq!(get_varint32(&buffer), Ok(((1 << 31) + 100, &[][..])));

    buffer.clear();
    put_varint64(&mut buffer, (1 << 63) + 100);
    for length in 0..buffer.len() {
        assert_eq!(
            get_varint64(&buffer[..length]),
            Err(DecodeError::Truncated),
            "{length}"
        );
    }
    assert_eq!(get_varint64(&buffer), Ok(((1 << 63) + 100, &[][..])));
}

#[test]
fn strings_return_in_order() {
    let long = [b'x'; 200];
    let strings: [&[u8]; 4] = [b"", b"foo", b"bar", &long];
    let mut buffer = Vec::new();
    for string in strings {
        put_length_prefixed_slice(&mut buffer, string).unwrap();
    }
    let mut rest = &buffer[..];
    for string in strings {
        let (decoded, after) = get_length_prefixed_slice(rest).unwrap();
        assert_eq!(decoded, string);
        rest = after;
    }
    assert!(rest.is_empty());
}

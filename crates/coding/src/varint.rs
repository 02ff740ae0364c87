//! Base-128 integers, least significant group first.
//!
//! Decoding accepts what LevelDB's `GetVarint32Ptr` and `GetVarint64Ptr` accept, which is neither
//! more nor less than canonical forms plus two leniencies: over-long forms, and excess high bits
//! in the last permitted byte, which are dropped.

use integer_encoding::VarInt;

use crate::DecodeError;

/// The most bytes a varint32 takes.
pub const MAX_VARINT32_LENGTH: usize = 5;

/// The most bytes a varint64 takes.
pub const MAX_VARINT64_LENGTH: usize = 10;

const _: () = assert!(MAX_VARINT32_LENGTH == u32::BITS.div_ceil(7) as usize);
const _: () = assert!(MAX_VARINT64_LENGTH == u64::BITS.div_ceil(7) as usize);

/// The high bit of a byte: another byte follows.
const CONTINUES: u8 = 0x80;

/// How many bytes the shortest encoding of `value` takes: 1 to 10, and 1 to 5 for a `u32`.
///
/// ```
/// use strata_coding::varint_length;
///
/// assert_eq!([varint_length(127), varint_length(128), varint_length(u64::MAX)], [1, 2, 10]);
/// ```
#[must_use]
pub fn varint_length(value: u64) -> usize {
    value.required_space()
}

/// Encodes `value` at the front of `buffer` and returns how many bytes that took.
///
/// The buffer is a whole [`MAX_VARINT32_LENGTH`] bytes, so there is always room.
///
/// ```
/// let mut buffer = [0; 5];
/// let length = strata_coding::encode_varint32(&mut buffer, 300);
/// assert_eq!(buffer[..length], [0xac, 0x02]);
/// ```
#[inline]
pub fn encode_varint32(buffer: &mut [u8; MAX_VARINT32_LENGTH], value: u32) -> usize {
    u64::from(value).encode_var(buffer)
}

/// Encodes `value` at the front of `buffer` and returns how many bytes that took.
///
/// The buffer is a whole [`MAX_VARINT64_LENGTH`] bytes, so there is always room.
///
/// ```
/// let mut buffer = [0; 10];
/// assert_eq!(strata_coding::encode_varint64(&mut buffer, u64::MAX), 10);
/// assert_eq!(buffer[9], 1);
/// ```
#[inline]
pub fn encode_varint64(buffer: &mut [u8; MAX_VARINT64_LENGTH], value: u64) -> usize {
    value.encode_var(buffer)
}

/// Appends `value` in its shortest form, 1 to 5 bytes.
///
/// ```
/// let mut buffer = Vec::new();
/// strata_coding::put_varint32(&mut buffer, 300);
/// assert_eq!(buffer, [0xac, 0x02]);
/// ```
pub fn put_varint32(buffer: &mut Vec<u8>, value: u32) {
    let mut bytes = [0; MAX_VARINT32_LENGTH];
    let length = encode_varint32(&mut bytes, value);
    buffer.extend_from_slice(&bytes[..length]);
}

/// Appends `value` in its shortest form, 1 to 10 bytes.
///
/// ```
/// let mut buffer = Vec::new();
/// strata_coding::put_varint64(&mut buffer, 1 << 35);
/// assert_eq!(buffer, [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
/// ```
pub fn put_varint64(buffer: &mut Vec<u8>, value: u64) {
    let mut bytes = [0; MAX_VARINT64_LENGTH];
    let length = encode_varint64(&mut bytes, value);
    buffer.extend_from_slice(&bytes[..length]);
}

/// Splits a varint32 from the front of `bytes`: its value and what follows it.
///
/// The fifth byte's bits above the 32nd are dropped, as LevelDB drops them.
///
/// ```
/// use strata_coding::{DecodeError, get_varint32};
///
/// assert_eq!(get_varint32(&[0xac, 0x02, 9]), Ok((300, &[9][..])));
/// assert_eq!(get_varint32(&[0x80, 0x00]), Ok((0, &[][..])), "over-long forms are accepted");
/// assert_eq!(get_varint32(&[0xff, 0xff, 0xff, 0xff, 0x7f]), Ok((u32::MAX, &[][..])));
/// assert_eq!(get_varint32(&[0x80; 5]), Err(DecodeError::TooLong));
/// ```
///
/// # Errors
///
/// [`DecodeError::Truncated`] if the bytes end first, [`DecodeError::TooLong`] if the fifth byte
/// says that another follows.
#[inline]
pub fn get_varint32(bytes: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    if let Some((&first, rest)) = bytes.split_first()
        && first & CONTINUES == 0
    {
        return Ok((u32::from(first), rest));
    }
    // Five groups of seven bits are a varint64 whose low 32 bits are the value.
    let front = &bytes[..bytes.len().min(MAX_VARINT32_LENGTH)];
    match u64::decode_var(front) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "LevelDB drops the fifth byte's high bits"
        )]
        Some((value, length)) => Ok((value as u32, &bytes[length..])),
        None if front.len() < MAX_VARINT32_LENGTH => Err(DecodeError::Truncated),
        None => Err(DecodeError::TooLong),
    }
}

/// Splits a varint64 from the front of `bytes`: its value and what follows it.
///
/// The tenth byte's bits above the 64th are dropped, as LevelDB drops them.
///
/// ```
/// use strata_coding::{DecodeError, get_varint64};
///
/// assert_eq!(get_varint64(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), Ok((1 << 35, &[][..])));
/// assert_eq!(get_varint64(&[0x80; 10]), Err(DecodeError::TooLong));
/// assert_eq!(get_varint64(&[0x80; 9]), Err(DecodeError::Truncated));
/// ```
///
/// # Errors
///
/// [`DecodeError::Truncated`] if the bytes end first, [`DecodeError::TooLong`] if the tenth byte
/// says that another follows.
#[inline]
pub fn get_varint64(bytes: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    match u64::decode_var(bytes) {
        Some((value, length)) => Ok((value, &bytes[length..])),
        None => get_varint64_with_excess_bits(bytes),
    }
}

/// The ten-byte forms that integer-encoding refuses and LevelDB accepts: only the lowest bit of
/// the tenth byte belongs to the value.
#[cold]
fn get_varint64_with_excess_bits(bytes: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    let (front, rest) = bytes
        .split_first_chunk::<MAX_VARINT64_LENGTH>()
        .ok_or(DecodeError::Truncated)?;
    if front[MAX_VARINT64_LENGTH - 1] & CONTINUES != 0 {
        return Err(DecodeError::TooLong);
    }
    let value = front.iter().enumerate().fold(0, |value, (i, &byte)| {
        value | u64::from(byte & !CONTINUES) << (7 * i)
    });
    Ok((value, rest))
}

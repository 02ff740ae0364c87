//! Little-endian integers of four and eight bytes.

use crate::DecodeError;

/// Appends `value` as 4 little-endian bytes.
///
/// ```
/// let mut buffer = Vec::new();
/// strata_coding::put_fixed32(&mut buffer, 0x0403_0201);
/// assert_eq!(buffer, [1, 2, 3, 4]);
/// ```
pub fn put_fixed32(buffer: &mut Vec<u8>, value: u32) {
    buffer.extend_from_slice(&value.to_le_bytes());
}

/// Appends `value` as 8 little-endian bytes.
///
/// ```
/// let mut buffer = Vec::new();
/// strata_coding::put_fixed64(&mut buffer, 0x0807_0605_0403_0201);
/// assert_eq!(buffer, [1, 2, 3, 4, 5, 6, 7, 8]);
/// ```
pub fn put_fixed64(buffer: &mut Vec<u8>, value: u64) {
    buffer.extend_from_slice(&value.to_le_bytes());
}

/// Splits a fixed32 from the front of `bytes`: its value and what follows it.
///
/// ```
/// assert_eq!(strata_coding::get_fixed32(&[1, 2, 3, 4, 9]), Ok((0x0403_0201, &[9][..])));
/// ```
///
/// # Errors
///
/// [`DecodeError::Truncated`] if there are fewer than 4 bytes.
pub fn get_fixed32(bytes: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    let (value, rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated)?;
    Ok((u32::from_le_bytes(*value), rest))
}

/// Splits a fixed64 from the front of `bytes`: its value and what follows it.
///
/// ```
/// assert_eq!(strata_coding::get_fixed64(&[1, 0, 0, 0, 0, 0, 0, 0]), Ok((1, &[][..])));
/// ```
///
/// # Errors
///
/// [`DecodeError::Truncated`] if there are fewer than 8 bytes.
pub fn get_fixed64(bytes: &[u8]) -> Result<(u64, &[u8]), DecodeError> {
    let (value, rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated)?;
    Ok((u64::from_le_bytes(*value), rest))
}

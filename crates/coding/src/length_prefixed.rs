//! Slices behind their length.

use crate::{DecodeError, SliceTooLong, get_varint32, put_varint32};

/// Appends the length of `slice` as a varint32, then its bytes.
///
/// ```
/// let mut buffer = Vec::new();
/// strata_coding::put_length_prefixed_slice(&mut buffer, b"key")?;
/// assert_eq!(buffer, b"\x03key");
/// # Ok::<(), strata_coding::SliceTooLong>(())
/// ```
///
/// # Errors
///
/// [`SliceTooLong`] if the length does not fit a `u32`; nothing is appended.
/// (LevelDB writes the length's low 32 bits and all the bytes.)
pub fn put_length_prefixed_slice(buffer: &mut Vec<u8>, slice: &[u8]) -> Result<(), SliceTooLong> {
    let length = u32::try_from(slice.len()).map_err(|_| SliceTooLong {
        length: slice.len(),
    })?;
    put_varint32(buffer, length);
    buffer.extend_from_slice(slice);
    Ok(())
}

/// Splits a length-prefixed slice from the front of `bytes`: its bytes and what follows them.
///
/// ```
/// assert_eq!(
///     strata_coding::get_length_prefixed_slice(b"\x03key!"),
///     Ok((&b"key"[..], &b"!"[..]))
/// );
/// ```
///
/// # Errors
///
/// [`DecodeError::Truncated`] if the bytes end in the length or before as many bytes as it says,
/// [`DecodeError::TooLong`] if the length is no varint32.
#[inline]
pub fn get_length_prefixed_slice(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let (length, rest) = get_varint32(bytes)?;
    rest.split_at_checked(length as usize)
        .ok_or(DecodeError::Truncated)
}

//! The checksum, and the form in which it is stored.

/// The constant that LevelDB adds to a checksum that it stores.
const DELTA: u32 = 0xa282_ead8;

/// The CRC-32C (Castagnoli) of `bytes`; 0 of none.
///
/// ```
/// assert_eq!(strata_checksum::crc32c(b"123456789"), 0xe306_9283);
/// ```
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// The CRC-32C of bytes whose checksum is `checksum`, followed by `bytes`.
///
/// ```
/// use strata_checksum::{append, crc32c};
///
/// assert_eq!(append(crc32c(b"hello "), b"world"), crc32c(b"hello world"));
/// ```
#[must_use]
pub fn append(checksum: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(checksum, bytes)
}

/// The form in which LevelDB stores a checksum: rotated right by 15 bits, plus `0xa282ead8`.
///
/// A checksum of bytes that contain their own checksum is weak, and logs are stored in logs.
///
/// ```
/// assert_eq!(strata_checksum::mask(0x3a82_ec18), 0x7ab3_5fdd);
/// ```
#[must_use]
pub const fn mask(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(DELTA)
}

/// The checksum that is stored as `masked`.
///
/// ```
/// use strata_checksum::{mask, unmask};
///
/// assert_eq!(unmask(0x7ab3_5fdd), 0x3a82_ec18);
/// assert_eq!(unmask(mask(7)), 7);
/// ```
#[must_use]
pub const fn unmask(masked: u32) -> u32 {
    masked.wrapping_sub(DELTA).rotate_left(15)
}

//! Where a block is, and what stands behind its contents.

use strata_checksum::{append, crc32c, mask};
use strata_coding::{DecodeError, get_varint64, put_varint64};

use crate::{BlockError, BlockFault, Compression};

/// The length of a block's trailer, which follows its contents, in bytes: the number of its
/// compression, then the masked checksum of both.
pub(crate) const TRAILER_LENGTH: usize = 5;

/// The longest that a block's contents may be, in bytes and decompressed, 4 GiB - 1: the offsets in
/// it are 32 bits.
pub const LONGEST_BLOCK: u64 = u32::MAX as u64;

/// Where a block's contents are; their trailer of 5 bytes follows them.
///
/// ```text
/// varint64 offset | varint64 length
/// ```
///
/// ```
/// use strata_block::BlockHandle;
///
/// let handle = BlockHandle { offset: 300, length: 60 };
/// let bytes = [&handle.encode()[..], b"more"].concat();
/// assert_eq!(bytes, b"\xac\x02\x3cmore");
/// assert_eq!(BlockHandle::decode(&bytes)?, (handle, &b"more"[..]));
/// assert_eq!(handle.end(), 365);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockHandle {
    /// Where in the file the contents begin, in bytes.
    pub offset: u64,
    /// How many bytes they take there, without the trailer.
    pub length: u64,
}

impl BlockHandle {
    /// The most bytes that an encoded handle takes.
    pub const LONGEST: usize = 2 * strata_coding::MAX_VARINT64_LENGTH;

    /// The bytes of the handle, 2 to 20.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LONGEST);
        put_varint64(&mut bytes, self.offset);
        put_varint64(&mut bytes, self.length);
        bytes
    }

    /// Splits a handle from the front of `bytes`. LevelDB permits more to follow, and so do we.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the bytes do not begin with two varints.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (offset, rest) = get_varint64(bytes)?;
        let (length, rest) = get_varint64(rest)?;
        Ok((Self { offset, length }, rest))
    }

    /// The first byte after the block and its trailer; `u64::MAX` if they reach beyond that.
    #[must_use]
    pub fn end(self) -> u64 {
        self.offset
            .saturating_add(self.length)
            .saturating_add(TRAILER_LENGTH as u64)
    }

    /// Checks that the block ends at byte `end` or before, with its trailer.
    ///
    /// # Errors
    ///
    /// [`BlockFault::HandleOutside`] at the handle's offset.
    pub fn check_within(self, end: u64) -> Result<(), BlockError> {
        if self.end() <= end {
            return Ok(());
        }
        let Self { offset, length } = self;
        let fault = BlockFault::HandleOutside {
            offset,
            length,
            end,
        };
        Err(BlockError::Corrupt { offset, fault })
    }
}

/// The trailer of a block that is stored as these bytes.
pub(crate) fn trailer(stored: &[u8], compression: Compression) -> [u8; TRAILER_LENGTH] {
    let compression = compression.number();
    let [a, b, c, d] = masked_checksum(stored, compression).to_le_bytes();
    [compression, a, b, c, d]
}

/// The CRC-32C of a block's stored bytes and its compression's number, masked.
pub(crate) fn masked_checksum(stored: &[u8], compression: u8) -> u32 {
    mask(append(crc32c(stored), &[compression]))
}

//! The numbers and the small fixed parts of the format: block handles, block trailers, the footer.

use strata_checksum::{append, crc32c, mask};
use strata_coding::{DecodeError, get_varint64, put_fixed64, put_varint64};

use crate::Compression;

/// The last 8 bytes of every table, little-endian.
pub(crate) const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// The footer's length: two handles padded to 40 bytes, then the magic number.
pub(crate) const FOOTER_LENGTH: usize = 48;

const HANDLES_LENGTH: usize = FOOTER_LENGTH - size_of::<u64>();

/// What follows a block's contents: its compression type, then the masked checksum of both.
pub(crate) const TRAILER_LENGTH: usize = 5;

/// The longest a block may be, raw: its offsets are 32 bits.
pub(crate) const LONGEST_BLOCK: u64 = u32::MAX as u64;

/// How many times as long as what is stored of a block its keys may be, beside its contents.
///
/// A key shares what it shares with those since the restart point before, so keys are at most as
/// many times as long as the block as there are entries from one restart point to the next: 16 in
/// nearly all tables, and no more than this in any that is written here.
pub(crate) const MOST_SHARED: usize = 1024;

/// What the metaindex calls a filter block, before the name of its policy.
pub(crate) const FILTER_KEY_PREFIX: &str = "filter.";

/// Where a block's contents are; its trailer follows them.
///
/// ```text
/// varint64 offset | varint64 length
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHandle {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl BlockHandle {
    /// The most bytes that an encoded handle takes.
    pub(crate) const LONGEST: usize = 2 * strata_coding::MAX_VARINT64_LENGTH;

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LONGEST);
        put_varint64(&mut bytes, self.offset);
        put_varint64(&mut bytes, self.length);
        bytes
    }

    /// Splits a handle from the front of `bytes`. LevelDB permits more to follow, and so do we.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (offset, rest) = get_varint64(bytes)?;
        let (length, rest) = get_varint64(rest)?;
        Ok((Self { offset, length }, rest))
    }

    /// The first byte after the block and its trailer; beyond every file if the handle is.
    pub(crate) fn end(self) -> u64 {
        self.offset
            .saturating_add(self.length)
            .saturating_add(TRAILER_LENGTH as u64)
    }
}

const _: () = assert!(2 * BlockHandle::LONGEST == HANDLES_LENGTH);

/// The end of a table.
///
/// ```text
/// metaindex handle | index handle | zeros up to byte 40 | fixed64 magic number
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) metaindex: BlockHandle,
    pub(crate) index: BlockHandle,
}

impl Footer {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = self.metaindex.encode();
        bytes.extend_from_slice(&self.index.encode());
        bytes.resize(HANDLES_LENGTH, 0);
        put_fixed64(&mut bytes, MAGIC);
        bytes
    }

    /// The handles of a footer whose magic number is right. The padding is not looked at.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (metaindex, rest) = BlockHandle::decode(bytes)?;
        let (index, _) = BlockHandle::decode(rest)?;
        Ok(Self { metaindex, index })
    }
}

/// The trailer of a block with these contents.
pub(crate) fn trailer(contents: &[u8], compression: Compression) -> [u8; TRAILER_LENGTH] {
    let compression = compression.number();
    let [a, b, c, d] = masked_checksum(contents, compression).to_le_bytes();
    [compression, a, b, c, d]
}

/// The CRC-32C of a block's contents and its compression type, masked.
pub(crate) fn masked_checksum(contents: &[u8], compression: u8) -> u32 {
    mask(append(crc32c(contents), &[compression]))
}

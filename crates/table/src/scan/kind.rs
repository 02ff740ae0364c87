//! The kind of a block of which only the contents are known.

use strata_block::{Block, BlockCursor, BlockHandle, Compression, Contents};

use crate::filter_block::{BASE_LG, FilterBlock};
use crate::keys::split_key;

/// The kinds of block that one with a right checksum can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A data block: there are entries, and every key is an internal key.
    Data,
    /// As a data block, and every value is a block handle, so perhaps the index. The handles need not
    /// be right: something may have been cut out of the file.
    Handles,
    /// A block of entries that are none of a user's: the metaindex.
    Meta,
    /// Filters.
    Filter,
}

impl Kind {
    /// The kinds that a block with these contents can be; `None` if it is no block of a table.
    pub(super) fn of(contents: Contents) -> Option<Self> {
        // As the last byte of a number of restart points that would be 184 million.
        if contents.bytes.last() == Some(&BASE_LG) {
            let filter = FilterBlock::parse(contents.bytes);
            return filter.is_ok().then_some(Self::Filter);
        }
        let block = Block::parse(contents).ok()?;
        let mut cursor = BlockCursor::default();
        let (mut entries, mut internal_keys) = (0_u64, 0_u64);
        let mut all_handles = true;
        while cursor.advance(&block).ok()? {
            entries += 1;
            internal_keys += u64::from(split_key(&cursor, &block).is_ok());
            all_handles &= is_handle(cursor.value(&block));
        }
        match (entries, internal_keys == entries) {
            (0, _) | (_, false) => Some(Self::Meta),
            (_, true) if all_handles => Some(Self::Handles),
            (_, true) => Some(Self::Data),
        }
    }

    /// Whether it can be a data block.
    pub(super) fn may_be_data(self) -> bool {
        matches!(self, Self::Data | Self::Handles)
    }
}

fn is_handle(value: &[u8]) -> bool {
    matches!(BlockHandle::decode(value), Ok((_, [])))
}

/// Whether a block may end here, by the last four bytes of its contents and its compression.
///
/// Without compression, a block of entries ends with the number of its restart points, and a block
/// of filters with the byte 11.
pub(super) fn is_plausible(last: [u8; 4], compression: u8) -> bool {
    /// Of a block of 32 MiB, each entry a restart point and of 8 bytes.
    const MOST_RESTARTS: u32 = 4 << 20;
    match compression {
        0 => {
            let restarts = u32::from_le_bytes(last);
            (1..=MOST_RESTARTS).contains(&restarts) || last[3] == BASE_LG
        }
        number => Compression::is_number(number),
    }
}

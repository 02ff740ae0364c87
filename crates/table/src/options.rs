//! How a table is written.

use strata_block::{BlockBuilder, LONGEST_BLOCK};

use crate::{Compression, TableError};

/// The most bytes that a user key and a value may have together so that every table can hold them,
/// whatever its options and whatever else is in the block: 4 MiB and a little less than 4 GiB.
///
/// [`TableWriter::add`](crate::TableWriter::add) refuses only what would make a block longer than
/// 4 GiB - 1 bytes. Whoever takes entries now and writes a table later asks by this.
///
/// ```
/// assert_eq!(strata_table::LONGEST_ENTRY, u64::from(u32::MAX) - (4 << 20) - (1 << 10));
/// ```
pub const LONGEST_ENTRY: u64 = LONGEST_BLOCK - (4 << 20) - OVERHEAD;

/// More than an entry takes beside its bytes, in its block and in the index, with what a block has
/// beside its entries.
const OVERHEAD: u64 = 1 << 10;

// A block is shorter than its size is to be when an entry is added.
const _: () =
    assert!(LONGEST_ENTRY + OVERHEAD + TableOptions::LARGEST_BLOCK_SIZE as u64 <= LONGEST_BLOCK);

/// How a table is written. The default is LevelDB's.
///
/// ```
/// use strata_table::{Compression, TableOptions};
///
/// let options = TableOptions {
///     bloom_bits_per_key: Some(10),
///     ..TableOptions::default()
/// };
/// assert_eq!((options.block_size, options.restart_interval), (4096, 16));
/// assert_eq!(options.compression, Compression::default()); // snappy
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableOptions {
    /// A data block ends with the entry that makes it at least this long, in bytes before
    /// compression: 1 to 4 MiB, 4096 by default.
    pub block_size: usize,
    /// Every so many entries a data block holds a whole key, to which a search can jump: 1
    /// to 1024, 16 by default.
    pub restart_interval: usize,
    /// How blocks are compressed: snappy by default; without its feature, not at all.
    pub compression: Compression,
    /// If given, a [bloom filter](crate::BloomFilter) with so many bits for each entry: 1 to 100.
    /// LevelDB suggests 10; none by default.
    pub bloom_bits_per_key: Option<u32>,
}

impl TableOptions {
    /// The largest [`block_size`](Self::block_size): LevelDB clips larger ones to it.
    pub const LARGEST_BLOCK_SIZE: usize = 4 << 20;

    /// The largest [`restart_interval`](Self::restart_interval). Keys since a restart point share
    /// bytes, and a reader refuses a block whose keys are together more than so many times as long
    /// as the block.
    pub const LARGEST_RESTART_INTERVAL: usize = BlockBuilder::LARGEST_RESTART_INTERVAL;

    /// Checks that every option is within its bounds.
    ///
    /// # Errors
    ///
    /// [`TableError::OptionOutOfBounds`] for the first one that is not, and
    /// [`TableError::CompressionLeftOut`] if the feature of the compression is off.
    pub fn validate(&self) -> Result<(), TableError> {
        let within = |option, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                return Ok(());
            }
            Err(TableError::OptionOutOfBounds {
                option,
                value,
                most,
            })
        };
        if !self.compression.is_available() {
            return Err(TableError::CompressionLeftOut {
                compression: self.compression,
            });
        }
        within("block_size", self.block_size, Self::LARGEST_BLOCK_SIZE)?;
        within(
            "restart_interval",
            self.restart_interval,
            Self::LARGEST_RESTART_INTERVAL,
        )?;
        crate::bloom::check_bits_per_key(self.bloom_bits_per_key.unwrap_or(1))
    }
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            block_size: 4096,
            restart_interval: 16,
            compression: Compression::default(),
            bloom_bits_per_key: None,
        }
    }
}

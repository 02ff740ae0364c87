//! How a table is written.

use crate::TableError;

/// How blocks are compressed. DO NOT CHANGE the numbers: they are on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Compression {
    /// Not at all.
    None = 0,
    /// With snappy, if that saves more than an eighth of a block; otherwise the block is stored
    /// as it is.
    #[default]
    Snappy = 1,
}

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
/// assert_eq!(options.compression, Compression::Snappy);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableOptions {
    /// A data block ends with the entry that makes it at least this long, in bytes before
    /// compression: 1 to 4 MiB, 4096 by default.
    pub block_size: usize,
    /// Every so many entries a data block holds a whole key, to which a search can jump: at
    /// least 1, 16 by default.
    pub restart_interval: usize,
    /// How blocks are compressed: snappy by default.
    pub compression: Compression,
    /// If given, a [bloom filter](crate::BloomFilter) with so many bits for each entry: 1 to 100.
    /// LevelDB suggests 10; none by default.
    pub bloom_bits_per_key: Option<u32>,
}

impl TableOptions {
    /// The largest [`block_size`](Self::block_size): LevelDB clips larger ones to it.
    pub const LARGEST_BLOCK_SIZE: usize = 4 << 20;

    /// Checks that every option is within its bounds.
    ///
    /// # Errors
    ///
    /// [`TableError::OptionOutOfBounds`] for the first one that is not.
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
        within("block_size", self.block_size, Self::LARGEST_BLOCK_SIZE)?;
        within("restart_interval", self.restart_interval, usize::MAX)?;
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

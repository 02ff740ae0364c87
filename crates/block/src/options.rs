//! How blocks are read.

use crate::LONGEST_BLOCK;

/// How blocks are read.
///
/// ```
/// use strata_block::ReadOptions;
///
/// let mut options = ReadOptions::default();
/// assert_eq!(options.longest_block, u32::MAX.into());
/// options.longest_block = 64 << 20;
/// ```
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// A block that is longer than this, in bytes and decompressed, is an error and is not
    /// decompressed further: 4 GiB - 1 by default, the longest there can be.
    ///
    /// A damaged or hostile file makes a reader hold blocks of this length, if its bytes can be
    /// that long decompressed: without compression 1 times as long, with snappy 22 times, with
    /// zlib and deflate 1032 times, with zstd 32768 times.
    pub longest_block: u64,
    /// Whether a block whose checksum is wrong is an error, as it is by default. If not, what can be
    /// made of its bytes is given, and may be wrong.
    pub verify_checksums: bool,
    /// Where data blocks are kept that were read; none by default. With the feature `cache`.
    #[cfg(feature = "cache")]
    pub cache: Option<std::sync::Arc<crate::BlockCache>>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            longest_block: LONGEST_BLOCK,
            verify_checksums: true,
            #[cfg(feature = "cache")]
            cache: None,
        }
    }
}

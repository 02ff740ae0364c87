//! A cache of blocks that files share.

use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::Block;
use crate::atomic::Numbers;

/// About how many bytes a cached block takes beside its contents.
const OVERHEAD: u64 = 128;

/// How long a block is that the cache makes room for at first.
const USUAL_BLOCK: u64 = 4096;

/// A cache of blocks of entries, decompressed and checked, bounded in bytes, for any number of files
/// and threads.
///
/// Give it to [`BlockSource::new`](crate::BlockSource::new) in a
/// [`ReadOptions`](crate::ReadOptions).
/// [`read_shared_block`](crate::BlockSource::read_shared_block) then reads a block only if it is
/// not in the cache; every other call reads the file itself. Blocks that are read again stay longer
/// than those of one pass over a file. A file's blocks stay until others take their room, also when
/// the source is gone.
///
/// ```
/// use std::sync::Arc;
/// # use strata_block::{BlockBuilder, BlockWriter, Compression};
/// use strata_block::{BlockCache, BlockSource, ReadOptions};
///
/// # let mut block = BlockBuilder::new(16);
/// # block.add(b"key", b"value")?;
/// # let mut writer = BlockWriter::new(Vec::new(), Compression::None)?;
/// # let handle = writer.write_block(&mut block)?;
/// # let bytes = writer.finish()?;
/// let cache = Arc::new(BlockCache::new(8 << 20));
/// let options = ReadOptions {
///     cache: Some(Arc::clone(&cache)),
///     ..ReadOptions::default()
/// };
/// let source = BlockSource::new(bytes, &options)?;
/// let block = source.read_shared_block(handle)?;
/// assert!(Arc::ptr_eq(&block, &source.read_shared_block(handle)?), "reads nothing");
/// assert!((1..=8 << 20).contains(&cache.bytes()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BlockCache {
    blocks: Cache<Key, Arc<Block>, Bytes>,
    files: Numbers,
}

/// Which block: of which file, and where it begins there.
type Key = (u64, u64);

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<Block>> for Bytes {
    fn weight(&self, _: &Key, block: &Arc<Block>) -> u64 {
        block.bytes().saturating_add(OVERHEAD)
    }
}

impl BlockCache {
    /// A cache that holds at most `capacity` bytes of blocks, with about 128 more for each. It is
    /// made of parts, 4 for each processor; a block that is larger than a part is not kept.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        let blocks = usize::try_from(capacity / USUAL_BLOCK).unwrap_or(usize::MAX);
        Self {
            blocks: Cache::with_weighter(blocks.max(1), capacity, Bytes),
            files: Numbers::default(),
        }
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.blocks.weight()
    }

    /// The most bytes that it holds.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.blocks.capacity()
    }
}

impl fmt::Debug for BlockCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockCache")
            .field("bytes", &self.bytes())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

/// The part of a cache that is one file's.
#[derive(Debug)]
pub(crate) struct FileCache {
    cache: Arc<BlockCache>,
    file: u64,
}

impl FileCache {
    pub(crate) fn new(cache: &Arc<BlockCache>) -> Self {
        Self {
            file: cache.files.next(),
            cache: Arc::clone(cache),
        }
    }

    pub(crate) fn get(&self, offset: u64) -> Option<Arc<Block>> {
        self.cache.blocks.get(&(self.file, offset))
    }

    pub(crate) fn insert(&self, offset: u64, block: &Arc<Block>) {
        self.cache
            .blocks
            .insert((self.file, offset), Arc::clone(block));
    }
}

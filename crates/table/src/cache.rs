//! A cache of data blocks that tables share.

use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::atomic::Numbers;
use crate::block_reader::Block;

/// What a cached block takes beside its contents, in bytes, about.
const OVERHEAD: u64 = 128;

/// How long a block is that the cache makes room for at first.
const USUAL_BLOCK: u64 = 4096;

/// A cache of data blocks, decompressed and checked, bounded in bytes, for any number of tables and
/// threads.
///
/// Give it to [`Table::open_with`](crate::Table::open_with) in a
/// [`ReadOptions`](crate::ReadOptions). A lookup or a cursor then reads a block only if it is not
/// in the cache. Blocks that are read again stay longer than those of one pass over a table. A
/// table's blocks stay until others take their room, also when the table is closed.
///
/// [`verify`](crate::Table::verify) and [`Scan`](crate::Scan) read the file itself.
///
/// ```
/// use std::sync::Arc;
/// # use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// # use strata_table::{TableOptions, TableWriter};
/// use strata_table::{BlockCache, ReadOptions, Table};
///
/// # let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
/// # let key = InternalKey::new(b"key", SequenceNumber::new(1)?, ValueType::Value);
/// # writer.add(key.encode(), b"value")?;
/// # let bytes = writer.finish()?.0;
/// let cache = Arc::new(BlockCache::new(8 << 20));
/// let options = ReadOptions {
///     cache: Some(Arc::clone(&cache)),
///     ..ReadOptions::default()
/// };
/// let table = Table::open_with(bytes, BytewiseComparator, &options)?;
/// table.get(b"key", SequenceNumber::MAX)?;
/// table.get(b"key", SequenceNumber::MAX)?; // reads nothing
/// assert!((1..=8 << 20).contains(&cache.bytes()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BlockCache {
    blocks: Cache<Key, Arc<Block>, Bytes>,
    tables: Numbers,
}

/// Which block: of which table, and where it begins there.
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
            tables: Numbers::default(),
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

/// The part of a cache that is one table's.
#[derive(Debug)]
pub(crate) struct TableCache {
    cache: Arc<BlockCache>,
    table: u64,
}

impl TableCache {
    pub(crate) fn new(cache: &Arc<BlockCache>) -> Self {
        Self {
            table: cache.tables.next(),
            cache: Arc::clone(cache),
        }
    }

    pub(crate) fn get(&self, offset: u64) -> Option<Arc<Block>> {
        self.cache.blocks.get(&(self.table, offset))
    }

    pub(crate) fn insert(&self, offset: u64, block: &Arc<Block>) {
        self.cache
            .blocks
            .insert((self.table, offset), Arc::clone(block));
    }
}

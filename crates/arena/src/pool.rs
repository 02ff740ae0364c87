//! The pool: blocks of arenas that are gone, for those that come.

use std::fmt;

use bumpalo::Bump;

use crate::block::{Block, CHUNK_OVERHEAD_BYTES, HUGE_CHUNK_BYTES};
use crate::growth::{MAX_CHUNK_BYTES, MIN_CHUNK_BYTES};
use crate::sync::Mutex;

/// How many bytes a pool keeps by default: a few memtables of usual size.
const DEFAULT_MAX_BYTES: usize = 64 << 20;

/// How many sizes of chunks there are, each twice the one before; then that of huge pages.
const SIZES: usize = (MAX_CHUNK_BYTES / MIN_CHUNK_BYTES).ilog2() as usize + 1;

/// Blocks that arenas [made with it](crate::ArenaOptions::pool) leave when they are dropped, kept
/// for those that are made later.
///
/// The memory of a block that was in use before is mapped already. Touching it for the first time
/// is what filling a fresh arena spends a good part of its time on.
///
/// `Send` and `Sync`: an arena takes the pool's lock once for each block it makes or leaves. Dropping the pool frees what it keeps.
///
/// ```
/// use std::alloc::Layout;
/// use std::sync::Arc;
/// use strata_arena::{Arena, ArenaOptions, BlockPool};
///
/// let pool = Arc::new(BlockPool::new(1 << 20));
/// let options = ArenaOptions { pool: Some(Arc::clone(&pool)), ..ArenaOptions::default() };
/// let arena = Arena::with_options(options.clone());
/// arena.allocate(Layout::new::<[u8; 100]>())?;
/// drop(arena);
/// assert!(pool.retained_bytes() > 100);
///
/// let next = Arena::with_options(options);
/// next.allocate(Layout::new::<[u8; 100]>())?;
/// assert_eq!(pool.retained_bytes(), 0);
/// # Ok::<(), strata_arena::AllocError>(())
/// ```
pub struct BlockPool {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_size: [Vec<Bump>; SIZES + 1],
    /// What the allocator was asked for, for all of them.
    bytes: usize,
}

impl BlockPool {
    /// A pool that keeps no more than `max_bytes` bytes of blocks. It keeps none yet.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            kept: Mutex::new(Kept::default()),
        }
    }

    /// How many bytes of blocks the pool keeps, which no arena counts as reserved. The list of
    /// them, a pointer each, is not counted.
    ///
    /// O(1), under the pool's lock.
    #[must_use]
    pub fn retained_bytes(&self) -> usize {
        self.kept.lock().bytes
    }

    /// A block that fills a chunk of so many bytes, if there is one.
    pub(crate) fn take(&self, chunk_bytes: usize) -> Option<Block> {
        let size = size_index(chunk_bytes)?;
        let mut kept = self.kept.lock();
        let memory = kept.by_size[size].pop()?;
        kept.bytes -= memory.allocated_bytes_including_metadata();
        drop(kept);
        Block::of(memory)
    }

    /// Keeps a block of an arena that is gone, if there is room for it and it has one of the usual
    /// sizes; frees it otherwise.
    pub(crate) fn give(&self, mut memory: Bump) {
        memory.reset();
        let Some(size) = size_index(memory.chunk_capacity() + CHUNK_OVERHEAD_BYTES) else {
            return;
        };
        let bytes = memory.allocated_bytes_including_metadata();
        let mut kept = self.kept.lock();
        let has_room = bytes <= self.max_bytes - kept.bytes;
        if has_room && kept.by_size[size].try_reserve(1).is_ok() {
            kept.by_size[size].push(memory);
            kept.bytes += bytes;
        } else {
            // Freeing may take long.
            drop(kept);
        }
    }
}

impl fmt::Debug for BlockPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockPool")
            .field("retained_bytes", &self.retained_bytes())
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

impl Default for BlockPool {
    /// A pool that keeps up to 64 MiB.
    fn default() -> Self {
        Self::new(DEFAULT_MAX_BYTES)
    }
}

/// Which of the usual sizes this is, if it is one.
fn size_index(chunk_bytes: usize) -> Option<usize> {
    if chunk_bytes == HUGE_CHUNK_BYTES {
        return Some(SIZES);
    }
    let usual =
        chunk_bytes.is_power_of_two() && (MIN_CHUNK_BYTES..=MAX_CHUNK_BYTES).contains(&chunk_bytes);
    usual.then(|| (chunk_bytes / MIN_CHUNK_BYTES).ilog2() as usize)
}

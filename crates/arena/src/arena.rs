//! The arena: a list of blocks, the current one of which is shared out without a lock.

use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use bumpalo::Bump;

use crate::AllocError;
use crate::atomic::{BlockPointer, Count};
use crate::block::{BLOCK_HEADER_BYTES, Block, new_block};
use crate::sync::Mutex;

// The constants below were chosen together, by filling arenas of 64 KiB to 16 MiB with allocations
// of one size, 24 to 70 000 bytes: reserved over used at 4 MiB is 1.04 or less up to 1000 bytes,
// and at most 1.15 (for 4100, which wastes most of every second page).

/// The smallest block, in bytes: a page, and what keeps a small arena small.
const MIN_BLOCK_BYTES: usize = 4 << 10;

/// The largest block that is not made for one request, in bytes: what the growth below comes to at
/// 4 MiB, LevelDB's write buffer. Past that size larger blocks would only leave more unused.
const MAX_BLOCK_BYTES: usize = 128 << 10;

/// A block is this fraction of what is reserved, so that a block just begun is at most about
/// 3 % of the whole. With 16 or 24, the bound of LevelDB's arena test (10 %) is missed.
const GROWTH_FRACTION: usize = 32;

/// A request for more than this fraction of a block gets a block of its own: LevelDB's rule.
/// With half a block, 20 000-byte requests waste 12 % instead of 8.
const OWN_BLOCK_FRACTION: usize = 4;

/// The bytes around a bumpalo chunk that its size is rounded up with: its footer, and what the
/// allocator is assumed to keep. Asking for a power of two less this gives a chunk that fits one.
const CHUNK_OVERHEAD_BYTES: usize = 64;

/// The largest request, in bytes, and the largest alignment: sums of a few stay within `usize`.
const MAX_REQUEST_BYTES: usize = isize::MAX as usize / 4;

/// How many blocks the list of them has room for at first; then it doubles.
const MIN_LIST_LENGTH: usize = 4;

const _: () = assert!(MIN_BLOCK_BYTES <= MAX_BLOCK_BYTES);

/// Memory that is handed out by moving a cursor and given back all together.
///
/// `Send` and `Sync`: every method may be called from several threads at once.
///
/// ```
/// use strata_arena::Arena;
///
/// let arena = Arena::new();
/// std::thread::scope(|scope| {
///     for byte in 0..4 {
///         let arena = &arena;
///         scope.spawn(move || {
///             for _ in 0..1000 {
///                 arena.allocate(10).unwrap().write_copy_of_slice(&[byte; 10]);
///             }
///         });
///     }
/// });
/// assert_eq!(arena.used_bytes(), 40_000);
/// ```
#[derive(Debug)]
pub struct Arena {
    /// The block that is allocated from without the lock.
    current: BlockPointer,
    /// The block to go on with when that one is full, the roomiest that was passed over. Read and
    /// written under the lock only.
    spare: BlockPointer,
    reserved: Count,
    limit: usize,
    blocks: Mutex<Blocks>,
}

/// What only the thread that holds the lock touches.
#[derive(Debug)]
struct Blocks {
    /// What owns the blocks' memory. A `Bump` may move: its chunk does not (A2).
    memory: Vec<Bump>,
    /// Bytes handed out of the blocks that are neither current nor spare, which are sealed.
    used_in_sealed: usize,
}

impl Arena {
    /// An arena that grows as far as the allocator lets it. It owns no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(usize::MAX)
    }

    /// An arena that never reserves more than `limit` bytes. It owns no memory yet.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            current: BlockPointer::none(),
            spare: BlockPointer::none(),
            reserved: Count::zero(),
            limit,
            blocks: Mutex::new(Blocks {
                memory: Vec::new(),
                used_in_sealed: 0,
            }),
        }
    }

    /// How many bytes the arena has asked of the allocator, all that its blocks take included.
    ///
    /// O(1), without a lock.
    #[must_use]
    pub fn reserved_bytes(&self) -> usize {
        self.reserved.get()
    }

    /// How many bytes are handed out, with the padding that alignment cost.
    ///
    /// O(1), under the lock that is otherwise taken for a new block.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        let blocks = self.blocks.lock();
        let used = |block: Option<&Block>| block.map_or(0, Block::used);
        blocks.used_in_sealed + used(self.current()) + used(self.spare())
    }

    /// How many bytes the arena may reserve; `usize::MAX` if there is no limit.
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.limit
    }

    /// Hands out `bytes` bytes, at any address.
    ///
    /// # Errors
    ///
    /// As [`allocate_layout`](Arena::allocate_layout).
    #[inline]
    pub fn allocate(&self, bytes: usize) -> Result<&mut [MaybeUninit<u8>], AllocError> {
        match Layout::from_size_align(bytes, 1) {
            Ok(layout) => self.allocate_layout(layout),
            Err(_) => Err(AllocError::OutOfMemory { requested: bytes }),
        }
    }

    /// Hands out bytes for `layout`: as many as its size, at a multiple of its alignment.
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use strata_arena::Arena;
    ///
    /// let arena = Arena::new();
    /// arena.allocate(1)?;
    /// let word = arena.allocate_layout(Layout::new::<u64>())?;
    /// assert_eq!((word.len(), word.as_ptr().addr() % 8), (8, 0));
    /// # Ok::<(), strata_arena::AllocError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AllocError::LimitReached`] if that needs a block that would take the arena over its
    /// limit; [`AllocError::OutOfMemory`] if the allocator refuses. The arena is as it was.
    #[inline]
    pub fn allocate_layout(&self, layout: Layout) -> Result<&mut [MaybeUninit<u8>], AllocError> {
        if layout.size().max(layout.align()) > MAX_REQUEST_BYTES {
            return Err(AllocError::OutOfMemory {
                requested: layout.size(),
            });
        }
        if let Some(bytes) = self.current().and_then(|block| block.allocate(layout)) {
            return Ok(bytes);
        }
        self.allocate_slowly(layout)
    }

    fn current(&self) -> Option<&Block> {
        self.current.get().map(|block| self.block(block))
    }

    fn spare(&self) -> Option<&Block> {
        self.spare.get().map(|block| self.block(block))
    }

    /// The block whose header is at `header`, which is one of this arena's.
    fn block(&self, header: NonNull<Block>) -> &Block {
        debug_assert!(
            self.reserved.get() > 0,
            "an arena without blocks has no header either"
        );
        // SAFETY: A2: the arena's blocks live as long as it does, which `&self` borrows, and
        // nothing but `&Block` is ever made of a header.
        unsafe { header.as_ref() }
    }

    #[cold]
    #[inline(never)]
    fn allocate_slowly(&self, layout: Layout) -> Result<&mut [MaybeUninit<u8>], AllocError> {
        let mut blocks = self.blocks.lock();
        // Another thread may have made a block since.
        if let Some(bytes) = self.current().and_then(|block| block.allocate(layout)) {
            return Ok(bytes);
        }
        if let Some(spare) = self.spare()
            && let Some(bytes) = spare.allocate(layout)
        {
            self.spare.clear();
            self.keep_the_roomiest(&mut blocks, spare);
            return Ok(bytes);
        }
        let block = self.new_block(&mut blocks, layout)?;
        // Nobody else knows of the block yet, so there is room.
        let bytes = block.allocate(layout);
        self.keep_the_roomiest(&mut blocks, block);
        bytes.ok_or(AllocError::OutOfMemory {
            requested: layout.size(),
        })
    }

    /// Makes a block with room for `layout`.
    fn new_block(&self, blocks: &mut Blocks, layout: Layout) -> Result<&Block, AllocError> {
        let requested = layout.size();
        let reserved = self.reserved.get();
        let over_limit = AllocError::LimitReached {
            requested,
            reserved,
            limit: self.limit,
        };
        let out_of_memory = AllocError::OutOfMemory { requested };
        // Padding included, whatever the block's address.
        let needed = requested + layout.align() - 1;
        if needed > self.limit - reserved {
            return Err(over_limit);
        }
        let usual = (reserved / GROWTH_FRACTION).clamp(MIN_BLOCK_BYTES, MAX_BLOCK_BYTES)
            - CHUNK_OVERHEAD_BYTES
            - BLOCK_HEADER_BYTES;
        // Near the limit a usual block may not fit where one for the request alone does.
        let usual = (needed <= usual / OWN_BLOCK_FRACTION).then_some(usual);
        let list_growth = match blocks.memory.len() {
            length if length == blocks.memory.capacity() => length.max(MIN_LIST_LENGTH),
            _ => 0,
        };
        let mut refusal = over_limit;
        for bytes in usual.into_iter().chain([needed]) {
            let Some((memory, block)) = new_block(bytes) else {
                refusal = out_of_memory;
                continue;
            };
            let reserved = reserved
                + memory.allocated_bytes_including_metadata()
                + list_growth * size_of::<Bump>();
            if reserved > self.limit {
                refusal = over_limit;
                continue;
            }
            blocks
                .memory
                .try_reserve_exact(list_growth)
                .map_err(|_| out_of_memory)?;
            blocks.memory.push(memory);
            self.reserved.set(reserved);
            return Ok(self.block(block));
        }
        Err(refusal)
    }

    /// Of the current block, the spare one and `block`, makes the roomiest the current one and
    /// the second the spare, and seals the third.
    fn keep_the_roomiest(&self, blocks: &mut Blocks, block: &Block) {
        let mut rest = block;
        match self.current() {
            Some(current) if current.room() >= block.room() => {}
            current => {
                self.current.publish(block.into());
                let Some(current) = current else { return };
                rest = current;
            }
        }
        if let Some(spare) = self.spare() {
            if spare.room() >= rest.room() {
                blocks.used_in_sealed += rest.seal();
                return;
            }
            blocks.used_in_sealed += spare.seal();
        }
        self.spare.publish(rest.into());
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

//! How an arena grows: its blocks, what they cost, and how large the next one is.

use std::alloc::Layout;
use std::sync::Arc;

use bumpalo::Bump;

use crate::AllocError;
use crate::block::{Block, CHUNK_OVERHEAD_BYTES, HUGE_CHUNK_BYTES, chunk_bytes};
use crate::lane::{Free, LANES};
use crate::location::{INDICES, Location, WINDOW_BYTES};
use crate::pages::HAS_HINT;
use crate::pool::BlockPool;
use crate::table::{Table, TableMemory};

// How large a chunk is was chosen by filling arenas with entries of one size, 10 to 70 000 bytes,
// with and without a node of 576 bytes for every fortieth. Between 4 and 4.25 MiB, reserved over
// used is 1.048 at most up to 1000 bytes. With small chunks of 4 KiB, or a fortieth of what is
// reserved, or thirty-two times its root and nothing else, it comes to over 1.05. Larger entries
// waste 7 % on average and 32 % at worst, just over four pages: bumpalo rounds up to pages, and
// blocks of such a size hold few of them. With half a chunk instead of a third, they waste 9 % on
// average.

/// The smallest chunk, in bytes: what keeps an arena with two lanes in use under 3 KiB.
pub(crate) const MIN_CHUNK_BYTES: usize = 1 << 10;

/// The largest chunk that is not made for one request, in bytes: what one window covers.
pub(crate) const MAX_CHUNK_BYTES: usize = WINDOW_BYTES;

/// Up to this size, in bytes, a chunk is as large as what its lane has reserved.
pub(crate) const SMALL_CHUNK_BYTES: usize = 8 << 10;

/// A larger chunk is this fraction of what its lane has reserved.
const GROWTH_FRACTION: usize = 20;

/// Nor is a chunk larger, in bytes, than this many times the square root of that.
const CHUNK_PER_ROOT: usize = 48;

/// The smallest chunk doubles whenever this many windows more are in use: many lanes, each with
/// little in it, would use up the indices otherwise.
pub(crate) const WINDOWS_PER_DOUBLING: usize = 64;

/// A request for more than this fraction of a chunk gets a chunk of its own.
pub(crate) const OWN_CHUNK_FRACTION: usize = 3;

/// How often the smallest chunk can double until it is the largest.
const MAX_DOUBLINGS: usize = (MAX_CHUNK_BYTES / MIN_CHUNK_BYTES).ilog2() as usize;

/// The largest request, in bytes, and the largest alignment: sums of a few stay within `usize`.
pub(crate) const MAX_REQUEST_BYTES: usize = isize::MAX as usize / 4;

/// How many blocks the list of them has room for at first; then it doubles.
const MIN_LIST_LENGTH: usize = 4;

/// What only the thread that holds the arena's lock touches.
pub(crate) struct Growth {
    /// What owns the blocks' memory.
    memory: Vec<Bump>,
    /// Where blocks come from and go to, if that isn't the allocator.
    pool: Option<Arc<BlockPool>>,
    /// Whether a lane goes on in huge pages when it has reserved as much as one takes.
    huge_pages: bool,
    table: TableMemory,
    /// What the chunks take that were made for each lane, in bytes.
    reserved_by_lane: [usize; LANES],
    /// How many bytes are handed out, counting as handed out what lanes have left.
    pub(crate) used_or_in_lanes: usize,
}

impl Growth {
    /// How an arena grows that has no block yet.
    pub(crate) fn new(pool: Option<Arc<BlockPool>>, huge_pages: bool) -> Self {
        Self {
            memory: Vec::new(),
            pool,
            huge_pages: huge_pages && HAS_HINT,
            table: TableMemory::default(),
            reserved_by_lane: [0; LANES],
            used_or_in_lanes: 0,
        }
    }

    /// How many bytes were asked of the allocator, or taken from the pool: blocks, the list of them
    /// and the tables.
    pub(crate) fn reserved(&self) -> usize {
        let blocks: usize = self.reserved_by_lane.iter().sum();
        blocks + self.memory.capacity() * size_of::<Bump>() + self.table.bytes()
    }

    /// Makes a block with room for `layout` and gives it indices; all of it is left. On an error,
    /// no block is made.
    pub(crate) fn add_block(
        &mut self,
        table: &Table,
        lane: usize,
        layout: Layout,
        limit: usize,
    ) -> Result<Free, AllocError> {
        let requested = layout.size();
        let out_of_memory = AllocError::OutOfMemory { requested };
        let over_limit = AllocError::LimitReached {
            requested,
            reserved: self.reserved(),
            limit,
        };
        if requested.max(layout.align()) > MAX_REQUEST_BYTES {
            return Err(out_of_memory);
        }
        // Padding included, whatever the block's address.
        let needed = requested.max(1).next_multiple_of(Location::GRANULE) + layout.align() - 1;
        let windows = needed.div_ceil(WINDOW_BYTES);
        if windows > INDICES - self.table.windows() {
            return Err(AllocError::OutOfLocations { requested });
        }
        let room = limit.saturating_sub(self.reserved() + self.bookkeeping_bytes(windows));
        let usual = self.usual_chunk_bytes(lane, 0, 0);
        let small = self.small_chunk_bytes(self.reserved_by_lane[lane], 0);
        let usual = [Some(usual), (small < usual).then_some(small)]
            .into_iter()
            .flatten()
            .map(|chunk| chunk - CHUNK_OVERHEAD_BYTES)
            .filter(|capacity| needed <= capacity / OWN_CHUNK_FRACTION);
        let mut refusal = over_limit;
        // Near the limit a huge page may not fit where a small block does, nor that where one for
        // the request alone does.
        for capacity in usual.chain([needed]) {
            if chunk_bytes(capacity) > room {
                continue;
            }
            match self.make(capacity) {
                Some(block) => return self.keep(table, lane, block, windows).ok_or(out_of_memory),
                None => refusal = out_of_memory,
            }
        }
        Err(refusal)
    }

    /// A block of `capacity` bytes, from the pool if that has one.
    fn make(&self, capacity: usize) -> Option<Block> {
        let bytes = chunk_bytes(capacity);
        let pool = self.pool.as_ref();
        pool.and_then(|pool| pool.take(bytes)).or_else(|| {
            match self.huge_pages && bytes == HUGE_CHUNK_BYTES {
                true => Block::huge(),
                false => Block::new(capacity),
            }
        })
    }

    /// How large the next chunk for a lane is to be, in bytes, when it has reserved so much more
    /// and so many more windows are in use: a power of two, or what a huge page takes.
    pub(crate) fn usual_chunk_bytes(&self, lane: usize, more: usize, windows: usize) -> usize {
        let reserved = self.reserved_by_lane[lane].saturating_add(more);
        let small = self.small_chunk_bytes(reserved, windows);
        match self.huge_pages && reserved >= HUGE_CHUNK_BYTES {
            true => small.max(HUGE_CHUNK_BYTES),
            false => small,
        }
    }

    /// How large it would be without huge pages, in a lane that has reserved so much: a power of
    /// two.
    ///
    /// As large as all before it up to 8 KiB, then a fraction, and above 1 MiB it grows as the
    /// square root: what of it is not used yet is less than 1.6 % of 4 MiB, and of more still less.
    fn small_chunk_bytes(&self, reserved: usize, windows: usize) -> usize {
        let windows = self.table.windows().saturating_add(windows);
        let doublings = (windows / WINDOWS_PER_DOUBLING).min(MAX_DOUBLINGS);
        let least = MIN_CHUNK_BYTES << doublings;
        let chunk = (reserved / GROWTH_FRACTION)
            .min(reserved.isqrt() * CHUNK_PER_ROOT)
            .max(reserved.min(SMALL_CHUNK_BYTES))
            .clamp(least, MAX_CHUNK_BYTES);
        1 << chunk.ilog2()
    }

    /// What it takes beside its chunk to keep one more block, of so many windows, in bytes.
    fn bookkeeping_bytes(&self, windows: usize) -> usize {
        self.list_growth() * size_of::<Bump>() + self.table.growth_bytes(windows)
    }

    /// The most that it can take to keep so many more blocks, of so many windows, in bytes.
    pub(crate) fn bookkeeping_bound(&self, blocks: usize, windows: usize) -> usize {
        let (length, room) = (self.memory.len(), self.memory.capacity());
        let mut list = room;
        while list < length.saturating_add(blocks) {
            list = list.saturating_add(list.max(MIN_LIST_LENGTH));
        }
        (list - room)
            .saturating_mul(size_of::<Bump>())
            .saturating_add(self.table.growth_bound(windows))
    }

    /// How many blocks the list is to have room for in addition, before the next is kept.
    fn list_growth(&self) -> usize {
        match self.memory.len() {
            length if length == self.memory.capacity() => length.max(MIN_LIST_LENGTH),
            _ => 0,
        }
    }

    /// Adds a block to the list and its windows to the table. `None` if the allocator refuses the
    /// memory for that.
    fn keep(&mut self, table: &Table, lane: usize, block: Block, windows: usize) -> Option<Free> {
        self.memory.try_reserve_exact(self.list_growth()).ok()?;
        self.table.reserve(table, windows)?;
        self.reserved_by_lane[lane] += block.reserved();
        // A chunk may be a little larger than was asked for.
        let capacity = block.capacity.min(windows * WINDOW_BYTES);
        let next = Location::of_index(self.table.push(block.start, capacity));
        self.memory.push(block.memory);
        Some(Free::new(next, capacity, block.start))
    }
}

impl Drop for Growth {
    /// Leaves the blocks to the pool, those made last first: they are the larger ones.
    fn drop(&mut self) {
        let Some(pool) = &self.pool else { return };
        while let Some(memory) = self.memory.pop() {
            pool.give(memory);
        }
    }
}

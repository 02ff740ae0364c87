//! One block: a bumpalo chunk that never grows, taken whole.

use std::alloc::Layout;
use std::ptr::NonNull;

use bumpalo::Bump;

use crate::pages::{HUGE_PAGE_BYTES, welcome};

/// The bytes around a block that its chunk's size is rounded up with: bumpalo's footer, and what
/// the allocator is assumed to keep. A block that is this much less than a power of two fills one.
pub(crate) const CHUNK_OVERHEAD_BYTES: usize = 64;

/// No chunk is smaller than this.
pub(crate) const SMALLEST_BYTES: usize = 512;

/// How large the chunk of a block of huge pages is: one, and the base page that bumpalo's footer
/// takes the end of. The rest of the base page is handed out, too.
pub(crate) const HUGE_CHUNK_BYTES: usize = HUGE_PAGE_BYTES + PAGE_BYTES;

/// Chunks smaller than this are rounded up to a power of two, others to a multiple of this.
const PAGE_BYTES: usize = 4 << 10;

/// The most that a block is made for: past this, bumpalo's own rounding could overflow.
const MAX_CAPACITY_BYTES: usize = isize::MAX as usize / 2;

/// How large the chunk of a block of `capacity` bytes is: what bumpalo rounds up to, and no less
/// than what it then asks of the allocator.
pub(crate) fn chunk_bytes(capacity: usize) -> usize {
    let bytes = (capacity + CHUNK_OVERHEAD_BYTES).max(SMALLEST_BYTES);
    match bytes {
        ..PAGE_BYTES => bytes.next_power_of_two(),
        PAGE_BYTES.. => bytes.next_multiple_of(PAGE_BYTES),
    }
}

/// Memory of one chunk, none of which is handed out yet.
pub(crate) struct Block {
    /// What owns the memory. A `Bump` may move: its chunk does not (A2).
    pub(crate) memory: Bump,
    pub(crate) start: NonNull<u8>,
    /// How many bytes there are from `start` on.
    pub(crate) capacity: usize,
}

impl Block {
    /// A block of `capacity` bytes, or a few more. `None` if the allocator refuses.
    pub(crate) fn new(capacity: usize) -> Option<Self> {
        if capacity > MAX_CAPACITY_BYTES {
            return None;
        }
        let block = Self::of(Bump::try_with_capacity(capacity).ok()?)?;
        debug_assert!(block.reserved() <= chunk_bytes(capacity));
        Some(block)
    }

    /// A block that fills [`HUGE_CHUNK_BYTES`] and begins with a huge page, if the kernel agrees.
    /// `None` if the allocator refuses.
    pub(crate) fn huge() -> Option<Self> {
        let page = Layout::from_size_align(HUGE_PAGE_BYTES, HUGE_PAGE_BYTES).ok()?;
        let mut memory = Bump::new();
        welcome(memory.try_alloc_layout(page).ok()?, HUGE_PAGE_BYTES);
        memory.reset();
        let block = Self::of(memory)?;
        debug_assert!(block.reserved() <= HUGE_CHUNK_BYTES);
        Some(block)
    }

    /// The block that is all of a chunk. `None` if part of it is in use.
    pub(crate) fn of(memory: Bump) -> Option<Self> {
        let capacity = memory.chunk_capacity();
        let start = memory
            .try_alloc_layout(Layout::from_size_align(capacity, 1).ok()?)
            .ok()?;
        Some(Self {
            memory,
            start,
            capacity,
        })
    }

    /// How many bytes the allocator was asked for.
    pub(crate) fn reserved(&self) -> usize {
        self.memory.allocated_bytes_including_metadata()
    }
}

//! One block: a bumpalo chunk that never grows, shared out by an atomic cursor.
//!
//! ```text
//! chunk: | bytes shared out, capacity of them | Block | bumpalo's footer |
//!        ^ start                              ^ what `BlockPointer`s point to
//! ```
//!
//! The header lives in the chunk it describes, so that a block is one allocation, made or refused
//! as a whole.

use std::alloc::Layout;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::slice;

use bumpalo::Bump;

use crate::atomic::Cursor;

/// The header of a block.
#[derive(Debug)]
pub(crate) struct Block {
    start: NonNull<u8>,
    capacity: usize,
    cursor: Cursor,
}

/// What a block's header takes of its chunk, padding included.
pub(crate) const BLOCK_HEADER_BYTES: usize = size_of::<Block>() + align_of::<Block>();

/// Makes a block with room for `bytes`, at least, and what owns its memory. `None` if the
/// allocator refuses.
pub(crate) fn new_block(bytes: usize) -> Option<(Bump, NonNull<Block>)> {
    // Past this, bumpalo's own rounding could overflow.
    let with_header = bytes.checked_add(BLOCK_HEADER_BYTES)?;
    if with_header > isize::MAX as usize / 2 {
        return None;
    }
    let memory = Bump::try_with_capacity(with_header).ok()?;
    // The whole chunk, in two allocations: the header, then all that is left.
    let header = memory.try_alloc_layout(Layout::new::<Block>()).ok()?;
    let capacity = memory.chunk_capacity();
    let start = memory
        .try_alloc_layout(Layout::from_size_align(capacity, 1).ok()?)
        .ok()?;
    let header = header.cast::<Block>();
    // SAFETY: bumpalo gave `header` for a `Block`, to nobody else.
    unsafe {
        header.write(Block {
            start,
            capacity,
            cursor: Cursor::at_start(),
        })
    };
    Some((memory, header))
}

impl Block {
    /// How many bytes are handed out, padding included.
    pub(crate) fn used(&self) -> usize {
        self.cursor.get()
    }

    /// How many bytes are left.
    pub(crate) fn room(&self) -> usize {
        self.capacity - self.cursor.get()
    }

    /// Lets no further byte be handed out; returns how many were.
    pub(crate) fn seal(&self) -> usize {
        self.cursor.move_to(self.capacity)
    }

    /// Hands out bytes for `layout`, or `None` if there is no room for them.
    #[inline]
    #[expect(
        clippy::mut_from_ref,
        reason = "each call returns a range of its own (A1)"
    )]
    pub(crate) fn allocate(&self, layout: Layout) -> Option<&mut [MaybeUninit<u8>]> {
        let address = self.start.addr().get();
        // Where the allocation begins when the cursor is at `used`, as an offset from `start`.
        // Nothing here overflows: `used` is within the block, and the arena refuses alignments
        // and sizes near `usize::MAX`.
        let begin = |used: usize| (address + used).next_multiple_of(layout.align()) - address;
        let used = self.cursor.advance(|used| {
            let end = begin(used) + layout.size();
            (end <= self.capacity).then_some(end)
        })?;
        // SAFETY: `advance` checked that `begin(used)` plus the size is within the block.
        let first = unsafe { self.start.add(begin(used)) };
        // SAFETY: A1: the range from `begin(used)` for `layout.size()` bytes is this call's alone;
        // A2: it lives as long as the block, which `&self` borrows. `MaybeUninit` needs no value.
        Some(unsafe { slice::from_raw_parts_mut(first.cast().as_ptr(), layout.size()) })
    }
}

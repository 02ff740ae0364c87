//! Memory for nodes: blocks that live as long as the list, and a piece of one for each writer.

use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// How much a writer takes at a time: some hundreds of nodes, so that taking it costs nothing.
const PIECE_BYTES: usize = 256 << 10;

/// What blocks are aligned to: a line of cache.
const BLOCK_ALIGNMENT: usize = 64;

const PAGE_BYTES: usize = 4096;

/// The blocks of a list.
#[derive(Debug, Default)]
pub(super) struct Arena(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    owned: Vec<Block>,
    /// What is left of a block whose pages were touched beforehand.
    touched: Option<Piece>,
}

/// An allocation that is given back when this is dropped.
#[derive(Debug)]
struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a block is memory that nothing else owns; it is tied to no thread.
unsafe impl Send for Block {}

/// A range of a block that was given to one writer, which takes nodes from its beginning.
#[derive(Debug)]
pub(super) struct Piece {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the range is its holder's alone (I1), whichever thread that is on.
unsafe impl Send for Piece {}

impl Piece {
    /// A piece without any bytes.
    pub(super) const EMPTY: Self = Self {
        start: NonNull::dangling(),
        bytes: 0,
    };

    /// Takes the first `bytes` bytes, which must be a multiple of 8 to keep the rest aligned.
    ///
    /// The result is aligned to 8 bytes, and `None` if too few are left.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        debug_assert!(bytes.is_multiple_of(8));
        let left = self.bytes.checked_sub(bytes)?;
        let taken = self.start;
        // SAFETY: `bytes` is at most the length of the range that begins at `start`.
        self.start = unsafe { taken.add(bytes) };
        self.bytes = left;
        Some(taken)
    }
}

impl Arena {
    /// An arena whose first `bytes` bytes are memory that has been written to already.
    pub(super) fn touched(bytes: usize) -> Self {
        let (block, piece) = Block::new(bytes);
        for offset in (0..bytes).step_by(PAGE_BYTES) {
            // SAFETY: `offset` is less than the block's length.
            let page = unsafe { block.start.add(offset) };
            // SAFETY: the byte is within a block of which no part has been given away.
            unsafe { page.write_volatile(0) };
        }
        Self(Mutex::new(Blocks {
            owned: vec![block],
            touched: Some(piece),
        }))
    }

    /// A piece that has at least `bytes` bytes, for one writer.
    #[cold]
    pub(super) fn piece(&self, bytes: usize) -> Piece {
        let bytes = bytes.max(PIECE_BYTES).next_multiple_of(8);
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(start) = blocks.touched.as_mut().and_then(|rest| rest.take(bytes)) {
            return Piece { start, bytes };
        }
        let (block, piece) = Block::new(bytes);
        blocks.owned.push(block);
        piece
    }
}

impl Block {
    /// A block, and all of it as a piece.
    fn new(bytes: usize) -> (Self, Piece) {
        let Ok(layout) = Layout::from_size_align(bytes.max(1), BLOCK_ALIGNMENT) else {
            panic!("a block of {bytes} bytes is larger than memory can be");
        };
        // SAFETY: the size is at least 1.
        let start = unsafe { std::alloc::alloc(layout) };
        let Some(start) = NonNull::new(start) else {
            handle_alloc_error(layout)
        };
        (Self { start, layout }, Piece { start, bytes })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the block was allocated with this layout, and nobody looks at a node after the
        // list, which owns the arena, is dropped (I1).
        unsafe { std::alloc::dealloc(self.start.as_ptr(), self.layout) };
    }
}

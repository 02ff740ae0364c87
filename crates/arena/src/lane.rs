//! Lanes: each shares out a block of its own, and one thread at a time holds it.

use std::alloc::Layout;
use std::ptr::{self, NonNull};

use crate::atomic::{Address, Count, Owner, Thread, Word};
use crate::location::Location;

/// How many lanes there are for entries. In a model there are few, so that threads wait for one.
pub(crate) const ENTRY_LANES: usize = if cfg!(loom) { 2 } else { 8 };

/// Where the nodes' blocks count, after those of the lanes for entries.
pub(crate) const NODE_LANE: usize = ENTRY_LANES;

/// How many cursors an arena has: one for each lane, and one for nodes.
pub(crate) const LANES: usize = ENTRY_LANES + 1;

/// The lane that a thread tries first. In a model all threads try the same.
#[inline]
pub(crate) fn usual(thread: Thread) -> usize {
    if cfg!(loom) {
        0
    } else {
        thread.number() % ENTRY_LANES
    }
}

/// The free part of a block: where it begins, by both names, and where it ends.
///
/// In a large block it may be in several windows. The end is where the next block would begin if
/// the block fills its last window; it is only ever compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Free {
    /// The location of the first byte in the upper half, of the end in the lower.
    word: u64,
    address: *mut u8,
}

/// Memory that was taken: where it begins, by both names.
pub(crate) type Taken = (Location, *mut u8);

impl Free {
    const NONE: Self = Self {
        word: 0,
        address: ptr::null_mut(),
    };

    pub(crate) fn new(first: Location, bytes: usize, address: NonNull<u8>) -> Self {
        let end = first.plus(bytes);
        Self {
            word: u64::from(first.to_bits()) << 32 | u64::from(end.to_bits()),
            address: address.as_ptr(),
        }
    }

    #[inline]
    fn first(self) -> Location {
        Location::from_bits((self.word >> 32) as u32)
    }

    /// How many granules that is.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    fn granules(self) -> usize {
        (self.word as u32 - (self.word >> 32) as u32) as usize
    }

    /// How many bytes that is.
    #[inline]
    pub(crate) fn bytes(self) -> usize {
        self.granules() * Location::GRANULE
    }

    /// The part that is left when `granules` granules are taken from the beginning, which are there.
    #[inline]
    fn without(self, granules: usize) -> Self {
        Self {
            word: self.word + ((granules as u64) << 32),
            address: self.address.wrapping_add(granules * Location::GRANULE),
        }
    }

    /// Takes memory for `layout` from the beginning: where it is, and what is left then. `None` if
    /// there is too little.
    #[inline]
    pub(crate) fn take(self, layout: Layout) -> Option<(Taken, Self)> {
        // One of no bytes takes a granule as well, so that its location is in a block and its own.
        let granules = layout.size().div_ceil(Location::GRANULE).max(1);
        // Every address here is that of a granule.
        let padding = match layout.align() {
            ..=Location::GRANULE => 0,
            align => (self.address.addr().wrapping_neg() & (align - 1)) / Location::GRANULE,
        };
        if padding + granules > self.granules() {
            return None;
        }
        let placed = self.without(padding);
        Some(((placed.first(), placed.address), placed.without(granules)))
    }
}

/// How far a block is handed out. One thread at a time moves it: the thread that holds the lane,
/// or, of the cursor for nodes, the one that holds the arena's lock.
pub(crate) struct Cursor {
    word: Word,
    address: Address,
}

impl Cursor {
    /// A cursor that has no block yet.
    pub(crate) fn nowhere() -> Self {
        Self {
            word: Word::zero(),
            address: Address::none(),
        }
    }

    /// The free part of the block, for the thread that may move the cursor.
    #[inline]
    pub(crate) fn free(&self) -> Free {
        Free {
            word: self.word.get(),
            address: self.address.get(),
        }
    }

    /// How many bytes are left of the block, for any thread.
    pub(crate) fn unused_bytes(&self) -> usize {
        let word = self.word.get();
        Free { word, ..Free::NONE }.bytes()
    }

    /// Takes memory for `layout` from what is left, if that is enough. For the thread that may move
    /// the cursor.
    #[inline]
    pub(crate) fn take(&self, layout: Layout) -> Option<Taken> {
        let (taken, free) = self.free().take(layout)?;
        self.set_free(free);
        Some(taken)
    }

    #[inline]
    pub(crate) fn set_free(&self, free: Free) {
        self.word.set(free.word);
        self.address.set(free.address);
    }
}

/// A lane, on a cache line of its own: two lines, as processors fetch them in pairs.
///
/// All but `owner` is written by the thread that holds the lane.
#[repr(align(128))]
pub(crate) struct Lane {
    pub(crate) owner: Owner,
    /// How many leases of it there are beside the first, all of one thread.
    pub(crate) nested: Count,
    /// How many bytes were reserved under these leases that the meter has not been told of.
    pub(crate) untold: Count,
    pub(crate) cursor: Cursor,
}

impl Lane {
    /// A lane that has no block yet, and that nobody holds.
    pub(crate) fn empty() -> Self {
        Self {
            owner: Owner::nobody(),
            nested: Count::zero(),
            untold: Count::zero(),
            cursor: Cursor::nowhere(),
        }
    }

    /// Whether giving the lane back is all that there is to do at the end of a lease.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.nested.get() | self.untold.get() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cursors on one line, or on a pair of lines that is fetched together, and two writers are
    /// no faster than one.
    #[test]
    fn lanes_share_no_pair_of_cache_lines() {
        let lanes: [Lane; ENTRY_LANES] = std::array::from_fn(|_| Lane::empty());
        let pair = |lane: &Lane| std::ptr::from_ref(lane).addr() / 128;
        assert!(lanes.is_sorted_by(|a, b| pair(a) < pair(b)));
    }
}

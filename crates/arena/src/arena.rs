//! The arena: lanes that share out blocks without a lock, and what an allocation is.

use std::alloc::Layout;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::slice;

use crate::growth::Growth;
use crate::lane::{self, ENTRY_LANES, LANES, Lane, NODE_LANE, Rest};
use crate::location::Location;
use crate::meter::Reserved;
use crate::sync::Mutex;
use crate::table::Table;
use crate::{AllocError, ArenaOptions, Demand};

/// Memory that is handed out by moving a cursor and given back all together.
///
/// `Send` and `Sync`: every method may be called from several threads at once.
///
/// ```
/// use std::alloc::Layout;
/// use strata_arena::Arena;
///
/// let arena = Arena::new();
/// std::thread::scope(|scope| {
///     for byte in 0..4 {
///         let arena = &arena;
///         scope.spawn(move || {
///             for _ in 0..1000 {
///                 let allocation = arena.allocate(Layout::new::<[u8; 10]>()).unwrap();
///                 allocation.bytes.write_copy_of_slice(&[byte; 10]);
///             }
///         });
///     }
/// });
/// assert_eq!(arena.used_bytes(), 40_000);
/// ```
pub struct Arena {
    lanes: [Lane; LANES],
    table: Table,
    limit: usize,
    growth: Mutex<Growth>,
    /// After what owns the memory: the meter is told that it is gone when it is.
    reserved: Reserved,
}

/// Memory that was handed out: whoever holds this is the only one who has it.
///
/// It borrows the arena, so it can't outlive it. The location may be kept for longer than the
/// bytes are borrowed.
#[derive(Debug)]
pub struct Allocation<'a> {
    /// Where the first byte is.
    pub location: Location,
    /// The bytes: as many as the layout's size, at a multiple of its alignment.
    pub bytes: &'a mut [MaybeUninit<u8>],
}

impl Arena {
    /// An arena that grows as far as the allocator lets it. It owns no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(ArenaOptions::default())
    }

    /// An arena that reserves no more than `limit_bytes` bytes for [entries](Arena::allocate). It
    /// owns no memory yet.
    #[must_use]
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self::with_options(ArenaOptions {
            limit_bytes,
            ..ArenaOptions::default()
        })
    }

    /// An arena with `options`. It owns no memory yet.
    #[must_use]
    pub fn with_options(options: ArenaOptions) -> Self {
        Self {
            lanes: std::array::from_fn(|_| Lane::empty()),
            table: Table::empty(),
            limit: options.limit_bytes,
            growth: Mutex::new(Growth::new(options.pool)),
            reserved: Reserved::nothing(options.meter),
        }
    }

    /// How many bytes the arena has asked of the allocator, all that its blocks take included.
    ///
    /// O(1), without a lock.
    #[must_use]
    pub fn reserved_bytes(&self) -> usize {
        self.reserved.get()
    }

    /// How many bytes are handed out, with the padding that alignment and granules cost.
    ///
    /// O(1), under the lock that is otherwise taken for a new block.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        let growth = self.growth.lock();
        let left: usize = self.lanes.iter().map(|lane| lane.rest().bytes()).sum();
        growth.used_or_in_lanes - left
    }

    /// How many bytes are left in lanes, to be handed out before another block is made. The rest of
    /// what is reserved and not used is lost: ends of blocks that no lane goes on with, what the
    /// allocator's chunks begin with, the list of blocks and the table of windows.
    ///
    /// O(1), without a lock; exact while nobody allocates.
    #[must_use]
    pub fn unused_bytes(&self) -> usize {
        self.lanes.iter().map(|lane| lane.rest().bytes()).sum()
    }

    /// How many bytes the arena may reserve for entries; `usize::MAX` if there is no limit.
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.limit
    }

    /// The most that [`reserved_bytes`](Arena::reserved_bytes) can grow by, from now on, if
    /// [`entries`](Arena::allocate) and [`nodes`](Arena::allocate_node) are allocated, in any order
    /// and by any threads, and nothing else. (If the allocator refuses a block, smaller ones are
    /// made, which may come to more.)
    ///
    /// Nothing, for lanes in which enough is left. In others up to 2.3 times as much as is
    /// demanded, in small arenas, and 1.6 in larger ones, as the worst sizes would take; and beside
    /// that, the next block of each. One entry takes one block in one lane.
    ///
    /// O(1), under the lock that is otherwise taken for a new block.
    #[must_use]
    pub fn growth_bound(&self, entries: Demand, nodes: Demand) -> usize {
        let growth = self.growth.lock();
        let left = std::array::from_fn(|lane| self.lanes[lane].rest().bytes());
        growth.bound(entries, nodes, &left, self.limit)
    }

    /// Hands out memory for an entry: as many bytes as the layout's size, at a multiple of its
    /// alignment. Nothing of it is ever moved, reused or dropped before the arena is.
    ///
    /// One compare-and-swap; a lock and a new block if the thread's lane has no room.
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use strata_arena::Arena;
    ///
    /// let arena = Arena::new();
    /// arena.allocate(Layout::new::<u8>())?;
    /// let word = arena.allocate(Layout::new::<u64>())?;
    /// assert_eq!((word.bytes.len(), word.bytes.as_ptr().addr() % 8), (8, 0));
    /// # Ok::<(), strata_arena::AllocError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AllocError::LimitReached`] if that needs a block that would take the arena over its
    /// limit, and no other lane has room; [`AllocError::OutOfMemory`] if the allocator refuses;
    /// [`AllocError::OutOfLocations`] if the arena is as large as locations reach. The arena is as
    /// it was.
    #[inline]
    pub fn allocate(&self, layout: Layout) -> Result<Allocation<'_>, AllocError> {
        self.allocate_in(lane::of_this_thread(), layout, self.limit)
    }

    /// Hands out memory for a node of an index over the entries, from blocks that hold nothing
    /// else. It counts as [`allocate`](Arena::allocate)'s does, and is not refused for the limit:
    /// an index that has taken an entry must be able to go on.
    ///
    /// # Errors
    ///
    /// [`AllocError::OutOfMemory`] and [`AllocError::OutOfLocations`] as for `allocate`.
    #[inline]
    pub fn allocate_node(&self, layout: Layout) -> Result<Allocation<'_>, AllocError> {
        self.allocate_in(NODE_LANE, layout, usize::MAX)
    }

    /// The address of what is at a location.
    ///
    /// Two loads and an addition. The address may be read from and written to as if the
    /// allocation's slice had been turned into a pointer: whoever does has to see to it that no
    /// other thread writes at the same time.
    ///
    /// # Safety
    ///
    /// This arena handed out the location, or it is [`plus`](Location::plus) within such an
    /// allocation, and it came to the calling thread in a way that makes visible what the thread
    /// it was handed out to had done until then (a release and an acquire, a lock, a join).
    #[inline]
    #[must_use]
    pub unsafe fn resolve(&self, location: Location) -> NonNull<u8> {
        // SAFETY: the caller promises what `base` asks for.
        let base = unsafe { self.table.base(location.index()) };
        // SAFETY: the caller promises that this is in an allocation, which is in the window.
        unsafe { base.add(location.offset()) }
    }

    #[inline]
    fn allocate_in(
        &self,
        lane: usize,
        layout: Layout,
        limit: usize,
    ) -> Result<Allocation<'_>, AllocError> {
        match self.take(&self.lanes[lane], layout) {
            Some(allocation) => Ok(allocation),
            None => self.allocate_slowly(lane, layout, limit),
        }
    }

    /// Takes memory for `layout` from what the lane has left, if that is enough.
    #[inline]
    fn take(&self, lane: &Lane, layout: Layout) -> Option<Allocation<'_>> {
        let mut rest = lane.rest();
        loop {
            let cut = self.cut(rest, layout)?;
            match lane.advance(rest, cut.rest) {
                Ok(()) => return Some(self.allocation(cut, layout)),
                Err(now) => rest = now,
            }
        }
    }

    /// Where an allocation would be in what is left of a block. `None` if it is too large.
    #[inline]
    fn cut(&self, rest: Rest, layout: Layout) -> Option<Cut> {
        // One of no bytes takes a granule as well, so that its location is in a block and its own.
        let size = layout
            .size()
            .max(1)
            .checked_next_multiple_of(Location::GRANULE)?;
        let left = rest.bytes();
        if size > left {
            return None;
        }
        // SAFETY: bytes are left from here on, in a block that this arena has given its windows.
        // The lane's word was read with what `Lane::install` made visible.
        let next = unsafe { self.resolve(rest.next) };
        let align = layout.align().max(Location::GRANULE);
        let padding = next.addr().get().wrapping_neg() & (align - 1);
        if padding > left - size {
            return None;
        }
        Some(Cut {
            // SAFETY: that and the size are within what is left.
            address: unsafe { next.add(padding) },
            location: rest.next.plus(padding),
            rest: Rest {
                next: rest.next.plus(padding + size),
                end: rest.end,
            },
        })
    }

    /// The allocation at a cut that nobody else has made, or will.
    #[inline]
    fn allocation(&self, cut: Cut, layout: Layout) -> Allocation<'_> {
        let first = cut.address.cast().as_ptr();
        Allocation {
            location: cut.location,
            // SAFETY: A1: the bytes are this call's alone; A2: they live as long as the arena,
            // which `&self` borrows. `MaybeUninit` needs no value.
            bytes: unsafe { slice::from_raw_parts_mut(first, layout.size()) },
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate_slowly(
        &self,
        lane: usize,
        layout: Layout,
        limit: usize,
    ) -> Result<Allocation<'_>, AllocError> {
        let mut growth = self.growth.lock();
        let allocated = self.allocate_locked(&mut growth, lane, layout, limit);
        // Even if there is no block, what was to list it may have grown.
        let more = self.reserved.set(growth.reserved());
        drop(growth);
        self.reserved.tell(more);
        allocated
    }

    fn allocate_locked(
        &self,
        growth: &mut Growth,
        lane: usize,
        layout: Layout,
        limit: usize,
    ) -> Result<Allocation<'_>, AllocError> {
        // Another thread may have made a block since.
        if let Some(allocation) = self.take(&self.lanes[lane], layout) {
            return Ok(allocation);
        }
        let block = match growth.add_block(&self.table, lane, layout, limit) {
            Ok(block) => block,
            Err(error) => return self.take_elsewhere(lane, layout).ok_or(error),
        };
        let cut = self.cut(block, layout).ok_or(AllocError::OutOfMemory {
            requested: layout.size(),
        })?;
        growth.used_or_in_lanes += block.bytes();
        // The lane goes on with what has more left; the rest of the other is used no more.
        let lane = &self.lanes[lane];
        let lost = if cut.rest.bytes() > lane.rest().bytes() {
            lane.install(cut.rest)
        } else {
            cut.rest
        };
        growth.used_or_in_lanes -= lost.bytes();
        Ok(self.allocation(cut, layout))
    }

    /// Takes memory for an entry from whichever lane has some left.
    fn take_elsewhere(&self, lane: usize, layout: Layout) -> Option<Allocation<'_>> {
        if lane == NODE_LANE {
            return None;
        }
        let mut lanes = self.lanes[..ENTRY_LANES].iter();
        lanes.find_map(|lane| self.take(lane, layout))
    }
}

/// An allocation that is not made yet.
struct Cut {
    address: NonNull<u8>,
    location: Location,
    /// What would be left after it.
    rest: Rest,
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("reserved_bytes", &self.reserved_bytes())
            .field("used_bytes", &self.used_bytes())
            .field("limit_bytes", &self.limit_bytes())
            .finish_non_exhaustive()
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

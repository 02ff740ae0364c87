//! The arena: lanes that share out blocks, and what an allocation is.

use std::alloc::Layout;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::slice;

use crate::atomic::Thread;
use crate::growth::Growth;
use crate::lane::{self, Cursor, ENTRY_LANES, Lane, NODE_LANE, Taken};
use crate::location::Location;
use crate::meter::Reserved;
use crate::sync::{Mutex, pause};
use crate::table::Table;
use crate::{AllocError, ArenaOptions, Lease};

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
    pub(crate) lanes: [Lane; ENTRY_LANES],
    pub(crate) nodes: Cursor,
    table: Table,
    pub(crate) limit: usize,
    pub(crate) growth: Mutex<Growth>,
    /// After what owns the memory: the meter is told that it is gone when it is.
    pub(crate) reserved: Reserved,
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
    /// How many lanes there are for entries, and so how many threads may have a
    /// [lease](Arena::lease) at the same time.
    pub const LANES: usize = ENTRY_LANES;

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
            nodes: Cursor::nowhere(),
            table: Table::empty(),
            limit: options.limit_bytes,
            growth: Mutex::new(Growth::new(options.pool, options.huge_pages)),
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
        growth.used_or_in_lanes - self.unused_bytes()
    }

    /// How many bytes are left in lanes, to be handed out before another block is made. The rest of
    /// what is reserved and not used is lost: ends of blocks that no lane goes on with, what the
    /// allocator's chunks begin with, the list of blocks and the table of windows.
    ///
    /// O(1), without a lock; exact while nobody allocates.
    #[must_use]
    pub fn unused_bytes(&self) -> usize {
        let cursors = self.cursors();
        cursors.map(Cursor::unused_bytes).sum()
    }

    /// How many bytes the arena may reserve for entries; `usize::MAX` if there is no limit.
    #[must_use]
    pub fn limit_bytes(&self) -> usize {
        self.limit
    }

    /// The most that [`reserved_bytes`](Arena::reserved_bytes) can grow by, from now on, if
    /// `entries` [entries](Arena::allocate) of `entry_bytes` bytes together and
    /// [nodes](Arena::allocate_node) of `node_bytes` are allocated, in any order and by any
    /// threads, and nothing else. The sizes of nodes count with what their alignment may cost, one
    /// less than it each; entries are aligned to no more than a [granule](Location::GRANULE). (If
    /// the allocator refuses a block, smaller ones are made, which may come to more.)
    ///
    /// Nothing, for lanes in which enough is left. In others two and a half times the bytes, and
    /// the next block of each; for one entry, one block.
    ///
    /// O(1), under the lock that is otherwise taken for a new block.
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use strata_arena::Arena;
    ///
    /// let arena = Arena::new();
    /// let bound = arena.growth_bound(3, 1000, 0);
    /// for size in [500, 1, 499] {
    ///     arena.allocate(Layout::from_size_align(size, 1).unwrap())?;
    /// }
    /// assert!(arena.reserved_bytes() <= bound);
    /// # Ok::<(), strata_arena::AllocError>(())
    /// ```
    #[must_use]
    pub fn growth_bound(&self, entries: usize, entry_bytes: usize, node_bytes: usize) -> usize {
        let growth = self.growth.lock();
        let mut left = self.cursors().map(Cursor::unused_bytes);
        let left = std::array::from_fn(|_| left.next().unwrap_or(0));
        growth.bound(entries, entry_bytes, node_bytes, left, self.limit)
    }

    /// Takes a lane for the calling thread, until the lease is dropped.
    ///
    /// One atomic read-modify-write when the thread's usual lane is free, and it is if no more
    /// than [`LANES`](Arena::LANES) threads use arenas. Otherwise another lane; while other threads
    /// hold all of them, it waits until one is given back. A thread that has a lease already never
    /// waits: it gets the same lane once more if need be.
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use strata_arena::Arena;
    ///
    /// let arena = Arena::new();
    /// let lease = arena.lease();
    /// assert!(lease.lane() < Arena::LANES);
    /// let entries = [lease.allocate(Layout::new::<u64>())?, lease.allocate(Layout::new::<u64>())?];
    /// assert_eq!(entries[1].location, entries[0].location.plus(8));
    /// # Ok::<(), strata_arena::AllocError>(())
    /// ```
    #[inline]
    pub fn lease(&self) -> Lease<'_> {
        let thread = Thread::current();
        let usual = &self.lanes[lane::usual(thread)];
        match usual.owner.take(thread) {
            true => Lease::new(self, usual),
            false => Lease::new(self, self.take_lane(thread)),
        }
    }

    /// Takes a lane for the calling thread, which is `thread`: again the one it has, another, or the
    /// first that is given back.
    #[cold]
    #[inline(never)]
    fn take_lane(&self, thread: Thread) -> &Lane {
        if let Some(own) = self.lane_of(thread) {
            own.nested.set(own.nested.get() + 1);
            return own;
        }
        let (before, from_usual) = self.lanes.split_at(lane::usual(thread));
        for attempts in 0.. {
            let mut lanes = from_usual.iter().chain(before);
            let take = |lane: &&Lane| lane.owner.is_free() && lane.owner.take(thread);
            if let Some(lane) = lanes.find(take) {
                return lane;
            }
            pause(attempts);
        }
        unreachable!("a lane is waited for until there is one")
    }

    /// A lane that the calling thread, which is `thread`, holds.
    fn lane_of(&self, thread: Thread) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.owner.get() == thread)
    }

    /// Which lane this is, of this arena.
    #[inline]
    pub(crate) fn index_of(&self, lane: &Lane) -> usize {
        let bytes = ptr::from_ref(lane).addr() - self.lanes.as_ptr().addr();
        // The remainder is the number itself; the compiler is told that it is an index.
        bytes / size_of::<Lane>() % ENTRY_LANES
    }

    /// Ends a lease of a lane that has others beside it, or under which memory was reserved.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_back_slowly(&self, lane: &Lane) {
        let nested = lane.nested.get();
        if nested > 0 {
            lane.nested.set(nested - 1);
            return;
        }
        let thread = lane.owner.get();
        let untold = lane.untold.get();
        lane.untold.set(0);
        lane.owner.give_back();
        // The meter is told when the thread holds nothing more of the arena.
        match self.lane_of(thread) {
            Some(other) => other.untold.set(other.untold.get() + untold),
            None => self.reserved.tell(untold),
        }
    }

    /// Waits until every [lease](Arena::lease) has been dropped that other threads have now. It may
    /// also wait for leases that they take meanwhile.
    ///
    /// The calling thread then sees all that was done under those leases, and every thread that takes
    /// a lease later sees all that the calling thread did before this call. So a flag that is raised
    /// before, and looked at by each thread after it has taken a lease, is seen by all whose leases
    /// are not waited for.
    ///
    /// Neither the calling thread's own leases are waited for, nor those of threads that wait here,
    /// too, or have waited since they took them: they would wait for each other. A thread that has
    /// waited under a lease is [told so](Lease::has_waited), as what it does then until it drops
    /// the lease is not waited for.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use strata_arena::Arena;
    ///
    /// let (arena, is_over) = (Arena::new(), AtomicBool::new(false));
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| loop {
    ///         let lease = arena.lease();
    ///         if is_over.load(Ordering::Relaxed) {
    ///             return;
    ///         }
    ///         // What is done here is done before the wait is over.
    ///         drop(lease);
    ///     });
    ///     is_over.store(true, Ordering::Relaxed);
    ///     arena.wait_for_leases();
    /// });
    /// ```
    pub fn wait_for_leases(&self) {
        let thread = Thread::current();
        for lane in &self.lanes {
            if lane.owner.get() == thread {
                lane.owner.set_waited(thread);
            }
        }
        for lane in &self.lanes {
            let mut attempts = 0;
            while !lane.owner.is_passed() {
                pause(attempts);
                attempts = attempts.saturating_add(1);
            }
        }
    }

    /// Hands out memory for an entry: as many bytes as the layout's size, at a multiple of its
    /// alignment. Nothing of it is ever moved, reused or dropped before the arena is.
    ///
    /// Takes a [lease](Arena::lease) for it: one atomic read-modify-write, and a lock and a new
    /// block if the thread's lane has no room.
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
    /// limit, and no other lane that is free has room; [`AllocError::OutOfMemory`] if the allocator refuses;
    /// [`AllocError::OutOfLocations`] if the arena is as large as locations reach. The arena is as
    /// it was.
    #[inline]
    pub fn allocate(&self, layout: Layout) -> Result<Allocation<'_>, AllocError> {
        self.lease().allocate(layout)
    }

    /// Hands out memory for a node of an index over the entries, from blocks that hold nothing
    /// else. It counts as [`allocate`](Arena::allocate)'s does, and is not refused for the limit:
    /// an index that has taken an entry must be able to go on. Takes the arena's lock.
    ///
    /// # Errors
    ///
    /// [`AllocError::OutOfMemory`] and [`AllocError::OutOfLocations`] as for `allocate`.
    pub fn allocate_node(&self, layout: Layout) -> Result<Allocation<'_>, AllocError> {
        self.lease().allocate_node(layout)
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

    /// Every cursor, that for nodes last.
    fn cursors(&self) -> impl Iterator<Item = &Cursor> {
        self.lanes
            .iter()
            .map(|lane| &lane.cursor)
            .chain([&self.nodes])
    }

    /// The allocation for `layout` at a place that the calling thread has taken from a cursor, or from
    /// a block that it has made.
    #[inline]
    pub(crate) fn allocation(&self, (location, first): Taken, layout: Layout) -> Allocation<'_> {
        let first = first.cast::<MaybeUninit<u8>>();
        // SAFETY: A1: the bytes are this call's alone; A2: they live as long as the arena, which
        // `&self` borrows. `MaybeUninit` needs no value.
        let bytes = unsafe { slice::from_raw_parts_mut(first, layout.size()) };
        Allocation { location, bytes }
    }

    /// Takes memory for an entry from a new block, under a lease of `lane`, or from another lane.
    #[cold]
    #[inline(never)]
    pub(crate) fn allocate_slowly(
        &self,
        lane: &Lane,
        layout: Layout,
    ) -> Result<Allocation<'_>, AllocError> {
        let mut growth = self.growth.lock();
        let to = (self.index_of(lane), &lane.cursor);
        let allocated = self.allocate_in_new_block(&mut growth, lane, to, layout, self.limit);
        drop(growth);
        allocated.or_else(|error| self.take_elsewhere(lane, layout).ok_or(error))
    }

    /// Takes memory for an entry from another lane that has as much left, if nobody holds it.
    fn take_elsewhere(&self, lane: &Lane, layout: Layout) -> Option<Allocation<'_>> {
        let thread = lane.owner.get();
        self.lanes.iter().find_map(|lane| {
            if lane.cursor.unused_bytes() < layout.size() || !lane.owner.take(thread) {
                return None;
            }
            let taken = lane.cursor.take(layout);
            lane.owner.give_back();
            Some(self.allocation(taken?, layout))
        })
    }

    /// Takes memory for a node, under a lease of `lane`.
    pub(crate) fn allocate_node_in(
        &self,
        lane: &Lane,
        layout: Layout,
    ) -> Result<Allocation<'_>, AllocError> {
        let mut growth = self.growth.lock();
        match self.nodes.take(layout) {
            Some(taken) => Ok(self.allocation(taken, layout)),
            None => {
                let to = (NODE_LANE, &self.nodes);
                self.allocate_in_new_block(&mut growth, lane, to, layout, usize::MAX)
            }
        }
    }

    /// Makes a block and takes memory for `layout` from it, under a lease of `lane`. It counts for
    /// the lane of the index in `to`, whose cursor goes on with it or with the block before.
    fn allocate_in_new_block(
        &self,
        growth: &mut Growth,
        lane: &Lane,
        to: (usize, &Cursor),
        layout: Layout,
        limit: usize,
    ) -> Result<Allocation<'_>, AllocError> {
        let (index, cursor) = to;
        let block = growth.add_block(&self.table, index, layout, limit);
        // Even if there is no block, the list of blocks or the table may have grown.
        let more = self.reserved.set(growth.reserved());
        lane.untold.set(lane.untold.get() + more);
        let block = block?;
        let Some((taken, left)) = block.take(layout) else {
            unreachable!("a block is made large enough for what it is made for");
        };
        growth.used_or_in_lanes += block.bytes();
        // It goes on with what has more left; the rest of the other is used no more.
        let before = cursor.free();
        let lost = if left.bytes() > before.bytes() {
            cursor.set_free(left);
            before
        } else {
            left
        };
        growth.used_or_in_lanes -= lost.bytes();
        Ok(self.allocation(taken, layout))
    }
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

//! Leases: a lane held by one thread.

use std::alloc::Layout;
use std::fmt;
use std::marker::PhantomData;

use crate::AllocError;
use crate::arena::{Allocation, Arena};
use crate::lane::Lane;

/// One lane of an arena, which is the calling thread's alone until this is dropped; made by
/// [`Arena::lease`].
///
/// Moving the lane's cursor takes no atomic read-modify-write, so that several allocations cost
/// little more than one. Leases that one thread has at the same time may be of the same lane.
///
/// It stays on its thread, neither `Send` nor `Sync`. While all lanes are held, other threads wait
/// for one of them: it should not be kept for long. One that is never dropped
/// ([`forget`](std::mem::forget)) takes a lane away from all other threads.
///
/// ```
/// use std::alloc::Layout;
/// use strata_arena::Arena;
///
/// let arena = Arena::new();
/// let lease = arena.lease();
/// let entry = lease.allocate(Layout::new::<[u8; 10]>())?;
/// let node = lease.allocate_node(Layout::new::<u64>())?;
/// drop(lease);
/// entry.bytes.write_copy_of_slice(b"0123456789");
/// assert_eq!((arena.used_bytes(), node.bytes.len()), (18, 8));
/// # Ok::<(), strata_arena::AllocError>(())
/// ```
///
/// ```compile_fail,E0277
/// let arena = strata_arena::Arena::new();
/// let lease = arena.lease();
/// std::thread::scope(|scope| { scope.spawn(|| lease.lane()); });
/// ```
pub struct Lease<'a> {
    arena: &'a Arena,
    lane: &'a Lane,
    of_this_thread: PhantomData<*const ()>,
}

impl<'a> Lease<'a> {
    /// A lease of a lane that this thread has taken, or taken once more.
    #[inline]
    pub(crate) fn new(arena: &'a Arena, lane: &'a Lane) -> Self {
        Self {
            arena,
            lane,
            of_this_thread: PhantomData,
        }
    }

    /// Which of the [lanes](Arena::LANES) it is, from 0: for numbers that are kept for each lane
    /// and that no other thread changes meanwhile.
    #[inline]
    #[must_use]
    pub fn lane(&self) -> usize {
        self.arena.index_of(self.lane)
    }

    /// Whether this thread has [waited](Arena::wait_for_leases) for other threads since it took the
    /// lane: then threads that wait may not have waited for this lease.
    ///
    /// ```
    /// let arena = strata_arena::Arena::new();
    /// let lease = arena.lease();
    /// assert!(!lease.has_waited());
    /// arena.wait_for_leases();
    /// assert!(lease.has_waited());
    /// drop(lease);
    /// assert!(!arena.lease().has_waited());
    /// ```
    #[inline]
    #[must_use]
    pub fn has_waited(&self) -> bool {
        self.lane.owner.has_waited()
    }

    /// Hands out memory for an entry, as [`Arena::allocate`] does. It outlives the lease.
    ///
    /// No atomic read-modify-write; a lock and a new block if the lane has no room.
    ///
    /// # Errors
    ///
    /// As [`Arena::allocate`].
    #[inline]
    pub fn allocate(&self, layout: Layout) -> Result<Allocation<'a>, AllocError> {
        match self.lane.cursor.take(layout) {
            Some(taken) => Ok(self.arena.allocation(taken, layout)),
            None => self.arena.allocate_slowly(self.lane, layout),
        }
    }

    /// Hands out memory for a node of an index, as [`Arena::allocate_node`] does.
    ///
    /// Takes the arena's lock.
    ///
    /// # Errors
    ///
    /// As [`Arena::allocate_node`].
    pub fn allocate_node(&self, layout: Layout) -> Result<Allocation<'a>, AllocError> {
        self.arena.allocate_node_in(self.lane, layout)
    }
}

impl Drop for Lease<'_> {
    /// Gives the lane back by one store. If memory was reserved under it, the [`Meter`](crate::Meter) is told
    /// then, unless the thread has another lease of the arena: in that case when that is dropped.
    #[inline]
    fn drop(&mut self) {
        if self.lane.is_plain() {
            self.lane.owner.give_back();
        } else {
            self.arena.give_back_slowly(self.lane);
        }
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("lane", &self.lane())
            .field("unused_bytes", &self.lane.cursor.unused_bytes())
            .finish_non_exhaustive()
    }
}

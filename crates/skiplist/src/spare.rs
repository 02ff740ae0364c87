//! Nodes that are set aside: memory that an insertion has before it changes anything.
//!
//! An insertion into a full leaf makes nodes: one for each level that it splits, and a root. All
//! that it may need is set aside before a node is locked, and what it did not need is left to the
//! next. So nothing is allocated under a lock, and an insertion or a batch that the allocator
//! refuses is refused as a whole.

use std::alloc::Layout;
use std::fmt;

use strata_arena::{AllocError, Allocation, Lease, Location};

use crate::atomic::Word;
use crate::key::Stored;
use crate::node::{Header, Node};
use crate::store::{NodeRef, Store};
use crate::sync::PoolMutex;

/// The memory of nodes that are not made yet.
pub(crate) struct Spares(PoolMutex<Pool>);

/// Runs of spare nodes. All but the first lie in their own memory, so that nothing else is allocated
/// for them.
struct Pool {
    run: Run,
    /// How many spare nodes there are in all runs.
    free: usize,
    /// How many of them belong to a [`Stock`].
    taken: usize,
    /// What was set aside for keys whose nodes were refused then: where it begins, and how many bytes
    /// it has.
    for_keys: Option<(Location, usize)>,
}

/// Room for some nodes, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) first: Location,
    count: usize,
    /// Where the next run begins, and is kept.
    next: Option<Location>,
}

impl Spares {
    pub(crate) fn none() -> Self {
        Self(PoolMutex::new(Pool {
            run: Run {
                first: Location::from_bits(0),
                count: 0,
                next: None,
            },
            free: 0,
            taken: 0,
            for_keys: None,
        }))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().free
    }
}

impl fmt::Debug for Spares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spares").field(&self.count()).finish()
    }
}

impl<K: Stored + ?Sized> Store<K> {
    /// Adds spare nodes.
    fn add_spares(&self, lease: &Lease<'_>, count: usize) -> Result<(), AllocError> {
        let layout = Layout::array::<Node>(count).map_err(|_| AllocError::OutOfMemory {
            requested: usize::MAX,
        })?;
        let first = lease.allocate_node(layout)?.location;
        let mut pool = self.spares.0.lock();
        let next = match pool.run.count {
            0 => pool.run.next,
            _ => {
                // SAFETY: S1: the arena gave the run's memory for nodes, and the first is not made.
                unsafe { self.keep_run(pool.run) };
                Some(pool.run.first)
            }
        };
        pool.run = Run { first, count, next };
        pool.free += count;
        Ok(())
    }

    /// Memory for keys of this layout together.
    pub(crate) fn set_aside<'a>(
        &'a self,
        lease: &Lease<'a>,
        layout: Layout,
    ) -> Result<Allocation<'a>, AllocError> {
        let mut pool = self.spares.0.lock();
        match pool.for_keys {
            Some((location, bytes)) if bytes >= layout.size() && layout.size() > 0 => {
                let rest = bytes - layout.size();
                pool.for_keys = (rest > 0).then(|| (location.plus(layout.size()), rest));
                // SAFETY: `keep_for_keys` had them, and keeps only those after them.
                let bytes = unsafe { self.bytes_at(location, layout.size()) };
                Ok(Allocation { location, bytes })
            }
            _ => {
                drop(pool);
                lease.allocate(layout)
            }
        }
    }

    /// Keeps memory that was set aside for keys, for those that come next. Of this piece and the one
    /// that was kept before, the smaller one is lost.
    pub(crate) fn keep_for_keys(&self, allocation: Allocation<'_>) {
        let mut pool = self.spares.0.lock();
        let kept = pool.for_keys.map_or(0, |(_, bytes)| bytes);
        if allocation.bytes.len() > kept {
            pool.for_keys = Some((allocation.location, allocation.bytes.len()));
        }
    }

    /// Takes room for a node out of the pool.
    fn take_spare(&self, pool: &mut Pool) -> Option<Location> {
        if pool.run.count == 0 {
            // SAFETY: `add_spares` kept a run there, and no node has been made of its memory since.
            pool.run = unsafe { self.kept_run(pool.run.next?) };
        }
        pool.free -= 1;
        pool.run.count -= 1;
        // From the end on: the run itself may be kept at the beginning.
        let before = pool.run.count * size_of::<Node>();
        Some(pool.run.first.plus(before))
    }
}

/// Spare nodes that belong to one writer.
pub(crate) struct Stock<'a, K: Stored + ?Sized> {
    store: &'a Store<K>,
    count: usize,
}

impl<'a, K: Stored + ?Sized> Stock<'a, K> {
    /// No nodes.
    pub(crate) fn empty(store: &'a Store<K>) -> Self {
        Self { store, count: 0 }
    }

    /// How many nodes there are.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Sees to it that there are at least so many.
    ///
    /// # Errors
    ///
    /// Those of the arena; then there are as many as before.
    pub(crate) fn fill_to(&mut self, lease: &Lease<'_>, count: usize) -> Result<(), AllocError> {
        let more = count.saturating_sub(self.count);
        loop {
            let mut pool = self.store.spares.0.lock();
            let needed = pool.taken.saturating_add(more);
            if needed <= pool.free {
                pool.taken = needed;
                self.count += more;
                return Ok(());
            }
            let lacking = needed - pool.free;
            drop(pool);
            self.store.add_spares(lease, lacking)?;
        }
    }

    /// Gives all back.
    pub(crate) fn give_back(&mut self) {
        if self.count > 0 {
            self.store.spares.0.lock().taken -= self.count;
            self.count = 0;
        }
    }

    /// Makes one of the nodes; none if there is none left.
    pub(crate) fn make(&mut self, header: Header, words: &[Word]) -> Option<NodeRef<'a, K>> {
        self.count = self.count.checked_sub(1)?;
        let mut pool = self.store.spares.0.lock();
        pool.taken -= 1;
        let location = self.store.take_spare(&mut pool)?;
        drop(pool);
        // SAFETY: S1: the arena gave the location for a node, and it was taken out of the pool.
        Some(unsafe {
            self.store
                .put_node(location, Node::new(location, header, words))
        })
    }
}

impl<K: Stored + ?Sized> Drop for Stock<'_, K> {
    fn drop(&mut self) {
        self.give_back();
    }
}

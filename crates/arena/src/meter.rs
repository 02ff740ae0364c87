//! The meter: who is told how much memory arenas have reserved.

use std::fmt::Debug;
use std::sync::Arc;

use crate::atomic::{Count, Sum};

/// Is told what arenas [made with it](crate::ArenaOptions::meter) reserve, as they do, and what they
/// release.
///
/// What all of them have reserved is the sum of what [`reserved`](Meter::reserved) was called with,
/// less that of [`released`](Meter::released): an arena's share is its
/// [`reserved_bytes`](crate::Arena::reserved_bytes) whenever none of its methods is running.
///
/// Both are called by the thread that allocates or drops, and from several threads at once. The
/// thread then holds no lock and no lane of the arena: a meter may allocate from it. It must not
/// panic.
///
/// ```
/// use std::alloc::Layout;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use strata_arena::{Arena, ArenaOptions, Meter};
///
/// #[derive(Debug, Default)]
/// struct Sum(AtomicUsize);
///
/// impl Meter for Sum {
///     fn reserved(&self, bytes: usize) {
///         self.0.fetch_add(bytes, Ordering::Relaxed);
///     }
///     fn released(&self, bytes: usize) {
///         self.0.fetch_sub(bytes, Ordering::Relaxed);
///     }
/// }
///
/// let sum = Arc::new(Sum::default());
/// let meter: Arc<dyn Meter> = sum.clone();
/// let arena = Arena::with_options(ArenaOptions { meter: Some(meter), ..ArenaOptions::default() });
/// arena.allocate(Layout::new::<[u8; 100]>())?;
/// assert_eq!(sum.0.load(Ordering::Relaxed), arena.reserved_bytes());
/// drop(arena);
/// assert_eq!(sum.0.load(Ordering::Relaxed), 0);
/// # Ok::<(), strata_arena::AllocError>(())
/// ```
pub trait Meter: Send + Sync + Debug {
    /// An arena has reserved `bytes` bytes more: a block, and what the list of blocks and the table
    /// of windows grew by. Called when the [lease](crate::Lease) is dropped under which that was
    /// reserved, and before [`allocate`](crate::Arena::allocate) returns.
    fn reserved(&self, bytes: usize);

    /// An arena that had reserved `bytes` bytes is gone, and its memory freed or left to the pool.
    /// Not called for one that had reserved nothing.
    fn released(&self, bytes: usize);
}

/// How many bytes an arena has reserved, with the meter that is told. Dropping it releases those
/// that the meter was told of.
pub(crate) struct Reserved {
    bytes: Count,
    told: Sum,
    meter: Option<Arc<dyn Meter>>,
}

impl Reserved {
    /// No bytes yet.
    pub(crate) fn nothing(meter: Option<Arc<dyn Meter>>) -> Self {
        Self {
            bytes: Count::zero(),
            told: Sum::zero(),
            meter,
        }
    }

    pub(crate) fn get(&self) -> usize {
        self.bytes.get()
    }

    /// Takes note that there are now so many; the meter is not told yet. Returns how many more.
    pub(crate) fn set(&self, bytes: usize) -> usize {
        let more = bytes - self.bytes.get();
        self.bytes.set(bytes);
        more
    }

    /// Tells the meter of `more` bytes.
    pub(crate) fn tell(&self, more: usize) {
        if let Some(meter) = &self.meter
            && more > 0
        {
            self.told.add(more);
            meter.reserved(more);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let told = self.told.get();
        if let Some(meter) = &self.meter
            && told > 0
        {
            meter.released(told);
        }
    }
}

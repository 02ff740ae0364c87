//! What an arena is made with.

use std::sync::Arc;

use crate::meter::Meter;
use crate::pool::BlockPool;

/// What an [`Arena`](crate::Arena) is made with; by default, no limit, no pool, no huge
/// pages and no meter.
///
/// ```
/// use strata_arena::{Arena, ArenaOptions};
///
/// let arena = Arena::with_options(ArenaOptions { limit_bytes: 64 << 20, ..ArenaOptions::default() });
/// assert_eq!(arena.limit_bytes(), 64 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct ArenaOptions {
    /// How many bytes the arena may reserve for [entries](crate::Arena::allocate).
    pub limit_bytes: usize,
    /// Where the arena takes blocks from as long as there are some of the right size, and leaves
    /// its own when it is dropped.
    pub pool: Option<Arc<BlockPool>>,
    /// Whether a lane that has reserved 2 MiB goes on in blocks of 2 MiB and 4 KiB, each at a
    /// multiple of 2 MiB, for which the kernel is told that huge pages are welcome.
    ///
    /// Filling one faults twice where pages of 4 KiB fault 513 times, and lookups in a large arena
    /// miss the processor's cache of addresses less often. In return each lane may have 2 MiB
    /// reserved and not used yet. [`reserved_bytes`](crate::Arena::reserved_bytes) counts whole
    /// blocks, touched or not. Near the limit, or if the allocator refuses one, the arena goes on
    /// in small blocks; so it does beyond about 1.3 GiB, in blocks of 4 MiB.
    ///
    /// It has an effect on Linux, with the crate's feature `huge-pages`, which is off by default.
    /// The kernel need not follow: the hint counts where
    /// `/sys/kernel/mm/transparent_hugepage/enabled` says `madvise` or `always`.
    ///
    /// A pool keeps such blocks, and the pages that back them, for arenas with the option. One
    /// without takes such a block only for a request that fills it.
    ///
    /// ```
    /// use std::alloc::Layout;
    /// use strata_arena::{Arena, ArenaOptions};
    ///
    /// let arena = Arena::with_options(ArenaOptions { huge_pages: true, ..ArenaOptions::default() });
    /// for _ in 0..60_000 {
    ///     arena.allocate(Layout::new::<[u8; 100]>())?;
    /// }
    /// assert!(arena.reserved_bytes() - arena.used_bytes() < (2 << 20) + (100 << 10));
    /// # Ok::<(), strata_arena::AllocError>(())
    /// ```
    pub huge_pages: bool,
    /// What is told how much the arena reserves, and when it is gone.
    pub meter: Option<Arc<dyn Meter>>,
}

impl Default for ArenaOptions {
    fn default() -> Self {
        Self {
            limit_bytes: usize::MAX,
            pool: None,
            huge_pages: false,
            meter: None,
        }
    }
}

//! What an arena is made with.

use std::sync::Arc;

use crate::meter::Meter;
use crate::pool::BlockPool;

/// What an [`Arena`](crate::Arena) is made with; by default, no limit, no pool and no meter.
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
    /// What is told how much the arena reserves, and when it is gone.
    pub meter: Option<Arc<dyn Meter>>,
}

impl Default for ArenaOptions {
    fn default() -> Self {
        Self {
            limit_bytes: usize::MAX,
            pool: None,
            meter: None,
        }
    }
}

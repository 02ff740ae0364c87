//! Memory that is yet to be asked for, as far as it is known.

use std::alloc::Layout;

use crate::location::Location;

/// Allocations that are yet to be made, as far as they are known:
/// [`Arena::growth_bound`](crate::Arena::growth_bound) says what they can cost.
///
/// Numbers too large to be served are as good as the largest.
///
/// ```
/// use std::alloc::Layout;
/// use strata_arena::{Arena, Demand};
///
/// let arena = Arena::new();
/// let bound = arena.growth_bound(Demand::of_bytes(3, 1000), Demand::NOTHING);
/// for size in [500, 1, 499] {
///     arena.allocate(Layout::from_size_align(size, 1).unwrap())?;
/// }
/// assert!(arena.reserved_bytes() <= bound);
/// # Ok::<(), strata_arena::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// How many there are at most.
    pub(crate) allocations: usize,
    /// How much they take of lanes together at most, granules and padding included.
    pub(crate) bytes: usize,
    /// How much of that one of them takes at most.
    pub(crate) largest: usize,
}

impl Demand {
    /// No allocations.
    pub const NOTHING: Self = Self {
        allocations: 0,
        bytes: 0,
        largest: 0,
    };

    /// At most so many allocations of at most `bytes` bytes together, at no particular address or
    /// at multiples of a [granule](Location::GRANULE).
    #[must_use]
    pub fn of_bytes(allocations: usize, bytes: usize) -> Self {
        // A byte each to make it a whole granule; one of no bytes takes two.
        let bytes = bytes.saturating_add(allocations.saturating_mul(Location::GRANULE));
        Self {
            allocations,
            bytes,
            largest: bytes,
        }
    }

    /// At most so many allocations of at most this size and alignment each.
    #[must_use]
    pub fn of_layout(allocations: usize, layout: Layout) -> Self {
        let largest = layout
            .size()
            .max(1)
            .next_multiple_of(Location::GRANULE)
            .saturating_add(layout.align() - layout.align().min(Location::GRANULE));
        Self {
            allocations,
            bytes: largest.saturating_mul(allocations),
            largest,
        }
    }
}

//! Locations: where an allocation is, in half the bits of an address.
//!
//! ```text
//! bit 31        21 20                0
//! | window index  | offset / GRANULE  |
//! ```
//!
//! A window is what one index covers: the bytes of a block, 4 MiB of them at most. A larger block
//! takes consecutive indices, so locations within a block are consecutive numbers, too.

/// How many bits of a location are the offset.
const OFFSET_BITS: u32 = 21;

/// The most bytes that one index covers.
pub(crate) const WINDOW_BYTES: usize = Location::GRANULE << OFFSET_BITS;

/// How many indices there are. The last that 11 bits could hold is left out, so that `u32::MAX`
/// is no location.
pub(crate) const INDICES: usize = (1 << (u32::BITS - OFFSET_BITS)) - 1;

/// Where an allocation is in its arena, in 32 bits.
///
/// Counted in [granules](Location::GRANULE). It means something to the arena that gave it, and to
/// no other: [`Arena::resolve`](crate::Arena::resolve) makes an address of it.
///
/// ```
/// use std::alloc::Layout;
/// use strata_arena::{Arena, Location};
///
/// let arena = Arena::new();
/// let allocation = arena.allocate(Layout::new::<[u8; 4]>())?;
/// allocation.bytes.write_copy_of_slice(b"abcd");
///
/// let location = Location::from_bits(allocation.location.to_bits());
/// // SAFETY: the arena gave this location.
/// let first = unsafe { arena.resolve(location) };
/// // SAFETY: the same, and two is within the four bytes.
/// let third = unsafe { arena.resolve(location.plus(2)) };
/// assert_eq!(third.addr().get() - first.addr().get(), 2);
/// # Ok::<(), strata_arena::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location(u32);

impl Location {
    /// What locations count in, in bytes. Every allocation begins at a multiple of it.
    pub const GRANULE: usize = 2;

    /// The location as a number. It is never `u32::MAX`, which may stand for "none".
    #[inline]
    #[must_use]
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The location that [`to_bits`](Location::to_bits) made this number of.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The location this many bytes further on in the same allocation.
    ///
    /// # Panics
    ///
    /// With debug assertions, if `bytes` is no multiple of the granule.
    #[inline]
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within an allocation, there are less granules than locations"
    )]
    pub const fn plus(self, bytes: usize) -> Self {
        debug_assert!(
            bytes.is_multiple_of(Self::GRANULE),
            "locations count in granules"
        );
        Self(self.0.wrapping_add((bytes / Self::GRANULE) as u32))
    }

    /// Where the window with this index begins.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "indices have 11 bits, and this is for the one after the last at most"
    )]
    pub(crate) const fn of_index(index: usize) -> Self {
        debug_assert!(index <= INDICES);
        Self((index as u32) << OFFSET_BITS)
    }

    /// The index of the window it is in.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize
    }

    /// How many bytes it is from the beginning of its window.
    #[inline]
    pub(crate) const fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize * Self::GRANULE
    }
}

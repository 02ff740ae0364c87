//! Why an arena could not give memory.

use std::error::Error;
use std::fmt;

/// Why an arena could not give memory. It is as it was before the request.
///
/// ```
/// use std::alloc::Layout;
/// use strata_arena::{AllocError, Arena};
///
/// let arena = Arena::with_limit(8192);
/// let error = arena.allocate(Layout::new::<[u8; 10_000]>()).unwrap_err();
/// assert_eq!(error, AllocError::LimitReached { requested: 10_000, reserved: 0, limit: 8192 });
/// assert_eq!(
///     error.to_string(),
///     "10000 bytes do not fit the arena's limit: 0 of 8192 bytes are reserved"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AllocError {
    /// A new block would take the arena over its limit.
    LimitReached {
        /// How many bytes were asked for.
        requested: usize,
        /// How many bytes the arena has reserved.
        reserved: usize,
        /// How many it may reserve.
        limit: usize,
    },
    /// The allocator refused, or no allocator could give so much.
    OutOfMemory {
        /// How many bytes were asked for.
        requested: usize,
    },
    /// The arena has so much memory that its locations can't tell more apart.
    OutOfLocations {
        /// How many bytes were asked for.
        requested: usize,
    },
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitReached {
                requested,
                reserved,
                limit,
            } => write!(
                f,
                "{requested} bytes do not fit the arena's limit: \
                 {reserved} of {limit} bytes are reserved"
            ),
            Self::OutOfMemory { requested } => {
                write!(f, "the allocator has no {requested} bytes to give")
            }
            Self::OutOfLocations { requested } => {
                write!(f, "the arena has no locations left for {requested} bytes")
            }
        }
    }
}

impl Error for AllocError {}

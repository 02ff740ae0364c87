//! Positions in sorted sequences of entries: in several as if they were one, and in what of it a
//! snapshot sees.

mod bounds;
mod internal;
mod map_err;
mod merging;
mod pairs;
mod snapshot;
mod visible;

pub use internal::{EntryRef, InternalCursor};
pub use map_err::MapErr;
pub use merging::MergingCursor;
pub use pairs::Pairs;
pub use snapshot::SnapshotCursor;
pub use visible::{Skipped, VisibleCursor};

/// How many versions of one user key are stepped over before the rest are passed by a seek.
///
/// In a memtable of half a million entries, and in four that are merged, a seek takes as long as 10
/// to 20 steps. Of 4, 8, 16 and 32 this was the best or close to it for keys of 8 to 64 versions.
const STEPS_BEFORE_SEEK: u32 = 16;

/// Which way a cursor goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

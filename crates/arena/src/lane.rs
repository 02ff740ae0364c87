//! Lanes: each shares out a block of its own, so that threads don't wait for each other's cursor.

use crate::atomic::{self, Word};
use crate::location::Location;

/// How many lanes there are for entries. More threads than this share some.
pub(crate) const ENTRY_LANES: usize = 8;

/// The lane for index nodes, after those for entries.
pub(crate) const NODE_LANE: usize = ENTRY_LANES;

/// The lanes of an arena.
pub(crate) const LANES: usize = ENTRY_LANES + 1;

/// The entry lane of the calling thread, the same each time.
#[inline]
pub(crate) fn of_this_thread() -> usize {
    atomic::thread_number() % ENTRY_LANES
}

/// What is left of a block: the locations from `next` up to `end`.
///
/// In a large block they may be in several windows. `end` is where the next block would begin if
/// the block fills its last window; it is only ever compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) next: Location,
    pub(crate) end: Location,
}

impl Rest {
    /// How many bytes that is.
    #[inline]
    pub(crate) fn bytes(self) -> usize {
        (self.end.to_bits() - self.next.to_bits()) as usize * Location::GRANULE
    }

    #[inline]
    fn to_word(self) -> u64 {
        u64::from(self.next.to_bits()) << 32 | u64::from(self.end.to_bits())
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half is what is wanted"
    )]
    fn from_word(word: u64) -> Self {
        Self {
            next: Location::from_bits((word >> 32) as u32),
            end: Location::from_bits(word as u32),
        }
    }
}

/// What is left of the block that a lane shares out, on a cache line of its own: two lines, as
/// processors fetch them in pairs.
#[repr(align(128))]
pub(crate) struct Lane(Word);

impl Lane {
    /// A lane that has no block yet.
    pub(crate) fn empty() -> Self {
        Self(Word::zero())
    }

    #[inline]
    pub(crate) fn rest(&self) -> Rest {
        Rest::from_word(self.0.get())
    }

    /// Makes `now` of `before`, and the range in between the caller's; if something else is left,
    /// changes nothing and says what.
    #[inline]
    pub(crate) fn advance(&self, before: Rest, now: Rest) -> Result<(), Rest> {
        self.0
            .advance(before.to_word(), now.to_word())
            .map_err(Rest::from_word)
    }

    /// Goes on with another block; returns what was left of the one before.
    pub(crate) fn install(&self, rest: Rest) -> Rest {
        Rest::from_word(self.0.publish(rest.to_word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cursors on one line, or on a pair of lines that is fetched together, and two writers are
    /// no faster than one.
    #[test]
    fn lanes_share_no_pair_of_cache_lines() {
        let lanes: [Lane; LANES] = std::array::from_fn(|_| Lane::empty());
        let pair = |lane: &Lane| std::ptr::from_ref(lane).addr() / 128;
        assert!(lanes.is_sorted_by(|a, b| pair(a) < pair(b)));
    }
}

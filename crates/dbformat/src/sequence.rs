//! The number that orders writes.

use std::fmt;

use crate::SequenceOutOfRange;

/// When an entry was written: 56 bits, larger is newer, each number given to one entry only.
///
/// A snapshot is a sequence number too: it sees the entries up to and including its own.
///
/// ```
/// use strata_dbformat::SequenceNumber;
///
/// let sequence = SequenceNumber::new(41)?;
/// assert_eq!(sequence.checked_add(1), Ok(SequenceNumber::new(42)?));
/// assert!(SequenceNumber::MAX.checked_add(1).is_err());
/// # Ok::<(), strata_dbformat::SequenceOutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(u64);

impl SequenceNumber {
    /// How many bits a sequence number has: the other 8 of a tag hold the value type.
    pub const BITS: u32 = 56;

    /// No entry is older than this.
    pub const ZERO: Self = Self(0);

    /// The largest sequence number, 2⁵⁶ − 1. As a snapshot it sees everything.
    pub const MAX: Self = Self((1 << Self::BITS) - 1);

    /// The sequence number `sequence`.
    ///
    /// # Errors
    ///
    /// [`SequenceOutOfRange`] if it is above [`SequenceNumber::MAX`]. (LevelDB's `Add` packs it
    /// regardless and so corrupts the tag.)
    pub const fn new(sequence: u64) -> Result<Self, SequenceOutOfRange> {
        if sequence > Self::MAX.0 {
            return Err(SequenceOutOfRange { sequence });
        }
        Ok(Self(sequence))
    }

    /// The upper 56 bits of a tag.
    pub(crate) const fn of_tag(tag: u64) -> Self {
        Self(tag >> (u64::BITS - Self::BITS))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sequence number `count` writes later.
    ///
    /// # Errors
    ///
    /// [`SequenceOutOfRange`] if that is above [`SequenceNumber::MAX`].
    pub const fn checked_add(self, count: u64) -> Result<Self, SequenceOutOfRange> {
        Self::new(self.0.saturating_add(count))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u64> for SequenceNumber {
    type Error = SequenceOutOfRange;

    fn try_from(sequence: u64) -> Result<Self, Self::Error> {
        Self::new(sequence)
    }
}

impl From<SequenceNumber> for u64 {
    fn from(sequence: SequenceNumber) -> Self {
        sequence.0
    }
}

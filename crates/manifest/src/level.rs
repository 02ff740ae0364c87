//! The level a table is in.

use std::fmt;

/// A level of tables: 0 to 6.
///
/// Tables of level 0 may overlap, and the one with the larger number is the newer. In each level
/// from 1 on no two overlap, and what a level has is newer than what is below it.
///
/// ```
/// use strata_manifest::Level;
///
/// let level = Level::new(1).expect("there is a level 1");
/// assert_eq!((level.get(), level.to_string()), (1, "1".to_owned()));
/// assert_eq!(Level::new(7), None);
/// assert_eq!(Level::all().count(), Level::COUNT);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// How many levels there are.
    pub const COUNT: usize = 7;

    /// Level 0: where memtables are flushed to.
    pub const ZERO: Self = Self(0);

    /// The level with this number, if there is one.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        // Both are small.
        if (level as usize) < Self::COUNT {
            Some(Self(level))
        } else {
            None
        }
    }

    /// The number, less than [`COUNT`](Self::COUNT).
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// All levels, from 0 on.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(Self::new)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

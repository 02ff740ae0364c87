//! What a lookup finds.

use crate::Entry;

/// What a lookup finds: three answers, because a deleted key must not be looked for in older
/// tables, and an absent one must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lookup<'a> {
    /// The newest visible version has this value.
    Value(&'a [u8]),
    /// The newest visible version says that the key is deleted.
    Tombstone,
    /// The memtable has no version that the snapshot sees.
    Absent,
}

impl<'a> Lookup<'a> {
    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<&'a [u8]> {
        match self {
            Self::Value(value) => Some(value),
            Self::Tombstone | Self::Absent => None,
        }
    }
}

impl<'a> From<Option<Entry<'a>>> for Lookup<'a> {
    fn from(entry: Option<Entry<'a>>) -> Self {
        match entry {
            Some(entry) if entry.is_tombstone() => Self::Tombstone,
            Some(entry) => Self::Value(entry.value()),
            None => Self::Absent,
        }
    }
}

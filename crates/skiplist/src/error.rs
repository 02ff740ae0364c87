//! Why a key was not inserted.

use std::error::Error;
use std::fmt;

use strata_arena::AllocError;

/// Why a key was not inserted. Nothing of it is visible.
///
/// ```
/// use strata_skiplist::{InsertError, Natural, SkipList};
///
/// let list = SkipList::<u64, Natural>::default();
/// list.insert(7)?;
/// assert_eq!(list.insert(7), Err(InsertError::Duplicate));
/// assert_eq!(InsertError::Duplicate.to_string(), "an equal key is in the list already");
/// # Ok::<(), InsertError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsertError {
    /// The list holds a key that compares as equal.
    Duplicate,
    /// The arena could not give the memory for the key's node.
    Full(AllocError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate => f.write_str("an equal key is in the list already"),
            Self::Full(error) => error.fmt(f),
        }
    }
}

impl Error for InsertError {}

impl From<AllocError> for InsertError {
    fn from(error: AllocError) -> Self {
        Self::Full(error)
    }
}

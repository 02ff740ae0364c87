//! The parts that a table lacks.

use std::fmt;

use strata_block::BlockHandle;
use strata_dbformat::escape;

use crate::Fault;

/// A part of a table that could not be read.
///
/// ```
/// use strata_table::{Damage, Fault, KeyRange};
///
/// let damage = Damage {
///     offset: 4096,
///     bytes: 300,
///     fault: Fault::NoBlock,
///     keys: Some(KeyRange {
///         after: Some(b"apple".to_vec()),
///         upto: Some(b"pear".to_vec()),
///     }),
/// };
/// assert_eq!(
///     damage.to_string(),
///     "300 bytes at offset 4096 dropped: they are in no block whose checksum is right \
///      (keys 'apple' to 'pear')"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where in the file it begins, in bytes; of a part of a block, where the block begins.
    pub offset: u64,
    /// How many bytes of the file it has; of a part of a block, how many bytes of the block's
    /// contents. 0 of a part that is missing, or when it only makes reading harder.
    pub bytes: u64,
    /// The fault.
    pub fault: Fault,
    /// Between which keys entries are missing, if the index knows.
    pub keys: Option<KeyRange>,
}

impl Damage {
    /// Of a whole block, with its trailer.
    pub(super) fn of(handle: BlockHandle, fault: Fault, keys: Option<KeyRange>) -> Self {
        Self {
            offset: handle.offset,
            bytes: handle.end() - handle.offset,
            fault,
            keys,
        }
    }
}

/// `300 bytes at offset 4096 dropped: REASON (keys 'apple' to 'pear')`.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            bytes,
            fault,
            ..
        } = self;
        write!(f, "{bytes} bytes at offset {offset} dropped: {fault}")?;
        match &self.keys {
            Some(keys) => write!(f, " ({keys})"),
            None => Ok(()),
        }
    }
}

/// Between which user keys entries may be missing, in the table's own order: both may be among
/// them, for a user key can have versions in several blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// No missing key is before this one; `None` if it could be any.
    pub after: Option<Vec<u8>>,
    /// No missing key is after this one; `None` if it could be any.
    pub upto: Option<Vec<u8>>,
}

/// `keys 'apple' to 'pear'`.
impl fmt::Display for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.after, &self.upto) {
            (Some(after), Some(upto)) => {
                write!(f, "keys '{}' to '{}'", escape(after), escape(upto))
            }
            (None, Some(upto)) => write!(f, "keys up to '{}'", escape(upto)),
            (Some(after), None) => write!(f, "keys from '{}' on", escape(after)),
            (None, None) => f.write_str("any keys"),
        }
    }
}

//! Why a block could not be read.

use std::error::Error;
use std::fmt;
use std::io;

use crate::BlockFault;

/// Why a block could not be read.
///
/// ```
/// use strata_block::{BlockError, BlockFault, BlockHandle, BlockSource, ReadOptions};
///
/// let source = BlockSource::new(vec![0; 100], &ReadOptions::default())?;
/// let error = source.read(BlockHandle { offset: 90, length: 10 }).unwrap_err();
/// assert!(matches!(
///     error,
///     BlockError::Corrupt { offset: 90, fault: BlockFault::HandleOutside { end: 100, .. } }
/// ));
/// assert_eq!(
///     error.to_string(),
///     "corrupt block, at byte 90: a block of 10 bytes and its trailer are said to be at byte 90, \
///      but blocks end at byte 100"
/// );
/// # Ok::<(), BlockError>(())
/// ```
#[derive(Debug)]
pub enum BlockError {
    /// The source failed.
    Io(io::Error),
    /// The bytes are no block, or a damaged one.
    Corrupt {
        /// Where in the file the block begins, or is said to.
        offset: u64,
        /// The fault.
        fault: BlockFault,
    },
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(source) => write!(f, "can't read a block: {source}"),
            Self::Corrupt { offset, fault } => {
                write!(f, "corrupt block, at byte {offset}: {fault}")
            }
        }
    }
}

impl Error for BlockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            Self::Corrupt { .. } => None,
        }
    }
}

impl From<io::Error> for BlockError {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

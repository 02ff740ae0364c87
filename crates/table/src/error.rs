//! Why a table could not be written or read.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use strata_block::{BlockError, BlockFault, Compression};
use strata_dbformat::{InternalKey, InternalKeyError};

use crate::Fault;

/// Why a table could not be written or read.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_table::{Fault, Table, TableError};
///
/// let error = Table::open(vec![0; 100], BytewiseComparator).unwrap_err();
/// assert!(matches!(error, TableError::Corrupt { offset: 92, fault: Fault::Magic { found: 0 } }));
/// assert_eq!(
///     error.to_string(),
///     "corrupt table, at byte 92: the magic number is 0x0000000000000000 where a LevelDB table \
///      has 0xdb4775248b80fb57"
/// );
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TableError {
    /// The destination or the source failed.
    Io {
        /// The operation that was tried, as an infinitive.
        action: &'static str,
        /// What came of it.
        source: io::Error,
    },
    /// The operating system refused something to do with a file.
    File {
        /// The operation that was tried, as an infinitive.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
    /// An option of a [`TableOptions`](crate::TableOptions) is out of bounds.
    OptionOutOfBounds {
        /// Its name.
        option: &'static str,
        /// Its value.
        value: usize,
        /// The largest value; the smallest is 1.
        most: usize,
    },
    /// Blocks were to be compressed in a way that was left out when this was compiled.
    CompressionLeftOut {
        /// The way.
        compression: Compression,
    },
    /// What was to be added is no internal key.
    MalformedKey(InternalKeyError),
    /// A key was to be added that is not after the last one.
    KeyNotAscending {
        /// The last key of the table.
        last: InternalKey,
        /// The key that was refused.
        key: InternalKey,
        /// The name of the order.
        comparator: String,
    },
    /// An entry was to be added with which a block could be longer than `u32::MAX` bytes.
    TooLarge {
        /// Which block.
        block: &'static str,
        /// How long it could be, in bytes.
        bytes: u64,
    },
    /// Writing failed before, so the table can't be completed.
    Abandoned,
    /// The bytes are no table, or a damaged one.
    Corrupt {
        /// Where in the file the block or the part of the footer at fault begins, or is said to.
        offset: u64,
        /// The fault.
        fault: Fault,
    },
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, source } => write!(f, "can't {action}: {source}"),
            Self::File {
                action,
                path,
                source,
            } => write!(f, "can't {action} {}: {source}", path.display()),
            Self::OptionOutOfBounds {
                option,
                value,
                most,
            } => write!(f, "{option} is {value}: 1 to {most} was expected"),
            Self::CompressionLeftOut { compression } => {
                let compression = *compression;
                BlockFault::CompressionLeftOut { compression }.fmt(f)
            }
            Self::MalformedKey(error) => write!(f, "the entry has a malformed key: {error}"),
            Self::KeyNotAscending {
                last,
                key,
                comparator,
            } => write!(
                f,
                "{key} can't be added: it is not after the last key, {last}, in the order of \
                 {comparator}"
            ),
            Self::TooLarge { block, bytes } => write!(
                f,
                "the entry could make the table's {block} {bytes} bytes long: {} is the most",
                u32::MAX
            ),
            Self::Abandoned => {
                f.write_str("the table can't be completed: writing it failed before")
            }
            Self::Corrupt { offset, fault } => {
                write!(f, "corrupt table, at byte {offset}: {fault}")
            }
        }
    }
}

impl Error for TableError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::File { source, .. } => Some(source),
            Self::MalformedKey(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BlockError> for TableError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Corrupt { offset, fault } => corrupt(offset, fault),
            BlockError::Io(source) => Self::Io {
                action: "read the table",
                source,
            },
        }
    }
}

pub(crate) fn corrupt(offset: u64, fault: impl Into<Fault>) -> TableError {
    let fault = fault.into();
    TableError::Corrupt { offset, fault }
}

/// What the source said; what is wrong with the table as an error of its data.
pub(crate) fn into_io(error: TableError) -> io::Error {
    match error {
        TableError::Io { source, .. } => source,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

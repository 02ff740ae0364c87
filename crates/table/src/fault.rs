//! The faults that the bytes of a table can have.

use std::fmt;

use strata_block::BlockFault;
use strata_dbformat::{DebugInternalKey, InternalKeyError};

use crate::footer::{FOOTER_LENGTH, MAGIC};

/// A fault in the bytes of a table.
///
/// A position within a block is counted in its contents, decompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The file is shorter than a footer.
    TooShort {
        /// Its length in bytes.
        length: u64,
    },
    /// The file does not end with a table's magic number.
    Magic {
        /// What is there instead.
        found: u64,
    },
    /// A block, a handle or what is stored of a block is wrong as such, whatever the block is for.
    Block(BlockFault),
    /// An entry's key is no internal key.
    Key {
        /// What it is.
        error: InternalKeyError,
    },
    /// A key is not after the one before it.
    KeyNotAscending {
        /// The key before, an internal key.
        last: Vec<u8>,
        /// The key.
        key: Vec<u8>,
        /// The name of the order.
        comparator: String,
    },
    /// The index has a key for a block that is before a key in that block.
    IndexKey {
        /// The last key in the block, an internal key.
        last: Vec<u8>,
        /// The index's key.
        key: Vec<u8>,
        /// The name of the order.
        comparator: String,
    },
    /// The filter block can't be taken apart.
    FilterBlock {
        /// The form that was expected.
        expected: &'static str,
    },
    /// The filter says that a key is not in the block that it is in.
    FilterMisses {
        /// The user key.
        user_key: Vec<u8>,
    },
    /// The index names a block that begins before the end of the one it names before, or that is
    /// the index in part.
    BlockOverlaps {
        /// Where the other block ends.
        end: u64,
    },
    /// Bytes are in no block whose checksum is right, as far as blocks are found by that.
    NoBlock,
    /// A block that was found by its checksum can be the index or a data block of a user's handles.
    MaybeIndex,
    /// There are bytes that belong to no block, or to two.
    BlockNotNext {
        /// Where the block before ends.
        expected: u64,
    },
    /// The footer is not as a table's writer makes it.
    FooterPadding,
}

/// The usual reason why a whole table is out of order.
const COMPARATOR: &str = "was the table written with another --comparator?";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { length } => write!(
                f,
                "the file has {length} bytes, and a table's footer alone has {FOOTER_LENGTH}"
            ),
            Self::Magic { found } => write!(
                f,
                "the magic number is {found:#018x} where a LevelDB table has {MAGIC:#018x}"
            ),
            Self::Block(fault) => fault.fmt(f),
            Self::Key { error } => write!(f, "the block has a malformed key: {error}"),
            Self::KeyNotAscending {
                last,
                key,
                comparator,
            } => write!(
                f,
                "{} is not after {} in the order of {comparator}; {COMPARATOR}",
                DebugInternalKey(key),
                DebugInternalKey(last)
            ),
            Self::IndexKey {
                last,
                key,
                comparator,
            } => write!(
                f,
                "the index says {} of a block that has {}, which is after it in the order of \
                 {comparator}; {COMPARATOR}",
                DebugInternalKey(key),
                DebugInternalKey(last)
            ),
            Self::FilterBlock { expected } => {
                write!(f, "the filter block is wrong: {expected} expected")
            }
            Self::FilterMisses { user_key } => write!(
                f,
                "the filter denies the user key '{}', which is in the block",
                strata_dbformat::escape(user_key)
            ),
            Self::BlockOverlaps { end } => write!(
                f,
                "the index says that a block begins here, and it overlaps the one that ends at byte \
                 {end}"
            ),
            Self::NoBlock => f.write_str("they are in no block whose checksum is right"),
            Self::MaybeIndex => f.write_str(
                "the block can be the index as well as a data block, and nothing around it tells",
            ),
            Self::BlockNotNext { expected } => write!(
                f,
                "a block begins here where the one before ends at byte {expected}"
            ),
            Self::FooterPadding => {
                f.write_str("the footer is not two shortest block handles, then zeros")
            }
        }
    }
}

impl From<BlockFault> for Fault {
    fn from(fault: BlockFault) -> Self {
        Self::Block(fault)
    }
}

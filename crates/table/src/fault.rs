//! What can be wrong with the bytes of a table.

use std::fmt;

use strata_coding::DecodeError;
use strata_dbformat::{DebugInternalKey, InternalKeyError};

use crate::Compression;
use crate::format::{FOOTER_LENGTH, MAGIC};

/// What is wrong with the bytes of a table.
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
    /// The footer, or what the index says of a block, is no block handle.
    Handle(DecodeError),
    /// A block handle points beyond the part of the file that blocks can be in.
    HandleOutside {
        /// Where the block would begin.
        offset: u64,
        /// How long its contents would be.
        length: u64,
        /// Where that part ends: where the footer begins.
        end: u64,
    },
    /// A block is longer than is read, or than its stored bytes can be, decompressed.
    BlockTooLong {
        /// Its length, decompressed, in bytes, or so much of it as is known.
        length: u64,
        /// The longest it may be.
        most: u64,
    },
    /// A block's checksum is not the one stored with it. Both as they are stored, masked.
    Checksum {
        /// The one stored.
        stored: u32,
        /// The one of the bytes there are.
        computed: u32,
    },
    /// A block is compressed in a way that only other engines know.
    UnknownCompression {
        /// The number of the way.
        number: u8,
    },
    /// A block says that it is compressed with zstd or zlib, which share a number, and begins as
    /// neither does.
    UnknownFrame,
    /// A block is compressed in a way that was left out when this was compiled.
    CompressionLeftOut {
        /// The way.
        compression: Compression,
    },
    /// A compressed block can't be decompressed.
    Compressed {
        /// How it is compressed.
        compression: Compression,
        /// What the decompressor says.
        reason: String,
    },
    /// A block's restart points are wrong.
    Restarts {
        /// What was expected.
        expected: &'static str,
    },
    /// An entry of a block is not within it.
    Entry {
        /// Where in the block it begins.
        position: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// A block's keys share so much that all of them together are out of proportion to the block.
    KeysTooLong {
        /// How many bytes they may have together.
        most: u64,
    },
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
        /// What was expected.
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
            Self::Handle(error) => write!(f, "a block handle was expected, but {error}"),
            Self::HandleOutside {
                offset,
                length,
                end,
            } => fmt_outside(*offset, *length, *end, f),
            Self::BlockTooLong { length, most } => write!(
                f,
                "a block of {length} bytes is longer than the longest, {most} bytes"
            ),
            Self::Checksum { stored, computed } => write!(
                f,
                "the block's checksum is {computed:#010x}, and {stored:#010x} is stored with it"
            ),
            Self::UnknownCompression { .. }
            | Self::UnknownFrame
            | Self::CompressionLeftOut { .. }
            | Self::Compressed { .. } => fmt_compression(self, f),
            Self::Restarts { expected } => {
                write!(f, "the restart points are wrong: {expected} expected")
            }
            Self::Entry { position, expected } => write!(
                f,
                "the entry at byte {position} of the block is wrong: {expected} expected"
            ),
            Self::KeysTooLong { most } => write!(
                f,
                "the block's keys are together more than {most} bytes long, which is out of \
                 proportion to the block"
            ),
            Self::Key { error } => write!(f, "the block has a malformed key: {error}"),
            Self::KeyNotAscending {
                last,
                key,
                comparator,
            } => fmt_not_ascending(last, key, comparator, f),
            Self::IndexKey {
                last,
                key,
                comparator,
            } => fmt_index_key(last, key, comparator, f),
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

/// What is wrong with how a block is compressed.
fn fmt_compression(fault: &Fault, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match fault {
        Fault::UnknownCompression { number } => write!(
            f,
            "the block is compressed with method {number}; 0 (none), 1 (snappy), 2 (zstd or \
             zlib) or 4 (deflate) was expected"
        ),
        Fault::CompressionLeftOut { compression } => fmt_left_out(*compression, f),
        Fault::Compressed {
            compression,
            reason,
        } => write!(
            f,
            "the block can't be decompressed with {compression}: {reason}"
        ),
        _ => f.write_str(
            "the block is compressed with method 2, and begins neither as zstd does nor as zlib",
        ),
    }
}

pub(crate) fn fmt_left_out(compression: Compression, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let feature = compression.feature().unwrap_or_default();
    write!(
        f,
        "blocks compressed with {compression} need strata-table's cargo feature '{feature}', which \
         is off"
    )
}

fn fmt_outside(offset: u64, length: u64, end: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "a block of {length} bytes and its trailer are said to be at byte {offset}, but blocks \
         end at byte {end}"
    )
}

/// The usual reason why a whole table is out of order.
const COMPARATOR: &str = "was the table written with another --comparator?";

fn fmt_not_ascending(
    last: &[u8],
    key: &[u8],
    comparator: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (last, key) = (DebugInternalKey(last), DebugInternalKey(key));
    write!(
        f,
        "{key} is not after {last} in the order of {comparator}; {COMPARATOR}"
    )
}

fn fmt_index_key(
    last: &[u8],
    key: &[u8],
    comparator: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (last, key) = (DebugInternalKey(last), DebugInternalKey(key));
    write!(
        f,
        "the index says {key} of a block that has {last}, which is after it in the order of \
         {comparator}; {COMPARATOR}"
    )
}

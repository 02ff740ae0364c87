//! The faults that the bytes of a block can have.

use std::fmt;

use strata_coding::DecodeError;

use crate::Compression;

/// A fault in the bytes of a block, or in a request for one.
///
/// A position within a block is counted in its contents, decompressed.
///
/// ```
/// use strata_block::{BlockFault, Compression};
///
/// let fault = Compression::of(3, b"stored").unwrap_err();
/// assert_eq!(fault, BlockFault::UnknownCompression { number: 3 });
/// assert_eq!(
///     fault.to_string(),
///     "the block is compressed with method 3; 0 (none), 1 (snappy), 2 (zstd or zlib) or 4 \
///      (deflate) was expected"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockFault {
    /// A block handle was expected, and these bytes are none.
    Handle(DecodeError),
    /// A block handle points beyond the part of the file that blocks can be in.
    HandleOutside {
        /// Where the block would begin.
        offset: u64,
        /// How long its contents would be.
        length: u64,
        /// Where that part ends.
        end: u64,
    },
    /// A block is longer than is read, or than its stored bytes can be, decompressed; or would be
    /// longer than a block can be.
    TooLong {
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
    /// A block is compressed in a way that was left out when this was compiled, or was to be.
    CompressionLeftOut {
        /// The way.
        compression: Compression,
    },
    /// A compressed block can't be decompressed.
    Compressed {
        /// How it is compressed.
        compression: Compression,
        /// The decompressor's message.
        reason: String,
    },
    /// A block's restart points are wrong.
    Restarts {
        /// The form that was expected.
        expected: &'static str,
    },
    /// An entry of a block is not within it.
    Entry {
        /// Where in the block it begins.
        position: usize,
        /// The form that was expected.
        expected: &'static str,
    },
    /// A block's keys share so much that all of them together are out of proportion to the block.
    KeysTooLong {
        /// How many bytes they may have together.
        most: u64,
    },
}

impl fmt::Display for BlockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(error) => write!(f, "a block handle was expected, but {error}"),
            Self::HandleOutside {
                offset,
                length,
                end,
            } => write!(
                f,
                "a block of {length} bytes and its trailer are said to be at byte {offset}, but \
                 blocks end at byte {end}"
            ),
            Self::TooLong { length, most } => write!(
                f,
                "a block of {length} bytes is longer than the longest, {most} bytes"
            ),
            Self::Checksum { stored, computed } => write!(
                f,
                "the block's checksum is {computed:#010x}, and {stored:#010x} is stored with it"
            ),
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
            Self::UnknownCompression { .. }
            | Self::UnknownFrame
            | Self::CompressionLeftOut { .. }
            | Self::Compressed { .. } => fmt_compression(self, f),
        }
    }
}

impl std::error::Error for BlockFault {}

/// Describes a fault in the compression of a block.
fn fmt_compression(fault: &BlockFault, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match fault {
        BlockFault::UnknownCompression { number } => write!(
            f,
            "the block is compressed with method {number}; 0 (none), 1 (snappy), 2 (zstd or \
             zlib) or 4 (deflate) was expected"
        ),
        BlockFault::CompressionLeftOut { compression } => write!(
            f,
            "blocks compressed with {compression} need the cargo feature '{}', which is off",
            compression.feature().unwrap_or_default()
        ),
        BlockFault::Compressed {
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

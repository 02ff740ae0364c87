//! What can be wrong with encoded bytes, and with a slice that is to be encoded.

use std::error::Error;
use std::fmt;

/// Why a value could not be decoded.
///
/// ```
/// use strata_coding::{DecodeError, get_fixed32};
///
/// assert_eq!(get_fixed32(&[1, 2, 3]), Err(DecodeError::Truncated));
/// assert_eq!(DecodeError::Truncated.to_string(), "the bytes end inside the value");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the value does: with more bytes it might be valid.
    Truncated,
    /// A varint's last permitted byte says that another follows: no further byte can mend it.
    TooLong,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the bytes end inside the value",
            Self::TooLong => "the varint is longer than its type permits",
        })
    }
}

impl Error for DecodeError {}

/// A slice is longer than the `u32::MAX` bytes a length prefix can say.
///
/// ```
/// use strata_coding::SliceTooLong;
///
/// let error = SliceTooLong { length: 1 << 32 };
/// assert_eq!(
///     error.to_string(),
///     "a slice of 4294967296 bytes is longer than a length prefix can say (4294967295 bytes)"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SliceTooLong {
    /// The slice's length in bytes.
    pub length: usize,
}

impl fmt::Display for SliceTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a slice of {} bytes is longer than a length prefix can say ({} bytes)",
            self.length,
            u32::MAX
        )
    }
}

impl Error for SliceTooLong {}

//! LevelDB's way to show bytes as text.

use std::fmt::{self, Write};

/// Shows `bytes` as LevelDB's `EscapeString` does: bytes 0x20 to 0x7e as they are, quotes and
/// backslashes included, every other one as `\x` and two lower-case hex digits.
///
/// Not reversible: a key that contains a literal `\x00` looks like one that contains a zero byte.
///
/// ```
/// assert_eq!(strata_dbformat::escape(b"a\0'\\\xff").to_string(), r"a\x00'\\xff");
/// ```
#[must_use]
pub fn escape(bytes: &[u8]) -> Escaped<'_> {
    Escaped(bytes)
}

/// Bytes shown as LevelDB escapes them; made by [`escape`].
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b' '..=b'~' => f.write_char(char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

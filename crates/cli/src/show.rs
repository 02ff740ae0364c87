//! How bytes are shown and read.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use strata_dbformat::escape;

use crate::failure::Failure;

/// Bytes in lower-case hex.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Keys and values as LevelDB escapes them, or as hex.
pub(crate) fn shown(bytes: &[u8], hex: bool) -> String {
    if hex {
        Hex(bytes).to_string()
    } else {
        escape(bytes).to_string()
    }
}

/// What hex digits stand for.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    let wrong = |why: String| Failure::new(format!("{text} is no key in hex: {why}"));
    let digits = text
        .char_indices()
        .map(|(i, digit)| match digit.to_digit(16) {
            Some(value) => Ok(value),
            None => Err(wrong(format!("character {} is {digit:?}", i + 1))),
        })
        .collect::<Result<Vec<u32>, Failure>>()?;
    if digits.len() % 2 != 0 {
        return Err(wrong(format!("{} digits are no whole bytes", digits.len())));
    }
    let byte = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).unwrap_or(u8::MAX);
    Ok(digits.chunks_exact(2).map(byte).collect())
}

/// The bytes of a command line argument.
pub(crate) fn argument_bytes(argument: &OsStr) -> &[u8] {
    argument.as_encoded_bytes()
}

/// Says something on standard error, if anybody listens there.
pub(crate) fn tell(what: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "strata: {what}");
}

/// Writes one JSON value on a line of its own.
pub(crate) fn write_json_line(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    writeln!(output)
}

/// A number of bytes, with a rounded one for large ones.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)?;
        match self.0 {
            0..10_000 => Ok(()),
            bytes => write!(f, " ({})", indicatif::BinaryBytes(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&Hex(&bytes).to_string()).unwrap(), bytes);
        assert_eq!(from_hex("").unwrap(), b"");
        assert_eq!(from_hex("Ff0a").unwrap(), [0xff, 0x0a]);
    }

    #[test]
    fn what_is_no_hex_is_refused_with_the_place() {
        let error = from_hex("abc").unwrap_err().to_string();
        assert_eq!(error, "abc is no key in hex: 3 digits are no whole bytes");
        let error = from_hex("0xff").unwrap_err().to_string();
        assert_eq!(error, "0xff is no key in hex: character 2 is 'x'");
    }
}

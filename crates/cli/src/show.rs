//! The remarks beside the answer, and their words.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::chrome::parse_chrome;
use crate::failure::Failure;
use crate::lines::Notation;
use crate::notation::{parse_hex, parse_shown};

/// The bytes of a command line argument.
fn argument_bytes(argument: &OsStr) -> &[u8] {
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

/// The bytes of a key that was given as an argument in this notation.
pub(crate) fn key_argument(argument: &OsStr, notation: Notation) -> Result<Vec<u8>, Failure> {
    let bytes = argument_bytes(argument);
    let parsed = match notation {
        Notation::Hex => parse_hex(bytes),
        Notation::Shown => parse_shown(bytes),
        Notation::Chrome => match str::from_utf8(bytes) {
            Ok(text) => parse_chrome(text),
            Err(_) => parse_shown(bytes),
        },
    };
    parsed.map_err(|error| {
        Failure::new(format!(
            "{} is no key as `strata dump` shows one: {error}",
            argument.display()
        ))
    })
}

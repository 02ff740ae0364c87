//! What is said beside the answer, and in which words.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

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

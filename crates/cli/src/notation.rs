//! Bytes as text and back: shown (printable ASCII as it is, the rest escaped), and in hex.
//!
//! Both ways of writing are one to one, so that what is printed can be given back as an argument.
//!
//! Bytes are written in pieces, without a call of `core::fmt` each: 32 bytes that need no escape
//! are copied at once, and any others take one look into a table a byte.

use std::fmt;

/// How many bytes are looked at together.
const STEP: usize = 32;

/// The hex digits of each byte, lower case.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

/// Each byte as it is shown, and how many bytes that takes: 1, 2 or 4.
const SHOWN: [([u8; 4], usize); 256] = {
    let mut table = [([0; 4], 0); 256];
    let mut byte: u8 = 0;
    loop {
        let [high, low] = HEX[byte as usize];
        table[byte as usize] = match byte {
            b'\\' | b'\'' => ([b'\\', byte, 0, 0], 2),
            b' '..=b'~' => ([byte, 0, 0, 0], 1),
            _ => ([b'\\', b'x', high, low], 4),
        };
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Appends `bytes` as they are shown: printable ASCII as it is, but a backslash as `\\` and a
/// single quote as `\'`; every other byte as `\x` and two lower-case hex digits.
///
/// At most four bytes are appended for each.
pub(crate) fn put_shown(text: &mut Vec<u8>, bytes: &[u8]) {
    for step in bytes.chunks(STEP) {
        if is_plain(step) {
            text.extend_from_slice(step);
        } else {
            put_escaped(text, step);
        }
    }
}

/// Whether all of a step is shown as it is. One branch for all of it, so that the compiler
/// compares many bytes at once.
fn is_plain(step: &[u8]) -> bool {
    let needs_escape = |byte: u8| {
        u8::from(byte.wrapping_sub(b' ') > b'~' - b' ')
            | u8::from(byte == b'\\')
            | u8::from(byte == b'\'')
    };
    let any = |bytes: &[u8]| bytes.iter().fold(0, |any, &byte| any | needs_escape(byte));
    match <&[u8; STEP]>::try_from(step) {
        Ok(step) => any(step) == 0,
        Err(_) => any(step) == 0,
    }
}

/// Copies four bytes for each of a step's, of which only as many count as the table says.
fn put_escaped(text: &mut Vec<u8>, step: &[u8]) {
    let mut room = [0; 4 * STEP + 4];
    let mut length = 0;
    for &byte in step {
        let (shown, count) = &SHOWN[usize::from(byte)];
        if let Some(place) = room[length..].first_chunk_mut() {
            *place = *shown;
        }
        length += count;
    }
    text.extend_from_slice(&room[..length]);
}

/// Appends `bytes` as lower-case hex digits, two for each.
pub(crate) fn put_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    let start = text.len();
    text.resize(start + 2 * bytes.len(), 0);
    let (places, _) = text[start..].as_chunks_mut::<2>();
    for (place, &byte) in places.iter_mut().zip(bytes) {
        *place = HEX[usize::from(byte)];
    }
}

/// `bytes` as a string: shown, or in hex.
#[cfg(test)]
pub(crate) fn spelled(bytes: &[u8], hex: bool) -> String {
    let mut text = Vec::new();
    if hex {
        put_hex(&mut text, bytes);
    } else {
        put_shown(&mut text, bytes);
    }
    // Nothing but ASCII is ever appended.
    String::from_utf8_lossy(&text).into_owned()
}

/// Where text stands for no bytes, and what was expected there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotationError {
    /// The byte of the text, counted from 0.
    at: usize,
    expected: &'static str,
}

impl NotationError {
    pub(crate) fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected }
    }

    /// The same, of text that stands behind `bytes` bytes of other text.
    pub(crate) fn behind(self, bytes: usize) -> Self {
        Self::new(self.at + bytes, self.expected)
    }
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {} was expected", self.at + 1, self.expected)
    }
}

/// The bytes that are shown as `text`, as [`put_shown`] writes them.
///
/// Bytes that would be shown escaped may also stand for themselves: text in UTF-8 is its bytes,
/// and a single quote needs no backslash. Hex digits may be upper case.
pub(crate) fn parse_shown(text: &[u8]) -> Result<Vec<u8>, NotationError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(backslash) = rest.iter().position(|&byte| byte == b'\\') {
        bytes.extend_from_slice(&rest[..backslash]);
        let at = text.len() - rest.len() + backslash;
        let (byte, length) = match rest[backslash + 1..] {
            [byte @ (b'\\' | b'\''), ..] => (byte, 2),
            [b'x', ref digits @ ..] => (parse_pair(digits, at + 2)?, 4),
            _ => {
                let expected = r"`\\`, `\'`, or `\x` and two hex digits";
                return Err(NotationError { at, expected });
            }
        };
        bytes.push(byte);
        rest = &rest[backslash + length..];
    }
    bytes.extend_from_slice(rest);
    Ok(bytes)
}

/// The bytes that `text` stands for in hex: an even number of digits, lower or upper case.
pub(crate) fn parse_hex(text: &[u8]) -> Result<Vec<u8>, NotationError> {
    (0..text.len())
        .step_by(2)
        .map(|at| parse_pair(&text[at..], at))
        .collect()
}

/// The byte of the two hex digits that `text` begins with; it stands at `at`.
fn parse_pair(text: &[u8], at: usize) -> Result<u8, NotationError> {
    let digit = |i: usize| {
        let value = text.get(i).and_then(|&byte| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            b'A'..=b'F' => Some(byte - b'A' + 10),
            _ => None,
        });
        let expected = [
            "the first of two hex digits",
            "the second of two hex digits",
        ][i];
        value.ok_or(NotationError {
            at: at + i,
            expected,
        })
    };
    Ok(digit(0)? << 4 | digit(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As [`put_shown`] does, a byte at a time.
    fn shown_slowly(bytes: &[u8]) -> String {
        let show = |&byte: &u8| match byte {
            b'\\' => r"\\".to_owned(),
            b'\'' => r"\'".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        bytes.iter().map(show).collect()
    }

    #[test]
    fn known_bytes_are_shown_so() {
        assert_eq!(
            spelled(b"a\0'\\\xff~ \x7f\n", false),
            r"a\x00\'\\\xff~ \x7f\x0a"
        );
        assert_eq!(spelled(b"", false), "");
        assert_eq!(spelled(b"\x00\x0a\xff", true), "000aff");
    }

    #[test]
    fn every_byte_at_every_place_of_a_step_is_shown_and_read_back() {
        for byte in 0..=u8::MAX {
            for length in [1, STEP - 1, STEP, STEP + 1, 2 * STEP + 5] {
                for at in [0, length / 2, length - 1] {
                    let mut bytes = vec![b'k'; length];
                    bytes[at] = byte;
                    let shown = spelled(&bytes, false);
                    assert_eq!(shown, shown_slowly(&bytes));
                    assert_eq!(parse_shown(shown.as_bytes()).as_ref(), Ok(&bytes));
                    let hex = spelled(&bytes, true);
                    assert_eq!(parse_hex(hex.as_bytes()).as_ref(), Ok(&bytes));
                    assert_eq!(
                        parse_hex(hex.to_uppercase().as_bytes()).as_ref(),
                        Ok(&bytes)
                    );
                }
            }
        }
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(spelled(&all, false), shown_slowly(&all));
    }

    #[test]
    fn what_stands_for_itself_may_stand_as_it_is() {
        assert_eq!(parse_shown("don't".as_bytes()), Ok(b"don't".to_vec()));
        assert_eq!(
            parse_shown("Grüße".as_bytes()),
            Ok("Grüße".as_bytes().to_vec())
        );
        assert_eq!(parse_shown(br"\xFf"), Ok(vec![0xff]));
    }

    #[test]
    fn what_stands_for_no_bytes_is_refused_with_the_place() {
        let shown = |text: &[u8]| parse_shown(text).unwrap_err().to_string();
        assert_eq!(
            shown(br"ab\n"),
            r"byte 3: `\\`, `\'`, or `\x` and two hex digits was expected"
        );
        assert_eq!(
            shown(br"ab\"),
            r"byte 3: `\\`, `\'`, or `\x` and two hex digits was expected"
        );
        assert_eq!(
            shown(br"\\\xg0"),
            "byte 5: the first of two hex digits was expected"
        );
        assert_eq!(
            shown(br"\x0"),
            "byte 4: the second of two hex digits was expected"
        );
        let hex = |text: &[u8]| parse_hex(text).unwrap_err().to_string();
        assert_eq!(
            hex(b"abc"),
            "byte 4: the second of two hex digits was expected"
        );
        assert_eq!(
            hex(b"0xff"),
            "byte 2: the second of two hex digits was expected"
        );
        assert_eq!(
            hex("ü".as_bytes()),
            "byte 1: the first of two hex digits was expected"
        );
        assert_eq!(parse_hex(b""), Ok(vec![]));
    }
}

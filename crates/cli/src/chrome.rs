//! The strings of Chrome's local storage.
//!
//! A string is a byte that says how it is encoded, 0 for UTF-16LE and 1 for Latin-1, and its
//! characters. A value is a string. A key is `_`, the storage key (an origin, mostly), a zero byte
//! and a string; besides these there are `VERSION` and keys that begin with `META:` or
//! `METAACCESS:`, which hold no string.
//!
//! In text, a string is `latin1'…'` or `utf16'…'`, by its encoding, and bytes that are no string
//! are `'…'`, as [`notation`](crate::notation) shows them; a key is its bytes and its string, one
//! after the other: `'_https://app.example\x00'latin1'theme'`. In a string, a backslash is `\\`, a
//! single quote is `\'`, and what has no shape of its own, or is half of a surrogate pair, is
//! `\u{…}` with its number in hex. So no two byte strings have the same text.

use crate::notation::{NotationError, parse_shown};

/// A string's characters, as they are encoded: without the byte before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChromeString<'a> {
    Latin1(&'a [u8]),
    /// Little-endian, an even number of bytes.
    Utf16(&'a [u8]),
}

impl<'a> ChromeString<'a> {
    /// The string that `bytes` are, if they are one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (1, characters) => Some(Self::Latin1(characters)),
            (0, characters) if characters.len() % 2 == 0 => Some(Self::Utf16(characters)),
            _ => None,
        }
    }

    /// The encoding's name, in text and in JSON.
    pub(crate) fn encoding(self) -> &'static str {
        match self {
            Self::Latin1(_) => "latin1",
            Self::Utf16(_) => "utf16",
        }
    }

    /// The string in parts of at most `longest` bytes, which is even and at least 4. No surrogate
    /// pair is cut.
    pub(crate) fn parts(self, longest: usize) -> impl Iterator<Item = Self> {
        let mut rest = self;
        std::iter::from_fn(move || {
            let (Self::Latin1(bytes) | Self::Utf16(bytes)) = rest;
            if bytes.is_empty() {
                return None;
            }
            let mut length = bytes.len().min(longest);
            let ends_in_high_surrogate = matches!(rest, Self::Utf16(_))
                && bytes
                    .get(length - 1)
                    .is_some_and(|high| high & 0xfc == 0xd8);
            if ends_in_high_surrogate && length < bytes.len() {
                length -= 2;
            }
            let (part, after) = bytes.split_at(length);
            let part = rest.with(part);
            rest = rest.with(after);
            Some(part)
        })
    }

    /// The characters, and as numbers the halves of surrogate pairs that have no other half.
    pub(crate) fn characters(self) -> impl Iterator<Item = Result<char, u16>> {
        let (latin1, utf16): (&[u8], &[u8]) = match self {
            Self::Latin1(bytes) => (bytes, &[]),
            Self::Utf16(bytes) => (&[], bytes),
        };
        let units = utf16
            .as_chunks()
            .0
            .iter()
            .map(|&unit| u16::from_le_bytes(unit));
        let utf16 = char::decode_utf16(units)
            .map(|character| character.map_err(|half| half.unpaired_surrogate()));
        latin1.iter().map(|&byte| Ok(char::from(byte))).chain(utf16)
    }

    fn with<'b>(self, bytes: &'b [u8]) -> ChromeString<'b> {
        match self {
            Self::Latin1(_) => ChromeString::Latin1(bytes),
            Self::Utf16(_) => ChromeString::Utf16(bytes),
        }
    }
}

/// A key that a page gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChromeKey<'a> {
    /// `_`, the storage key and a zero byte.
    pub(crate) prefix: &'a [u8],
    /// The storage key alone.
    pub(crate) storage_key: &'a str,
    pub(crate) string: ChromeString<'a>,
}

impl<'a> ChromeKey<'a> {
    /// The key that `bytes` are, if they are one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let zero = bytes.iter().position(|&byte| byte == 0)?;
        let (prefix, string) = bytes.split_at(zero + 1);
        let storage_key = prefix[..zero].strip_prefix(b"_")?;
        Some(Self {
            prefix,
            storage_key: str::from_utf8(storage_key).ok()?,
            string: ChromeString::parse(string)?,
        })
    }
}

/// Appends characters as they stand in text between quotes.
pub(crate) fn put_characters(text: &mut Vec<u8>, string: ChromeString<'_>) {
    for character in string.characters() {
        match character {
            Ok(character @ ('\\' | '\'')) => {
                text.push(b'\\');
                put_char(text, character);
            }
            Ok(character) if has_shape(character) => put_char(text, character),
            Ok(character) => put_number(text, u32::from(character)),
            Err(half) => put_number(text, u32::from(half)),
        }
    }
}

/// Appends a character as it is, in UTF-8.
pub(crate) fn put_char(text: &mut Vec<u8>, character: char) {
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends the number of a character, or of half a surrogate pair.
pub(crate) fn put_number(text: &mut Vec<u8>, number: u32) {
    text.extend_from_slice(format!("\\u{{{number:x}}}").as_bytes());
}

/// Whether a character shows what it is: not a control character, one that turns the direction of
/// writing, an unassigned one, or a space that looks like another.
fn has_shape(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    // Debug's own rule, behind a letter: after one, marks that join it are shown.
    character.is_alphanumeric()
        || String::from_iter(['a', character])
            .escape_debug()
            .nth(2)
            .is_none()
}

/// The bytes that `text` stands for: parts in quotes, one after the other, as this module's first
/// lines say, or no quotes and all of it as [`parse_shown`] takes it.
pub(crate) fn parse_chrome(text: &str) -> Result<Vec<u8>, NotationError> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let Some((kind, inside)) = split_opening(rest) else {
            if at == 0 {
                return parse_shown(text.as_bytes());
            }
            return Err(NotationError::new(at, "`'`, `latin1'` or `utf16'`"));
        };
        let start = text.len() - inside.len();
        let (length, after) =
            split_closing(inside).ok_or_else(|| NotationError::new(text.len(), "a closing `'`"))?;
        let part = &inside[..length];
        match kind {
            Kind::Bytes => {
                let part = parse_shown(part.as_bytes()).map_err(|error| error.behind(start))?;
                bytes.extend_from_slice(&part);
            }
            Kind::Latin1 => parse_latin1(part, start, &mut bytes)?,
            Kind::Utf16 => parse_utf16(part, start, &mut bytes)?,
        }
        rest = after;
    }
    Ok(bytes)
}

/// The text between a pair of quotes.
enum Kind {
    Bytes,
    Latin1,
    Utf16,
}

fn split_opening(text: &str) -> Option<(Kind, &str)> {
    let strip = |opening, kind| Some((kind, text.strip_prefix(opening)?));
    strip("'", Kind::Bytes)
        .or_else(|| strip("latin1'", Kind::Latin1))
        .or_else(|| strip("utf16'", Kind::Utf16))
}

/// Where the quote is that ends `inside`, and what follows it.
fn split_closing(inside: &str) -> Option<(usize, &str)> {
    let mut is_escaped = false;
    for (i, byte) in inside.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'\'' => return Some((i, &inside[i + 1..])),
            _ => {}
        }
    }
    None
}

fn parse_latin1(part: &str, start: usize, bytes: &mut Vec<u8>) -> Result<(), NotationError> {
    bytes.push(1);
    parse_characters(part, start, |at, number| {
        let byte =
            u8::try_from(number).map_err(|_| NotationError::new(at, "a character of Latin-1"))?;
        bytes.push(byte);
        Ok(())
    })
}

fn parse_utf16(part: &str, start: usize, bytes: &mut Vec<u8>) -> Result<(), NotationError> {
    bytes.push(0);
    parse_characters(part, start, |at, number| {
        let mut units = [0; 2];
        match (char::from_u32(number), u16::try_from(number)) {
            (Some(character), _) => {
                for unit in character.encode_utf16(&mut units) {
                    bytes.extend_from_slice(&unit.to_le_bytes());
                }
            }
            (None, Ok(half)) => bytes.extend_from_slice(&half.to_le_bytes()),
            (None, Err(_)) => return Err(NotationError::new(at, "a character's number")),
        }
        Ok(())
    })
}

/// Calls `take` with the place and the number of each character of `part`, which begins at
/// `start`.
fn parse_characters(
    part: &str,
    start: usize,
    mut take: impl FnMut(usize, u32) -> Result<(), NotationError>,
) -> Result<(), NotationError> {
    let mut rest = part;
    while let Some(character) = rest.chars().next() {
        let at = start + part.len() - rest.len();
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            take(at, u32::from(character))?;
        } else if let Some(after) = rest.strip_prefix(['\\', '\'']) {
            take(at, rest.bytes().next().map_or(0, u32::from))?;
            rest = after;
        } else {
            let expected = r"`\\`, `\'`, or `\u{` with a number in hex and `}`";
            let wrong = || NotationError::new(at, expected);
            let (digits, after) = rest
                .strip_prefix("u{")
                .and_then(|rest| rest.split_once('}'))
                .filter(|(digits, _)| !digits.starts_with('+'))
                .ok_or_else(wrong)?;
            take(at, u32::from_str_radix(digits, 16).map_err(|_| wrong())?)?;
            rest = after;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        std::iter::once(0).chain(units).collect()
    }

    fn shown(bytes: &[u8]) -> String {
        let string = ChromeString::parse(bytes).unwrap();
        let mut text = Vec::new();
        put_characters(&mut text, string);
        format!(
            "{}'{}'",
            string.encoding(),
            String::from_utf8(text).unwrap()
        )
    }

    #[test]
    fn the_first_byte_says_how_a_string_is_encoded() {
        assert_eq!(shown(b"\x01dark"), "latin1'dark'");
        assert_eq!(
            shown(b"\x01Gr\xfc\xdfe \\ it's\n"),
            r"latin1'Grüße \\ it\'s\u{a}'"
        );
        assert_eq!(shown(&utf16("Grüße €")), "utf16'Grüße €'");
        assert_eq!(shown(&utf16("🦀")), "utf16'🦀'");
        assert_eq!(shown(b"\0"), "utf16''");
        for bytes in [&b""[..], b"\0a", b"\x02ab", b"dark"] {
            assert_eq!(ChromeString::parse(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn characters_that_do_not_show_themselves_are_numbers() {
        assert_eq!(shown(b"\0\x00\xd8a\0"), r"utf16'\u{d800}a'");
        assert_eq!(shown(b"\0\x00\xdc\x00\xd8"), r"utf16'\u{dc00}\u{d800}'");
        assert_eq!(
            shown(b"\x01\x7f\x85\xa0\xad"),
            r"latin1'\u{7f}\u{85}\u{a0}\u{ad}'"
        );
        assert_eq!(shown(&utf16("a\u{202e}b")), r"utf16'a\u{202e}b'");
        assert_eq!(shown(&utf16("हिन्दी")), "utf16'हिन्दी'");
    }

    #[test]
    fn a_key_is_an_origin_and_a_string() {
        let key = ChromeKey::parse(b"_https://app.example\0\x01theme").unwrap();
        assert_eq!(key.prefix, b"_https://app.example\0");
        assert_eq!(key.storage_key, "https://app.example");
        assert_eq!(key.string, ChromeString::Latin1(b"theme"));
        for bytes in [
            &b"META:https://app.example"[..],
            b"VERSION",
            b"_https://app.example\0",
            b"_https://app.example\0\0x",
            b"_\xff\0\x01x",
            b"https://app.example\0\x01theme",
        ] {
            assert_eq!(ChromeKey::parse(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn parts_are_the_whole_and_cut_no_pair() {
        let bytes = utf16("a🦀🦀b🦀\u{0}c");
        let whole = ChromeString::parse(&bytes).unwrap();
        for longest in [4, 6, 8, 10, 100] {
            let characters = whole.parts(longest).flat_map(ChromeString::characters);
            assert!(characters.eq(whole.characters()), "{longest}");
        }
        let lone = ChromeString::Utf16(&[0, 0xd8, 0, 0xd8, 0, 0xd8]);
        let halves: Vec<_> = lone.parts(4).flat_map(ChromeString::characters).collect();
        assert_eq!(halves, [Err(0xd800); 3]);
        let latin1 = ChromeString::Latin1(b"abcdefg");
        assert_eq!(latin1.parts(4).count(), 2);
    }

    #[test]
    fn text_is_read_back_as_the_bytes() {
        let read = |text: &str| parse_chrome(text).unwrap();
        assert_eq!(
            read(r"'_https://app.example\x00'latin1'theme'"),
            b"_https://app.example\0\x01theme"
        );
        assert_eq!(
            read(r"_https://app.example\x00\x01it's"),
            b"_https://app.example\0\x01it's"
        );
        assert_eq!(read("utf16'Grüße 🦀'"), utf16("Grüße 🦀"));
        assert_eq!(read(r"utf16'\u{d800}\u{dc00}'"), utf16("\u{10000}"));
        assert_eq!(read(r"latin1'\u{a}\'\\'"), b"\x01\n'\\");
        assert_eq!(read(""), b"");
        for unit in 0..=u16::MAX {
            let [low, high] = unit.to_le_bytes();
            let bytes = [0, b'a', 0, low, high];
            assert_eq!(read(&shown(&bytes)), bytes);
        }
        for byte in 0..=u8::MAX {
            assert_eq!(read(&shown(&[1, byte])), [1, byte]);
        }
    }

    #[test]
    fn text_that_stands_for_nothing_is_refused_with_the_place() {
        let error = |text: &str| parse_chrome(text).unwrap_err().to_string();
        assert_eq!(error("latin1'a"), "byte 9: a closing `'` was expected");
        assert_eq!(
            error("'a' b"),
            "byte 4: `'`, `latin1'` or `utf16'` was expected"
        );
        assert_eq!(
            error("latin1'a€'"),
            "byte 9: a character of Latin-1 was expected"
        );
        let escape = r"`\\`, `\'`, or `\u{` with a number in hex and `}` was expected";
        assert_eq!(error(r"utf16'\x00'"), format!("byte 7: {escape}"));
        assert_eq!(error(r"utf16'\u{+1}'"), format!("byte 7: {escape}"));
        assert_eq!(
            error(r"utf16'\u{110000}'"),
            "byte 7: a character's number was expected"
        );
        let hex = "byte 5: the first of two hex digits was expected";
        assert_eq!(error(r"'a\xg'"), hex);
    }
}

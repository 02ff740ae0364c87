//! One line an entry: text, JSON and CSV.

use std::io::{self, Write};

use crate::chrome::{ChromeKey, ChromeString, put_char, put_characters, put_number};
use crate::notation::{put_hex, put_shown};

/// An entry, and where it was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) sequence: u64,
    pub(crate) is_deletion: bool,
    pub(crate) key: &'a [u8],
    /// Empty for a deletion.
    pub(crate) value: &'a [u8],
    /// The name of the file.
    pub(crate) file: &'a str,
    /// Where in the file the block or the record begins that holds the entry.
    pub(crate) offset: u64,
    /// Whether the manifest says that the file is part of the database; `None` without a manifest.
    pub(crate) live: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `'KEY' @ SEQUENCE : put => 'VALUE'` or `'KEY' @ SEQUENCE : del`, and behind it
    /// ` (not live: FILE)` where that is so.
    Text,
    /// An object a line. Keys and values are in hex, whatever the notation;
    /// [`Notation::Chrome`] adds `key_text` and `value_text`.
    Json,
    /// A header and a record a line, quoted as RFC 4180 has it; lines end with a line feed alone.
    Csv,
}

/// How keys and values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// As [`put_shown`] shows them.
    Shown,
    Hex,
    /// As strings of Chrome's local storage, where they are such: see [`crate::chrome`].
    Chrome,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: Format,
    pub(crate) notation: Notation,
    /// Leave the values out.
    pub(crate) keys_only: bool,
}

/// Writes entries, each on a line of its own.
///
/// Memory is independent of the entries' sizes: at most some 200 KiB. The first line is out when
/// [`write`](Self::write) returns; later ones wait for each other, up to 32 KiB of them.
#[derive(Debug)]
pub(crate) struct Lines<W> {
    output: W,
    /// Bytes that have not been written yet.
    buffer: Vec<u8>,
    style: Style,
    is_first: bool,
}

/// How much waits to be written, at most, when a line is done.
const WAITING: usize = 32 << 10;

/// How many bytes of a key or a value are written together.
const PART: usize = 16 << 10;

impl<W: Write> Lines<W> {
    pub(crate) fn new(output: W, style: Style) -> Self {
        let header: &[u8] = match (style.format, style.keys_only) {
            (Format::Csv, false) => b"sequence,type,key,value,file,offset,live\n",
            (Format::Csv, true) => b"sequence,type,key,file,offset,live\n",
            (Format::Text | Format::Json, _) => b"",
        };
        Self {
            output,
            buffer: header.to_vec(),
            style,
            is_first: true,
        }
    }

    pub(crate) fn write(&mut self, item: &Item<'_>) -> io::Result<()> {
        match self.style.format {
            Format::Text => self.text(item)?,
            Format::Json => self.json(item)?,
            Format::Csv => self.csv(item)?,
        }
        self.buffer.push(b'\n');
        if std::mem::take(&mut self.is_first) {
            return self.flush();
        }
        self.spill()
    }

    /// Writes what waits. To be called in the end, also where reading failed.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        self.output.flush()
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.buffer.len() >= WAITING {
            self.output.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn text(&mut self, item: &Item<'_>) -> io::Result<()> {
        self.quoted(Part::Key(item.key))?;
        self.put(" @ ");
        put_decimal(&mut self.buffer, item.sequence);
        self.put(" : ");
        self.put(type_name(item));
        if !item.is_deletion && !self.style.keys_only {
            self.put(" => ");
            self.quoted(Part::Value(item.value))?;
        }
        if item.live == Some(false) {
            self.put(" (not live: ");
            put_name(&mut self.buffer, item.file);
            self.put(")");
        }
        Ok(())
    }

    fn json(&mut self, item: &Item<'_>) -> io::Result<()> {
        self.put("{\"sequence\":");
        put_decimal(&mut self.buffer, item.sequence);
        self.put(",\"type\":\"");
        self.put(type_name(item));
        self.put("\",\"key\":\"");
        self.hex(item.key)?;
        if !self.style.keys_only {
            self.put("\",\"value\":\"");
            self.hex(item.value)?;
        }
        self.put("\",\"file\":");
        put_json_string(&mut self.buffer, item.file);
        self.put(",\"offset\":");
        put_decimal(&mut self.buffer, item.offset);
        self.put(",\"live\":");
        self.put(match item.live {
            Some(true) => "true",
            Some(false) => "false",
            None => "null",
        });
        if self.style.notation == Notation::Chrome {
            self.put(",\"key_text\":");
            self.chrome_json(Part::Key(item.key))?;
            if !self.style.keys_only {
                self.put(",\"value_text\":");
                self.chrome_json(Part::Value(item.value))?;
            }
        }
        self.put("}");
        Ok(())
    }

    fn csv(&mut self, item: &Item<'_>) -> io::Result<()> {
        put_decimal(&mut self.buffer, item.sequence);
        self.put(",");
        self.put(type_name(item));
        self.put(",");
        self.csv_field(Part::Key(item.key))?;
        self.put(",");
        if !self.style.keys_only {
            if !item.is_deletion {
                self.csv_field(Part::Value(item.value))?;
            }
            self.put(",");
        }
        let is_quoted = item.file.contains([',', '"', '\n', '\r']);
        let start = self.open_csv(is_quoted);
        self.put(item.file);
        self.close_csv(is_quoted, start);
        self.put(",");
        put_decimal(&mut self.buffer, item.offset);
        self.put(match item.live {
            Some(true) => ",true",
            Some(false) => ",false",
            None => ",",
        });
        Ok(())
    }

    /// A key or a value in single quotes, or as Chrome's strings.
    fn quoted(&mut self, part: Part<'_>) -> io::Result<()> {
        self.pieces(part, true, |_, _| ())
    }

    /// A key or a value, as in text; without the quotes around it, where it can be but bytes.
    fn csv_field(&mut self, part: Part<'_>) -> io::Result<()> {
        let (Part::Key(bytes) | Part::Value(bytes)) = part;
        // Escaped bytes hold neither, so the bytes say whether the text does. Chrome's UTF-16
        // may spell them with other bytes beside; then they are here, too.
        let is_quoted = self.style.notation != Notation::Hex
            && bytes
                .iter()
                .fold(false, |any, &byte| any | (byte == b',') | (byte == b'"'));
        self.open_csv(is_quoted);
        let has_quotes = self.style.notation == Notation::Chrome;
        if is_quoted {
            self.pieces(part, has_quotes, double_quotes)?;
            self.put("\"");
            return Ok(());
        }
        self.pieces(part, has_quotes, |_, _| ())
    }

    fn open_csv(&mut self, is_quoted: bool) -> usize {
        if is_quoted {
            self.put("\"");
        }
        self.buffer.len()
    }

    fn close_csv(&mut self, is_quoted: bool, start: usize) {
        if is_quoted {
            double_quotes(&mut self.buffer, start);
            self.put("\"");
        }
    }

    /// Writes a key or a value in pieces, and has `finish` finish each piece, which is what the
    /// buffer holds from a position on.
    fn pieces(
        &mut self,
        part: Part<'_>,
        has_quotes: bool,
        finish: impl Fn(&mut Vec<u8>, usize),
    ) -> io::Result<()> {
        let (bytes, string) = match self.style.notation {
            Notation::Chrome => part.split(),
            Notation::Shown | Notation::Hex => (part.bytes(), None),
        };
        let quote = if has_quotes { "'" } else { "" };
        if string.is_none() || !bytes.is_empty() {
            self.put(quote);
            for piece in bytes.chunks(PART) {
                let start = self.buffer.len();
                match self.style.notation {
                    Notation::Hex => put_hex(&mut self.buffer, piece),
                    Notation::Shown | Notation::Chrome => put_shown(&mut self.buffer, piece),
                }
                finish(&mut self.buffer, start);
                self.spill()?;
            }
            self.put(quote);
        }
        if let Some(string) = string {
            self.put(string.encoding());
            self.put("'");
            for piece in string.parts(PART) {
                let start = self.buffer.len();
                put_characters(&mut self.buffer, piece);
                finish(&mut self.buffer, start);
                self.spill()?;
            }
            self.put("'");
        }
        Ok(())
    }

    fn hex(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PART) {
            put_hex(&mut self.buffer, piece);
            self.spill()?;
        }
        Ok(())
    }

    /// What Chrome's strings say, or null: `{"storage_key":…,"encoding":"latin1","text":…}`, the
    /// storage key for keys alone. Half a surrogate pair, which JSON can't hold, is U+FFFD.
    fn chrome_json(&mut self, part: Part<'_>) -> io::Result<()> {
        let (_, Some(string)) = part.split() else {
            self.put("null");
            return Ok(());
        };
        self.put("{");
        if let Part::Key(bytes) = part {
            self.put("\"storage_key\":");
            match ChromeKey::parse(bytes) {
                Some(key) => put_json_string(&mut self.buffer, key.storage_key),
                None => self.put("null"),
            }
            self.put(",");
        }
        self.put("\"encoding\":\"");
        self.put(string.encoding());
        self.put("\",\"text\":\"");
        self.string(string, put_json_char)?;
        self.put("\"}");
        Ok(())
    }

    /// The characters of a string, each as `put` appends it.
    fn string(
        &mut self,
        string: ChromeString<'_>,
        put: impl Fn(&mut Vec<u8>, char),
    ) -> io::Result<()> {
        for piece in string.parts(PART) {
            for character in piece.characters() {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                put(&mut self.buffer, character);
            }
            self.spill()?;
        }
        Ok(())
    }
}

/// Writes a value alone, as `get` does, and a line feed.
///
/// Shown and hex are as in a line of text, without the quotes. A string of Chrome's is its text in
/// UTF-8, as it is, and its encoding is returned; half a surrogate pair is U+FFFD. What is no
/// string is shown as bytes, between quotes.
pub(crate) fn write_value(
    output: impl Write,
    value: &[u8],
    notation: Notation,
) -> io::Result<Option<&'static str>> {
    let style = Style {
        format: Format::Text,
        notation,
        keys_only: false,
    };
    let mut lines = Lines::new(output, style);
    let string = match notation {
        Notation::Chrome => ChromeString::parse(value),
        Notation::Shown | Notation::Hex => None,
    };
    match string {
        Some(string) => lines.string(string, put_char)?,
        None => lines.pieces(Part::Value(value), notation == Notation::Chrome, |_, _| ())?,
    }
    lines.put("\n");
    lines.flush()?;
    Ok(string.map(ChromeString::encoding))
}

/// A key or a value.
#[derive(Clone, Copy)]
enum Part<'a> {
    Key(&'a [u8]),
    Value(&'a [u8]),
}

impl<'a> Part<'a> {
    fn bytes(self) -> &'a [u8] {
        let (Self::Key(bytes) | Self::Value(bytes)) = self;
        bytes
    }

    /// What is shown as bytes, and the string of Chrome's after it.
    fn split(self) -> (&'a [u8], Option<ChromeString<'a>>) {
        let key = match self {
            Self::Key(bytes) => ChromeKey::parse(bytes),
            Self::Value(_) => None,
        };
        match (key, ChromeString::parse(self.bytes())) {
            (Some(key), _) => (key.prefix, Some(key.string)),
            (None, Some(string)) => (&[], Some(string)),
            (None, None) => (self.bytes(), None),
        }
    }
}

fn type_name(item: &Item<'_>) -> &'static str {
    if item.is_deletion { "del" } else { "put" }
}

fn put_decimal(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        // A remainder by ten fits any integer.
        digits[start] += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            return text.extend_from_slice(&digits[start..]);
        }
    }
}

/// Appends the name of a file, of which nothing ends the line.
fn put_name(text: &mut Vec<u8>, name: &str) {
    for character in name.chars() {
        match character.is_control() {
            true => put_number(text, u32::from(character)),
            false => put_char(text, character),
        }
    }
}

/// Doubles the double quotes that `text` holds from `start` on.
fn double_quotes(text: &mut Vec<u8>, start: usize) {
    let quotes = text[start..].iter().filter(|&&byte| byte == b'"').count();
    let (mut from, mut to) = (text.len(), text.len() + quotes);
    text.resize(to, 0);
    while to > from {
        from -= 1;
        to -= 1;
        text[to] = text[from];
        if text[from] == b'"' {
            to -= 1;
            text[to] = b'"';
        }
    }
}

fn put_json_string(text: &mut Vec<u8>, string: &str) {
    text.push(b'"');
    for character in string.chars() {
        put_json_char(text, character);
    }
    text.push(b'"');
}

fn put_json_char(text: &mut Vec<u8>, character: char) {
    match character {
        '"' | '\\' => {
            text.push(b'\\');
            put_char(text, character);
        }
        ..' ' => text.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes()),
        _ => put_char(text, character),
    }
}

#[cfg(test)]
mod tests;

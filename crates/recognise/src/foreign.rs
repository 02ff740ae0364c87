//! Files of other formats that are found where LevelDB's are looked for.

use strata_files::{FileKind, parse_file_name};
use strata_wal::HEADER_SIZE;

use crate::Content;

/// Where a signature stands, what it is, and what it is the signature of.
type Signature = (usize, &'static [u8], &'static str);

/// A page of LMDB or Berkeley DB begins with its number and more; hence the offsets.
const SIGNATURES: &[Signature] = &[
    (0, b"version https://git-lfs.github.com/spec/", LFS),
    (0, b"version https://hawser.github.com/spec/", LFS),
    (0, b"\x1f\x8b\x08", "gzip: decompress it first"),
    (0, b"\x28\xb5\x2f\xfd", "zstd: decompress it first"),
    (0, b"\xfd7zXZ\0", "xz: decompress it first"),
    (0, b"\x04\x22\x4d\x18", "lz4: decompress it first"),
    (0, b"BZh", "bzip2: decompress it first"),
    (
        0,
        b"PK\x03\x04",
        "a zip archive (a .mcworld is one, too): unpack it first",
    ),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (0, b"Rar!\x1a\x07", "a RAR archive: unpack it first"),
    (257, b"ustar", "a tar archive: unpack it first"),
    (
        0,
        b"SQLite format 3\0",
        "a database of SQLite 3, not of LevelDB",
    ),
    (
        0,
        b"\x37\x7f\x06\x82",
        "a write-ahead log of SQLite, not of LevelDB",
    ),
    (
        0,
        b"\x37\x7f\x06\x83",
        "a write-ahead log of SQLite, not of LevelDB",
    ),
    (
        16,
        b"\xde\xc0\xef\xbe",
        "a database of LMDB, not of LevelDB",
    ),
    (
        12,
        b"\x61\x15\x06\0",
        "a database of Berkeley DB, not of LevelDB",
    ),
    (
        12,
        b"\x62\x31\x05\0",
        "a database of Berkeley DB, not of LevelDB",
    ),
    (
        0,
        b"\0\x05\x16\x07",
        "an AppleDouble file, which macOS puts beside the file itself",
    ),
    (0, b"bplist00", "a property list of macOS"),
    (
        0,
        b"Cr24",
        "an extension of Chrome as it is installed, not what it stores",
    ),
    (0, b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
    (0, b"\xff\xd8\xff", "an image (JPEG)"),
    (0, b"GIF8", "an image (GIF)"),
    (8, b"WEBP", "an image (WebP)"),
    (0, b"%PDF-", "a PDF"),
    (0, b"\x7fELF", "a program (ELF)"),
];

const LFS: &str = "a Git LFS pointer: the file itself was not checked out; run `git lfs pull`";

/// The magic number at the end of RocksDB's tables.
const ROCKSDB_MAGIC: [u8; 8] = 0x88e2_41b7_85f4_cff7_u64.to_le_bytes();

/// The kind of a file by a signature, or by text in a form that is one.
pub(crate) fn by_signature(head: &[u8], tail: &[u8]) -> Option<Content> {
    if tail.ends_with(&ROCKSDB_MAGIC) {
        return Some(Content::Foreign("a table of RocksDB, not of LevelDB"));
    }
    if is_current(head) {
        return Some(Content::Current);
    }
    if is_message(head) {
        return Some(Content::InfoLog);
    }
    let stands = |&&(at, signature, _): &&Signature| {
        head.get(at..)
            .is_some_and(|bytes| bytes.starts_with(signature))
    };
    let (_, _, what) = SIGNATURES.iter().find(stands)?;
    Some(Content::Foreign(what))
}

/// Whether it is the name of a manifest, on a line of its own or at least alone.
fn is_current(head: &[u8]) -> bool {
    let line = head.strip_suffix(b"\n").unwrap_or(head);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let name = str::from_utf8(line).unwrap_or_default();
    matches!(parse_file_name(name), Some((_, FileKind::Manifest)))
}

/// Whether it begins as LevelDB's messages do: `2024/01/02-03:04:05.678901 7f0 `.
fn is_message(head: &[u8]) -> bool {
    const FORM: &[u8] = b"0000/00/00-00:00:00.000000 ";
    head.len() > FORM.len()
        && FORM.iter().zip(head).all(|(form, byte)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => form == byte,
        })
}

/// What a file is that holds nothing but text, or nothing but zeros, as far as is known.
pub(crate) fn by_text(head: &[u8], tail: &[u8]) -> Option<Content> {
    if head.iter().chain(tail).all(|&byte| byte == 0) {
        return Some(Content::Zeros);
    }
    let start = head.trim_ascii_start();
    let begins = |with: &[u8]| {
        let beginning = start.get(..with.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(with))
    };
    if begins(b"<!doctype html") || begins(b"<html") {
        let what = "an HTML page: the download gave a page, not the file";
        return Some(Content::Foreign(what));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Some(Content::Foreign("text in UTF-16"));
    }
    // The seventh byte of a log, which may end before it, is none of text.
    let is_text =
        head.len() >= HEADER_SIZE && is_text(head) && is_text(after_partial_character(tail));
    is_text.then_some(Content::Foreign("text"))
}

/// Whether it is UTF-8, up to a character that is cut, and has no control characters but those
/// that text has.
fn is_text(bytes: &[u8]) -> bool {
    let is_utf8 = match str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    is_utf8 && !bytes.iter().any(is_control)
}

/// The bytes from the first on that can begin a character.
fn after_partial_character(bytes: &[u8]) -> &[u8] {
    let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
    let inside = bytes
        .iter()
        .take(3)
        .take_while(|byte| is_inside(byte))
        .count();
    &bytes[inside..]
}

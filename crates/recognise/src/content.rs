//! The kind of a file, told by its contents.
//!
//! People rename LevelDB's files, carve them from disks, pack them and check them out as Git LFS
//! pointers; a name says little. What is proved comes first: a record whose checksum holds where
//! a log begins, then a table's footer, then a record whose checksum holds further on, then a
//! table's first block whose checksum holds. Between these stand the signatures of other formats,
//! and after them what is merely likely.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use crate::foreign;
use crate::proof::{self, Recorded};

/// How many of a file's first bytes are looked at: two blocks of a log.
const HEAD: usize = 2 * strata_wal::BLOCK_SIZE;

/// How many of a file's last bytes are looked at.
const TAIL: usize = 32 << 10;

/// The kind of a file, told by its contents. `Display` says it in a few words: `a write-ahead log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// No byte at all.
    Empty,
    /// A table: its footer stands at the end.
    Table,
    /// A table without its end: its first block is proved by its checksum, or its footer stands
    /// before the end of the file, with other bytes behind it.
    TornTable,
    /// A write-ahead log: a record among its first is proved by its checksum.
    Log,
    /// Perhaps a log whose first record is cut or damaged: it begins with a fragment's
    /// header and a batch's, and no checksum proves a record.
    TornLog,
    /// A manifest: its first records are version edits.
    Manifest,
    /// A `CURRENT` file, which holds the name of a manifest.
    Current,
    /// LevelDB's messages, the file named `LOG`: text for people.
    InfoLog,
    /// Zeros, at both ends at least: space that was set aside and not written, or that was lost.
    Zeros,
    /// Something else, and what: `gzip: decompress it first`.
    Foreign(&'static str),
    /// The contents don't tell. A table may be like this whose first block is long or damaged and whose
    /// end is missing; a log may, whose beginning is missing. Then the name's extension is the
    /// best there is to go by.
    Unknown,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty file",
            Self::Table => "a table",
            Self::TornTable => "a table without its end",
            Self::Log => "a write-ahead log",
            Self::TornLog => {
                "a log that begins with a cut or damaged record and holds no whole one"
            }
            Self::Manifest => "a manifest",
            Self::Current => "a CURRENT file, which holds the name of a manifest",
            Self::InfoLog => "LevelDB's messages for people (its LOG), which hold no entries",
            Self::Zeros => "zeros: what was written here is lost, or nothing was",
            Self::Foreign(what) => what,
            Self::Unknown => "neither a table nor a log, nor any other format that is known here",
        })
    }
}

/// Recognises a file of `length` bytes by its first 64 KiB and its last 32 KiB; nothing else is
/// read, and where `source` then stands is unspecified.
///
/// What there is no proof of is [`Unknown`](Content::Unknown). A file that is cut or damaged is
/// recognised as far as its head has a record or a block whose checksum holds.
///
/// Time: two checksums of the head, mostly; a head made to be slow costs some tenths of a second.
///
/// ```
/// use std::io::Cursor;
///
/// use strata_recognise::{Content, recognise};
///
/// let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 54551\n";
/// let content = recognise(Cursor::new(pointer), pointer.len() as u64)?;
/// assert_eq!(
///     content.to_string(),
///     "a Git LFS pointer: the file itself was not checked out; run `git lfs pull`"
/// );
///
/// let mut log = Vec::new();
/// strata_wal::Writer::new(&mut log).add_record(b"\x01\0\0\0\0\0\0\0\x01\0\0\0\x00\x01k")?;
/// assert_eq!(recognise(Cursor::new(&log), log.len() as u64)?, Content::Log);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The source's error. A file that is shorter than `length` is recognised by what there is.
pub fn recognise(mut source: impl Read + Seek, length: u64) -> io::Result<Content> {
    let mut head = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if head.len() < HEAD {
        return Ok(recognise_ends(&head, &head, true));
    }
    let mut tail = Vec::new();
    let start = length.saturating_sub(TAIL as u64);
    source.seek(SeekFrom::Start(start))?;
    source.take(TAIL as u64).read_to_end(&mut tail)?;
    let is_whole = length <= HEAD as u64;
    Ok(recognise_ends(&head, &tail, is_whole))
}

/// Recognises a file by its first and last bytes; `is_whole` if the first are all there are.
fn recognise_ends(head: &[u8], tail: &[u8], is_whole: bool) -> Content {
    if head.is_empty() {
        return Content::Empty;
    }
    let recorded = proof::first_record(head, is_whole);
    if let Some((kind, 0)) = recorded {
        return kind.content();
    }
    if proof::ends_with_footer(tail) {
        return Content::Table;
    }
    // A block that zstd compressed begins with the signature of zstd.
    if head.starts_with(b"\x28\xb5\x2f\xfd") && proof::begins_with_block(head) {
        return Content::TornTable;
    }
    if let Some(content) = foreign::by_signature(head, tail) {
        return content;
    }
    if let Some((kind, _)) = recorded {
        return kind.content();
    }
    if proof::has_footer(tail) || proof::begins_with_block(head) {
        return Content::TornTable;
    }
    if let Some(content) = foreign::by_text(head, tail) {
        return content;
    }
    match proof::looks_like_batch(head) {
        true => Content::TornLog,
        false => Content::Unknown,
    }
}

impl Recorded {
    fn content(self) -> Content {
        match self {
            Self::Batch | Self::Other => Content::Log,
            Self::Edit => Content::Manifest,
        }
    }
}

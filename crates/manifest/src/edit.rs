//! A change of a database's files.

use std::collections::BTreeSet;

use strata_dbformat::{InternalKey, SequenceNumber};

use crate::{EncodeError, Level, MalformedEdit, decode, encode};

/// A table, as a manifest notes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileMetadata {
    /// The number in its name.
    pub number: u64,
    /// How long the file is, in bytes.
    pub bytes: u64,
    /// Its first internal key.
    pub smallest: InternalKey,
    /// Its last internal key.
    pub largest: InternalKey,
}

/// A change of a database's files and numbers: one record of a manifest.
///
/// What is `None` is not changed. A record is a sequence of fields, each a varint32 tag and what
/// the tag says:
///
/// | tag | field | encoded as |
/// |---|---|---|
/// | 1 | [`comparator`](Self::comparator) | varint32 length, bytes |
/// | 2 | [`log_number`](Self::log_number) | varint64 |
/// | 9 | [`previous_log_number`](Self::previous_log_number) | varint64 |
/// | 3 | [`next_file_number`](Self::next_file_number) | varint64 |
/// | 4 | [`last_sequence`](Self::last_sequence) | varint64 |
/// | 5 | one of [`compact_pointers`](Self::compact_pointers) | varint32 level; varint32 length, internal key |
/// | 6 | one of [`deleted_files`](Self::deleted_files) | varint32 level, varint64 number |
/// | 7 | one of [`new_files`](Self::new_files) | varint32 level, varint64 number, varint64 bytes; twice varint32 length, internal key |
///
/// They are written in this order, which is LevelDB's, and read in any. `Display` is what
/// LevelDB's `leveldbutil dump` prints for an edit, newline included; but bytes of the
/// comparator's name that can't be shown are escaped.
///
/// ```
/// use strata_dbformat::SequenceNumber;
/// use strata_manifest::VersionEdit;
///
/// let edit = VersionEdit {
///     comparator: Some(b"leveldb.BytewiseComparator".to_vec()),
///     log_number: Some(3),
///     last_sequence: Some(SequenceNumber::new(300)?),
///     ..VersionEdit::default()
/// };
/// let record = edit.encode()?;
/// assert_eq!(record, b"\x01\x1aleveldb.BytewiseComparator\x02\x03\x04\xac\x02");
/// assert_eq!(VersionEdit::decode(&record)?, edit);
/// assert_eq!(
///     edit.to_string(),
///     "VersionEdit {\n  Comparator: leveldb.BytewiseComparator\n  LogNumber: 3\n  LastSeq: 300\n}\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionEdit {
    /// The name of the comparator that keys are sorted by.
    pub comparator: Option<Vec<u8>>,
    /// Logs with smaller numbers than this are in tables.
    pub log_number: Option<u64>,
    /// A log that is needed although its number is smaller. 0 stands for none; only versions of
    /// LevelDB of 2011 wrote another.
    pub previous_log_number: Option<u64>,
    /// A number larger than that of any file so far.
    pub next_file_number: Option<u64>,
    /// The largest sequence number in the tables, or a larger one.
    pub last_sequence: Option<SequenceNumber>,
    /// Where the next compaction of a level begins: behind this key.
    pub compact_pointers: Vec<(Level, InternalKey)>,
    /// Tables that are no longer there, by level and number.
    pub deleted_files: BTreeSet<(Level, u64)>,
    /// Tables that are new. One that is deleted from the same level in the same edit is there.
    pub new_files: Vec<(Level, FileMetadata)>,
}

impl VersionEdit {
    /// The edit that a manifest's record holds.
    ///
    /// LevelDB accepts more in two places, and writes it in neither: internal keys of any bytes
    /// but none, and last sequence numbers past the largest.
    ///
    /// # Errors
    ///
    /// [`MalformedEdit`] where the bytes are wrong.
    pub fn decode(record: &[u8]) -> Result<Self, MalformedEdit> {
        decode::decode(record)
    }

    /// The record's bytes, which are LevelDB's.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] for an empty key, and for a key or a name that is too long to be written.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        encode::encode(self)
    }
}

//! Edits to bytes.

use std::error::Error;
use std::fmt;

use strata_coding::{SliceTooLong, put_length_prefixed_slice, put_varint32, put_varint64};
use strata_dbformat::InternalKey;

use crate::{Level, VersionEdit};

/// The numbers that say what follows in a record.
pub(crate) mod tag {
    pub(crate) const COMPARATOR: u32 = 1;
    pub(crate) const LOG_NUMBER: u32 = 2;
    pub(crate) const NEXT_FILE_NUMBER: u32 = 3;
    pub(crate) const LAST_SEQUENCE: u32 = 4;
    pub(crate) const COMPACT_POINTER: u32 = 5;
    pub(crate) const DELETED_FILE: u32 = 6;
    pub(crate) const NEW_FILE: u32 = 7;
    // 8 was for references to large values, which no released LevelDB wrote.
    pub(crate) const PREVIOUS_LOG_NUMBER: u32 = 9;
}

/// Why an edit can't be written.
///
/// ```
/// use strata_manifest::{EncodeError, FileMetadata, Level, VersionEdit};
///
/// let mut edit = VersionEdit::default();
/// edit.new_files.push((Level::ZERO, FileMetadata::default()));
/// assert_eq!(edit.encode(), Err(EncodeError::EmptyKey));
/// assert_eq!(
///     EncodeError::EmptyKey.to_string(),
///     "the edit has an empty internal key, which no LevelDB reads"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// An internal key is empty: that of a compaction pointer, or the first or last of a file.
    EmptyKey,
    /// An internal key or the comparator's name is too long.
    TooLong(SliceTooLong),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyKey => {
                f.write_str("the edit has an empty internal key, which no LevelDB reads")
            }
            Self::TooLong(error) => error.fmt(f),
        }
    }
}

impl Error for EncodeError {}

impl From<SliceTooLong> for EncodeError {
    fn from(error: SliceTooLong) -> Self {
        Self::TooLong(error)
    }
}

pub(crate) fn encode(edit: &VersionEdit) -> Result<Vec<u8>, EncodeError> {
    let mut record = Vec::new();
    if let Some(comparator) = &edit.comparator {
        put_varint32(&mut record, tag::COMPARATOR);
        put_length_prefixed_slice(&mut record, comparator)?;
    }
    let last_sequence = edit.last_sequence.map(u64::from);
    for (tag, number) in [
        (tag::LOG_NUMBER, edit.log_number),
        (tag::PREVIOUS_LOG_NUMBER, edit.previous_log_number),
        (tag::NEXT_FILE_NUMBER, edit.next_file_number),
        (tag::LAST_SEQUENCE, last_sequence),
    ] {
        if let Some(number) = number {
            put_varint32(&mut record, tag);
            put_varint64(&mut record, number);
        }
    }
    for (level, key) in &edit.compact_pointers {
        put_level(&mut record, tag::COMPACT_POINTER, *level);
        put_key(&mut record, key)?;
    }
    for (level, number) in &edit.deleted_files {
        put_level(&mut record, tag::DELETED_FILE, *level);
        put_varint64(&mut record, *number);
    }
    for (level, file) in &edit.new_files {
        put_level(&mut record, tag::NEW_FILE, *level);
        put_varint64(&mut record, file.number);
        put_varint64(&mut record, file.bytes);
        put_key(&mut record, &file.smallest)?;
        put_key(&mut record, &file.largest)?;
    }
    Ok(record)
}

fn put_level(record: &mut Vec<u8>, tag: u32, level: Level) {
    put_varint32(record, tag);
    put_varint32(record, u32::from(level.get()));
}

fn put_key(record: &mut Vec<u8>, key: &InternalKey) -> Result<(), EncodeError> {
    if key.encode().is_empty() {
        return Err(EncodeError::EmptyKey);
    }
    Ok(put_length_prefixed_slice(record, key.encode())?)
}

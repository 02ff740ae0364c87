//! Bytes to edits.

use strata_coding::{DecodeError, get_length_prefixed_slice, get_varint32, get_varint64};
use strata_dbformat::{InternalKey, SequenceNumber};

use crate::encode::tag;
use crate::{EditFault, Expected, FileMetadata, Level, MalformedEdit, VersionEdit};

/// The rest of a record.
struct Fields<'a> {
    rest: &'a [u8],
    /// Where the value that was read last begins, from the record's end.
    value: usize,
}

type Read<T> = Result<T, Expected>;

impl<'a> Fields<'a> {
    /// Takes one value, or leaves `value` where it begins.
    fn take<T>(
        &mut self,
        get: impl FnOnce(&'a [u8]) -> Result<(T, &'a [u8]), DecodeError>,
        expected: Expected,
    ) -> Read<T> {
        self.value = self.rest.len();
        let (value, rest) = get(self.rest).map_err(|_| expected)?;
        self.rest = rest;
        Ok(value)
    }

    fn number(&mut self) -> Read<u64> {
        self.take(get_varint64, Expected::Number)
    }

    fn sequence(&mut self) -> Read<SequenceNumber> {
        let sequence = self.take(get_varint64, Expected::SequenceNumber)?;
        SequenceNumber::new(sequence).map_err(|_| Expected::SequenceNumber)
    }

    fn level(&mut self) -> Read<Level> {
        let level = self.take(get_varint32, Expected::Level)?;
        let level = u8::try_from(level).ok().and_then(Level::new);
        level.ok_or(Expected::Level)
    }

    fn name(&mut self) -> Read<Vec<u8>> {
        let name = self.take(get_length_prefixed_slice, Expected::Name)?;
        Ok(name.to_vec())
    }

    fn key(&mut self) -> Read<InternalKey> {
        let key = self.take(get_length_prefixed_slice, Expected::InternalKey)?;
        InternalKey::decode(key).map_err(|_| Expected::InternalKey)
    }

    fn file(&mut self) -> Read<FileMetadata> {
        Ok(FileMetadata {
            number: self.number()?,
            bytes: self.number()?,
            smallest: self.key()?,
            largest: self.key()?,
        })
    }
}

pub(crate) fn decode(record: &[u8]) -> Result<VersionEdit, MalformedEdit> {
    let mut edit = VersionEdit::default();
    let mut fields = Fields {
        rest: record,
        value: 0,
    };
    while !fields.rest.is_empty() {
        decode_field(&mut fields, &mut edit).map_err(|(fault, expected)| MalformedEdit {
            fault,
            offset: record.len() - fields.value,
            expected,
        })?;
    }
    Ok(edit)
}

fn decode_field(
    fields: &mut Fields<'_>,
    edit: &mut VersionEdit,
) -> Result<(), (EditFault, Expected)> {
    let tag = fields
        .take(get_varint32, Expected::Tag)
        .map_err(|expected| (EditFault::InvalidTag, expected))?;
    let (fault, read) = match tag {
        tag::COMPARATOR => (
            EditFault::Comparator,
            fields.name().map(|name| edit.comparator = Some(name)),
        ),
        tag::LOG_NUMBER => (
            EditFault::LogNumber,
            fields.number().map(|number| edit.log_number = Some(number)),
        ),
        tag::PREVIOUS_LOG_NUMBER => (
            EditFault::PreviousLogNumber,
            fields
                .number()
                .map(|number| edit.previous_log_number = Some(number)),
        ),
        tag::NEXT_FILE_NUMBER => (
            EditFault::NextFileNumber,
            fields
                .number()
                .map(|number| edit.next_file_number = Some(number)),
        ),
        tag::LAST_SEQUENCE => (
            EditFault::LastSequence,
            fields
                .sequence()
                .map(|sequence| edit.last_sequence = Some(sequence)),
        ),
        tag::COMPACT_POINTER => (
            EditFault::CompactPointer,
            with_level(fields, Fields::key).map(|pointer| edit.compact_pointers.push(pointer)),
        ),
        tag::DELETED_FILE => (
            EditFault::DeletedFile,
            with_level(fields, Fields::number).map(|file| {
                edit.deleted_files.insert(file);
            }),
        ),
        tag::NEW_FILE => (
            EditFault::NewFile,
            with_level(fields, Fields::file).map(|file| edit.new_files.push(file)),
        ),
        unknown => (EditFault::UnknownTag(unknown), Err(Expected::Tag)),
    };
    read.map_err(|expected| (fault, expected))
}

fn with_level<'a, T>(
    fields: &mut Fields<'a>,
    read: impl FnOnce(&mut Fields<'a>) -> Read<T>,
) -> Read<(Level, T)> {
    Ok((fields.level()?, read(fields)?))
}

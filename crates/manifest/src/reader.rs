//! The edits of a manifest, one by one.

use std::fmt;
use std::io::{self, Read};

use strata_wal::{Reader, Report};

use crate::{MalformedEdit, VersionEdit};

/// A record of a manifest, and where it is in the file.
///
/// `Display` is what LevelDB's `leveldbutil dump` prints for it.
///
/// ```
/// use strata_manifest::{EditRecord, VersionEdit};
///
/// let edit = VersionEdit { log_number: Some(3), ..VersionEdit::default() };
/// let record = EditRecord { offset: 50, end: 59, edit: Ok(edit) };
/// assert_eq!(record.to_string(), "--- offset 50; VersionEdit {\n  LogNumber: 3\n}\n");
///
/// let record = EditRecord { offset: 50, end: 59, edit: VersionEdit::decode(b"\x08") };
/// assert_eq!(record.to_string(), "--- offset 50; Corruption: VersionEdit: unknown tag\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRecord {
    /// The file offset where the record begins.
    pub offset: u64,
    /// The file offset after the record.
    pub end: u64,
    /// The edit, or why it is none.
    pub edit: Result<VersionEdit, MalformedEdit>,
}

/// Something in a manifest that is no edit, told as a reader comes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestReport {
    /// Bytes that hold no record, as the log's reader says.
    Log(Report),
    /// A whole record that is no edit. None of it is used.
    Malformed {
        /// The file offset where the record begins.
        offset: u64,
        /// How many bytes of the file it takes.
        bytes: u64,
        /// The fault.
        error: MalformedEdit,
    },
}

impl fmt::Display for ManifestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(report) => report.fmt(f),
            Self::Malformed {
                offset,
                bytes,
                error,
            } => write!(f, "dropped {bytes} bytes at offset {offset}: {error}"),
        }
    }
}

/// Reads the edits of a manifest, in the order they were made.
///
/// A manifest is a log whose records are edits. Damage is taken as the log's reader takes it. It
/// holds one block of the file and one record at a time.
///
/// ```
/// use strata_manifest::{ManifestReader, ManifestReport, ManifestWriter, VersionEdit};
///
/// let edit = VersionEdit { log_number: Some(3), ..VersionEdit::default() };
/// let mut writer = ManifestWriter::new(Vec::new());
/// writer.add(&edit)?;
/// let manifest = writer.into_inner();
///
/// let mut report = |report: ManifestReport| panic!("{report}");
/// let mut reader = ManifestReader::new(&manifest[..]);
/// let record = reader.next_edit(&mut report)?.expect("there is one");
/// assert_eq!((record.offset, record.edit), (0, Ok(edit)));
/// assert_eq!(reader.next_edit(&mut report)?, None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ManifestReader<R> {
    log: Reader<R>,
}

impl<R: Read> ManifestReader<R> {
    /// A reader of the manifest that begins where `source` stands. The source needs no buffer.
    #[must_use]
    pub fn new(source: R) -> Self {
        Self {
            log: Reader::new(source),
        }
    }

    /// The next record, or `None` at the end. What lies before it and is no record is told to
    /// `report`, and so is a record that is no edit.
    ///
    /// # Errors
    ///
    /// The error of the source's `read`. After it there are no more records.
    pub fn next_edit(
        &mut self,
        report: &mut dyn FnMut(ManifestReport),
    ) -> io::Result<Option<EditRecord>> {
        let mut from_log = |said: Report| report(ManifestReport::Log(said));
        let Some(record) = self.log.read_record(&mut from_log)? else {
            return Ok(None);
        };
        let (offset, end) = (record.offset, record.end);
        let edit = VersionEdit::decode(record.data).inspect_err(|error| {
            report(ManifestReport::Malformed {
                offset,
                bytes: end - offset,
                error: *error,
            });
        });
        Ok(Some(EditRecord { offset, end, edit }))
    }
}

//! A manifest's edits, folded into one version.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};

use strata_dbformat::escape;
use strata_wal::{Cause, Dropped, PassedOver, Report};

use crate::{EditRecord, MalformedEdit, ManifestReader, ManifestReport, Version};

/// A manifest that was read to its end: the version its edits add up to, and how far to trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedManifest {
    /// The sum of the edits that could be read.
    pub version: Version,
    /// How many edits these were.
    pub edits: u64,
    /// Why the version is not the database's. LevelDB refuses to open the database then.
    pub unusable: Option<Unusable>,
    /// Where a torn record begins that the file's end cuts: bytes from the file's beginning. The
    /// process or the machine died while the edit was written, so it had not been made: the version
    /// is the database's without it.
    pub torn_at: Option<u64>,
}

impl FoldedManifest {
    /// The version, if it is the database's.
    ///
    /// # Errors
    ///
    /// [`Unusable`] if it is not.
    pub fn into_usable(self) -> Result<Version, Unusable> {
        match self.unusable {
            None => Ok(self.version),
            Some(unusable) => Err(unusable),
        }
    }
}

/// Why what a manifest's edits add up to is not the database: the first reason that was met.
///
/// `Display` says it with LevelDB's words, where it has some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unusable {
    /// Bytes of the manifest are lost, and with them edits.
    Dropped(Dropped),
    /// Zeros lie before an edit. LevelDB passes over them in silence, and so over what was there.
    Zeros(PassedOver),
    /// A record is no edit.
    Malformed {
        /// The file offset where the record begins.
        offset: u64,
        /// The fault.
        error: MalformedEdit,
    },
    /// Two edits name different comparators, one of which LevelDB would refuse.
    TwoComparators {
        /// The file offset where the second edit's record begins.
        offset: u64,
        /// The name before.
        before: Vec<u8>,
        /// The name in that edit.
        after: Vec<u8>,
    },
    /// No edit has a next file number.
    NoNextFileNumber,
    /// No edit has a log number.
    NoLogNumber,
    /// No edit has a last sequence number.
    NoLastSequence,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(dropped) => dropped.fmt(f),
            Self::Zeros(zeros) => write!(f, "{zeros}, where edits should be"),
            Self::Malformed { offset, error } => {
                write!(f, "the record at offset {offset} is no edit: {error}")
            }
            Self::TwoComparators {
                offset,
                before,
                after,
            } => write!(
                f,
                "{} does not match existing comparator {}: the edit at offset {offset}",
                escape(after),
                escape(before)
            ),
            Self::NoNextFileNumber => f.write_str("no meta-nextfile entry in descriptor"),
            Self::NoLogNumber => f.write_str("no meta-lognumber entry in descriptor"),
            Self::NoLastSequence => f.write_str("no last-sequence-number entry in descriptor"),
        }
    }
}

impl Error for Unusable {}

impl Version {
    /// Reads a manifest to its end and folds its edits into the version of the last.
    ///
    /// Losses are told to `report`. The result says whether the version is the database's all
    /// the same, by the rules that LevelDB opens a database by: a torn record at the end is none,
    /// and anything else that is lost means that some edits are missing, so that what is live is
    /// not known. Whether the comparator is one that the caller has is for the caller to say.
    ///
    /// It holds one record at a time, and the files of the version.
    ///
    /// ```
    /// use strata_dbformat::SequenceNumber;
    /// use strata_manifest::{ManifestWriter, Unusable, Version, VersionEdit};
    ///
    /// let mut writer = ManifestWriter::new(Vec::new());
    /// writer.add(&VersionEdit {
    ///     log_number: Some(3),
    ///     next_file_number: Some(5),
    ///     last_sequence: Some(SequenceNumber::new(9)?),
    ///     ..VersionEdit::default()
    /// })?;
    /// writer.add(&VersionEdit { log_number: Some(5), ..VersionEdit::default() })?;
    /// let mut manifest = writer.into_inner();
    ///
    /// let folded = Version::read(&manifest[..], &mut |report| panic!("{report}"))?;
    /// assert_eq!((folded.version.log_number, folded.edits, folded.torn_at), (5, 2, None));
    ///
    /// // The second edit was being written when the machine stopped.
    /// let torn = Version::read(&manifest[..14], &mut |report| eprintln!("{report}"))?;
    /// assert_eq!((torn.version.log_number, torn.torn_at), (3, Some(13)));
    /// assert_eq!(torn.unusable, None);
    ///
    /// // The first is damaged.
    /// manifest[9] ^= 1;
    /// let folded = Version::read(&manifest[..], &mut |report| eprintln!("{report}"))?;
    /// assert!(matches!(folded.unusable, Some(Unusable::Dropped(dropped)) if dropped.offset == 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the source's `read`.
    pub fn read(
        source: impl Read,
        report: &mut dyn FnMut(ManifestReport),
    ) -> io::Result<FoldedManifest> {
        let mut fold = Fold::default();
        let mut reader = ManifestReader::new(source);
        loop {
            let mut heard = |said: ManifestReport| {
                fold.hear(&said);
                report(said);
            };
            let Some(record) = reader.next_edit(&mut heard)? else {
                return Ok(fold.finish());
            };
            fold.add(record);
        }
    }
}

#[derive(Default)]
struct Fold {
    version: Version,
    edits: u64,
    /// Where the last record began.
    last_offset: u64,
    has_log_number: bool,
    has_next_file_number: bool,
    has_last_sequence: bool,
    unusable: Option<Unusable>,
    torn_at: Option<u64>,
    /// The first zeros that were passed over. What follows them may be read before they are told of.
    zeros: Option<PassedOver>,
}

impl Fold {
    fn hear(&mut self, said: &ManifestReport) {
        match *said {
            ManifestReport::Log(Report::Dropped(dropped)) => {
                self.refuse(Unusable::Dropped(dropped));
            }
            ManifestReport::Log(Report::PassedOver(passed)) => match passed.cause {
                Cause::TornTail => self.torn_at = Some(passed.offset),
                Cause::Zeros => {
                    self.zeros.get_or_insert(passed);
                }
                _ => {}
            },
            // Lengths are mended in salvage only.
            ManifestReport::Log(_) => {}
            ManifestReport::Malformed { offset, error, .. } => {
                self.refuse(Unusable::Malformed { offset, error });
            }
        }
    }

    /// Only the first reason is kept.
    fn refuse(&mut self, unusable: Unusable) {
        self.unusable.get_or_insert(unusable);
    }

    fn add(&mut self, record: EditRecord) {
        self.last_offset = record.offset;
        let Ok(edit) = record.edit else {
            return;
        };
        if let (Some(before), Some(after)) = (&self.version.comparator, &edit.comparator)
            && before != after
        {
            let (before, after) = (before.clone(), after.clone());
            self.refuse(Unusable::TwoComparators {
                offset: record.offset,
                before,
                after,
            });
        }
        self.edits += 1;
        self.has_log_number |= edit.log_number.is_some();
        self.has_next_file_number |= edit.next_file_number.is_some();
        self.has_last_sequence |= edit.last_sequence.is_some();
        self.version.apply(edit);
    }

    fn finish(mut self) -> FoldedManifest {
        if let Some(zeros) = self.zeros
            && zeros.offset < self.last_offset
        {
            self.refuse(Unusable::Zeros(zeros));
        }
        for (is_there, missing) in [
            (self.has_next_file_number, Unusable::NoNextFileNumber),
            (self.has_log_number, Unusable::NoLogNumber),
            (self.has_last_sequence, Unusable::NoLastSequence),
        ] {
            if !is_there {
                self.refuse(missing);
            }
        }
        FoldedManifest {
            version: self.version,
            edits: self.edits,
            unusable: self.unusable,
            torn_at: self.torn_at,
        }
    }
}

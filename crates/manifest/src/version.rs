//! The parts of a database.

use std::collections::BTreeMap;

use strata_dbformat::{InternalKey, SequenceNumber};
use strata_files::FileKind;

use crate::{FileMetadata, Level, VersionEdit};

/// The parts of a database: its tables by level, and its numbers.
///
/// [`apply`](Self::apply) makes the next version of one; [`read`](Self::read) makes the last of a
/// manifest's edits.
///
/// ```
/// use strata_files::FileKind;
/// use strata_manifest::{FileMetadata, Level, Version, VersionEdit};
///
/// let mut edit = VersionEdit { log_number: Some(7), ..VersionEdit::default() };
/// let file = |number| FileMetadata { number, ..FileMetadata::default() };
/// edit.new_files = vec![(Level::ZERO, file(5)), (Level::ZERO, file(6))];
/// let mut version = Version::default();
/// version.apply(edit);
///
/// let mut edit = VersionEdit::default();
/// edit.deleted_files.insert((Level::ZERO, 5));
/// version.apply(edit);
/// let tables: Vec<u64> = version.files().map(|(_, file)| file.number).collect();
/// assert_eq!(tables, [6]);
/// assert_eq!(version.is_live(FileKind::Table, 5), Some(false));
/// assert_eq!(version.is_live(FileKind::Log, 7), Some(true));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// The name of the comparator that keys are sorted by, if an edit has it. LevelDB opens a
    /// database with a comparator of this name alone.
    pub comparator: Option<Vec<u8>>,
    /// Logs with smaller numbers than this are in tables.
    pub log_number: u64,
    /// A log that is needed although its number is smaller; 0 if there is none.
    pub previous_log_number: u64,
    /// A number larger than that of any file when the last edit was made.
    pub next_file_number: u64,
    /// The largest sequence number in the tables, or a larger one.
    pub last_sequence: SequenceNumber,
    compact_pointers: BTreeMap<Level, InternalKey>,
    files: BTreeMap<(Level, u64), FileMetadata>,
}

impl Version {
    /// The tables of all levels, from level 0 on, in each by their numbers.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = (Level, &FileMetadata)> {
        self.files.iter().map(|((level, _), file)| (*level, file))
    }

    /// The tables of a level, by their numbers. O(log n) to begin with.
    pub fn level(&self, level: Level) -> impl DoubleEndedIterator<Item = &FileMetadata> {
        self.files
            .range((level, 0)..=(level, u64::MAX))
            .map(|(_, file)| file)
    }

    /// The table with this number, and the level it is in. O(log n).
    #[must_use]
    pub fn file(&self, number: u64) -> Option<(Level, &FileMetadata)> {
        Level::all().find_map(|level| Some((level, self.files.get(&(level, number))?)))
    }

    /// Where the next compaction of a level begins: behind this key. `None`: at its beginning.
    #[must_use]
    pub fn compact_pointer(&self, level: Level) -> Option<&InternalKey> {
        self.compact_pointers.get(&level)
    }

    /// Whether the database needs the file of this kind and number, if it is there:
    ///
    /// - a table, if the version has it in a level;
    /// - a log, if its number is `log_number` or larger, or is `previous_log_number`: newer logs
    ///   than the manifest knows of are live;
    /// - a temporary file, never;
    /// - a manifest: `None`, for that is for [`CURRENT`](crate::read_current) to say.
    ///
    /// Takes O(levels · log n).
    #[must_use]
    pub fn is_live(&self, kind: FileKind, number: u64) -> Option<bool> {
        match kind {
            FileKind::Table => Some(self.file(number).is_some()),
            FileKind::Log => Some(number >= self.log_number || number == self.previous_log_number),
            FileKind::Temporary => Some(false),
            FileKind::Manifest => None,
        }
    }

    /// Makes this the version that `edit` makes of it: first files are deleted, then added.
    ///
    /// Deleting one that is not there does nothing. Of two files of a number in a level, the one
    /// that was added last is kept. (LevelDB, which writes no such edits, keeps both.)
    pub fn apply(&mut self, edit: VersionEdit) {
        if edit.comparator.is_some() {
            self.comparator = edit.comparator;
        }
        let Self {
            log_number,
            previous_log_number,
            next_file_number,
            ..
        } = self;
        for (number, new) in [
            (log_number, edit.log_number),
            (previous_log_number, edit.previous_log_number),
            (next_file_number, edit.next_file_number),
        ] {
            *number = new.unwrap_or(*number);
        }
        self.last_sequence = edit.last_sequence.unwrap_or(self.last_sequence);
        self.compact_pointers.extend(edit.compact_pointers);
        for file in &edit.deleted_files {
            self.files.remove(file);
        }
        for (level, file) in edit.new_files {
            self.files.insert((level, file.number), file);
        }
    }

    /// The edit that makes this version of nothing: the first of a new manifest.
    ///
    /// LevelDB puts the numbers into an edit of their own behind it; together they say the same.
    #[must_use]
    pub fn snapshot(&self) -> VersionEdit {
        VersionEdit {
            comparator: self.comparator.clone(),
            log_number: Some(self.log_number),
            previous_log_number: Some(self.previous_log_number),
            next_file_number: Some(self.next_file_number),
            last_sequence: Some(self.last_sequence),
            compact_pointers: self
                .compact_pointers
                .iter()
                .map(|(level, key)| (*level, key.clone()))
                .collect(),
            deleted_files: [].into(),
            new_files: self
                .files()
                .map(|(level, file)| (level, file.clone()))
                .collect(),
        }
    }
}

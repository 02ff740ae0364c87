//! Which files there are, what each of them is, and which of them are live.

mod findings;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use strata_dbformat::{InternalKey, SequenceNumber};
use strata_files::{CURRENT, FileKind, parse_file_name};
use strata_manifest::Version;

use crate::manifest_state::{ManifestState, find_manifest, open_file};
use crate::{DatabaseError, Loss, Note, Report};
use strata_recognise::{Content, recognise};
use strata_table::ReadAt;

/// A LevelDB directory as it lies, or one file of such a directory.
///
/// Making one lists the directory, looks into the head and the end of each file and reads the
/// manifest. Nothing is opened to be written, and no lock is taken, so it can be done beside a
/// program that has the database open; what that program writes meanwhile may be missing.
///
/// ```
/// use strata_database::{Database, StoredKind};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let logs = database.files().iter().filter(|file| file.kind == StoredKind::Log);
/// assert_eq!(logs.map(|log| &log.name[..]).collect::<Vec<_>>(), ["000003.log"]);
/// assert_eq!(database.comparator_name(), Some(&b"leveldb.BytewiseComparator"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    files: Vec<StoredFile>,
    manifest: ManifestState,
    /// The number of the manifest that `CURRENT` names.
    manifest_number: Option<u64>,
    /// Whether the end of the manifest cuts an edit.
    is_torn: bool,
    /// Losses that are known before anything is read.
    losses: Vec<Loss>,
    notes: Vec<Note>,
}

/// A file, and what it is.
///
/// ```
/// use strata_database::{Content, Database, Standing};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let log = &database.files()[3];
/// assert_eq!((&log.name[..], log.bytes, log.number), ("000003.log", 5658, Some(3)));
/// assert_eq!((log.content, log.standing), (Content::Log, Standing::Live));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredFile {
    /// Its name, with � for what is not Unicode.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// The number in its name, if it has one of LevelDB's names.
    pub number: Option<u64>,
    /// What it is.
    pub kind: StoredKind,
    /// What it holds, as its head and its end tell.
    pub content: Content,
    /// What it is to the database.
    pub standing: Standing,
    /// The level it is in, and its smallest and largest internal key, if the manifest says.
    pub(crate) placed: Option<(usize, InternalKey, InternalKey)>,
}

/// What a file is, by what it holds; where that does not tell, by its name.
///
/// ```
/// use strata_database::{Database, StoredKind};
///
/// // A Git LFS pointer under the name of a table is none.
/// let directory = tempfile::tempdir()?;
/// let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 54551\n";
/// std::fs::write(directory.path().join("000003.ldb"), pointer)?;
/// let database = Database::open(directory.path())?;
/// let StoredKind::Other(what) = &database.files()[0].kind else { unreachable!() };
/// assert!(what.starts_with("a Git LFS pointer"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredKind {
    /// A table, be it one without its end.
    Table,
    /// A write-ahead log, or a file under the name of one whose head could be damaged.
    Log,
    /// A manifest.
    Manifest,
    /// Something else, in words.
    Other(String),
}

/// The part that a file has in the database.
///
/// ```
/// use strata_database::{Database, Standing};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let standing = |name| database.files().iter().find(|file| file.name == name).map(|file| file.standing);
/// assert_eq!(standing("000003.log"), Some(Standing::Live));
/// assert_eq!(standing("writes.tsv"), Some(Standing::Ignored));
///
/// // Without the manifest nobody can say.
/// let directory = tempfile::tempdir()?;
/// std::fs::copy(sample.join("000003.log"), directory.path().join("000003.log"))?;
/// let database = Database::open(directory.path())?;
/// assert_eq!(database.files()[0].standing, Standing::Unlisted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// The database uses it.
    Live,
    /// A compaction or a flush has replaced it, and nobody has deleted it yet; or it was finished
    /// and the manifest does not name it yet.
    Obsolete,
    /// A table that was not written to its end, which LevelDB leaves when it is closed during a
    /// compaction.
    Unfinished,
    /// There is no manifest that could say, or the edit that could is cut.
    Unlisted,
    /// It was named by the caller.
    Named,
    /// It is not part of a database, or not under a name of LevelDB's.
    Ignored,
}

impl Database {
    /// What is in the directory at `path`.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Io`] if the directory can't be listed. A file that can't be read is a loss,
    /// which is told when entries are read.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let found = find_manifest(path);
        let mut database = Self {
            path: path.to_owned(),
            files: Vec::new(),
            manifest: found.state,
            manifest_number: found.number,
            is_torn: found.note.is_some(),
            losses: Vec::new(),
            notes: found.note.into_iter().collect(),
        };
        if let ManifestState::Unusable { why, .. } = &database.manifest {
            let what = format!("{why}, so every table and log is read");
            database.note(CURRENT, &what);
        }
        let unreadable = |source| DatabaseError::Io {
            action: "list",
            path: path.to_owned(),
            source,
        };
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            database.look_at(name, entry.path());
        }
        database
            .files
            .sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
        database.find_missing();
        Ok(database)
    }

    /// The file at `path`, called `name` in reports, whatever its name and its standing are. The
    /// manifest beside it, if there is one, says how the keys are ordered.
    ///
    /// ```
    /// use strata_database::Database;
    ///
    /// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
    /// let log = Database::of_file(&sample.join("000003.log"), "a log")?;
    /// assert_eq!(log.files()[0].name, "a log");
    /// let text = Database::of_file(&sample.join("writes.tsv"), "writes.tsv").unwrap_err();
    /// assert_eq!(text.to_string(), "writes.tsv is neither a table nor a log: it looks like text");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Io`] if the file can't be read, [`DatabaseError::NothingToRead`] if it is
    /// neither a table nor a log, with what it looks like.
    pub fn of_file(path: &Path, name: &str) -> Result<Self, DatabaseError> {
        let unreadable = |source| DatabaseError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let bytes = fs::metadata(path).map_err(unreadable)?.len();
        let beside = path.parent().unwrap_or(Path::new("."));
        let manifest = match find_manifest(beside).state {
            ManifestState::Unusable {
                comparator: None, ..
            } => ManifestState::Absent,
            manifest => manifest,
        };
        let file = open_file(path).map_err(unreadable)?;
        let content = recognise(&file, bytes).map_err(unreadable)?;
        let kind = kind_of(&content, name);
        if let StoredKind::Other(found) = &kind {
            let why = format!("{name} is neither a table nor a log: it looks like {found}");
            return Err(DatabaseError::NothingToRead { why });
        }
        let file = StoredFile {
            name: name.to_owned(),
            path: path.to_owned(),
            bytes,
            number: parse_file_name(name).map(|(number, _)| number),
            kind,
            content,
            standing: Standing::Named,
            placed: None,
        };
        Ok(Self {
            path: path.to_owned(),
            files: vec![file],
            manifest,
            manifest_number: None,
            is_torn: false,
            losses: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// The directory, or the file that was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files, by their numbers and names; those without a number first.
    #[must_use]
    pub fn files(&self) -> &[StoredFile] {
        &self.files
    }

    /// Whether a manifest says which files are live.
    #[must_use]
    pub fn manifest(&self) -> &ManifestState {
        &self.manifest
    }

    /// The name of the comparator, if a manifest says.
    #[must_use]
    pub fn comparator_name(&self) -> Option<&[u8]> {
        match &self.manifest {
            ManifestState::Usable(version) => version.comparator.as_deref(),
            ManifestState::Unusable { comparator, .. } => comparator.as_deref(),
            ManifestState::Absent => None,
        }
    }

    /// The last sequence number that the manifest says was given out; 0 if it does not.
    #[must_use]
    pub fn last_sequence(&self) -> SequenceNumber {
        self.version()
            .map_or(SequenceNumber::ZERO, |version| version.last_sequence)
    }

    /// Whether an entry of this file is part of the database; `None` if nobody can say.
    #[must_use]
    pub fn is_live(&self, file: u32) -> Option<bool> {
        match self.files.get(file as usize)?.standing {
            Standing::Live => Some(true),
            Standing::Obsolete | Standing::Unfinished | Standing::Ignored => Some(false),
            Standing::Unlisted | Standing::Named => None,
        }
    }

    /// The things that were missing or odd when the directory was looked at.
    ///
    /// ```
    /// use strata_database::Database;
    ///
    /// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
    /// let mut found = Vec::new();
    /// Database::open(sample)?.report_findings(&mut |report| found.push(report.to_string()));
    /// assert_eq!(found, ["writes.tsv: ignored: it is text"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report_findings(&self, report: &mut dyn FnMut(Report)) {
        for note in &self.notes {
            report(Report::Noted(note.clone()));
        }
        for loss in &self.losses {
            report(Report::Lost(loss.clone()));
        }
    }

    /// The tables and logs to be read: the live ones, or all.
    pub(crate) fn readable(&self, all_files: bool) -> impl Iterator<Item = (u32, &StoredFile)> {
        (0..).zip(&self.files).filter(move |(_, file)| {
            let is_readable = matches!(file.kind, StoredKind::Table | StoredKind::Log);
            let is_selected = match file.standing {
                Standing::Live | Standing::Unlisted | Standing::Named => true,
                Standing::Obsolete | Standing::Unfinished => all_files,
                Standing::Ignored => false,
            };
            is_readable && is_selected
        })
    }

    /// How many bytes the files have that are to be read.
    #[must_use]
    pub fn bytes(&self, all_files: bool) -> u64 {
        self.readable(all_files).map(|(_, file)| file.bytes).sum()
    }

    /// Whether the manifest says that there are no tables, so that a directory without logs is an
    /// empty database.
    pub(crate) fn is_known_to_be_empty(&self) -> bool {
        self.version()
            .is_some_and(|version| version.files().next().is_none())
    }

    /// Where the manifest says a table is, and which internal keys it has.
    fn placed(
        &self,
        number: Option<u64>,
        standing: Standing,
    ) -> Option<(usize, InternalKey, InternalKey)> {
        if standing != Standing::Live {
            return None;
        }
        let (level, file) = self.version()?.file(number?)?;
        Some((
            usize::from(level.get()),
            file.smallest.clone(),
            file.largest.clone(),
        ))
    }

    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }

    pub(crate) fn version(&self) -> Option<&Version> {
        match &self.manifest {
            ManifestState::Usable(version) => Some(version),
            _ => None,
        }
    }

    /// Takes down a directory's entry.
    fn look_at(&mut self, name: String, path: PathBuf) {
        let metadata = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(metadata) => {
                let what = match metadata.is_dir() {
                    true => "a directory",
                    false => "no file: a pipe, a socket or a device",
                };
                return self.ignore(name, what);
            }
            Err(error) => return self.cannot_read(name, 0, &error),
        };
        let bytes = metadata.len();
        let named = parse_name(&name);
        let content = match open_file(&path).and_then(|file| self.content(&file, named, bytes)) {
            Ok(content) => content,
            Err(error) => return self.cannot_read(name, bytes, &error),
        };
        // Under a name of LevelDB's, a damaged head may be like that of another format.
        let kind = match (kind_of(&content, &name), named) {
            (StoredKind::Other(_), Some((_, FileKind::Log))) if bytes > 0 => StoredKind::Log,
            (kind, _) => kind,
        };
        let standing = self.standing(named, &kind, &content);
        self.say(&name, &kind, standing, named, bytes);
        let number = named.map(|(number, _)| number);
        let placed = self.placed(number, standing);
        self.files.push(StoredFile {
            name,
            path,
            bytes,
            number,
            kind,
            content,
            standing,
            placed,
        });
    }
}

impl Database {
    /// What a file is by what it holds. Of a table that is as long as the manifest says, and ends
    /// as a table does, nothing else is read: a database has thousands of them.
    fn content(
        &self,
        file: &File,
        named: Option<(u64, FileKind)>,
        bytes: u64,
    ) -> io::Result<Content> {
        if let Some((number, FileKind::Table)) = named
            && let Some((_, table)) = self.version().and_then(|version| version.file(number))
            && table.bytes == bytes
            && has_magic(file, bytes)?
        {
            return Ok(Content::Table);
        }
        recognise(file, bytes)
    }

    /// What a file with a name and contents like these is to the database.
    fn standing(
        &self,
        named: Option<(u64, FileKind)>,
        kind: &StoredKind,
        content: &Content,
    ) -> Standing {
        let Some((number, file_kind)) = named else {
            return Standing::Ignored;
        };
        let Some(version) = self.version() else {
            return match file_kind {
                FileKind::Temporary => Standing::Ignored,
                _ => Standing::Unlisted,
            };
        };
        match file_kind {
            FileKind::Temporary => Standing::Ignored,
            FileKind::Manifest if self.manifest_number == Some(number) => Standing::Live,
            _ if version.is_live(file_kind, number) == Some(true) => Standing::Live,
            FileKind::Table if *kind == StoredKind::Table && *content != Content::Table => {
                Standing::Unfinished
            }
            // The edit that is cut may have named it. If not, what it holds is in live files, too.
            FileKind::Table
                if self.is_torn
                    && number >= version.next_file_number
                    && *content == Content::Table =>
            {
                Standing::Unlisted
            }
            _ => Standing::Obsolete,
        }
    }
}

/// Whether a file of this length ends with a table's magic number.
fn has_magic(file: &File, bytes: u64) -> io::Result<bool> {
    let mut end = [0; 8];
    let Some(offset) = bytes.checked_sub(end.len() as u64) else {
        return Ok(false);
    };
    file.read_exact_at(&mut end, offset)?;
    Ok(end == TABLE_MAGIC)
}

/// The last eight bytes of a table.
const TABLE_MAGIC: [u8; 8] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];

/// A name's number and kind, also where letters have the other case, as some file systems have it.
fn parse_name(name: &str) -> Option<(u64, FileKind)> {
    parse_file_name(name).or_else(|| match name.split_once('.') {
        Some((number, extension)) => {
            parse_file_name(&format!("{number}.{}", extension.to_ascii_lowercase()))
        }
        None => None,
    })
}

/// What a file is by what it holds or, if that does not tell, by its name.
fn kind_of(content: &Content, name: &str) -> StoredKind {
    let extension = Path::new(name).extension().map(|extension| {
        extension
            .to_ascii_lowercase()
            .to_string_lossy()
            .into_owned()
    });
    let extension = extension.as_deref().unwrap_or_default();
    match (content, extension) {
        (Content::Table | Content::TornTable, _) => StoredKind::Table,
        (Content::Log | Content::TornLog, _) => StoredKind::Log,
        (Content::Manifest, _) => StoredKind::Manifest,
        (Content::Unknown | Content::Zeros, "ldb" | "sst") => StoredKind::Table,
        (Content::Unknown | Content::Zeros | Content::Empty, "log") => StoredKind::Log,
        (other, _) => StoredKind::Other(other.to_string()),
    }
}

//! The contents of a directory's manifest, if there is one that can be used.

use std::fs::File;
use std::io;
use std::path::Path;

use strata_files::{CURRENT, Directory, FileDirectory, FileKind, parse_file_name};
use strata_manifest::{Current, CurrentError, Version, read_current};

use crate::Note;

/// Whether a manifest says which files are live.
///
/// ```
/// use strata_database::{Database, ManifestState};
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// assert!(matches!(database.manifest(), ManifestState::Usable(version) if version.log_number == 3));
///
/// let empty = tempfile::tempdir()?;
/// let database = Database::open(empty.path())?;
/// let ManifestState::Unusable { why, .. } = database.manifest() else { unreachable!() };
/// assert_eq!(why, "there is no CURRENT file");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ManifestState {
    /// It does.
    Usable(Box<Version>),
    /// There is none that could be used.
    Unusable {
        /// Why.
        why: String,
        /// The comparator that it names all the same.
        comparator: Option<Vec<u8>>,
    },
    /// A single file was named, in a directory that is not a database.
    Absent,
}

/// The outcome of reading a directory's manifest.
pub(crate) struct ManifestFound {
    pub(crate) state: ManifestState,
    /// Its number, if `CURRENT` names one.
    pub(crate) number: Option<u64>,
    pub(crate) note: Option<Note>,
}

/// Reads the manifest that `CURRENT` names. Where `CURRENT` says nothing, as after a crash that left
/// it empty or full of zeros, that is the manifest with the highest number: LevelDB deletes those
/// before the one in use.
pub(crate) fn find_manifest(directory: &Path) -> ManifestFound {
    let unusable = |why, comparator, number| ManifestFound {
        state: ManifestState::Unusable { why, comparator },
        number,
        note: None,
    };
    let (current, doubt) = match read_current(&FileDirectory::new(directory)) {
        Ok(current) => (current, None),
        Err(error) => match newest_manifest(directory) {
            Some(newest) => (newest, Some(error)),
            None => return unusable(why(&error), None, None),
        },
    };
    let name = &current.name;
    let number = Some(current.number);
    let folded = open_file(&directory.join(name)).and_then(|file| Version::read(file, &mut |_| {}));
    let folded = match folded {
        Ok(folded) => folded,
        Err(error) => return unusable(format!("{name}: {error}"), None, number),
    };
    let torn = folded.torn_at.map(|offset| Note {
        file: name.clone(),
        offset: Some(offset),
        what: "the end of the file cuts an edit, as a crash leaves it".to_owned(),
        unread: 0,
    });
    let doubt = doubt.map(|error| Note {
        file: CURRENT.to_owned(),
        offset: None,
        what: format!(
            "{}; {name}, which has the highest number, is taken for the manifest",
            why(&error)
        ),
        unread: 0,
    });
    match folded.unusable {
        None => ManifestFound {
            state: ManifestState::Usable(Box::new(folded.version)),
            number,
            note: doubt.or(torn),
        },
        Some(reason) => unusable(
            format!("{name}: {reason}"),
            folded.version.comparator,
            number,
        ),
    }
}

/// Why `CURRENT` can't be used, in words for people.
fn why(error: &CurrentError) -> String {
    match error {
        CurrentError::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
            "there is no CURRENT file".to_owned()
        }
        error => error.to_string(),
    }
}

/// The manifest with the highest number.
fn newest_manifest(directory: &Path) -> Option<Current> {
    let names = FileDirectory::new(directory).list().ok()?;
    let manifest = |name: String| match parse_file_name(&name)? {
        (number, FileKind::Manifest) => Some(Current { name, number }),
        _ => None,
    };
    names
        .into_iter()
        .filter_map(manifest)
        .max_by_key(|manifest| manifest.number)
}

/// Whether the process, or the system, has too many files open, for which no file is to blame.
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    // ERROR_TOO_MANY_OPEN_FILES; ENFILE and EMFILE.
    let codes: &[i32] = if cfg!(windows) { &[4] } else { &[23, 24] };
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

/// Opens a file, if it is one: opening a pipe would wait for its other end.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    File::open(path)
}

//! Which manifest is in use.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use strata_dbformat::escape;
use strata_files::{
    CURRENT, Directory, FileKind, manifest_file_name, parse_file_name, temporary_file_name,
};

/// More than the longest contents have: `MANIFEST-`, digits, a newline.
const LONGEST: u64 = 256;

/// The manifest that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Current {
    /// Its file name.
    pub name: String,
    /// The number in its name.
    pub number: u64,
}

/// Why it is not known which manifest is in use.
#[derive(Debug)]
#[non_exhaustive]
pub enum CurrentError {
    /// `CURRENT` can't be read; `NotFound`, if there is none.
    Unreadable(io::Error),
    /// `CURRENT` does not end in a newline. It is as LevelDB never leaves it: it may be cut off.
    NoNewline {
        /// The file's first bytes.
        contents: Vec<u8>,
    },
    /// The bytes before the newline are no name of a manifest.
    NoManifest {
        /// The file's first bytes.
        contents: Vec<u8>,
    },
}

impl fmt::Display for CurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contents = match self {
            Self::Unreadable(error) => return write!(f, "CURRENT can't be read: {error}"),
            Self::NoNewline { contents } => {
                f.write_str("CURRENT file does not end with newline")?;
                contents
            }
            Self::NoManifest { contents } => {
                f.write_str("CURRENT names no manifest")?;
                contents
            }
        };
        write!(
            f,
            ": MANIFEST-, a number and a newline were expected, and it holds '{}'",
            escape(contents)
        )
    }
}

impl Error for CurrentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// The manifest that the contents of `CURRENT` name: its file name, and a newline.
///
/// LevelDB takes any name; this, a manifest's alone, and so none in another directory.
///
/// ```
/// use strata_manifest::parse_current;
///
/// assert_eq!(parse_current(b"MANIFEST-000002\n")?.number, 2);
/// assert_eq!(
///     parse_current(b"MANIFEST-0000").unwrap_err().to_string(),
///     "CURRENT file does not end with newline: MANIFEST-, a number and a newline were expected, \
///      and it holds 'MANIFEST-0000'"
/// );
/// # Ok::<(), strata_manifest::CurrentError>(())
/// ```
///
/// # Errors
///
/// [`CurrentError::NoNewline`] or [`CurrentError::NoManifest`].
pub fn parse_current(contents: &[u8]) -> Result<Current, CurrentError> {
    let shown = || contents.iter().copied().take(64).collect();
    let name = contents
        .strip_suffix(b"\n")
        .ok_or_else(|| CurrentError::NoNewline { contents: shown() })?;
    let manifest = str::from_utf8(name)
        .ok()
        .and_then(|name| match parse_file_name(name)? {
            (number, FileKind::Manifest) => Some(Current {
                name: name.to_owned(),
                number,
            }),
            _ => None,
        });
    manifest.ok_or_else(|| CurrentError::NoManifest { contents: shown() })
}

/// The manifest that is in use in `directory`.
///
/// # Errors
///
/// [`CurrentError`] if there is no `CURRENT`, or it can't be read, or it names no manifest.
pub fn read_current(directory: &dyn Directory) -> Result<Current, CurrentError> {
    let mut contents = Vec::new();
    directory
        .open(CURRENT)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut contents))
        .map_err(CurrentError::Unreadable)?;
    parse_current(&contents)
}

/// Makes the manifest with this number the one in use, as LevelDB does: a temporary file is
/// written and synced and takes the place of `CURRENT` at once; then the directory is synced.
///
/// Before, the manifest and all files that it names must be durable, and so must their names:
/// [`create_manifest`](crate::create_manifest) sees to the manifest and to all names.
///
/// # Errors
///
/// What the directory says. If the last step, the sync of the directory, has failed, the manifest
/// is in use, though after a power failure the one before may be; after any other error `CURRENT`
/// is as it was, and there is no temporary file, as far as the directory still does what it is
/// asked to.
pub fn set_current(directory: &dyn Directory, manifest_number: u64) -> io::Result<()> {
    let temporary = temporary_file_name(manifest_number);
    match directory.remove(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        // A file that was there is of a process that died.
        _ => {}
    }
    write_current(directory, &temporary, manifest_number)
        .and_then(|()| directory.rename(&temporary, CURRENT))
        .inspect_err(|_| drop(directory.remove(&temporary)))?;
    directory.sync()
}

fn write_current(directory: &dyn Directory, temporary: &str, number: u64) -> io::Result<()> {
    let mut file = directory.create(temporary)?;
    let contents = format!("{}\n", manifest_file_name(number));
    file.write_all(contents.as_bytes())?;
    file.sync_data()
}

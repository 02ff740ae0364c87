//! Directories of the file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::{self, Path, PathBuf};

use tempfile::TempPath;

use crate::{Directory, ReadFile, WriteFile};

/// A directory of the file system.
///
/// On Unix [`sync`](Directory::sync) syncs it; elsewhere there is no way to, and the system must
/// see to it that names survive.
///
/// ```
/// use std::io::{Read, Write};
/// use strata_wal::SyncData;
/// use strata_files::{Directory, FileDirectory};
///
/// let temporary = tempfile::tempdir()?;
/// let directory = FileDirectory::new(temporary.path());
/// let mut file = directory.create("notes")?;
/// file.write_all(b"kept")?;
/// file.sync_data()?;
/// directory.sync()?;
///
/// let mut contents = String::new();
/// directory.open("notes")?.read_to_string(&mut contents)?;
/// assert_eq!(contents, "kept");
/// assert_eq!(directory.list()?, ["notes"]);
/// assert!(directory.create("notes").is_err(), "it is there already");
/// assert!(directory.open("../notes").is_err(), "that is another directory's");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileDirectory {
    path: PathBuf,
}

impl FileDirectory {
    /// The directory at `path`, which should be there; it is not looked at before it is used.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the directory is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn path_of(&self, name: &str) -> io::Result<PathBuf> {
        let is_another = matches!(name, "" | "." | "..");
        if is_another || name.contains(path::is_separator) {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("{name:?} is not the name of a file in a directory"),
            ));
        }
        Ok(self.path.join(name))
    }
}

impl Directory for FileDirectory {
    /// Names that are not Unicode, which no file of ours has, are left out.
    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .filter_map(Result::transpose);
        names.collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn WriteFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        Ok(Box::new(options.open(self.path_of(name)?)?))
    }

    /// `InvalidInput` for what is no file, a folder or a pipe for instance: opening a pipe would
    /// wait until somebody writes to it.
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        let path = self.path_of(name)?;
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("{name:?} is no regular file"),
            ));
        }
        Ok(Box::new(File::open(path)?))
    }

    fn sync_file(&self, name: &str) -> io::Result<()> {
        // Not every system syncs a file that is open to read it.
        let file = OpenOptions::new().write(true).open(self.path_of(name)?)?;
        file.sync_data()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path_of(from)?, self.path_of(to)?)
    }

    /// Where the system can neither move a file without replacing another nor give one a second
    /// name, this fails. (Linux and macOS do the first on nearly every file system, Windows on
    /// all; the second is left out by FAT and its kin.)
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path_of(from)?, self.path_of(to)?);
        let mut from = TempPath::try_from_path(from)?;
        // A file that can't be moved is not ours to remove.
        from.disable_cleanup(true);
        from.persist_noclobber(to).map_err(|error| error.error)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path_of(name)?)
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for File {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        File::set_len(self, length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}

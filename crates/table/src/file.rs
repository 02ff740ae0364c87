//! Tables as files: complete under their final name, or not there at all.

use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, BufWriter};
use std::path::Path;

use strata_dbformat::Comparator;
use tempfile::{NamedTempFile, TempPath};

use crate::{TableError, TableOptions, TableSummary, TableWriter};

/// How much is written to a file at once, in bytes.
const BUFFER: usize = 1 << 16;

/// A table that is being written to a temporary file.
///
/// The temporary file is removed when this is dropped. Its name is a number followed by
/// `.dbtmp`: LevelDB takes that for a temporary file, so if the process is killed, LevelDB removes
/// it when it next opens the directory. (It leaves alone names with letters in the number.) It
/// must not be opening the directory meanwhile, therefore.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// use strata_files::table_file_name;
/// use strata_table::{TableFile, TableOptions};
///
/// let directory = tempfile::tempdir()?;
/// let mut table = TableFile::create(directory.path(), BytewiseComparator, TableOptions::default())?;
/// let key = InternalKey::new(b"key", SequenceNumber::new(1)?, ValueType::Value);
/// table.add(key.encode(), b"value")?;
///
/// let path = directory.path().join(table_file_name(12));
/// if let Some(pending) = table.finish()? {
///     let summary = pending.persist(&path)?;
///     assert_eq!(path.metadata()?.len(), summary.file_bytes);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TableFile<C> {
    // Dropped in this order: some systems remove no file that is open.
    writer: TableWriter<BufWriter<File>, C>,
    path: TempPath,
}

impl<C: Comparator> TableFile<C> {
    /// Begins a table in a new temporary file in `directory`, which should be the one that the
    /// table is to be in: only within a file system is moving it atomic.
    ///
    /// On Unix the file gets the mode of any new file, 0666 less the process's umask.
    ///
    /// # Errors
    ///
    /// [`TableError::OptionOutOfBounds`] if an option is, [`TableError::File`] if the file can't
    /// be created.
    pub fn create(
        directory: &Path,
        comparator: C,
        options: TableOptions,
    ) -> Result<Self, TableError> {
        options.validate()?;
        let file = create_temporary(directory)
            .map_err(|source| file_error("create a temporary file in", directory, source))?;
        let (file, path) = file.into_parts();
        let file = BufWriter::with_capacity(BUFFER, file);
        let writer = TableWriter::new(file, comparator, options)?;
        Ok(Self { writer, path })
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// As [`TableWriter::add`].
    pub fn add(&mut self, internal_key: &[u8], value: &[u8]) -> Result<(), TableError> {
        self.writer.add(internal_key, value)
    }

    /// How many entries have been added.
    pub fn entries(&self) -> u64 {
        self.writer.entries()
    }

    /// How many bytes of the table have been written, as [`TableWriter::bytes_written`].
    pub fn bytes_written(&self) -> u64 {
        self.writer.bytes_written()
    }

    /// Completes the table, syncs its file and closes it; `None`, and no file, if there are no
    /// entries.
    ///
    /// # Errors
    ///
    /// As [`TableWriter::finish`], or [`TableError::File`] if the file can't be synced. The
    /// temporary file is removed.
    pub fn finish(self) -> Result<Option<PendingTable>, TableError> {
        if self.writer.entries() == 0 {
            return Ok(None);
        }
        let (file, summary) = self.writer.finish()?;
        file.get_ref()
            .sync_all()
            .map_err(|source| file_error("sync", &self.path, source))?;
        Ok(Some(PendingTable {
            path: self.path,
            summary,
        }))
    }
}

/// A complete and synced table under a temporary name.
///
/// It holds no open file, so thousands can be pending. The file is removed when this is dropped.
#[derive(Debug)]
pub struct PendingTable {
    path: TempPath,
    summary: TableSummary,
}

impl PendingTable {
    /// Where the table is for now, for example to verify it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the table holds.
    #[must_use]
    pub fn summary(&self) -> &TableSummary {
        &self.summary
    }

    /// Gives the table its final name and makes that durable: syncs the directory, where the
    /// system can (Unix).
    ///
    /// A file that has the name already is left as it is. On file systems that can't rename
    /// without replacing, the file has both names for a moment.
    ///
    /// # Errors
    ///
    /// [`TableError::File`]. If the file can't be renamed, because the name is taken or otherwise,
    /// the table is removed. If the directory can't be synced, the table is there under its final
    /// name, though after a crash it may not be.
    pub fn persist(self, path: impl AsRef<Path>) -> Result<TableSummary, TableError> {
        let path = path.as_ref();
        self.path
            .persist_noclobber(path)
            .map_err(|error| file_error("move the table to", path, error.error))?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        sync_directory(directory).map_err(|source| file_error("sync", directory, source))?;
        Ok(self.summary)
    }
}

/// A new file whose name is 19 random digits and LevelDB's suffix of temporary files.
///
/// So many digits that no number a database gives its files comes near.
fn create_temporary(directory: &Path) -> io::Result<NamedTempFile> {
    const LEAST: u64 = 10_u64.pow(18);
    const TRIES: usize = 16;
    let mut result = Err(io::ErrorKind::AlreadyExists.into());
    for _ in 0..TRIES {
        // The standard library's hasher is seeded at random, another for each `RandomState`.
        let random = std::hash::RandomState::new().hash_one(directory);
        let name = (LEAST + random % LEAST).to_string();
        let mut builder = tempfile::Builder::new();
        builder.prefix(&name).suffix(".dbtmp").rand_bytes(0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The system takes the umask off; tempfile's default is 0600.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        result = builder.tempfile_in(directory);
        match &result {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            _ => break,
        }
    }
    result
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn file_error(action: &'static str, path: &Path, source: io::Error) -> TableError {
    TableError::File {
        action,
        path: path.to_path_buf(),
        source,
    }
}

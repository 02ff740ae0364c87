//! Memtables to tables in a directory.

use std::fmt;
use std::io::{self, BufWriter, ErrorKind};
use std::sync::Arc;

use strata_dbformat::Comparator;
use strata_files::{Directory, FileNumbers, WriteFile, table_file_name, temporary_file_name};
use strata_memtable::{Identity, ImmutableMemTable};
use strata_table::{TableError, TableOptions, TableSummary, TableWriter};
use strata_wal::SyncData;

use crate::{Flush, FlushError};

/// How much is written to a file at once, in bytes.
const BUFFER: usize = 1 << 16;

/// A table that a memtable was flushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushedTable {
    /// The number in its name.
    pub number: u64,
    /// The number of the oldest log that has entries of it.
    pub log_number: u64,
    /// What it holds.
    pub summary: TableSummary,
}

/// Writes memtables to a directory, each as one of LevelDB's tables.
///
/// A table is written under a temporary name, synced, given its name, `000005.ldb`, and the
/// directory is synced: under its name it is whole, whenever the process or the machine dies. A
/// file that has the name already is left as it is, and the flush has failed. A memtable without
/// entries makes no file.
///
/// Then `told` is told of it, to open the table, or to note it in a manifest. If it returns an
/// error, or panics, the flush has failed. The file stays, for a note of it may have been made; if
/// the next memtable that is flushed is the same one, and the file is still there, `told` is told
/// of it again, and nothing is written.
///
/// ```
/// use std::sync::Arc;
/// use strata_dbformat::{BytewiseComparator, SequenceNumber};
/// use strata_memtable::MemTable;
/// use strata_table::TableOptions;
/// use strata_files::{Directory, FileDirectory, FileNumbers};
/// use strata_write_buffer::{Flush, TableFlush};
///
/// let temporary = tempfile::tempdir()?;
/// let directory = Arc::new(FileDirectory::new(temporary.path()));
/// let numbers = Arc::new(FileNumbers::after(&*directory)?);
/// let mut tables = Vec::new();
/// let told = |table| Ok(tables.push(table));
/// let mut flush = TableFlush::new(directory.clone(), numbers, TableOptions::default(), told)?;
///
/// let pairs = [(&b"a"[..], &b"1"[..]), (b"b", b"2")];
/// let memtable = MemTable::from_pairs(BytewiseComparator, SequenceNumber::new(1)?, pairs)?;
/// flush.flush(&memtable.freeze(), 0)?;
///
/// assert_eq!((tables[0].number, tables[0].summary.entries), (1, 2));
/// assert_eq!(directory.list()?, ["000001.ldb"]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct TableFlush<F> {
    directory: Arc<dyn Directory>,
    numbers: Arc<FileNumbers>,
    options: TableOptions,
    told: F,
    untaken: Option<Untaken>,
}

/// A table that is there, and that `told` has not taken yet.
#[derive(Debug)]
struct Untaken {
    /// Of the memtable that it was made of.
    identity: Identity,
    number: u64,
    summary: TableSummary,
}

impl<F> TableFlush<F>
where
    F: FnMut(FlushedTable) -> Result<(), FlushError>,
{
    /// Tables in `directory`, with numbers from `numbers`, written as `options` say.
    ///
    /// # Errors
    ///
    /// [`TableError::OptionOutOfBounds`] if an option is.
    pub fn new(
        directory: Arc<dyn Directory>,
        numbers: Arc<FileNumbers>,
        options: TableOptions,
        told: F,
    ) -> Result<Self, TableError> {
        options.validate()?;
        Ok(Self {
            directory,
            numbers,
            options,
            told,
            untaken: None,
        })
    }
}

impl<F> TableFlush<F> {
    /// Makes sure that there is a table of this memtable, which is `untaken` from then on.
    fn ensure_written<C: Comparator>(
        &mut self,
        memtable: &ImmutableMemTable<C>,
    ) -> Result<&Untaken, FlushError> {
        let identity = memtable.identity();
        let before = match self.untaken.take() {
            Some(table) if table.identity == identity => self.check_there(table)?,
            _ => None,
        };
        let table = match before {
            Some(table) => table,
            None => {
                let number = self.numbers.draw()?;
                Untaken {
                    identity,
                    number,
                    summary: self.write(memtable, number)?,
                }
            }
        };
        Ok(self.untaken.insert(table))
    }

    /// The table, unless somebody has removed it.
    fn check_there(&mut self, table: Untaken) -> Result<Option<Untaken>, TableError> {
        let name = table_file_name(table.number);
        match self.directory.open(&name) {
            Ok(_) => Ok(Some(table)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => {
                self.untaken = Some(table);
                Err(file_error("open", &name, source))
            }
        }
    }

    /// Writes a table and gives it its name. If that fails, it has left no file, as far as the
    /// directory still does what it is asked to.
    fn write<C: Comparator>(
        &self,
        memtable: &ImmutableMemTable<C>,
        number: u64,
    ) -> Result<TableSummary, TableError> {
        let (temporary, name) = (temporary_file_name(number), table_file_name(number));
        let directory = &self.directory;
        let file = self
            .create(&temporary)
            .map_err(|source| file_error("create", &temporary, source))?;
        let summary = self
            .write_to(file, &temporary, memtable)
            .and_then(|summary| {
                let renamed = directory.rename_new(&temporary, &name);
                renamed.map_err(|source| file_error("move the table to", &name, source))?;
                Ok(summary)
            })
            .inspect_err(|_| drop(directory.remove(&temporary)))?;
        directory
            .sync()
            .map_err(|source| file_error("sync the directory of", &name, source))
            // Nobody knows of it, and its entries are still in a log.
            .inspect_err(|_| drop(directory.remove(&name)))?;
        Ok(summary)
    }

    /// Creates a temporary file. One that is there is of a process that died, for the number was
    /// drawn for this one.
    fn create(&self, temporary: &str) -> io::Result<Box<dyn WriteFile>> {
        match self.directory.create(temporary) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.directory.remove(temporary)?;
                self.directory.create(temporary)
            }
            result => result,
        }
    }

    fn write_to<C: Comparator>(
        &self,
        file: Box<dyn WriteFile>,
        name: &str,
        memtable: &ImmutableMemTable<C>,
    ) -> Result<TableSummary, TableError> {
        let file = BufWriter::with_capacity(BUFFER, file);
        let mut table = TableWriter::new(file, memtable.user_comparator(), self.options.clone())?;
        for entry in memtable {
            table.add(entry.internal_key(), entry.value())?;
        }
        let (mut file, summary) = table.finish()?;
        file.sync_data()
            .map_err(|source| file_error("sync", name, source))?;
        Ok(summary)
    }
}

impl<C, F> Flush<C> for TableFlush<F>
where
    C: Comparator,
    F: FnMut(FlushedTable) -> Result<(), FlushError>,
{
    /// # Errors
    ///
    /// A [`TableError`] if the table could not be written, and no file is left of it; what `told`
    /// said; or that there is no file number left.
    fn flush(
        &mut self,
        memtable: &ImmutableMemTable<C>,
        log_number: u64,
    ) -> Result<(), FlushError> {
        if memtable.is_empty() {
            return Ok(());
        }
        let table = self.ensure_written(memtable)?;
        let table = FlushedTable {
            number: table.number,
            log_number,
            summary: table.summary.clone(),
        };
        (self.told)(table)?;
        self.untaken = None;
        Ok(())
    }
}

impl<F> fmt::Debug for TableFlush<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableFlush")
            .field("directory", &self.directory)
            .field("numbers", &self.numbers)
            .field("options", &self.options)
            .field("untaken", &self.untaken)
            .finish_non_exhaustive()
    }
}

fn file_error(action: &'static str, name: &str, source: io::Error) -> TableError {
    TableError::File {
        action,
        path: name.into(),
        source,
    }
}

//! A durable ordered store in one sitting: a log, a write buffer, tables, and recovery on opening.
//!
//! What is written is appended to a log and inserted into the write buffer. What that freezes, its
//! flusher writes to a table; then the log is deleted. Opening the store replays the logs that are
//! left. Reading asks the write buffer first, which has the newest, and then the tables.
//!
//! What a database has beyond this is a manifest, which says what tables there are and what they
//! hold, and compaction, which merges them. Without the first, this one reads its tables through
//! when it is opened; without the second, it has more of them to ask the older it gets.
//!
//! It also opens a copy of what LevelDB has left, unless that died while it wrote a table: there is
//! half a table then, which only the manifest tells from a damaged one.

use std::error::Error;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;

use parking_lot::RwLock;
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_files::{Directory, FileKind, FileNumbers, ReadFile, parse_file_name, table_file_name};
use strata_memtable::{ImmutableMemTable, Lookup};
use strata_table::{SeekLock, Table, TableCursor, TableOptions};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    DirectoryLogs, Flush, FlushError, Flushed, FlushedTable, Flusher, InternalCursor, LogReport,
    MergingCursor, TableFlush, VisibleCursor, Wait, WriteBuffer, WriteBufferOptions, WriteOptions,
    remove_logs_before,
};

pub(crate) type StoreError = Box<dyn Error + Send + Sync>;
pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// A position among the versions in the memtables, or in a table.
type Source = Box<dyn InternalCursor<Error = StoreError> + Send>;

/// A position among the keys of a store.
pub(crate) type Scan = VisibleCursor<MergingCursor<Source, BytewiseComparator>, BytewiseComparator>;

/// A table that is open, with its name.
struct OpenTable {
    name: String,
    table: Arc<Table<SeekLock<Box<dyn ReadFile>>, BytewiseComparator>>,
}

/// The tables, each opened once, which all threads share.
type Tables = Arc<RwLock<Vec<OpenTable>>>;

/// A store of keys and values in a directory, which it has for itself. Any number of threads may
/// use it.
pub(crate) struct Store {
    buffer: WriteBuffer<BytewiseComparator>,
    tables: Tables,
    /// Flushes until the store is dropped.
    flusher: Option<Flusher>,
}

impl Store {
    /// Opens the store in a directory, an empty one for a new store, and tells `report` what of its
    /// logs was dropped or passed over.
    pub(crate) fn open(
        directory: Arc<dyn Directory>,
        options: WriteBufferOptions,
        report: &mut dyn FnMut(LogReport),
    ) -> Result<Self> {
        let (mut store, sink) = Self::recover(directory, options, report)?;
        store.flusher = Some(Flusher::spawn(store.buffer.clone(), sink)?);
        Ok(store)
    }

    /// As [`open`](Self::open), for who flushes on a thread of their own: into the sink, by
    /// `WriteBuffer::flush_oldest`.
    pub(crate) fn recover(
        directory: Arc<dyn Directory>,
        options: WriteBufferOptions,
        report: &mut dyn FnMut(LogReport),
    ) -> Result<(Self, Sink)> {
        let (tables, last_in_tables) = open_tables(&*directory)?;
        let numbers = FileNumbers::after(&*directory).map_err(cannot("list the directory"))?;
        let numbers = Arc::new(numbers);
        let mut sink = Sink {
            directory: Arc::clone(&directory),
            numbers: Arc::clone(&numbers),
            tables: Arc::clone(&tables),
        };
        let logs = DirectoryLogs::new(Arc::clone(&directory), numbers);
        let (buffer, _) = WriteBuffer::recover(
            BytewiseComparator,
            options,
            &*directory,
            Box::new(logs),
            last_in_tables,
            &mut sink,
            report,
        )?;
        remove_leftovers(&*directory, buffer.oldest_log())
            .map_err(cannot("remove what an earlier process has left"))?;
        let store = Self {
            buffer,
            tables,
            flusher: None,
        };
        Ok((store, sink))
    }

    /// Writes a batch: all of it or nothing. If `sync`, it survives a power failure once this
    /// returns; otherwise it survives the end of the process.
    pub(crate) fn write(&self, batch: &WriteBatch, sync: bool) -> Result<()> {
        let options = WriteOptions {
            sync,
            ..WriteOptions::default()
        };
        self.buffer.write_with(batch, options)?;
        Ok(())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        // The write buffer first: what it flushes is in a table before it is gone from there.
        let view = self.buffer.view();
        match view.get(key) {
            Lookup::Value(value) => return Ok(Some(value.to_vec())),
            Lookup::Tombstone => return Ok(None),
            Lookup::Absent => {}
        }
        // LevelDB's tables are in no order, for it has merged some: the newest version counts.
        let mut newest = None;
        for OpenTable { name, table } in &*self.tables.read() {
            let found = table.get_entry(key, view.snapshot());
            if let Some(entry) = found.map_err(|error| format!("{name}: {error}"))? {
                let tag = entry.internal_key.parsed().map(|key| key.tag());
                newest = newest.max(Some((tag, entry.value)));
            }
        }
        let value =
            newest.filter(|(tag, _)| tag.is_some_and(|tag| !tag.value_type().is_tombstone()));
        Ok(value.map(|(_, value)| value))
    }

    /// The keys within `bounds` and their values, as they are now, in order, from either end.
    pub(crate) fn scan<'b>(&self, bounds: impl RangeBounds<&'b [u8]>) -> Result<Scan> {
        let view = self.buffer.view();
        let memtables = view.internal_cursor(..).map_err(|never| match never {});
        let mut sources: Vec<Source> = vec![Box::new(memtables)];
        sources.extend(self.tables.read().iter().map(OpenTable::cursor));
        let merged = MergingCursor::new(BytewiseComparator, sources);
        let order = BytewiseComparator;
        Ok(VisibleCursor::new(order, merged, view.snapshot(), bounds))
    }

    /// Has what is in memory flushed to a table, and does not wait for it.
    pub(crate) fn flush(&self) -> Result<()> {
        self.buffer.freeze(Wait::Forever)?;
        Ok(())
    }

    /// The write buffer, to see how it is doing.
    pub(crate) fn buffer(&self) -> &WriteBuffer<BytewiseComparator> {
        &self.buffer
    }
}

/// Where the write buffer flushes to: tables in the directory.
pub(crate) struct Sink {
    directory: Arc<dyn Directory>,
    numbers: Arc<FileNumbers>,
    tables: Tables,
}

impl Flush<BytewiseComparator> for Sink {
    fn flush(
        &mut self,
        memtable: &ImmutableMemTable<BytewiseComparator>,
        log_number: u64,
    ) -> std::result::Result<(), FlushError> {
        // Who no longer finds something in the write buffer finds it here.
        let publish = |FlushedTable { number, .. }: FlushedTable| {
            let name = table_file_name(number);
            let table = OpenTable::new(&*self.directory, name)?;
            self.tables.write().push(table);
            Ok(())
        };
        let (directory, numbers) = (Arc::clone(&self.directory), Arc::clone(&self.numbers));
        TableFlush::new(directory, numbers, TableOptions::default(), publish)?
            .flush(memtable, log_number)
    }

    fn flushed(&mut self, flushed: &Flushed) {
        // A log that can't be deleted is passed over when the store is next opened.
        let _ = remove_logs_before(&*self.directory, flushed.logs_before);
    }
}

impl OpenTable {
    fn new(directory: &dyn Directory, name: String) -> Result<Self> {
        let file = directory
            .open(&name)
            .map_err(cannot(&format!("open {name}")))?;
        let table = Table::open(SeekLock::new(file), BytewiseComparator);
        let table = table.map_err(|error| format!("{name}: {error}"))?;
        Ok(Self {
            name,
            table: Arc::new(table),
        })
    }

    /// A position at none of the entries yet. Its errors say which table it is in.
    fn cursor(&self) -> Source {
        let name = self.name.clone();
        let cursor = TableCursor::new(Arc::clone(&self.table));
        Box::new(cursor.map_err(move |error| format!("{name}: {error}").into()))
    }
}

/// The tables of a directory, and the last sequence number in them: all that was written up to
/// there is in them, for memtables are flushed in order.
fn open_tables(directory: &dyn Directory) -> Result<(Tables, SequenceNumber)> {
    let mut last = SequenceNumber::ZERO;
    let mut tables = Vec::new();
    let names = directory.list().map_err(cannot("list the directory"))?;
    for name in names {
        if let Some((_, FileKind::Table)) = parse_file_name(&name) {
            let table = OpenTable::new(directory, name)?;
            let mut cursor = table.cursor();
            cursor.seek_to_first()?;
            while let Some(entry) = cursor.entry() {
                last = last.max(entry.sequence());
                cursor.next()?;
            }
            tables.push(table);
        }
    }
    Ok((Arc::new(RwLock::new(tables)), last))
}

/// Removes what a process left behind that died: logs that are flushed, and half a table.
fn remove_leftovers(directory: &dyn Directory, oldest_log: u64) -> io::Result<()> {
    for name in directory.list()? {
        if let Some((_, FileKind::Temporary)) = parse_file_name(&name) {
            directory.remove(&name)?;
        }
    }
    remove_logs_before(directory, oldest_log).map(drop)
}

/// Says what could not be done, for the system only says why.
fn cannot(what: &str) -> impl FnOnce(io::Error) -> StoreError + use<'_> {
    move |error| format!("can't {what}: {error}").into()
}

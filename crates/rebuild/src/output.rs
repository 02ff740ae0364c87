//! The tables of a new database: one sorted level, cut at a size.

use std::io::{BufWriter, Write};

use strata_dbformat::{InternalKey, extract_user_key};
use strata_files::{Directory, WriteFile, table_file_name};
use strata_table::{TableError, TableOptions, TableSummary, TableWriter};
use strata_wal::SyncData;

use strata_database::Order;

/// How much is written to a file at once, in bytes.
const BUFFER: usize = 1 << 18;

/// A table of the new database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewTable {
    /// Its number, which is in its name.
    pub number: u64,
    /// Its file name.
    pub file: String,
    /// How many entries it has.
    pub entries: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its first and its last internal key.
    pub keys: (InternalKey, InternalKey),
}

/// Writes sorted entries to tables. All versions of a user key go to one table.
pub(crate) struct Output<'o> {
    directory: &'o dyn Directory,
    order: Order,
    options: TableOptions,
    /// After this many bytes a table ends with the user key it is at.
    table_bytes: u64,
    next_number: u64,
    table: Option<Open>,
    last_user_key: Vec<u8>,
    tables: Vec<NewTable>,
    /// The names of all files that were made.
    made: Vec<String>,
}

struct Open {
    number: u64,
    file: String,
    writer: TableWriter<BufWriter<Box<dyn WriteFile>>, Order>,
}

impl<'o> Output<'o> {
    /// The first table gets `first_number`.
    pub(crate) fn new(
        directory: &'o dyn Directory,
        order: Order,
        options: TableOptions,
        table_bytes: u64,
        first_number: u64,
    ) -> Self {
        Self {
            directory,
            order,
            options,
            table_bytes,
            next_number: first_number,
            table: None,
            last_user_key: Vec::new(),
            tables: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Adds an entry, which must come after the one before it.
    pub(crate) fn add(&mut self, internal_key: &[u8], value: &[u8]) -> Result<(), TableError> {
        let user_key = extract_user_key(internal_key).map_err(TableError::MalformedKey)?;
        if let Some(open) = &self.table
            && open.writer.bytes_written() >= self.table_bytes
            && self.order.compare(&self.last_user_key, user_key).is_ne()
        {
            self.finish_table()?;
        }
        let open = match self.table.take() {
            Some(open) => open,
            None => self.begin_table()?,
        };
        let open = self.table.insert(open);
        open.writer.add(internal_key, value)?;
        self.last_user_key.clear();
        self.last_user_key.extend_from_slice(user_key);
        Ok(())
    }

    /// Ends the last table. The tables, in the order of their keys; all are synced.
    pub(crate) fn finish(&mut self) -> Result<Vec<NewTable>, TableError> {
        self.finish_table()?;
        Ok(std::mem::take(&mut self.tables))
    }

    /// Removes all tables.
    pub(crate) fn remove(mut self) {
        self.table = None;
        for file in &self.made {
            // The directory is no database with them either.
            let _ = self.directory.remove(file);
        }
    }

    fn begin_table(&mut self) -> Result<Open, TableError> {
        let number = self.next_number;
        self.next_number += 1;
        let file = table_file_name(number);
        let io_error = |source| TableError::Io {
            action: "create a table",
            source,
        };
        let dest = self.directory.create(&file).map_err(io_error)?;
        self.made.push(file.clone());
        let dest = BufWriter::with_capacity(BUFFER, dest);
        let writer = TableWriter::new(dest, self.order, self.options.clone())?;
        Ok(Open {
            number,
            file,
            writer,
        })
    }

    fn finish_table(&mut self) -> Result<(), TableError> {
        let Some(open) = self.table.take() else {
            return Ok(());
        };
        let (mut dest, summary) = open.writer.finish()?;
        let synced = dest.flush().and_then(|()| dest.get_mut().sync_data());
        synced.map_err(|source| TableError::Io {
            action: "sync a table",
            source,
        })?;
        let TableSummary {
            entries,
            file_bytes,
            smallest,
            largest,
            ..
        } = summary;
        self.tables.push(NewTable {
            number: open.number,
            file: open.file,
            entries,
            bytes: file_bytes,
            keys: (smallest, largest),
        });
        Ok(())
    }
}

//! A position among a table's entries that can be moved both ways.

use std::fmt;
use std::ops::Deref;

use strata_dbformat::{Comparator, SequenceNumber};

use crate::keys::set_target;
use crate::position::Position;
use crate::{EntryRef, ReadAt, Table, TableError};

/// A position among the entries of a table, at one of them or at none.
///
/// `T` is how it gets at the table: `&Table`, as [`Table::cursor`] makes it, or what shares one,
/// such as `Arc<Table>`, so that the cursor can outlive every other use of the table and go to
/// another thread. There can be any number of cursors in one table; each has, beside `T`, one data
/// block in memory, two while it reads the next, and a move to an entry in that block reads
/// nothing. It begins at none, and is at none after a step beyond either end and after an error;
/// from there only a seek brings it back.
///
/// As [`entries`](Table::entries) does, it checks each block it reads and the key of each entry it
/// comes to be at, but not their order: with another comparator than the table was written with, a
/// [`seek`](Self::seek) may end anywhere.
///
/// ```
/// # use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// # use strata_table::{Table, TableCursor, TableOptions, TableWriter};
/// # let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
/// # for user_key in ["apple", "cherry", "pear"] {
/// #     let key = InternalKey::new(user_key.as_bytes(), SequenceNumber::new(1)?, ValueType::Value);
/// #     writer.add(key.encode(), user_key.to_uppercase().as_bytes())?;
/// # }
/// # let source = writer.finish()?.0;
/// use std::sync::Arc;
///
/// // A table of "apple", "cherry" and "pear".
/// let table = Arc::new(Table::open(source, BytewiseComparator)?);
/// let mut cursor = table.cursor();
/// assert!(cursor.entry().is_none());
///
/// cursor.seek(b"banana", SequenceNumber::MAX)?;
/// assert_eq!(cursor.entry().unwrap().value, b"CHERRY");
/// cursor.prev()?;
/// assert_eq!(cursor.entry().unwrap().value, b"APPLE");
/// cursor.prev()?;
/// assert!(cursor.entry().is_none());
///
/// let mut owned = TableCursor::new(Arc::clone(&table));
/// let last = std::thread::spawn(move || {
///     owned.seek_to_last()?;
///     Ok::<_, strata_table::TableError>(owned.entry().unwrap().value.to_vec())
/// });
/// assert_eq!(last.join().unwrap()?, b"PEAR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableCursor<T> {
    table: T,
    position: Position,
    at_entry: bool,
    /// What was last sought; kept for its allocation.
    target: Vec<u8>,
}

impl<T, R, C> TableCursor<T>
where
    T: Deref<Target = Table<R, C>>,
    R: ReadAt,
    C: Comparator,
{
    /// A cursor in the table that `table` leads to, at none of its entries. Reads nothing.
    pub fn new(table: T) -> Self {
        Self {
            table,
            position: Position::default(),
            at_entry: false,
            target: Vec::new(),
        }
    }

    /// The table the cursor is in.
    pub fn table(&self) -> &Table<R, C> {
        &self.table
    }

    /// The entry the cursor is at.
    #[must_use]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        self.at_entry.then(|| self.position.entry())
    }

    /// Where in the file the data block begins that the entry is in, in bytes.
    #[must_use]
    pub fn block_offset(&self) -> Option<u64> {
        self.at_entry.then(|| self.position.block_offset())
    }

    /// Moves to the first entry; in an empty table, to none. Reads one data block.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] if what it reads is, [`TableError::Io`] if the source fails. The
    /// cursor is at none then. The same goes for every other move.
    pub fn seek_to_first(&mut self) -> Result<(), TableError> {
        self.go(Position::seek_to_first)
    }

    /// Moves to the last entry; in an empty table, to none. Reads one data block.
    ///
    /// # Errors
    ///
    /// As [`seek_to_first`](Self::seek_to_first).
    pub fn seek_to_last(&mut self) -> Result<(), TableError> {
        self.go(Position::seek_to_last)
    }

    /// Moves to the newest version of `user_key` that `snapshot` sees, the one that
    /// [`get`](Table::get) finds; if there is none, to the first entry after where it would be, or
    /// to none.
    ///
    /// O(log n) comparisons. Reads one data block, rarely two. Filters are not asked: what comes
    /// after a key that is absent is to be found, too.
    ///
    /// # Errors
    ///
    /// As [`seek_to_first`](Self::seek_to_first).
    pub fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), TableError> {
        set_target(&mut self.target, user_key, snapshot);
        self.at_entry = false;
        self.at_entry = self.position.seek(&self.table, &self.target)?;
        Ok(())
    }

    /// Moves to the next entry; from the last one, or from none, to none. O(1), but for reading
    /// the next data block after the last entry of one.
    ///
    /// # Errors
    ///
    /// As [`seek_to_first`](Self::seek_to_first).
    #[expect(
        clippy::should_implement_trait,
        reason = "it moves a position, as prev does, and gives no items"
    )]
    pub fn next(&mut self) -> Result<(), TableError> {
        self.step(Position::advance)
    }

    /// Moves to the entry before; from the first one, or from none, to none.
    ///
    /// Keys are put together forwards, so it takes as many steps as there are entries since the
    /// restart point before: up to the [`restart_interval`](crate::TableOptions::restart_interval)
    /// that the table was written with.
    ///
    /// # Errors
    ///
    /// As [`seek_to_first`](Self::seek_to_first).
    pub fn prev(&mut self) -> Result<(), TableError> {
        self.step(Position::retreat)
    }

    fn step(&mut self, to: Move<R, C>) -> Result<(), TableError> {
        if self.at_entry {
            self.go(to)?;
        }
        Ok(())
    }

    fn go(&mut self, to: Move<R, C>) -> Result<(), TableError> {
        // Until it has succeeded, and if it fails.
        self.at_entry = false;
        self.at_entry = to(&mut self.position, &self.table)?;
        Ok(())
    }
}

/// A move of a position, which says whether there is an entry to be at.
type Move<R, C> = fn(&mut Position, &Table<R, C>) -> Result<bool, TableError>;

impl<T> fmt::Debug for TableCursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableCursor")
            .field("at_entry", &self.at_entry)
            .finish_non_exhaustive()
    }
}

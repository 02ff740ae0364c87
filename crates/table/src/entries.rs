//! A table's entries, one after the other.

use strata_dbformat::{Comparator, InternalKey};

use crate::{ReadAt, Table, TableCursor, TableError};

/// An entry of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, its sequence number and whether it is a tombstone.
    pub internal_key: InternalKey,
    /// The value; of a tombstone, nothing.
    pub value: Vec<u8>,
}

/// An entry of a table, within the block that is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// The key's bytes: a well-formed internal key.
    pub internal_key: &'a [u8],
    /// The value; of a tombstone, nothing.
    pub value: &'a [u8],
}

impl EntryRef<'_> {
    /// A copy. The key has been checked, so this does not fail.
    pub(crate) fn to_entry(self) -> Result<Entry, TableError> {
        let internal_key =
            InternalKey::decode(self.internal_key).map_err(TableError::MalformedKey)?;
        Ok(Entry {
            internal_key,
            value: self.value.to_vec(),
        })
    }
}

/// The entries of a table in the order they are in; made by [`Table::entries`].
///
/// An iterator of copies; [`next_entry`](Self::next_entry) copies nothing. After an error there is
/// nothing more.
///
/// ```
/// # use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// # use strata_table::{Table, TableOptions, TableWriter};
/// # let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
/// # let key = InternalKey::new(b"key", SequenceNumber::new(1)?, ValueType::Value);
/// # writer.add(key.encode(), b"value")?;
/// # let source = writer.finish()?.0;
/// let table = Table::open(source, BytewiseComparator)?;
/// let mut bytes = 0;
/// let mut entries = table.entries();
/// while let Some(entry) = entries.next_entry()? {
///     bytes += entry.internal_key.len() + entry.value.len();
/// }
/// assert_eq!(bytes, 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Entries<'t, R, C> {
    cursor: TableCursor<&'t Table<R, C>>,
    begun: bool,
}

impl<'t, R: ReadAt, C: Comparator> Entries<'t, R, C> {
    pub(crate) fn new(table: &'t Table<R, C>) -> Self {
        Self {
            cursor: table.cursor(),
            begun: false,
        }
    }

    /// The next entry, or `None` at the end. Its bytes are borrowed until the next call.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] if the next block or entry is, [`TableError::Io`] if the source
    /// fails. Every call after that gives `None`.
    pub fn next_entry(&mut self) -> Result<Option<EntryRef<'_>>, TableError> {
        // At the end, and after an error, the cursor is at none, and stays there.
        match std::mem::replace(&mut self.begun, true) {
            true => self.cursor.next()?,
            false => self.cursor.seek_to_first()?,
        }
        Ok(self.cursor.entry())
    }
}

impl<R: ReadAt, C: Comparator> Iterator for Entries<'_, R, C> {
    type Item = Result<Entry, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.next_entry() {
            Ok(entry) => entry?,
            Err(error) => return Some(Err(error)),
        };
        Some(entry.to_entry())
    }
}

impl<R: ReadAt, C: Comparator> std::iter::FusedIterator for Entries<'_, R, C> {}

//! A table's entries, one after the other.

use std::io::{Read, Seek};

use strata_dbformat::{Comparator, InternalKey, split_internal_key};

use crate::block_reader::{Block, BlockCursor};
use crate::reader::decode_handle;
use crate::{Fault, Table, TableError};

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

/// The entries of a table in the order they are in; made by [`Table::entries`].
///
/// An iterator of copies; [`next_entry`](Self::next_entry) copies nothing. After an error there is
/// nothing more.
///
/// ```
/// # use std::io::Cursor;
/// # use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// # use strata_table::{Table, TableOptions, TableWriter};
/// # let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
/// # let key = InternalKey::new(b"key", SequenceNumber::new(1)?, ValueType::Value);
/// # writer.add(key.encode(), b"value")?;
/// # let source = Cursor::new(writer.finish()?.0);
/// let mut table = Table::open(source, BytewiseComparator)?;
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
    table: &'t mut Table<R, C>,
    index: BlockCursor,
    /// The block that the cursor is in; none before the first one and at the end.
    block: Option<Block>,
    cursor: BlockCursor,
    done: bool,
}

impl<'t, R: Read + Seek, C: Comparator> Entries<'t, R, C> {
    pub(crate) fn new(table: &'t mut Table<R, C>) -> Self {
        Self {
            table,
            index: BlockCursor::default(),
            block: None,
            cursor: BlockCursor::default(),
            done: false,
        }
    }

    /// The next entry, or `None` at the end. Its bytes are borrowed until the next call.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] if the next block or entry is, [`TableError::Io`] if the source
    /// fails. Every call after that gives `None`.
    pub fn next_entry(&mut self) -> Result<Option<EntryRef<'_>>, TableError> {
        if self.done {
            return Ok(None);
        }
        self.done = true;
        while !self.advance_in_block()? {
            if !self.table.index_advance(&mut self.index)? {
                self.block = None;
                return Ok(None);
            }
            let handle = decode_handle(&self.table.index, &self.index)?;
            self.block = Some(self.table.source.read_block(handle)?);
            self.cursor.rewind();
        }
        self.done = false;
        let entry = self.block.as_ref().map(|block| EntryRef {
            internal_key: self.cursor.key(),
            value: self.cursor.value(block),
        });
        Ok(entry)
    }

    fn advance_in_block(&mut self) -> Result<bool, TableError> {
        match &self.block {
            Some(block) => advance_to_internal_key(&mut self.cursor, block),
            None => Ok(false),
        }
    }
}

impl<R, C> Table<R, C> {
    /// Moves to the next entry of the index, whose key must be an internal key as well.
    pub(crate) fn index_advance(&self, cursor: &mut BlockCursor) -> Result<bool, TableError> {
        advance_to_internal_key(cursor, &self.index)
    }
}

/// Moves to the next entry, checks that its key is an internal key, and says whether there is one.
pub(crate) fn advance_to_internal_key(
    cursor: &mut BlockCursor,
    block: &Block,
) -> Result<bool, TableError> {
    let found = cursor.advance(block)?;
    if found {
        split_internal_key(cursor.key()).map_err(|error| block.fault(Fault::Key { error }))?;
    }
    Ok(found)
}

impl<R: Read + Seek, C: Comparator> Iterator for Entries<'_, R, C> {
    type Item = Result<Entry, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.next_entry() {
            Ok(entry) => entry?,
            Err(error) => return Some(Err(error)),
        };
        // Its key has been checked, so this does not fail.
        let internal_key =
            InternalKey::decode(entry.internal_key).map_err(TableError::MalformedKey);
        Some(internal_key.map(|internal_key| Entry {
            internal_key,
            value: entry.value.to_vec(),
        }))
    }
}

impl<R: Read + Seek, C: Comparator> std::iter::FusedIterator for Entries<'_, R, C> {}

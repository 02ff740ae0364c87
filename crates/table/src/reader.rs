//! An open table.

use std::io::{Read, Seek};

use strata_dbformat::{Comparator, InternalKeyComparator};

use crate::block_reader::{Block, BlockCursor};
use crate::filter_block::FilterBlock;
use crate::format::{BlockHandle, FILTER_KEY_PREFIX};
use crate::source::{Source, corrupt};
use crate::{BloomFilter, Entries, Fault, TableCursor, TableError};

/// A table that is open for reading, from anything that can seek: a file, a cursor over bytes.
///
/// It holds the index and the filters in memory and reads one data block at a time, checking
/// every checksum. It caches nothing: a lookup reads a block. [`get`](Self::get) looks up,
/// [`entries`](Self::entries) lists, and [`into_cursor`](Self::into_cursor) goes both ways.
///
/// ```
/// use std::io::Cursor;
/// use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// use strata_table::{Lookup, Table, TableOptions, TableWriter};
///
/// let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
/// for (sequence, value_type) in [(7, ValueType::Deletion), (3, ValueType::Value)] {
///     let key = InternalKey::new(b"key", SequenceNumber::new(sequence)?, value_type);
///     writer.add(key.encode(), b"value")?;
/// }
/// let (bytes, _) = writer.finish()?;
///
/// let mut table = Table::open(Cursor::new(bytes), BytewiseComparator)?;
/// let at = |sequence| SequenceNumber::new(sequence).unwrap();
/// assert_eq!(table.get(b"key", at(9))?, Lookup::Tombstone);
/// assert_eq!(table.get(b"key", at(5))?, Lookup::Value(b"value".to_vec()));
/// assert_eq!(table.get(b"key", at(2))?, Lookup::Absent);
///
/// let mut sequences = Vec::new();
/// for entry in table.entries() {
///     let key = entry?.internal_key;
///     sequences.push(key.parsed().unwrap().sequence.get());
/// }
/// assert_eq!(sequences, [7, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Table<R, C> {
    pub(crate) source: Source<R>,
    pub(crate) order: InternalKeyComparator<C>,
    pub(crate) metaindex: Block,
    pub(crate) index: Block,
    pub(crate) filter: Option<FilterBlock>,
}

impl<R: Read + Seek, C: Comparator> Table<R, C> {
    /// Opens the table that `source` is from its first byte to its last. Reads the footer, the
    /// index, the metaindex and the filters.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] if one of these is wrong, [`TableError::Io`] if `source` fails.
    /// (LevelDB goes on without a filter that is damaged.)
    pub fn open(source: R, comparator: C) -> Result<Self, TableError> {
        let mut source = Source::new(source)?;
        let (footer, _) = source.read_footer()?;
        let index = source.read_block(footer.index)?;
        let metaindex = source.read_block(footer.metaindex)?;
        let filter = match find_filter(&metaindex)? {
            Some(handle) => Some(
                FilterBlock::parse(source.read_contents(handle)?)
                    .map_err(|fault| corrupt(handle.offset, fault))?,
            ),
            None => None,
        };
        Ok(Self {
            source,
            order: InternalKeyComparator::new(comparator),
            metaindex,
            index,
            filter,
        })
    }

    /// The length of the table in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.source.length()
    }

    /// Whether the table has filters that [`get`](Self::get) can use: LevelDB's built-in ones.
    pub fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    /// Goes through the entries in the order they are in.
    ///
    /// What is checked is that blocks are whole and keys are internal keys, not their order,
    /// which [`verify`](Self::verify) does: so a table can be listed whatever its comparator.
    pub fn entries(&mut self) -> Entries<'_, R, C> {
        Entries::new(self)
    }

    /// Makes the table a cursor, which can be moved to any entry and both ways from there. It
    /// begins at none.
    ///
    /// One table has one cursor at a time; for several, open it several times.
    pub fn into_cursor(self) -> TableCursor<R, C> {
        TableCursor::new(self)
    }
}

/// Where the metaindex says LevelDB's built-in filters are.
fn find_filter(metaindex: &Block) -> Result<Option<BlockHandle>, TableError> {
    let mut cursor = BlockCursor::default();
    while cursor.advance(metaindex)? {
        let policy = cursor.key().strip_prefix(FILTER_KEY_PREFIX.as_bytes());
        if policy == Some(BloomFilter::NAME.as_bytes()) {
            return decode_handle(metaindex, &cursor).map(Some);
        }
    }
    Ok(None)
}

/// The handle that is the value of the cursor's entry, in the index or the metaindex.
pub(crate) fn decode_handle(
    block: &Block,
    cursor: &BlockCursor,
) -> Result<BlockHandle, TableError> {
    BlockHandle::decode(cursor.value(block))
        .map(|(handle, _)| handle)
        .map_err(|error| block.fault(Fault::Handle(error)))
}

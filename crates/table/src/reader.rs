//! An open table.

use strata_block::{Block, BlockCursor, BlockHandle, BlockSource};
use strata_dbformat::{Comparator, InternalKeyComparator};

use crate::error::corrupt;
use crate::filter_block::{FILTER_KEY_PREFIX, FilterBlock};
use crate::footer::{Footer, footer_offset, read_before_footer};
use crate::verify::check_next;
use crate::{
    BloomFilter, CompressionSet, Entries, Fault, ReadAt, ReadOptions, TableCursor, TableError,
};

/// A table that is open for reading, from anything that can be [read at any place](ReadAt): a
/// file, a slice, what shares one.
///
/// It holds the index and the filters in memory, read once, and every other call reads data blocks
/// as it needs them, checking every checksum. All calls take `&self`, and none waits for another:
/// any number of threads may look up and go through one table at once. [`get`](Self::get) looks
/// up, [`entries`](Self::entries) lists, and a [`cursor`](Self::cursor) goes both ways.
///
/// ```
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
/// let table = Table::open(bytes, BytewiseComparator)?;
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
    pub(crate) source: BlockSource<R>,
    pub(crate) order: InternalKeyComparator<C>,
    pub(crate) index: Block,
    pub(crate) filter: Option<FilterBlock>,
    filter_fault: Option<TableError>,
}

impl<R: ReadAt, C: Comparator> Table<R, C> {
    /// Opens the table that `source` is from its first byte to its last. Reads the footer, the
    /// index, the metaindex and the filters. O(index and filters).
    ///
    /// As LevelDB does, it goes on without a filter that is damaged, and without the metaindex,
    /// which only names that: [`filter_fault`](Self::filter_fault) has the reason.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] if the footer or the index is wrong, or if blocks that the index
    /// names overlap, are not in ascending order or not within the file; [`TableError::Io`] if
    /// `source` fails.
    pub fn open(source: R, comparator: C) -> Result<Self, TableError> {
        Self::open_with(source, comparator, &ReadOptions::default())
    }

    /// As [`open`](Self::open), and reads as `options` say.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(source: R, comparator: C, options: &ReadOptions) -> Result<Self, TableError> {
        let source = BlockSource::new(source, options)?;
        let (footer, index) = usable_index(&source)?;
        let (filter, filter_fault) = match read_filter(&source, footer.metaindex) {
            Ok(filter) => (filter, None),
            Err(fault @ TableError::Corrupt { .. }) => (None, Some(fault)),
            Err(error) => return Err(error),
        };
        Ok(Self {
            source,
            order: InternalKeyComparator::new(comparator),
            index,
            filter,
            filter_fault,
        })
    }

    /// The length of the table in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.source.length()
    }

    /// How the blocks are compressed that were read since the table was opened, the index among
    /// them. Every block is its own, and one that would not get smaller is not compressed.
    pub fn compressions(&self) -> CompressionSet {
        self.source.compressions()
    }

    /// Whether the table has filters that [`get`](Self::get) can use: LevelDB's built-in ones.
    pub fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    /// Why the table is read without the filter that it may have: what is wrong with the filter or
    /// the metaindex. That costs speed only, but [`verify`](Self::verify) reports it, too.
    pub fn filter_fault(&self) -> Option<&TableError> {
        self.filter_fault.as_ref()
    }

    /// The order of the table's user keys, as it was given.
    pub fn user_comparator(&self) -> &C {
        self.order.user_comparator()
    }

    /// Goes through the entries in the order they are in.
    ///
    /// What is checked is that blocks are whole and keys are internal keys, not their order,
    /// which [`verify`](Self::verify) does: so a table can be listed whatever its comparator.
    pub fn entries(&self) -> Entries<'_, R, C> {
        Entries::new(self)
    }

    /// A cursor, which can be moved to any entry and both ways from there. It begins at none, and
    /// reads nothing before it is moved.
    ///
    /// A cursor that shares the table and so can outlive this reference is made by
    /// [`TableCursor::new`].
    pub fn cursor(&self) -> TableCursor<&Self> {
        TableCursor::new(self)
    }
}

/// The footer and the index, of which every handle is known to be right.
pub(crate) fn usable_index<R: ReadAt>(
    source: &BlockSource<R>,
) -> Result<(Footer, Block), TableError> {
    let (footer, _) = Footer::read(source)?;
    let index = Block::parse(read_before_footer(source, footer.index)?)?;
    check_handles(source, &index, footer.index)?;
    Ok((footer, index))
}

/// Checks that the blocks of the index are within the file, and that each begins where the one
/// before ends or after that, and none in the index: what reads all blocks reads no byte twice.
/// O(index).
fn check_handles<R: ReadAt>(
    source: &BlockSource<R>,
    index: &Block,
    index_handle: BlockHandle,
) -> Result<(), TableError> {
    let blocks_end = footer_offset(source)?;
    let mut end = 0;
    let mut is_from_start = false;
    let mut cursor = BlockCursor::default();
    while cursor.advance(index)? {
        let handle = cursor.handle(index)?;
        handle.check_within(blocks_end)?;
        is_from_start |= handle.offset == 0;
        if handle.offset < end {
            return Err(corrupt(handle.offset, Fault::BlockOverlaps { end }));
        }
        if handle.offset < index_handle.end() && index_handle.offset < handle.end() {
            let end = index_handle.end();
            return Err(corrupt(handle.offset, Fault::BlockOverlaps { end }));
        }
        end = handle.end();
    }
    match is_from_start {
        true => Ok(()),
        false => check_next(blocks_end, index_handle.end()),
    }
}

/// The filters, if the metaindex names LevelDB's built-in ones.
pub(crate) fn read_filter<R: ReadAt>(
    source: &BlockSource<R>,
    metaindex: BlockHandle,
) -> Result<Option<FilterBlock>, TableError> {
    let metaindex = Block::parse(read_before_footer(source, metaindex)?)?;
    let Some(handle) = find_filter(&metaindex)? else {
        return Ok(None);
    };
    FilterBlock::parse(read_before_footer(source, handle)?.bytes)
        .map(Some)
        .map_err(|fault| corrupt(handle.offset, fault))
}

/// Where the metaindex says LevelDB's built-in filters are.
fn find_filter(metaindex: &Block) -> Result<Option<BlockHandle>, TableError> {
    let mut cursor = BlockCursor::default();
    while cursor.advance(metaindex)? {
        let policy = cursor.key().strip_prefix(FILTER_KEY_PREFIX.as_bytes());
        if policy == Some(BloomFilter::NAME.as_bytes()) {
            return Ok(Some(cursor.handle(metaindex)?));
        }
    }
    Ok(None)
}

//! Writes a table.

use std::cmp::Ordering;
use std::io::{self, Write};

use strata_block::{BlockBuilder, BlockHandle, BlockWriter, LONGEST_BLOCK};
use strata_dbformat::{Comparator, InternalKey, InternalKeyComparator, split_internal_key};

use crate::filter_block::{FILTER_KEY_PREFIX, FilterBlockBuilder};
use crate::footer::Footer;
use crate::{BloomFilter, TableError, TableOptions, TableSummary};

/// Writes a table to `W`: entries in the order of their internal keys, whose user keys `C` orders.
///
/// The bytes are those that LevelDB's `TableBuilder` writes for the same entries and options,
/// except within compressed blocks: snappy has more than one way to compress.
///
/// It holds a data block, the index and the filters in memory, never the whole table. `W` is
/// written to in pieces of a block and less, so a file is best wrapped in a
/// [`BufWriter`](std::io::BufWriter); [`TableFile`](crate::TableFile) does that and more.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// use strata_table::{Table, TableOptions, TableWriter};
///
/// let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
/// let key = InternalKey::new(b"key", SequenceNumber::new(1)?, ValueType::Value);
/// writer.add(key.encode(), b"value")?;
/// assert!(writer.add(key.encode(), b"again").is_err(), "keys ascend strictly");
/// let (bytes, summary) = writer.finish()?;
///
/// assert_eq!((summary.entries, summary.largest.clone()), (1, key));
/// assert_eq!(Table::open(bytes, BytewiseComparator)?.verify()?, summary);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TableWriter<W, C> {
    blocks: BlockWriter<W>,
    order: InternalKeyComparator<C>,
    options: TableOptions,
    data: BlockBuilder,
    index: BlockBuilder,
    filter: Option<FilterBlockBuilder>,
    /// A data block that is written and not yet in the index: with the first key of the next
    /// block in hand, the index can say a shorter key than the block's last.
    unindexed: Option<BlockHandle>,
    /// The last key added; empty, so less than every key, if there is none.
    last_key: Vec<u8>,
    /// All but the largest key and the file's length, which are set at the end.
    summary: TableSummary,
    failed: bool,
}

impl<W: Write, C: Comparator> TableWriter<W, C> {
    /// Begins a table at the beginning of `dest`. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// [`TableError::OptionOutOfBounds`] if an option is.
    pub fn new(dest: W, comparator: C, options: TableOptions) -> Result<Self, TableError> {
        options.validate()?;
        let compression = options.compression;
        let blocks = BlockWriter::new(dest, compression)
            .map_err(|_| TableError::CompressionLeftOut { compression })?;
        let filter = match options.bloom_bits_per_key {
            Some(bits) => Some(FilterBlockBuilder::new(BloomFilter::new(bits)?)),
            None => None,
        };
        Ok(Self {
            blocks,
            order: InternalKeyComparator::new(comparator),
            data: BlockBuilder::new(options.restart_interval),
            index: BlockBuilder::new(1),
            filter,
            unindexed: None,
            last_key: Vec::new(),
            summary: TableSummary::default(),
            failed: false,
            options,
        })
    }

    /// Adds an entry. Amortised O(key + value); the destination is written to when it fills a
    /// data block.
    ///
    /// # Errors
    ///
    /// [`TableError::MalformedKey`] if `internal_key` is none, [`TableError::KeyNotAscending`] if
    /// it is not after the last one, [`TableError::TooLarge`] if with the entry a block could be
    /// longer than `u32::MAX` bytes: the entry is not added and the writer is as it was.
    /// [`TableError::Io`] if the destination fails; from then on [`TableError::Abandoned`].
    pub fn add(&mut self, internal_key: &[u8], value: &[u8]) -> Result<(), TableError> {
        if self.failed {
            return Err(TableError::Abandoned);
        }
        let (user_key, tag) = split_internal_key(internal_key).map_err(TableError::MalformedKey)?;
        self.check_order(internal_key)?;
        self.check_sizes(internal_key, value)?;

        if let Some(filter) = &mut self.filter {
            filter.add(user_key);
        }
        self.attempt(|writer| writer.append(internal_key, value))?;
        let counted = self.summary.count(internal_key, tag);
        counted.map_err(TableError::MalformedKey)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(internal_key);

        if self.data.size() >= self.options.block_size {
            self.attempt(Self::write_data_block)?;
        }
        Ok(())
    }

    /// How many entries have been added.
    pub fn entries(&self) -> u64 {
        self.summary.entries
    }

    /// How many bytes have been written: less than the table will have, by the unfinished data
    /// block, the index, the filters and the footer.
    pub fn bytes_written(&self) -> u64 {
        self.blocks.offset()
    }

    /// Writes what is left, flushes the destination and gives it back, with a summary.
    ///
    /// Without entries it is a table all the same. The destination is not synced.
    ///
    /// # Errors
    ///
    /// [`TableError::Io`] if the destination fails, [`TableError::Abandoned`] if it did before.
    pub fn finish(mut self) -> Result<(W, TableSummary), TableError> {
        if self.failed {
            return Err(TableError::Abandoned);
        }
        self.attempt(Self::write_rest)?;
        let mut summary = self.summary;
        if summary.entries > 0 {
            summary.largest = decode_key(&self.last_key)?;
        }
        summary.file_bytes = self.blocks.offset();
        let dest = self.blocks.finish().map_err(write_error)?;
        Ok((dest, summary))
    }

    fn check_order(&self, internal_key: &[u8]) -> Result<(), TableError> {
        // Without entries the last key is empty, and no key compares as less than that.
        if self.order.compare(&self.last_key, internal_key) == Ordering::Less {
            return Ok(());
        }
        Err(TableError::KeyNotAscending {
            last: decode_key(&self.last_key)?,
            key: decode_key(internal_key)?,
            comparator: self.order.user_comparator().name().to_owned(),
        })
    }

    /// Checks that every block stays within its bounds whatever is written next.
    fn check_sizes(&self, internal_key: &[u8], value: &[u8]) -> Result<(), TableError> {
        let check = |block, bytes| {
            if bytes > LONGEST_BLOCK {
                return Err(TableError::TooLarge { block, bytes });
            }
            Ok(())
        };
        let entry = BlockBuilder::longest_entry(internal_key.len(), value.len());
        let data = entry.saturating_add(self.data.size() as u64);
        check("data block", data)?;

        // The index gets a key for the block this entry is in, and it may still lack the one
        // before it. Neither is longer than the block's last key.
        let index_entry = |length| BlockBuilder::longest_entry(length, BlockHandle::LONGEST);
        let unindexed = match self.unindexed {
            Some(_) => index_entry(self.last_key.len()),
            None => 0,
        };
        let index = index_entry(internal_key.len())
            .saturating_add(unindexed)
            .saturating_add(self.index.size() as u64);
        check("index", index)?;

        if let Some(filter) = &self.filter {
            let block = BlockHandle {
                offset: self.blocks.offset(),
                length: data,
            };
            check("filter block", filter.size_with_another(block.end()))?;
        }
        Ok(())
    }

    /// Appends an entry to the data block; before its first one, the block before to the index.
    fn append(&mut self, internal_key: &[u8], value: &[u8]) -> io::Result<()> {
        self.index_last_block(Some(internal_key))?;
        let added = self.data.add(internal_key, value);
        added.map_err(io::Error::other)
    }

    /// Adds the last data block to the index, if it is not there: with a short key from its last
    /// one to before `next_key`.
    fn index_last_block(&mut self, next_key: Option<&[u8]>) -> io::Result<()> {
        let Some(handle) = self.unindexed.take() else {
            return Ok(());
        };
        let mut key = self.last_key.clone();
        match next_key {
            Some(next_key) => self.order.find_shortest_separator(&mut key, next_key),
            None => self.order.find_short_successor(&mut key),
        }
        let added = self.index.add(&key, &handle.encode());
        added.map_err(io::Error::other)
    }

    fn write_data_block(&mut self) -> io::Result<()> {
        if self.data.is_empty() {
            return Ok(());
        }
        let handle = self.blocks.write_block(&mut self.data)?;
        self.unindexed = Some(handle);
        self.summary.data_blocks += 1;
        if let Some(filter) = &mut self.filter {
            filter.start_block(self.blocks.offset());
        }
        Ok(())
    }

    fn write_rest(&mut self) -> io::Result<()> {
        self.write_data_block()?;
        let mut metaindex = BlockBuilder::new(self.options.restart_interval);
        if let Some(filter) = self.filter.take() {
            let handle = self.blocks.write_raw_block(&filter.finish())?;
            let key = [FILTER_KEY_PREFIX, BloomFilter::NAME].concat();
            let added = metaindex.add(key.as_bytes(), &handle.encode());
            added.map_err(io::Error::other)?;
        }
        let metaindex = self.blocks.write_block(&mut metaindex)?;
        self.index_last_block(None)?;
        let index = self.blocks.write_block(&mut self.index)?;
        self.blocks.write(&Footer { metaindex, index }.encode())
    }

    /// Writes; if that fails, the table is beyond completion.
    fn attempt(
        &mut self,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), TableError> {
        write(self).map_err(|source| {
            self.failed = true;
            write_error(source)
        })
    }
}

fn write_error(source: io::Error) -> TableError {
    TableError::Io {
        action: "write the table",
        source,
    }
}

fn decode_key(internal_key: &[u8]) -> Result<InternalKey, TableError> {
    InternalKey::decode(internal_key).map_err(TableError::MalformedKey)
}

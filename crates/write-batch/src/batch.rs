//! A batch that is being put together.

use std::fmt;

use strata_coding::{MAX_VARINT32_LENGTH, SliceTooLong, put_length_prefixed_slice};
use strata_dbformat::{Comparator, SequenceNumber, SequenceOutOfRange, ValueType};
use strata_memtable::MemTable;

use crate::view::HEADER_LENGTH;
use crate::{InsertError, MalformedBatch, Operations, PutError, WriteBatchView};

/// Puts and deletes that are to be applied together.
///
/// ```
/// use strata_write_batch::WriteBatch;
///
/// let mut batch = WriteBatch::new();
/// batch.put(b"key", b"value")?;
/// assert_eq!(batch.count(), 1);
/// assert_eq!(batch.contents(), b"\0\0\0\0\0\0\0\0\x01\0\0\0\x01\x03key\x05value");
/// # Ok::<(), strata_write_batch::PutError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WriteBatch {
    /// At least a header.
    contents: Vec<u8>,
}

/// Where the header's count is, after its sequence number.
const COUNT: std::ops::Range<usize> = size_of::<u64>()..HEADER_LENGTH;

impl WriteBatch {
    /// A batch without records, with sequence number 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            contents: vec![0; HEADER_LENGTH],
        }
    }

    /// The batch that `contents` holds; its records are not looked at yet.
    ///
    /// # Errors
    ///
    /// [`BatchFault::TooSmall`](crate::BatchFault::TooSmall) if there is no room for the header.
    pub fn from_contents(contents: Vec<u8>) -> Result<Self, MalformedBatch> {
        WriteBatchView::new(&contents)?;
        Ok(Self { contents })
    }

    /// Gives `user_key` the value `value`.
    ///
    /// # Errors
    ///
    /// [`PutError`] if the key or value is too long, or there are too many records; the batch is
    /// as it was.
    pub fn put(&mut self, user_key: &[u8], value: &[u8]) -> Result<(), PutError> {
        self.append_record(ValueType::Value, &[user_key, value])
    }

    /// Deletes `user_key`.
    ///
    /// # Errors
    ///
    /// As [`put`](WriteBatch::put).
    pub fn delete(&mut self, user_key: &[u8]) -> Result<(), PutError> {
        self.append_record(ValueType::Deletion, &[user_key])
    }

    fn append_record(&mut self, tag: ValueType, slices: &[&[u8]]) -> Result<(), PutError> {
        let count = self.count().checked_add(1).ok_or(PutError::TooMany)?;
        for slice in slices {
            u32::try_from(slice.len()).map_err(|_| SliceTooLong {
                length: slice.len(),
            })?;
        }
        // At once, and not in four steps for a batch's first record.
        let lengths = slices.iter().map(|slice| MAX_VARINT32_LENGTH + slice.len());
        self.contents.reserve(1 + lengths.sum::<usize>());
        self.contents.push(tag as u8);
        for slice in slices {
            put_length_prefixed_slice(&mut self.contents, slice)?;
        }
        self.set_count(count);
        Ok(())
    }

    /// Appends the records of `other`; the sequence number stays.
    ///
    /// ```
    /// use strata_write_batch::WriteBatch;
    ///
    /// let (mut first, mut second) = (WriteBatch::new(), WriteBatch::new());
    /// first.put(b"a", b"1")?;
    /// second.delete(b"b")?;
    /// first.append(&second)?;
    /// assert_eq!(first.count(), 2);
    /// # Ok::<(), strata_write_batch::PutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PutError::TooMany`] if there would be too many records; the batch is as it was.
    pub fn append(&mut self, other: &WriteBatch) -> Result<(), PutError> {
        let count = self
            .count()
            .checked_add(other.count())
            .ok_or(PutError::TooMany)?;
        self.contents.extend_from_slice(other.view().records());
        self.set_count(count);
        Ok(())
    }

    /// Takes all records out, and makes the sequence number 0.
    pub fn clear(&mut self) {
        self.contents.clear();
        self.contents.resize(HEADER_LENGTH, 0);
    }

    /// How many records there are; for a batch made of somebody else's bytes, how many its header
    /// announces.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.view().count()
    }

    fn set_count(&mut self, count: u32) {
        self.contents[COUNT].copy_from_slice(&count.to_le_bytes());
    }

    /// The sequence number of the first record.
    ///
    /// # Errors
    ///
    /// [`SequenceOutOfRange`] if the bytes the batch was made of hold no sequence number.
    pub fn sequence(&self) -> Result<SequenceNumber, SequenceOutOfRange> {
        self.view().sequence()
    }

    /// Gives the first record this sequence number, and those after it the next ones.
    pub fn set_sequence(&mut self, sequence: SequenceNumber) {
        self.contents[..COUNT.start].copy_from_slice(&sequence.get().to_le_bytes());
    }

    /// How many bytes the batch takes in a log. O(1).
    #[must_use]
    pub fn approximate_size(&self) -> usize {
        self.contents.len()
    }

    /// The batch's bytes: what a log record holds.
    #[must_use]
    pub fn contents(&self) -> &[u8] {
        &self.contents
    }

    /// The batch as something to read.
    #[must_use]
    pub fn view(&self) -> WriteBatchView<'_> {
        match WriteBatchView::new(&self.contents) {
            Ok(view) => view,
            Err(_) => unreachable!("a batch has a header from the start"),
        }
    }

    /// The records, one by one; as [`WriteBatchView::operations`].
    #[must_use]
    pub fn operations(&self) -> Operations<'_> {
        self.view().operations()
    }

    /// Inserts all records into `memtable` or none; as [`WriteBatchView::insert_into`].
    ///
    /// # Errors
    ///
    /// [`InsertError`], and the memtable is as it was.
    pub fn insert_into<C: Comparator>(&self, memtable: &MemTable<C>) -> Result<(), InsertError> {
        self.view().insert_into(memtable)
    }
}

impl Default for WriteBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WriteBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBatch")
            .field("sequence", &self.sequence())
            .field("count", &self.count())
            .field("bytes", &self.contents.len())
            .finish()
    }
}

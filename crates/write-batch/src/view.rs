//! A batch's bytes, borrowed.

use strata_coding::{get_fixed32, get_fixed64};
use strata_dbformat::{Comparator, SequenceNumber, SequenceOutOfRange};
use strata_memtable::MemTable;

use crate::{BatchFault, Handler, InsertError, MalformedBatch, Operation, Operations};

/// How many bytes the header takes: the sequence number and the count.
pub(crate) const HEADER_LENGTH: usize = 12;

/// A batch that is read from bytes of somebody else's, a log record's for instance.
///
/// Only the header is known to be whole; what follows is checked as it is read.
///
/// ```
/// use strata_write_batch::{Operation, WriteBatchView};
///
/// let batch = WriteBatchView::new(b"\x64\0\0\0\0\0\0\0\x02\0\0\0\x01\x01k\x01v\x00\x01k")?;
/// assert_eq!((batch.sequence()?.get(), batch.count()), (100, 2));
/// let operations: Vec<Operation<'_>> = batch.operations().collect::<Result<_, _>>()?;
/// assert_eq!(operations, [
///     Operation::Put { user_key: b"k", value: b"v" },
///     Operation::Delete { user_key: b"k" },
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WriteBatchView<'a> {
    contents: &'a [u8],
    sequence: u64,
    count: u32,
    records: &'a [u8],
}

impl<'a> WriteBatchView<'a> {
    /// The batch that `contents` holds.
    ///
    /// # Errors
    ///
    /// [`BatchFault::TooSmall`] if there is no room for the header.
    pub fn new(contents: &'a [u8]) -> Result<Self, MalformedBatch> {
        let too_small = |_| MalformedBatch {
            fault: BatchFault::TooSmall,
            offset: contents.len(),
        };
        let (sequence, rest) = get_fixed64(contents).map_err(too_small)?;
        let (count, records) = get_fixed32(rest).map_err(too_small)?;
        Ok(Self {
            contents,
            sequence,
            count,
            records,
        })
    }

    /// The sequence number of the first record.
    ///
    /// # Errors
    ///
    /// [`SequenceOutOfRange`] if the header holds no sequence number.
    pub fn sequence(&self) -> Result<SequenceNumber, SequenceOutOfRange> {
        SequenceNumber::new(self.sequence)
    }

    /// How many records the header announces.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The batch's bytes.
    #[must_use]
    pub fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// The bytes behind the header.
    pub(crate) fn records(&self) -> &'a [u8] {
        self.records
    }

    /// The records, one by one, and an error where the bytes are wrong.
    #[must_use]
    pub fn operations(&self) -> Operations<'a> {
        Operations::new(self.records, HEADER_LENGTH, self.count)
    }

    /// Tells `handler` of each record, as LevelDB's `Iterate` does: up to the first fault.
    ///
    /// ```
    /// use strata_write_batch::{BatchFault, Handler, WriteBatch};
    ///
    /// #[derive(Default)]
    /// struct Keys(Vec<u8>);
    ///
    /// impl Handler for Keys {
    ///     fn put(&mut self, user_key: &[u8], _: &[u8]) {
    ///         self.0.extend_from_slice(user_key);
    ///     }
    ///     fn delete(&mut self, _: &[u8]) {}
    /// }
    ///
    /// let mut batch = WriteBatch::new();
    /// batch.put(b"a", b"")?;
    /// batch.delete(b"b")?;
    /// batch.put(b"c", b"")?;
    /// let mut keys = Keys::default();
    /// batch.view().iterate(&mut keys)?;
    /// assert_eq!(keys.0, b"ac");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MalformedBatch`] where the bytes are wrong; the handler has been told of the records
    /// before.
    pub fn iterate(&self, handler: &mut impl Handler) -> Result<(), MalformedBatch> {
        for operation in self.operations() {
            match operation? {
                Operation::Put { user_key, value } => handler.put(user_key, value),
                Operation::Delete { user_key } => handler.delete(user_key),
            }
        }
        Ok(())
    }

    /// Reads the whole batch to see that it is well formed.
    ///
    /// # Errors
    ///
    /// [`MalformedBatch`] where it is not.
    pub fn check(&self) -> Result<(), MalformedBatch> {
        self.operations()
            .try_for_each(|operation| operation.map(|_| ()))
    }

    /// Inserts the records into `memtable`, numbered from the batch's sequence number: all of
    /// them, or none if anything is wrong with any.
    ///
    /// They become visible one after the other; see [`MemTable::add_batch`]. LevelDB's
    /// `InsertInto` applies the records before a fault.
    ///
    /// # Errors
    ///
    /// [`InsertError`], and the memtable is as it was.
    pub fn insert_into<C: Comparator>(&self, memtable: &MemTable<C>) -> Result<(), InsertError> {
        self.check()?;
        let first = self.sequence()?;
        let entries = self.operations().filter_map(Result::ok).map(|operation| {
            (
                operation.value_type(),
                operation.user_key(),
                operation.value(),
            )
        });
        Ok(memtable.add_batch(first, entries)?)
    }
}

//! Looks up one user key.

use std::cmp::Ordering;

use strata_dbformat::{Comparator, SequenceNumber, Tag, ValueType};

use crate::keys::set_target;
use crate::position::Position;
use crate::{Entry, EntryRef, ReadAt, Table, TableError};

/// What a table says about a user key at a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// It has this value.
    Value(Vec<u8>),
    /// It is deleted.
    Tombstone,
    /// Nothing: an older table may know of it.
    Absent,
}

impl<R: ReadAt, C: Comparator> Table<R, C> {
    /// The newest version of `user_key` that `snapshot` sees.
    ///
    /// Asks the index, then the filter if there is one, and reads one data block, rarely two.
    /// O(log n) comparisons.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] if what it reads is, [`TableError::Io`] if the source fails. With
    /// another comparator than the table was written with, any answer may be wrong:
    /// [`verify`](Self::verify) tells.
    pub fn get(&self, user_key: &[u8], snapshot: SequenceNumber) -> Result<Lookup, TableError> {
        let found = self.find(user_key, snapshot, |entry, tag| match tag.value_type() {
            ValueType::Value => Lookup::Value(entry.value.to_vec()),
            ValueType::Deletion => Lookup::Tombstone,
        })?;
        Ok(found.unwrap_or(Lookup::Absent))
    }

    /// As [`get`](Self::get), and gives the whole entry, with its sequence number: of several
    /// tables that know of a user key, the one with the newest version is right.
    ///
    /// ```
    /// # use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
    /// # use strata_table::{Table, TableOptions, TableWriter};
    /// # let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default())?;
    /// # let key = InternalKey::new(b"key", SequenceNumber::new(7)?, ValueType::Deletion);
    /// # writer.add(key.encode(), b"")?;
    /// # let table = Table::open(writer.finish()?.0, BytewiseComparator)?;
    /// // A table in which "key" was deleted at 7.
    /// let entry = table.get_entry(b"key", SequenceNumber::MAX)?.unwrap();
    /// let key = entry.internal_key.parsed().unwrap();
    /// assert_eq!((key.sequence.get(), key.value_type), (7, ValueType::Deletion));
    /// assert_eq!(table.get_entry(b"kez", SequenceNumber::MAX)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn get_entry(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
    ) -> Result<Option<Entry>, TableError> {
        let found = self.find(user_key, snapshot, |entry, _| entry.to_entry())?;
        found.transpose()
    }

    /// The result of `make` for the newest version of `user_key` that `snapshot` sees.
    fn find<F>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        make: impl FnOnce(EntryRef<'_>, Tag) -> F,
    ) -> Result<Option<F>, TableError> {
        let mut target = Vec::new();
        set_target(&mut target, user_key, snapshot);
        let mut position = Position::default();
        let mut next = position.seek_block(self, &target)?;
        while let Some(handle) = next {
            if self.may_contain(handle.offset, user_key)
                && position.seek_within(self, handle, &target)?
            {
                let (found, tag) = position.split_key()?;
                let found = self.same(found, user_key);
                return Ok(found.then(|| make(position.entry(), tag)));
            }
            // All keys of the block are before the target. The next block begins after the
            // index's key, so with this user key only if that is the index's user key, too.
            if !self.same(position.index_user_key(self)?, user_key) {
                break;
            }
            next = position.next_block(self)?;
        }
        Ok(None)
    }

    fn same(&self, a: &[u8], b: &[u8]) -> bool {
        self.order.user_comparator().compare(a, b) == Ordering::Equal
    }

    /// Whether the filter, if there is one, lets the block have an entry with the user key.
    pub(crate) fn may_contain(&self, block_offset: u64, user_key: &[u8]) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.may_contain(block_offset, user_key))
    }
}

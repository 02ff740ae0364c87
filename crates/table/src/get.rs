//! Looks up one user key.

use std::cmp::Ordering;
use std::io::{Read, Seek};

use strata_dbformat::{Comparator, SequenceNumber, ValueType};

use crate::position::{Position, set_target};
use crate::{Table, TableError};

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

impl<R: Read + Seek, C: Comparator> Table<R, C> {
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
    pub fn get(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<Lookup, TableError> {
        let mut target = Vec::new();
        set_target(&mut target, user_key, snapshot);
        let mut position = Position::default();
        let mut next = position.seek_block(self, &target)?;
        while let Some(handle) = next {
            if self.may_contain(handle.offset, user_key)
                && position.seek_within(self, handle, &target)?
            {
                return self.lookup_at(&position, user_key);
            }
            // All keys of the block are before the target. The next block begins after the
            // index's key, so with this user key only if that is the index's user key, too.
            if !self.same(position.index_user_key(self)?, user_key) {
                break;
            }
            next = position.next_block(self)?;
        }
        Ok(Lookup::Absent)
    }

    /// What the entry here, the first that is not before the target, says of `user_key`.
    fn lookup_at(&self, position: &Position, user_key: &[u8]) -> Result<Lookup, TableError> {
        let (found, tag) = position.split_key()?;
        if !self.same(found, user_key) {
            return Ok(Lookup::Absent);
        }
        Ok(match tag.value_type() {
            ValueType::Value => Lookup::Value(position.entry().value.to_vec()),
            ValueType::Deletion => Lookup::Tombstone,
        })
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

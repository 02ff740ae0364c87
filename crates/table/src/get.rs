//! Looks up one user key.

use std::cmp::Ordering;
use std::io::{Read, Seek};

use strata_dbformat::{
    Comparator, ParsedInternalKey, SequenceNumber, ValueType, append_internal_key,
    split_internal_key,
};

use crate::block_reader::{Block, BlockCursor};
use crate::reader::decode_handle;
use crate::{Fault, Table, TableError};

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
        append_internal_key(
            &mut target,
            &ParsedInternalKey {
                user_key,
                sequence: snapshot,
                value_type: ValueType::FOR_SEEK,
            },
        );
        let mut index = BlockCursor::default();
        let mut cursor = BlockCursor::default();
        let mut found = index.seek(&self.index, &self.order, &target)?;
        while found {
            let handle = decode_handle(&self.index, &index)?;
            if self.may_contain(handle.offset, user_key) {
                let block = self.source.read_block(handle)?;
                if cursor.seek(&block, &self.order, &target)? {
                    return self.lookup_at(&block, &cursor, user_key);
                }
            }
            // All keys of the block are before the target. The next block begins after the
            // index's key, so with this user key only if that is the index's user key, too.
            let (index_user_key, _) = self.split(&self.index, index.key())?;
            if !self.same(index_user_key, user_key) {
                break;
            }
            found = index.advance(&self.index)?;
        }
        Ok(Lookup::Absent)
    }

    /// What the cursor's entry, the first that is not before the target, says of `user_key`.
    fn lookup_at(
        &self,
        block: &Block,
        cursor: &BlockCursor,
        user_key: &[u8],
    ) -> Result<Lookup, TableError> {
        let (found, value_type) = self.split(block, cursor.key())?;
        if !self.same(found, user_key) {
            return Ok(Lookup::Absent);
        }
        Ok(match value_type {
            ValueType::Value => Lookup::Value(cursor.value(block).to_vec()),
            ValueType::Deletion => Lookup::Tombstone,
        })
    }

    fn split<'k>(
        &self,
        block: &Block,
        internal_key: &'k [u8],
    ) -> Result<(&'k [u8], ValueType), TableError> {
        let (user_key, tag) =
            split_internal_key(internal_key).map_err(|error| block.fault(Fault::Key { error }))?;
        Ok((user_key, tag.value_type()))
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

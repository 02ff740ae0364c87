//! A position in a table: in its index, and in the data block that is in memory.

use std::sync::Arc;

use strata_block::{Block, BlockCursor, BlockHandle};
use strata_dbformat::{Comparator, Tag};

use crate::keys::{seek, split_key};
use crate::{EntryRef, ReadAt, Table, TableError};

/// A position among a table's entries: LevelDB's two-level iterator.
///
/// It begins before the first entry. It holds no table; every call must be given the same one. A
/// move says whether there is an entry to be at; if not, and after an error, only a seek is a move
/// that makes sense.
#[derive(Debug, Default)]
pub(crate) struct Position {
    index: BlockCursor,
    /// The data block that is in memory, if one is, and which it is.
    handle: Option<BlockHandle>,
    block: Option<Arc<Block>>,
    cursor: BlockCursor,
}

impl Position {
    /// The entry that the last move said there is.
    pub(crate) fn entry(&self) -> EntryRef<'_> {
        EntryRef {
            internal_key: self.cursor.key(),
            value: self.cursor.value(or_empty(&self.block)),
        }
    }

    /// Where in the file the block of that entry is.
    pub(crate) fn block_offset(&self) -> u64 {
        or_empty(&self.block).offset()
    }

    /// The key of that entry, taken apart.
    pub(crate) fn split_key(&self) -> Result<(&[u8], Tag), TableError> {
        split_key(&self.cursor, or_empty(&self.block))
    }

    /// Moves to the first entry.
    pub(crate) fn seek_to_first<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<bool, TableError> {
        self.index.rewind();
        self.first_of_next_blocks(table)
    }

    /// Moves to the last entry.
    pub(crate) fn seek_to_last<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<bool, TableError> {
        self.index.move_after_last(&table.index);
        self.last_of_blocks_before(table)
    }

    /// Moves to the first entry that is not before `target`.
    pub(crate) fn seek<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
        target: &[u8],
    ) -> Result<bool, TableError> {
        let mut next = self.seek_block(table, target)?;
        while let Some(handle) = next {
            if self.seek_within(table, handle, target)? {
                return Ok(true);
            }
            next = self.next_block(table)?;
        }
        Ok(false)
    }

    /// Moves to the next entry.
    pub(crate) fn advance<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<bool, TableError> {
        Ok(self.advance_within()? || self.first_of_next_blocks(table)?)
    }

    /// Moves to the entry before.
    pub(crate) fn retreat<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<bool, TableError> {
        Ok(self.retreat_within()? || self.last_of_blocks_before(table)?)
    }

    /// Moves in the index to the first block that can have `target` or what comes after it, and
    /// gives its handle. Reads nothing.
    pub(crate) fn seek_block<R, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
        target: &[u8],
    ) -> Result<Option<BlockHandle>, TableError> {
        let found = seek(&mut self.index, &table.index, &table.order, target)?;
        self.handle_if(found, table)
    }

    /// Moves in the index to the next block, and gives its handle. Reads nothing.
    pub(crate) fn next_block<R, C>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<Option<BlockHandle>, TableError> {
        let found = self.index.advance(&table.index)?;
        self.handle_if(found, table)
    }

    /// Moves in the index to the block before, and gives its handle. Reads nothing.
    fn block_before<R, C>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<Option<BlockHandle>, TableError> {
        let found = self.index.retreat(&table.index)?;
        self.handle_if(found, table)
    }

    /// The handle that the index has here, if the move there found something.
    fn handle_if<R, C>(
        &self,
        found: bool,
        table: &Table<R, C>,
    ) -> Result<Option<BlockHandle>, TableError> {
        if !found {
            return Ok(None);
        }
        split_key(&self.index, &table.index)?;
        Ok(Some(self.index.handle(&table.index)?))
    }

    /// The user key that the index has for this block: not before the block's, not after the next
    /// block's.
    pub(crate) fn index_user_key<R, C>(&self, table: &Table<R, C>) -> Result<&[u8], TableError> {
        let (user_key, _) = split_key(&self.index, &table.index)?;
        Ok(user_key)
    }

    /// Reads the block, unless it is in memory, and moves to its first entry that is not before
    /// `target`.
    pub(crate) fn seek_within<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
        handle: BlockHandle,
        target: &[u8],
    ) -> Result<bool, TableError> {
        self.read(table, handle)?;
        let block = or_empty(&self.block);
        let found = seek(&mut self.cursor, block, &table.order, target)?;
        self.checked(found)
    }

    fn first_of_next_blocks<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<bool, TableError> {
        while let Some(handle) = self.next_block(table)? {
            self.read(table, handle)?;
            self.cursor.rewind();
            if self.advance_within()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn last_of_blocks_before<R: ReadAt, C: Comparator>(
        &mut self,
        table: &Table<R, C>,
    ) -> Result<bool, TableError> {
        while let Some(handle) = self.block_before(table)? {
            self.read(table, handle)?;
            self.cursor.move_after_last(or_empty(&self.block));
            if self.retreat_within()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn advance_within(&mut self) -> Result<bool, TableError> {
        let found = self.cursor.advance(or_empty(&self.block))?;
        self.checked(found)
    }

    fn retreat_within(&mut self) -> Result<bool, TableError> {
        let found = self.cursor.retreat(or_empty(&self.block))?;
        self.checked(found)
    }

    /// Sees to it that what was found is an internal key.
    fn checked(&self, found: bool) -> Result<bool, TableError> {
        if found {
            self.split_key()?;
        }
        Ok(found)
    }

    /// Reads a block, unless it is the one in memory.
    fn read<R: ReadAt, C>(
        &mut self,
        table: &Table<R, C>,
        handle: BlockHandle,
    ) -> Result<(), TableError> {
        if self.handle != Some(handle) {
            self.block = Some(table.source.read_shared_block(handle)?);
            self.handle = Some(handle);
        }
        Ok(())
    }
}

/// A block without entries, where there is none.
fn or_empty(block: &Option<Arc<Block>>) -> &Block {
    static EMPTY: Block = Block::EMPTY;
    block.as_deref().unwrap_or(&EMPTY)
}

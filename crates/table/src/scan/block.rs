//! A block whose checksum is right, and those of its entries that are well formed.

use std::fmt;

use crate::block_reader::{Block, BlockCursor};
use crate::format::BlockHandle;
use crate::source::Source;
use crate::{Compression, Damage, EntryRef, Fault, KeyRange, ReadAt, TableError};

/// A data block that was read; made by [`Scan::next_block`](crate::Scan::next_block).
pub struct ScannedBlock {
    pub(super) block: Block,
    pub(super) stored: u64,
    pub(super) compression: Compression,
    pub(super) keys: Option<KeyRange>,
}

impl ScannedBlock {
    /// Where in the file the block begins, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.block.offset()
    }

    /// How many bytes it takes in the file, without the 5 bytes of its trailer.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.stored
    }

    /// How it is compressed.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The entries that are well formed, in the order they are in.
    ///
    /// An entry that is not costs itself; if it can't be known where the next one begins, or what
    /// that one shares with it, those up to the next restart point. `next_block` has reported it.
    #[must_use]
    pub fn entries(&self) -> ScannedEntries<'_> {
        ScannedEntries {
            block: &self.block,
            cursor: BlockCursor::default(),
        }
    }

    /// The user key of the last entry that is well formed. O(block).
    pub(super) fn last_user_key(&self) -> Option<Vec<u8>> {
        let mut cursor = BlockCursor::default();
        while let Some(step) = step(&self.block, &mut cursor) {
            step.ok()?;
        }
        let (user_key, _) = cursor.split_key(&self.block).ok()?;
        Some(user_key.to_vec())
    }

    /// Reports the entries that are not well formed, and says whether there is one that is.
    pub(super) fn check(&mut self, report: &mut dyn FnMut(Damage)) -> bool {
        let mut cursor = BlockCursor::default();
        let mut any = false;
        while let Some(step) = step(&self.block, &mut cursor) {
            match step {
                Ok(()) => any = true,
                Err((fault, bytes)) => report(Damage {
                    offset: self.block.offset(),
                    bytes,
                    fault,
                    keys: self.keys.clone(),
                }),
            }
        }
        any
    }
}

impl fmt::Debug for ScannedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannedBlock")
            .field("offset", &self.offset())
            .field("stored_bytes", &self.stored)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// The entries of a block; made by [`ScannedBlock::entries`].
pub struct ScannedEntries<'b> {
    block: &'b Block,
    cursor: BlockCursor,
}

impl ScannedEntries<'_> {
    /// The next entry, whose key is an internal key; `None` after the last.
    pub fn next_entry(&mut self) -> Option<EntryRef<'_>> {
        while step(self.block, &mut self.cursor)?.is_err() {}
        Some(EntryRef {
            internal_key: self.cursor.key(),
            value: self.cursor.value(self.block),
        })
    }
}

impl fmt::Debug for ScannedEntries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannedEntries").finish_non_exhaustive()
    }
}

/// Reads a data block.
pub(super) fn read_scanned<R: ReadAt>(
    source: &Source<R>,
    handle: BlockHandle,
    keys: Option<KeyRange>,
) -> Result<ScannedBlock, TableError> {
    let contents = source.read_anywhere(handle)?;
    Ok(ScannedBlock {
        stored: contents.stored,
        compression: contents.compression,
        block: Block::parse(contents, handle.offset)?,
        keys,
    })
}

/// Moves to the next entry, and over one that is not well formed: then says what is wrong, and how
/// many bytes were passed over.
fn step(block: &Block, cursor: &mut BlockCursor) -> Option<Result<(), (Fault, u64)>> {
    let start = cursor.position();
    let fault = match cursor.advance(block) {
        Ok(false) => return None,
        Ok(true) => match cursor.split_key(block) {
            Ok(_) => return Some(Ok(())),
            Err(error) => error,
        },
        Err(error) => {
            cursor.skip_to_restart(block);
            error
        }
    };
    let bytes = cursor.position() - start;
    let TableError::Corrupt { fault, .. } = fault else {
        return None;
    };
    Some(Err((fault, bytes as u64)))
}

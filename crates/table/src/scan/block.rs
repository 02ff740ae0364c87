//! A block whose checksum is right, and those of its entries that are well formed.

use std::fmt;

use strata_block::{Block, BlockCursor, BlockHandle, BlockSource};

use crate::keys::split_key;
use crate::{Compression, Damage, EntryRef, Fault, KeyRange, ReadAt, TableError};

/// A data block that was read; made by [`Scan::next_block`](crate::Scan::next_block).
pub struct ScannedBlock {
    pub(super) block: Block,
    pub(super) stored: u64,
    pub(super) compression: Compression,
    pub(super) keys: Option<KeyRange>,
    /// Where [`advance`](Self::advance) is; none before the first call.
    pub(super) cursor: BlockCursor,
    pub(super) is_at_entry: bool,
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

    /// Moves to the next entry that is well formed, at first to the first one; `false` after the
    /// last.
    ///
    /// An entry that is not costs itself; if it can't be known where the next one begins, or what
    /// that one shares with it, those up to the next restart point. `next_block` has reported it.
    pub fn advance(&mut self) -> bool {
        self.is_at_entry = loop {
            match step(&self.block, &mut self.cursor) {
                Some(Ok(())) => break true,
                Some(Err(_)) => {}
                None => break false,
            }
        };
        self.is_at_entry
    }

    /// The entry that [`advance`](Self::advance) has moved to. Its key is an internal key.
    #[must_use]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        self.is_at_entry.then(|| EntryRef {
            internal_key: self.cursor.key(),
            value: self.cursor.value(&self.block),
        })
    }

    /// The user key of the last entry that is well formed. O(block).
    pub(super) fn last_user_key(&self) -> Option<Vec<u8>> {
        let mut cursor = BlockCursor::default();
        while let Some(step) = step(&self.block, &mut cursor) {
            step.ok()?;
        }
        let (user_key, _) = split_key(&cursor, &self.block).ok()?;
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

/// Reads a data block.
pub(super) fn read_scanned<R: ReadAt>(
    source: &BlockSource<R>,
    handle: BlockHandle,
    keys: Option<KeyRange>,
) -> Result<ScannedBlock, TableError> {
    let contents = source.read(handle)?;
    Ok(ScannedBlock {
        stored: handle.length,
        compression: contents.compression,
        block: Block::parse(contents)?,
        keys,
        cursor: BlockCursor::default(),
        is_at_entry: false,
    })
}

/// Moves to the next entry, and over one that is not well formed: then says what is wrong, and how
/// many bytes were passed over.
fn step(block: &Block, cursor: &mut BlockCursor) -> Option<Result<(), (Fault, u64)>> {
    let start = cursor.position();
    let fault = match cursor.advance(block) {
        Ok(false) => return None,
        Ok(true) => match split_key(cursor, block) {
            Ok(_) => return Some(Ok(())),
            Err(error) => error,
        },
        Err(error) => {
            cursor.skip_to_restart(block);
            error.into()
        }
    };
    let bytes = cursor.position() - start;
    let TableError::Corrupt { fault, .. } = fault else {
        return None;
    };
    Some(Err((fault, bytes as u64)))
}

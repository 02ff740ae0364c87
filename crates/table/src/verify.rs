//! Reads a whole table and checks all that there is to check.

use std::cmp::Ordering;

use strata_block::{Block, BlockCursor};
use strata_dbformat::{Comparator, InternalKey};

use crate::error::corrupt;
use crate::footer::{Footer, footer_offset, read_before_footer};
use crate::keys::split_key;
use crate::reader::read_filter;
use crate::{Fault, ReadAt, Table, TableError, TableSummary};

impl<R: ReadAt, C: Comparator> Table<R, C> {
    /// Reads the whole table and checks that
    ///
    /// - every byte but the footer belongs to exactly one block, whose checksum is right;
    /// - the footer is as a writer makes it, its padding zero;
    /// - the keys of the entries are internal keys and ascend strictly;
    /// - each of the index's keys is not before its block's entries and before the next block's;
    /// - the filter, if there is one, denies no user key in the block it is in.
    ///
    /// O(table), with one data block in memory at a time.
    ///
    /// # Errors
    ///
    /// [`TableError::Corrupt`] for the first thing that is wrong; with another comparator than the
    /// table was written with, that is [`Fault::KeyNotAscending`] or [`Fault::IndexKey`].
    /// [`TableError::Io`] if the source fails.
    pub fn verify(&self) -> Result<TableSummary, TableError> {
        let mut summary = TableSummary {
            file_bytes: self.source.length(),
            ..TableSummary::default()
        };
        // The last key that was seen, of an entry or of the index; empty before the first one.
        let mut last = Vec::new();
        let mut data_end = 0;
        let mut index = BlockCursor::default();
        while index.advance(&self.index)? {
            split_key(&index, &self.index)?;
            let handle = index.handle(&self.index)?;
            check_next(handle.offset, data_end)?;
            data_end = handle.end();
            let block = self.source.read_block(handle)?;
            self.verify_entries(&block, &mut last, &mut summary)?;
            self.verify_index_key(index.key(), &mut last)?;
            summary.data_blocks += 1;
        }
        self.verify_rest(data_end)?;
        Ok(summary)
    }

    fn verify_entries(
        &self,
        block: &Block,
        last: &mut Vec<u8>,
        summary: &mut TableSummary,
    ) -> Result<(), TableError> {
        let wrong = |fault: Fault| corrupt(block.offset(), fault);
        let malformed = |error| wrong(Fault::Key { error });
        let before = summary.entries;
        let mut cursor = BlockCursor::default();
        while cursor.advance(block)? {
            let key = cursor.key();
            let (user_key, tag) = split_key(&cursor, block)?;
            if self.order.compare(last, key) != Ordering::Less {
                return Err(wrong(Fault::KeyNotAscending {
                    last: last.clone(),
                    key: key.to_vec(),
                    comparator: self.comparator_name(),
                }));
            }
            if !self.may_contain(block.offset(), user_key) {
                return Err(wrong(Fault::FilterMisses {
                    user_key: user_key.to_vec(),
                }));
            }
            summary.count(key, tag).map_err(malformed)?;
            last.clear();
            last.extend_from_slice(key);
        }
        if summary.entries > before {
            summary.largest = InternalKey::decode(last).map_err(malformed)?;
        }
        Ok(())
    }

    /// Checks the index's key for a block whose last key is `last`, and makes it the last one.
    fn verify_index_key(&self, key: &[u8], last: &mut Vec<u8>) -> Result<(), TableError> {
        if self.order.compare(last, key) == Ordering::Greater {
            let fault = Fault::IndexKey {
                last: last.clone(),
                key: key.to_vec(),
                comparator: self.comparator_name(),
            };
            return Err(corrupt(self.index.offset(), fault));
        }
        last.clear();
        last.extend_from_slice(key);
        Ok(())
    }

    /// Checks what comes after the data blocks: that it is the metaindex, what that names, the
    /// index and the footer, and nothing else.
    fn verify_rest(&self, data_end: u64) -> Result<(), TableError> {
        let (footer, bytes) = Footer::read(&self.source)?;
        read_filter(&self.source, footer.metaindex)?;
        let metaindex = self.source.read_block(footer.metaindex)?;
        let mut blocks = vec![footer.metaindex, footer.index];
        let mut cursor = BlockCursor::default();
        while cursor.advance(&metaindex)? {
            blocks.push(cursor.handle(&metaindex)?);
        }
        blocks.sort_by_key(|handle| handle.offset);
        let mut end = data_end;
        for handle in blocks {
            check_next(handle.offset, end)?;
            end = handle.end();
            read_before_footer(&self.source, handle)?;
        }
        let footer_offset = footer_offset(&self.source)?;
        check_next(footer_offset, end)?;
        if footer.encode() != bytes {
            return Err(corrupt(footer_offset, Fault::FooterPadding));
        }
        Ok(())
    }

    fn comparator_name(&self) -> String {
        self.order.user_comparator().name().to_owned()
    }
}

/// Checks that a block, or the footer, begins where the block before it ends.
pub(crate) fn check_next(offset: u64, expected: u64) -> Result<(), TableError> {
    match offset == expected {
        true => Ok(()),
        false => Err(corrupt(offset, Fault::BlockNotNext { expected })),
    }
}

//! The keys of a table's blocks, which are internal keys.

use std::cmp::Ordering;

use strata_block::{Block, BlockCursor, BlockError};
use strata_dbformat::{
    Comparator, InternalKeyComparator, ParsedInternalKey, SequenceNumber, Tag, ValueType,
    append_internal_key, split_internal_key,
};

use crate::TableError;
use crate::error::corrupt;
use crate::fault::Fault;

/// The key that the cursor is at, taken apart.
pub(crate) fn split_key<'c>(
    cursor: &'c BlockCursor,
    block: &Block,
) -> Result<(&'c [u8], Tag), TableError> {
    split_internal_key(cursor.key()).map_err(|error| corrupt(block.offset(), Fault::Key { error }))
}

/// Moves to the first entry whose key is not before `target`, and says whether there is one.
pub(crate) fn seek<C: Comparator>(
    cursor: &mut BlockCursor,
    block: &Block,
    order: &InternalKeyComparator<C>,
    target: &[u8],
) -> Result<bool, BlockError> {
    cursor.seek(block, |key| order.compare(key, target) == Ordering::Less)
}

/// Makes `target` the internal key to seek: where what `snapshot` sees of `user_key` begins.
pub(crate) fn set_target(target: &mut Vec<u8>, user_key: &[u8], snapshot: SequenceNumber) {
    target.clear();
    append_internal_key(
        target,
        &ParsedInternalKey {
            user_key,
            sequence: snapshot,
            value_type: ValueType::FOR_SEEK,
        },
    );
}

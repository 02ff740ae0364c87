//! A look at both ends of what can be a block, before it is read.
//!
//! One in 2^32 pairs of a start and an end has a right checksum by accident. In a file of 64 MB
//! that is thousands, of up to 32 MB each, and nearly all are known by a few bytes: every block of
//! entries begins with a 0, which is either how much the first key shares or a restart point.

use std::io;

use strata_block::{BlockHandle, BlockSource, Compression};

use crate::ReadAt;
use crate::filter_block::BASE_LG;

/// How many bytes of the beginning are looked at: enough for the tables of a deflate block.
const FIRST: usize = 512;

/// A word, and the byte before or behind it.
const LAST: usize = 6;

const WORD: usize = 4;

/// Whether what a handle says can be a block of a table.
pub(super) fn may_be_block<R: ReadAt>(
    source: &BlockSource<R>,
    handle: BlockHandle,
) -> io::Result<bool> {
    let Some(before) = handle.length.checked_sub(LAST as u64 - 1) else {
        // Without compression there is less than an empty block.
        return Ok(false);
    };
    let mut last = [0; LAST];
    let reader = source.reader();
    reader.read_exact_at(&mut last, handle.offset + before)?;
    let [_, a, b, c, d, number] = last;
    let mut first = [0; FIRST];
    let length = usize::try_from(handle.length).unwrap_or(FIRST).min(FIRST);
    let first = first.get_mut(..length).unwrap_or_default();
    reader.read_exact_at(first, handle.offset)?;
    if number != 0 {
        let compression = Compression::of(number, first);
        return Ok(compression.is_ok_and(|it| it.can_begin_with_zero(first)));
    }
    // Where the first restart point is, or the first filter's offset. Both are 0.
    let at = match last {
        [a, b, c, d, BASE_LG, _] => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
        _ => {
            let restarts = u64::from(u32::from_le_bytes([a, b, c, d]));
            handle.length.checked_sub(WORD as u64 * (restarts + 1))
        }
    };
    let Some(at) = at.filter(|at| at + WORD as u64 <= handle.length) else {
        return Ok(false);
    };
    let mut word = [0; WORD];
    reader.read_exact_at(&mut word, handle.offset + at)?;
    let is_filter = d == BASE_LG;
    Ok(word == [0; WORD] && (is_filter || first.first() == Some(&0)))
}

//! Goes through a block's entries in both directions, and to the first one that is not before a key.

use std::ops::Range;

use crate::block::WHOLE_KEY;
use crate::{Block, BlockError, BlockFault, BlockHandle};

/// A position in a block: before its entries, at one of them, or after them.
///
/// It begins before the first entry. It holds no block, so that block and cursor can be kept side
/// by side; every call is to be given the same block. When it is given another one, the first call
/// is to be [`rewind`](Self::rewind), [`move_after_last`](Self::move_after_last) or
/// [`seek`](Self::seek); if it is not, what the cursor says is unspecified, and nothing worse.
///
/// ```
/// # use strata_block::{BlockBuilder, BlockSource, BlockWriter, Compression, ReadOptions};
/// use strata_block::BlockCursor;
///
/// # let mut block = BlockBuilder::new(16);
/// # for (key, value) in [(b"apple", b"1"), (b"peach", b"2"), (b"quark", b"3")] {
/// #     block.add(key, value)?;
/// # }
/// # let mut writer = BlockWriter::new(Vec::new(), Compression::None)?;
/// # let handle = writer.write_block(&mut block)?;
/// # let block = BlockSource::new(writer.finish()?, &ReadOptions::default())?.read_block(handle)?;
/// // A block of "apple", "peach" and "quark".
/// let mut cursor = BlockCursor::default();
/// assert!(cursor.seek(&block, |key| key < &b"pear"[..])?);
/// assert_eq!((cursor.key(), cursor.value(&block)), (&b"quark"[..], &b"3"[..]));
/// assert!(cursor.retreat(&block)?);
/// assert_eq!(cursor.key(), b"peach");
/// cursor.move_after_last(&block);
/// assert!(!cursor.advance(&block)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BlockCursor {
    key: Vec<u8>,
    value: Range<usize>,
    /// Where the current entry begins; where the next one does if there is no current one.
    start: usize,
    /// Where the next entry begins.
    next: usize,
    /// Which restart point is the first that is not before `next`.
    next_restart: usize,
    trail: Trail,
}

/// The way from a restart point to the current entry, kept once a cursor has gone back, to go back
/// on: so that as many steps back as there are entries take as long as so many forward, however
/// far apart the restart points are.
#[derive(Clone, Debug, Default)]
struct Trail {
    steps: Vec<TrailStep>,
    /// The bytes that each step cut off the key before, one after the other.
    cut: Vec<u8>,
}

/// A step to an entry.
#[derive(Clone, Copy, Debug)]
struct TrailStep {
    /// Where the entry begins.
    start: usize,
    /// How many bytes of the key before it does not share.
    cut: usize,
}

impl Trail {
    fn clear(&mut self) {
        self.steps.clear();
        self.cut.clear();
    }
}

impl BlockCursor {
    /// The current entry's key; empty before the first move.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The current entry's value; empty if there is no current entry.
    #[must_use]
    pub fn value<'a>(&self, block: &'a Block) -> &'a [u8] {
        block.contents.get(self.value.clone()).unwrap_or_default()
    }

    /// The current entry's value as the handle of another block, which it is in an index.
    ///
    /// # Errors
    ///
    /// [`BlockFault::Handle`] if it does not begin with one.
    pub fn handle(&self, block: &Block) -> Result<BlockHandle, BlockError> {
        BlockHandle::decode(self.value(block))
            .map(|(handle, _)| handle)
            .map_err(|error| block.fault(BlockFault::Handle(error)))
    }

    /// Where in the block the next entry begins, in bytes of its contents.
    #[must_use]
    pub fn position(&self) -> usize {
        self.next
    }

    /// Moves before the next entry that is a restart point, or after the last entry: on from one
    /// that is not well formed, after [`advance`](Self::advance) has said so. O(restart points).
    pub fn skip_to_restart(&mut self, block: &Block) {
        let after = |i: &usize| block.restart(*i).is_some_and(|point| point > self.next);
        let from = self.next_restart.saturating_sub(1);
        match (from..block.restarts).find(after) {
            Some(i) => self.move_before(block.restart(i).unwrap_or(block.entries_end), i),
            None => self.move_after_last(block),
        }
    }

    /// Moves before the first entry.
    pub fn rewind(&mut self) {
        self.move_before(0, 0);
    }

    /// Moves after the last entry.
    pub fn move_after_last(&mut self, block: &Block) {
        self.move_before(block.entries_end, block.restarts);
    }

    /// Moves to the next entry, and says whether there is one; if not, stays. O(entry).
    ///
    /// # Errors
    ///
    /// [`BlockFault::Entry`] if what is there is no entry; the cursor stays.
    pub fn advance(&mut self, block: &Block) -> Result<bool, BlockError> {
        let position = self.next;
        let wrong = |expected| block.fault(BlockFault::Entry { position, expected });
        let restart = block.restart(self.next_restart);
        if restart.is_some_and(|point| point < position) {
            return Err(wrong("an entry at the restart point before it"));
        }
        if position == block.entries_end {
            return Ok(false);
        }
        let entry = block.entry(position)?;
        if restart == Some(position) {
            if entry.shared != 0 {
                return Err(wrong(WHOLE_KEY));
            }
            self.next_restart += 1;
        }
        if entry.shared > self.key.len() {
            return Err(wrong("no more shared bytes than the key before has"));
        }
        if restart == Some(position) {
            self.trail.clear();
        } else if !self.trail.steps.is_empty() {
            self.follow(position, entry.shared);
        }
        self.key.truncate(entry.shared);
        self.key.extend_from_slice(&block.contents[entry.unshared]);
        self.start = position;
        self.next = entry.value.end;
        self.value = entry.value;
        Ok(true)
    }

    /// Notes a step to the entry at `start`, before the key is changed.
    fn follow(&mut self, start: usize, shared: usize) {
        let cut = self.key.get(shared..).unwrap_or_default();
        self.trail.steps.push(TrailStep {
            start,
            cut: cut.len(),
        });
        self.trail.cut.extend_from_slice(cut);
    }

    /// Moves to the entry before, and says whether there is one; if not, stays. Keys are put together
    /// forwards, so the first of several steps goes back to a restart point and on from there, and
    /// notes the way: O(entries between two of them). The others take that way back: O(1).
    ///
    /// # Errors
    ///
    /// [`BlockFault::Entry`] if an entry on the way is none; the cursor is at another one then, or
    /// at none.
    pub fn retreat(&mut self, block: &Block) -> Result<bool, BlockError> {
        if let [.., before, here] = self.trail.steps[..]
            && here.start == self.start
        {
            let before = before.start;
            return self.retrace(block, here, before);
        }
        let end = self.start;
        let before = |i: &usize| block.restart(*i).is_some_and(|point| point < end);
        let Some(restart) = (0..self.next_restart).rev().find(before) else {
            return Ok(false);
        };
        let start = block.restart(restart).unwrap_or(0);
        self.move_before(start, restart);
        // Some entry from there on ends at `end`: if that is no restart point, it was reached this
        // way; if it is one, to pass over it is an error of `advance`.
        while self.advance(block)? {
            if self.trail.steps.is_empty() {
                self.trail.steps.push(TrailStep { start, cut: 0 });
            }
            if self.next == end {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes back from the last step of the trail to the one before, whose entry is at `before`.
    fn retrace(
        &mut self,
        block: &Block,
        here: TrailStep,
        before: usize,
    ) -> Result<bool, BlockError> {
        let entry = block.entry(before)?;
        self.trail.steps.pop();
        let gone = block.entry(here.start)?.shared;
        self.key.truncate(gone);
        let cut = self.trail.cut.len().saturating_sub(here.cut);
        self.key
            .extend_from_slice(self.trail.cut.get(cut..).unwrap_or_default());
        self.trail.cut.truncate(cut);
        self.start = before;
        self.next = here.start;
        self.value = entry.value;
        Ok(true)
    }

    /// Moves to the first entry for whose key `is_before` does not hold, and says whether there is
    /// one; the keys for which it holds must come first. O(log n) calls, and one for each entry
    /// between two restart points.
    ///
    /// # Errors
    ///
    /// As [`retreat`](Self::retreat).
    pub fn seek(
        &mut self,
        block: &Block,
        is_before: impl Fn(&[u8]) -> bool,
    ) -> Result<bool, BlockError> {
        // The last restart point whose key is before the target is in left..=right, or there is
        // none and `left` stays 0.
        let (mut left, mut right) = (0, block.restarts.saturating_sub(1));
        while left < right {
            let middle = left + (right - left).div_ceil(2);
            let (key, _) = block.restart_key(middle)?;
            if is_before(key) {
                left = middle;
            } else {
                right = middle - 1;
            }
        }
        self.move_before(block.restart(left).unwrap_or(0), left);
        while self.advance(block)? {
            if !is_before(&self.key) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn move_before(&mut self, position: usize, restart: usize) {
        self.key.clear();
        self.value = 0..0;
        self.start = position;
        self.next = position;
        self.next_restart = restart;
        self.trail.clear();
    }
}

//! Reads a block: its entries in both directions, and the first one that is not before a key.

use std::cmp::Ordering;
use std::ops::Range;

use strata_coding::{get_fixed32, get_varint32};
use strata_dbformat::{Comparator, InternalKeyComparator, Tag, split_internal_key};

use crate::format::MOST_SHARED;
use crate::source::Contents;
use crate::{Fault, TableError};

const WORD: usize = size_of::<u32>();

/// A block's contents, with restart points that are known to ascend within its entries.
///
/// Layout: see [`BlockBuilder`](crate::block_builder::BlockBuilder).
#[derive(Debug)]
pub(crate) struct Block {
    contents: Vec<u8>,
    /// Where the entries end and the restart points begin.
    entries_end: usize,
    restarts: usize,
    /// Where the block is in the file, for errors.
    offset: u64,
}

impl Block {
    pub(crate) const EMPTY: Self = Self {
        contents: Vec::new(),
        entries_end: 0,
        restarts: 0,
        offset: 0,
    };

    /// Takes a block apart. O(restart points), but for blocks with long entries O(entries).
    pub(crate) fn parse(contents: Contents, offset: u64) -> Result<Self, TableError> {
        let stored = contents.stored;
        let block = Self::parse_any(contents.bytes, offset)?;
        block.check_key_bytes(stored)?;
        Ok(block)
    }

    /// Takes a block apart whose keys may be as long as they like.
    pub(crate) fn parse_any(contents: Vec<u8>, offset: u64) -> Result<Self, TableError> {
        let (entries_end, restarts) =
            parse_restarts(&contents).map_err(|expected| TableError::Corrupt {
                offset,
                fault: Fault::Restarts { expected },
            })?;
        Ok(Self {
            contents,
            entries_end,
            restarts,
            offset,
        })
    }

    /// Checks that all keys together are not out of proportion to the block, however much they
    /// share: what handles every key whole does work in proportion to the file.
    fn check_key_bytes(&self, stored: u64) -> Result<(), TableError> {
        let most = most_key_bytes(self.contents.len(), stored);
        if self.key_bytes_at_most() <= most {
            return Ok(());
        }
        let mut entries = Headers::new(self);
        let mut bytes = 0_u64;
        while let Some((_, key_length)) = entries.next() {
            bytes = bytes.saturating_add(key_length as u64);
            if bytes > most {
                return Err(self.fault(Fault::KeysTooLong { most }));
            }
        }
        Ok(())
    }

    /// A bound of the bytes of all keys by the restart points alone: entries of at least 3 bytes
    /// that share one key make the most of `n` bytes if the key has half of them. O(restarts).
    fn key_bytes_at_most(&self) -> u64 {
        let ends = (1..self.restarts).map(|i| self.restart(i).unwrap_or(0));
        let mut start = 0;
        let mut sum = 0_u64;
        for end in ends.chain([self.entries_end]) {
            let length = (end - start) as u64;
            sum = sum.saturating_add(length.saturating_mul(length) / 12);
            start = end;
        }
        sum
    }

    /// Where the block is in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How much memory its contents take.
    #[cfg(feature = "cache")]
    pub(crate) fn bytes(&self) -> u64 {
        self.contents.capacity() as u64
    }

    pub(crate) fn fault(&self, fault: Fault) -> TableError {
        TableError::Corrupt {
            offset: self.offset,
            fault,
        }
    }

    fn restart(&self, i: usize) -> Option<usize> {
        if i >= self.restarts {
            return None;
        }
        let (point, _) = get_fixed32(&self.contents[self.entries_end + i * WORD..]).ok()?;
        Some(point as usize)
    }

    /// Decodes the entry at `position`, which is before the end of the entries.
    fn entry(&self, position: usize) -> Result<RawEntry, TableError> {
        let wrong = |expected| self.fault(Fault::Entry { position, expected });
        let decode = |bytes| get_varint32(bytes).map_err(|_| wrong("three lengths"));
        let bytes = &self.contents[position..self.entries_end];
        let (shared, rest) = decode(bytes)?;
        let (unshared, rest) = decode(rest)?;
        let (value, rest) = decode(rest)?;
        let key_start = self.entries_end - rest.len();
        if u64::from(unshared) + u64::from(value) > rest.len() as u64 {
            return Err(wrong(
                "a key and a value that end before the restart points",
            ));
        }
        let value_start = key_start + unshared as usize;
        Ok(RawEntry {
            shared: shared as usize,
            unshared: key_start..value_start,
            value: value_start..value_start + value as usize,
        })
    }

    /// The whole key at a restart point, and where that is.
    fn restart_key(&self, i: usize) -> Result<(&[u8], usize), TableError> {
        let position = self.restart(i).unwrap_or(0);
        let entry = self.entry(position)?;
        if entry.shared != 0 {
            return Err(self.fault(Fault::Entry {
                position,
                expected: WHOLE_KEY,
            }));
        }
        Ok((&self.contents[entry.unshared], position))
    }
}

/// The most bytes that the keys of a block may have together.
pub(crate) fn most_key_bytes(contents: usize, stored: u64) -> u64 {
    stored
        .saturating_mul(MOST_SHARED as u64)
        .saturating_add(contents as u64)
}

/// The entries of a block, without their keys' bytes, as far as they are well formed.
struct Headers<'b> {
    block: &'b Block,
    position: usize,
    key_length: usize,
}

impl<'b> Headers<'b> {
    fn new(block: &'b Block) -> Self {
        Self {
            block,
            position: 0,
            key_length: 0,
        }
    }

    /// The next entry, and how long its key is.
    fn next(&mut self) -> Option<(RawEntry, usize)> {
        if self.position >= self.block.entries_end {
            return None;
        }
        let entry = self.block.entry(self.position).ok()?;
        if entry.shared > self.key_length {
            return None;
        }
        self.key_length = entry.shared + entry.unshared.len();
        self.position = entry.value.end;
        Some((entry, self.key_length))
    }
}

const WHOLE_KEY: &str = "a whole key, for this is a restart point,";

/// An entry's parts, as ranges of the block's contents.
struct RawEntry {
    shared: usize,
    unshared: Range<usize>,
    value: Range<usize>,
}

/// Where the restart points begin and how many there are; or what was expected.
fn parse_restarts(contents: &[u8]) -> Result<(usize, usize), &'static str> {
    let (before, count) = contents.split_last_chunk().ok_or("at least 4 bytes")?;
    let count = u32::from_le_bytes(*count) as usize;
    let entries_end = count
        .checked_mul(WORD)
        .and_then(|length| before.len().checked_sub(length))
        .ok_or("not more than fit the block")?;
    let (words, _) = before[entries_end..].as_chunks::<WORD>();
    let mut points = words.iter().map(|word| u32::from_le_bytes(*word) as usize);
    match (points.next(), entries_end) {
        // LevelDB says that some writers make blocks of no entries without restart points.
        (None | Some(0), 0) if count <= 1 => return Ok((entries_end, count)),
        (Some(0), 1..) => {}
        _ => return Err("the first at byte 0, and more only with entries,"),
    }
    let mut last = 0;
    for point in points {
        if point <= last || point >= entries_end {
            return Err("ascending points within the entries");
        }
        last = point;
    }
    Ok((entries_end, count))
}

/// A position in a block: before its entries, at one of them, or after them.
///
/// It holds no block, so that block and cursor can be kept side by side; every call must be given
/// the same block.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockCursor {
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
    /// The current entry's key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The current entry's key, which must be an internal key, taken apart.
    pub(crate) fn split_key(&self, block: &Block) -> Result<(&[u8], Tag), TableError> {
        split_internal_key(&self.key).map_err(|error| block.fault(Fault::Key { error }))
    }

    /// The current entry's value.
    pub(crate) fn value<'a>(&self, block: &'a Block) -> &'a [u8] {
        &block.contents[self.value.clone()]
    }

    /// Where in the block the next entry begins.
    pub(crate) fn position(&self) -> usize {
        self.next
    }

    /// Moves before the next entry that is a restart point, or after the last entry: on from one
    /// that is not well formed.
    pub(crate) fn skip_to_restart(&mut self, block: &Block) {
        let after = |i: &usize| block.restart(*i).is_some_and(|point| point > self.next);
        let from = self.next_restart.saturating_sub(1);
        match (from..block.restarts).find(after) {
            Some(i) => self.move_before(block.restart(i).unwrap_or(block.entries_end), i),
            None => self.move_after_last(block),
        }
    }

    /// Moves before the first entry.
    pub(crate) fn rewind(&mut self) {
        self.move_before(0, 0);
    }

    /// Moves after the last entry.
    pub(crate) fn move_after_last(&mut self, block: &Block) {
        self.move_before(block.entries_end, block.restarts);
    }

    /// Moves to the next entry, and whether there is one; if not, stays.
    pub(crate) fn advance(&mut self, block: &Block) -> Result<bool, TableError> {
        let position = self.next;
        let wrong = |expected| block.fault(Fault::Entry { position, expected });
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

    /// Moves to the entry before, and whether there is one; if not, stays. Keys are put together
    /// forwards, so the first of several steps goes back to a restart point and on from there, and
    /// notes the way: O(entries between two of them). The others take that way back: O(1).
    pub(crate) fn retreat(&mut self, block: &Block) -> Result<bool, TableError> {
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
    ) -> Result<bool, TableError> {
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

    /// Moves to the first entry whose key, an internal key, is not before `target`, and whether
    /// there is one. O(log n) comparisons, and one for each entry between two restart points.
    pub(crate) fn seek<C: Comparator>(
        &mut self,
        block: &Block,
        order: &InternalKeyComparator<C>,
        target: &[u8],
    ) -> Result<bool, TableError> {
        // The last restart point whose key is before the target is in left..=right, or there is
        // none and `left` stays 0.
        let (mut left, mut right) = (0, block.restarts.saturating_sub(1));
        while left < right {
            let middle = left + (right - left).div_ceil(2);
            let (key, _) = block.restart_key(middle)?;
            if order.compare(key, target) == Ordering::Less {
                left = middle;
            } else {
                right = middle - 1;
            }
        }
        self.move_before(block.restart(left).unwrap_or(0), left);
        while self.advance(block)? {
            if order.compare(&self.key, target) != Ordering::Less {
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

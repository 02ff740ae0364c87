//! An index, gone through once beside the blocks that are found.

use strata_block::{Block, BlockCursor, BlockHandle, BlockSource};

use super::KeyRange;
use crate::keys::split_key;
use crate::{ReadAt, TableError};

/// How far behind where it is expected a block is looked for in the index.
const LOOK_AHEAD: usize = 64;

/// An index of which every handle is known to be well formed, and a place in it.
pub(super) struct Index {
    block: Block,
    cursor: BlockCursor,
    handles: Vec<BlockHandle>,
    /// The lengths of the blocks, in order.
    lengths: Vec<u64>,
    /// How many entries have been taken.
    taken: usize,
    /// The user key of the last entry that was taken.
    after: Option<Vec<u8>>,
    /// How far the block that was found last is from where the index says.
    shift: u64,
}

impl Index {
    pub(super) fn read<R: ReadAt>(
        source: &BlockSource<R>,
        handle: BlockHandle,
    ) -> Result<Self, TableError> {
        Self::new(source.read_block(handle)?)
    }

    /// O(index).
    pub(super) fn new(block: Block) -> Result<Self, TableError> {
        let mut handles = Vec::new();
        let mut cursor = BlockCursor::default();
        while cursor.advance(&block)? {
            handles.push(cursor.handle(&block)?);
        }
        let mut lengths: Vec<u64> = handles.iter().map(|handle| handle.length).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Ok(Self {
            block,
            cursor: BlockCursor::default(),
            handles,
            lengths,
            taken: 0,
            after: None,
            shift: 0,
        })
    }

    pub(super) fn handles(&self) -> &[BlockHandle] {
        &self.handles
    }

    /// Whether each block begins where the one before ends, or behind.
    pub(super) fn ascends(&self) -> bool {
        self.handles.is_sorted_by(|a, b| a.end() <= b.offset)
    }

    /// Whether a block has this length.
    pub(super) fn has_length(&self, length: u64) -> bool {
        self.lengths.binary_search(&length).is_ok()
    }

    /// Which entry, of those not taken, a block is that was found and whose last user key this is:
    /// the one that is as far from there as the last one was, or the next of its length; before
    /// others one whose key is as a writer makes it of the block's last.
    pub(super) fn find(&mut self, found: BlockHandle, last_key: &[u8]) -> Option<usize> {
        let alike = self.alike(found);
        let fitting = self.fitting(&alike, last_key);
        let at = fitting.or_else(|| alike.first().copied())?;
        self.shift = found.offset.wrapping_sub(self.handles.get(at)?.offset);
        Some(at)
    }

    /// Whether a block that was found before this index is one that it names, moved or not: it has
    /// the length, and its last user key is one that the index's can be made of.
    pub(super) fn knows(&self, found: BlockHandle, last_key: &[u8]) -> bool {
        found.offset < self.block.offset() && self.fitting(&self.alike(found), last_key).is_some()
    }

    /// The entries near where a block was found, of those not taken, that have its length: the
    /// likelier first.
    fn alike(&self, found: BlockHandle) -> Vec<usize> {
        let offset = found.offset.wrapping_sub(self.shift);
        let rest = self.handles.get(self.taken..).unwrap_or_default();
        let expected = self.taken + rest.partition_point(|handle| handle.offset < offset);
        let first = expected.saturating_sub(LOOK_AHEAD).max(self.taken);
        let end = expected.saturating_add(LOOK_AHEAD);
        let is_like = |i: &usize| {
            self.handles
                .get(*i)
                .is_some_and(|it| it.length == found.length)
        };
        let mut alike: Vec<usize> = (first..end).filter(is_like).collect();
        alike.sort_by_key(|i| (*i < expected, i.abs_diff(expected)));
        alike
    }

    /// The first of these entries whose key a writer makes of a block's last: that itself, or
    /// shortened and its last byte larger.
    fn fitting(&self, alike: &[usize], last_key: &[u8]) -> Option<usize> {
        let mut cursor = self.cursor.clone();
        let mut fitting = Vec::new();
        for at in self.taken..=*alike.iter().max()? {
            if !cursor.advance(&self.block).ok()? {
                break;
            }
            let (user_key, _) = split_key(&cursor, &self.block).ok()?;
            if alike.contains(&at) && is_made_of(user_key, last_key) {
                if alike.first() == Some(&at) {
                    return Some(at);
                }
                fitting.push(at);
            }
        }
        alike.iter().copied().find(|at| fitting.contains(at))
    }

    /// The first entry whose block begins at `offset` or behind, if blocks are as far from where
    /// the index says as the last one was.
    pub(super) fn first_not_before(&self, offset: u64) -> usize {
        let is_before = |handle: &BlockHandle| handle.offset.wrapping_add(self.shift) < offset;
        self.handles.partition_point(is_before)
    }

    /// Takes the first entries, as long as `holds` of their user keys. How many have been taken.
    pub(super) fn take_while(&mut self, mut holds: impl FnMut(&[u8]) -> bool) -> usize {
        let mut ahead = self.cursor.clone();
        while ahead.advance(&self.block).unwrap_or(false)
            && let Ok((user_key, _)) = split_key(&ahead, &self.block)
            && holds(user_key)
        {
            self.after = Some(user_key.to_vec());
            self.cursor.clone_from(&ahead);
            self.taken += 1;
        }
        self.taken
    }

    /// Takes the entries before `end`: between which keys those of their blocks are, if there are
    /// any.
    pub(super) fn take_until(&mut self, end: usize) -> Option<KeyRange> {
        if end <= self.taken {
            return None;
        }
        while self.taken < end && self.cursor.advance(&self.block).ok()? {
            self.taken += 1;
        }
        let (user_key, _) = split_key(&self.cursor, &self.block).ok()?;
        let upto = Some(user_key.to_vec());
        let after = std::mem::replace(&mut self.after, upto.clone());
        Some(KeyRange { after, upto })
    }
}

fn is_made_of(index_key: &[u8], last_key: &[u8]) -> bool {
    let Some((byte, prefix)) = index_key.split_last() else {
        return last_key.is_empty();
    };
    let replaced = last_key.get(prefix.len());
    last_key == index_key
        || last_key.starts_with(prefix) && replaced.is_some_and(|replaced| byte > replaced)
}

//! A table's filters: one for the data blocks that begin in each 2 KiB of the file.
//!
//! ```text
//! filters | fixed32 offset of each | fixed32 offset of the first offset | lg of 2 KiB (1 byte)
//! ```

use strata_block::LONGEST_BLOCK;
use strata_coding::{get_fixed32, put_fixed32};

use crate::{BloomFilter, Fault};

/// The metaindex's prefix for a filter block, before the name of its policy.
pub(crate) const FILTER_KEY_PREFIX: &str = "filter.";

/// The base-2 logarithm of how many bytes of the file share a filter.
pub(crate) const BASE_LG: u8 = 11;

/// What follows the filters' offsets.
const TAIL_LENGTH: usize = size_of::<u32>() + 1;

/// A filter block that is being built.
#[derive(Debug)]
pub(crate) struct FilterBlockBuilder {
    policy: BloomFilter,
    /// The finished filters.
    filters: Vec<u8>,
    /// Where each of them begins.
    offsets: Vec<u32>,
    /// The keys of the filter that is not finished, one after the other, and where each ends.
    keys: Vec<u8>,
    key_ends: Vec<usize>,
}

impl FilterBlockBuilder {
    pub(crate) fn new(policy: BloomFilter) -> Self {
        Self {
            policy,
            filters: Vec::new(),
            offsets: Vec::new(),
            keys: Vec::new(),
            key_ends: Vec::new(),
        }
    }

    /// The most the finished block's length can be, if one more key is added and the data blocks
    /// end at `data_end` in the file.
    pub(crate) fn size_with_another(&self, data_end: u64) -> u64 {
        let unfinished = self.policy.filter_bytes(self.key_ends.len() + 1) + 1;
        let offsets = (self.offsets.len() as u64 + 1).max(data_end >> BASE_LG);
        (self.filters.len() as u64)
            .saturating_add(unfinished as u64)
            .saturating_add(offsets * size_of::<u32>() as u64)
            .saturating_add(TAIL_LENGTH as u64)
    }

    /// Adds a user key of the data block that began last.
    pub(crate) fn add(&mut self, user_key: &[u8]) {
        self.keys.extend_from_slice(user_key);
        self.key_ends.push(self.keys.len());
    }

    /// Says that the next data block begins at `offset` in the file.
    ///
    /// Finishes filters up to that offset: the first with all the keys there are, the others
    /// empty.
    pub(crate) fn start_block(&mut self, offset: u64) {
        while (self.offsets.len() as u64) < offset >> BASE_LG {
            self.finish_filter();
        }
    }

    fn finish_filter(&mut self) {
        debug_assert!(self.filters.len() as u64 <= LONGEST_BLOCK);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the writer refuses the key that would make the block longer than u32::MAX"
        )]
        self.offsets.push(self.filters.len() as u32);
        if self.key_ends.is_empty() {
            return;
        }
        let starts = [0].into_iter().chain(self.key_ends.iter().copied());
        let keys: Vec<&[u8]> = starts
            .zip(&self.key_ends)
            .map(|(start, &end)| &self.keys[start..end])
            .collect();
        self.policy.append_filter(&keys, &mut self.filters);
        self.keys.clear();
        self.key_ends.clear();
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        if !self.key_ends.is_empty() {
            self.finish_filter();
        }
        let mut block = self.filters;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the writer refuses the key that would make the block longer than u32::MAX"
        )]
        let offsets_start = block.len() as u32;
        for offset in self.offsets {
            put_fixed32(&mut block, offset);
        }
        put_fixed32(&mut block, offsets_start);
        block.push(BASE_LG);
        block
    }
}

/// A filter block of which every offset is known to be within it.
#[derive(Debug)]
pub(crate) struct FilterBlock {
    contents: Vec<u8>,
    /// Where the offsets begin: after the last filter.
    offsets_start: usize,
    filters: usize,
    base_lg: u8,
}

impl FilterBlock {
    pub(crate) fn parse(contents: Vec<u8>) -> Result<Self, Fault> {
        let fault = |expected| Fault::FilterBlock { expected };
        let (before, tail) = contents
            .split_last_chunk::<TAIL_LENGTH>()
            .ok_or(fault("at least 5 bytes"))?;
        let [a, b, c, d, base_lg] = *tail;
        let offsets_start = u32::from_le_bytes([a, b, c, d]) as usize;
        let offsets = before
            .get(offsets_start..)
            .ok_or(fault("the offsets to begin within the block"))?;
        let (words, []) = offsets.as_chunks::<{ size_of::<u32>() }>() else {
            return Err(fault("offsets of 4 bytes each"));
        };
        let filters = words.len();
        let starts = words.iter().map(|word| u32::from_le_bytes(*word) as usize);
        if !starts.chain([offsets_start]).is_sorted() {
            return Err(fault("ascending offsets before the offsets themselves"));
        }
        if u32::from(base_lg) >= u64::BITS {
            return Err(fault("a base of less than 2^64 bytes"));
        }
        Ok(Self {
            contents,
            offsets_start,
            filters,
            base_lg,
        })
    }

    /// Whether the data block at `block_offset` may have an entry with `user_key`.
    ///
    /// A block beyond the last filter may, as in LevelDB.
    pub(crate) fn may_contain(&self, block_offset: u64, user_key: &[u8]) -> bool {
        match usize::try_from(block_offset >> self.base_lg) {
            Ok(i) if i < self.filters => {
                // The last filter ends where the offsets begin, and the word after the last
                // offset says where that is.
                let filter = &self.contents[self.word(i)..self.word(i + 1)];
                BloomFilter::may_contain(filter, user_key)
            }
            _ => true,
        }
    }

    fn word(&self, i: usize) -> usize {
        let start = self.offsets_start + i * size_of::<u32>();
        get_fixed32(&self.contents[start..]).map_or(self.offsets_start, |(word, _)| word as usize)
    }
}

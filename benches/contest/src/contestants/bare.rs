//! The floor: the entries encoded and copied into memory, one after the other, and no index at all.

use std::mem::MaybeUninit;

use strata_dbformat::SequenceNumber;

use super::tag;
use crate::contestant::Writer;
use crate::inline_list::encode_entry;

/// How much memory is taken at a time.
const BLOCK_BYTES: usize = 256 << 10;

/// More than an entry adds to its key and value.
const MOST_HEADER_BYTES: usize = 24;

/// Encoded entries in the order they came.
#[derive(Debug, Default)]
pub(crate) struct BareEntries {
    full: Vec<Block>,
    block: Block,
}

#[derive(Debug, Default)]
struct Block {
    memory: Box<[MaybeUninit<u8>]>,
    used: usize,
}

impl BareEntries {
    /// Its name in records.
    pub(crate) const NAME: &'static str = "bare-entries";

    /// The bytes of all entries.
    pub(crate) fn bytes(&self) -> usize {
        let full: usize = self.full.iter().map(|block| block.used).sum();
        full + self.block.used
    }

    #[cold]
    fn add_block(&mut self, bytes: usize) {
        let memory = Box::new_uninit_slice(bytes.max(BLOCK_BYTES));
        let next = Block { memory, used: 0 };
        self.full.push(std::mem::replace(&mut self.block, next));
    }
}

impl Writer for BareEntries {
    #[inline]
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let most = user_key.len() + value.len() + MOST_HEADER_BYTES;
        if self.block.memory.len() - self.block.used < most {
            self.add_block(most);
        }
        let room = &mut self.block.memory[self.block.used..];
        self.block.used += encode_entry(room, user_key, tag(sequence), value);
    }
}

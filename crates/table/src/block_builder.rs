//! Builds a block: entries whose keys leave out what they share with the key before.

use std::mem;

use strata_coding::{MAX_VARINT32_LENGTH, put_fixed32, put_varint32};

use crate::format::LONGEST_BLOCK;

/// A block that is being built.
///
/// ```text
/// entries | fixed32 restart points | fixed32 number of restart points
///
/// entry: varint32 shared | varint32 unshared | varint32 value length | unshared key bytes | value
/// ```
///
/// At a restart point, which is the offset of an entry in the block, `shared` is 0.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    restart_interval: usize,
    buffer: Vec<u8>,
    restarts: Vec<u32>,
    /// How many entries there are since the last restart point.
    since_restart: usize,
    last_key: Vec<u8>,
    key_bytes: u64,
}

/// A block's contents.
pub(crate) struct Finished {
    pub(crate) contents: Vec<u8>,
    /// How many bytes its keys have together, each of them whole.
    pub(crate) key_bytes: u64,
}

impl BlockBuilder {
    pub(crate) fn new(restart_interval: usize) -> Self {
        Self {
            restart_interval,
            buffer: Vec::new(),
            restarts: vec![0],
            since_restart: 0,
            last_key: Vec::new(),
            key_bytes: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The length of the finished block if nothing more is added.
    pub(crate) fn size(&self) -> usize {
        self.buffer.len() + (self.restarts.len() + 1) * size_of::<u32>()
    }

    /// The most by which an entry with a key and a value of these lengths makes a block longer.
    pub(crate) fn longest_entry(key_length: usize, value_length: usize) -> u64 {
        const LENGTHS_AND_RESTART: usize = 3 * MAX_VARINT32_LENGTH + size_of::<u32>();
        (key_length as u64)
            .saturating_add(value_length as u64)
            .saturating_add(LENGTHS_AND_RESTART as u64)
    }

    /// Appends an entry.
    ///
    /// The caller has seen to it that [`size`](Self::size) and
    /// [`longest_entry`](Self::longest_entry) together are at most [`LONGEST_BLOCK`], so every
    /// length and every offset is a `u32`.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        debug_assert!(
            self.size() as u64 + Self::longest_entry(key.len(), value.len()) <= LONGEST_BLOCK
        );
        let shared = if self.since_restart == self.restart_interval {
            self.restarts.push(to_u32(self.buffer.len()));
            self.since_restart = 0;
            0
        } else {
            let pairs = self.last_key.iter().zip(key);
            pairs.take_while(|(a, b)| a == b).count()
        };
        let unshared = &key[shared..];
        for length in [shared, unshared.len(), value.len()] {
            put_varint32(&mut self.buffer, to_u32(length));
        }
        self.buffer.extend_from_slice(unshared);
        self.buffer.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(unshared);
        self.since_restart += 1;
        self.key_bytes += key.len() as u64;
    }

    /// Takes the finished block, leaving an empty one.
    pub(crate) fn finish(&mut self) -> Finished {
        let mut block = mem::take(&mut self.buffer);
        for &restart in &self.restarts {
            put_fixed32(&mut block, restart);
        }
        put_fixed32(&mut block, to_u32(self.restarts.len()));
        self.restarts.truncate(1);
        self.since_restart = 0;
        self.last_key.clear();
        Finished {
            contents: block,
            key_bytes: mem::take(&mut self.key_bytes),
        }
    }
}

/// A number that is less than the length of the block, so a `u32`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a block has at most u32::MAX bytes: the writer refuses what would make it longer"
)]
fn to_u32(number: usize) -> u32 {
    debug_assert!(number as u64 <= LONGEST_BLOCK);
    number as u32
}

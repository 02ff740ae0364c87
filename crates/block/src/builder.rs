//! Builds a block: entries whose keys leave out what they share with the key before.

use std::mem;

use strata_coding::{MAX_VARINT32_LENGTH, put_fixed32, put_varint32};

use crate::{BlockFault, LONGEST_BLOCK};

/// A block of entries that is being built; a [`BlockWriter`](crate::BlockWriter) writes it.
///
/// ```text
/// entries | fixed32 restart points | fixed32 number of restart points
///
/// entry: varint32 shared | varint32 unshared | varint32 value length | unshared key bytes | value
/// ```
///
/// At a restart point, which is the offset of an entry in the block, `shared` is 0. `shared` counts
/// the bytes that the key has in common with the one before, from its beginning on. Numbers are
/// little-endian.
///
/// Keys are any bytes, in any order; a reader that is to find them needs them in its own.
///
/// ```
/// use strata_block::BlockBuilder;
///
/// let mut block = BlockBuilder::new(16);
/// assert!(block.is_empty());
/// block.add(b"apple", b"green")?;
/// block.add(b"apricot", b"orange")?; // without "ap"
/// assert_eq!(block.size(), 3 + 5 + 5 + 3 + 5 + 6 + 4 + 4);
/// # Ok::<(), strata_block::BlockFault>(())
/// ```
#[derive(Debug)]
pub struct BlockBuilder {
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
    /// The most entries from one restart point to the next. Keys since a restart point share bytes,
    /// and a reader refuses a block whose keys are together more than so many times as long as what
    /// is stored of it.
    pub const LARGEST_RESTART_INTERVAL: usize = 1024;

    /// An empty block with a whole key every `restart_interval` entries, to which a search can jump:
    /// 1 to [`LARGEST_RESTART_INTERVAL`](Self::LARGEST_RESTART_INTERVAL). Less and more are taken
    /// for the nearest of these; LevelDB has 16, and in an index 1.
    #[must_use]
    pub fn new(restart_interval: usize) -> Self {
        Self {
            restart_interval: restart_interval.clamp(1, Self::LARGEST_RESTART_INTERVAL),
            buffer: Vec::new(),
            restarts: vec![0],
            since_restart: 0,
            last_key: Vec::new(),
            key_bytes: 0,
        }
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The length of the finished block if nothing more is added, in bytes and not compressed.
    #[must_use]
    pub fn size(&self) -> usize {
        self.buffer.len() + (self.restarts.len() + 1) * size_of::<u32>()
    }

    /// The most by which an entry with a key and a value of these lengths makes a block longer.
    #[must_use]
    pub fn longest_entry(key_length: usize, value_length: usize) -> u64 {
        const LENGTHS_AND_RESTART: usize = 3 * MAX_VARINT32_LENGTH + size_of::<u32>();
        (key_length as u64)
            .saturating_add(value_length as u64)
            .saturating_add(LENGTHS_AND_RESTART as u64)
    }

    /// Appends an entry. Amortised O(key + value).
    ///
    /// # Errors
    ///
    /// [`BlockFault::TooLong`] if [`size`](Self::size) and [`longest_entry`](Self::longest_entry)
    /// together are more than [`LONGEST_BLOCK`]; the block is as it was.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), BlockFault> {
        let longest = Self::longest_entry(key.len(), value.len());
        let length = longest.saturating_add(self.size() as u64);
        if length > LONGEST_BLOCK {
            let most = LONGEST_BLOCK;
            return Err(BlockFault::TooLong { length, most });
        }
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
        Ok(())
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
    reason = "a block has at most u32::MAX bytes: `add` refuses what would make it longer"
)]
fn to_u32(number: usize) -> u32 {
    debug_assert!(number as u64 <= LONGEST_BLOCK);
    number as u32
}

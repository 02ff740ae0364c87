//! A block of entries, taken apart.

use std::ops::Range;

use strata_coding::{get_fixed32, get_varint32};

use crate::{BlockBuilder, BlockError, BlockFault, Contents};

const WORD: usize = size_of::<u32>();

/// A block of entries, in memory, whose restart points are known to ascend within its entries.
///
/// A [`BlockCursor`](crate::BlockCursor) reads the entries. Layout: see [`BlockBuilder`].
///
/// ```
/// use strata_block::{Block, BlockCursor, BlockHandle, Compression, Contents};
///
/// let bytes = b"\x00\x03\x05keyvalue\0\0\0\0\x01\0\0\0".to_vec();
/// let handle = BlockHandle { offset: 0, length: bytes.len() as u64 };
/// let block = Block::parse(Contents { handle, bytes, compression: Compression::None })?;
///
/// let mut cursor = BlockCursor::default();
/// assert!(cursor.advance(&block)?);
/// assert_eq!((cursor.key(), cursor.value(&block)), (&b"key"[..], &b"value"[..]));
/// # Ok::<(), strata_block::BlockError>(())
/// ```
#[derive(Debug)]
pub struct Block {
    pub(crate) contents: Vec<u8>,
    /// Where the entries end and the restart points begin.
    pub(crate) entries_end: usize,
    pub(crate) restarts: usize,
    /// Where the block is in the file, for errors.
    offset: u64,
}

impl Block {
    /// A block without entries.
    pub const EMPTY: Self = Self {
        contents: Vec::new(),
        entries_end: 0,
        restarts: 0,
        offset: 0,
    };

    /// Takes a block apart. O(restart points), but for blocks with long entries O(entries).
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`] with [`BlockFault::Restarts`] if the restart points do not ascend
    /// within the entries, and with [`BlockFault::KeysTooLong`] if the keys are together more than
    /// 1024 times as long as what is stored of the block, beside its contents. Entries are checked
    /// when a cursor comes to them.
    pub fn parse(contents: Contents) -> Result<Self, BlockError> {
        let Contents { handle, bytes, .. } = contents;
        let offset = handle.offset;
        let (entries_end, restarts) =
            parse_restarts(&bytes).map_err(|expected| BlockError::Corrupt {
                offset,
                fault: BlockFault::Restarts { expected },
            })?;
        let block = Self {
            contents: bytes,
            entries_end,
            restarts,
            offset,
        };
        block.check_key_bytes(handle.length)?;
        Ok(block)
    }

    /// Checks that all keys together are not out of proportion to the block, however much they
    /// share: what handles every key whole does work in proportion to the file.
    fn check_key_bytes(&self, stored: u64) -> Result<(), BlockError> {
        let most = most_key_bytes(self.contents.len(), stored);
        if self.key_bytes_at_most() <= most {
            return Ok(());
        }
        let mut entries = Headers::new(self);
        let mut bytes = 0_u64;
        while let Some((_, key_length)) = entries.next() {
            bytes = bytes.saturating_add(key_length as u64);
            if bytes > most {
                return Err(self.fault(BlockFault::KeysTooLong { most }));
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

    /// Where in the file the block begins, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How much memory its contents take.
    #[cfg(feature = "cache")]
    pub(crate) fn bytes(&self) -> u64 {
        self.contents.capacity() as u64
    }

    pub(crate) fn fault(&self, fault: BlockFault) -> BlockError {
        BlockError::Corrupt {
            offset: self.offset,
            fault,
        }
    }

    pub(crate) fn restart(&self, i: usize) -> Option<usize> {
        if i >= self.restarts {
            return None;
        }
        let (point, _) = get_fixed32(&self.contents[self.entries_end + i * WORD..]).ok()?;
        Some(point as usize)
    }

    /// Decodes the entry at `position`.
    pub(crate) fn entry(&self, position: usize) -> Result<RawEntry, BlockError> {
        let wrong = |expected| self.fault(BlockFault::Entry { position, expected });
        let decode = |bytes| get_varint32(bytes).map_err(|_| wrong("three lengths"));
        // None, if the position is another block's.
        let bytes = self.contents.get(position..self.entries_end);
        let bytes = bytes.unwrap_or_default();
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
    pub(crate) fn restart_key(&self, i: usize) -> Result<(&[u8], usize), BlockError> {
        let position = self.restart(i).unwrap_or(0);
        let entry = self.entry(position)?;
        if entry.shared != 0 {
            return Err(self.fault(BlockFault::Entry {
                position,
                expected: WHOLE_KEY,
            }));
        }
        Ok((&self.contents[entry.unshared], position))
    }
}

/// The most bytes that the keys of a block may have together, beside its contents 1024 for each byte
/// that is stored.
///
/// A key shares what it shares with those since the restart point before, so keys are at most as
/// many times as long as the block as there are entries from one restart point to the next: 16 in
/// nearly all tables, and no more than this in any that is written here.
pub(crate) fn most_key_bytes(contents: usize, stored: u64) -> u64 {
    stored
        .saturating_mul(BlockBuilder::LARGEST_RESTART_INTERVAL as u64)
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

pub(crate) const WHOLE_KEY: &str = "a whole key, for this is a restart point,";

/// An entry's parts, as ranges of the block's contents.
pub(crate) struct RawEntry {
    pub(crate) shared: usize,
    pub(crate) unshared: Range<usize>,
    pub(crate) value: Range<usize>,
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

//! Where blocks are read from: finds, checks and decompresses them.

use std::io;
use std::sync::Arc;

use crate::atomic::SharedSet;
#[cfg(feature = "cache")]
use crate::cache::FileCache;
use crate::codec::decompress;
use crate::handle::{TRAILER_LENGTH, masked_checksum};
use crate::{
    Block, BlockError, BlockFault, BlockHandle, Compression, CompressionSet, LONGEST_BLOCK, ReadAt,
    ReadOptions,
};

/// A file of blocks, read from anything that can be [read at any place](ReadAt).
///
/// All calls take `&self`, and none waits for another: any number of threads may read one source.
///
/// ```
/// use strata_block::{BlockBuilder, BlockCursor, BlockSource, BlockWriter, Compression, ReadOptions};
///
/// let mut block = BlockBuilder::new(16);
/// block.add(b"apple", b"green")?;
/// block.add(b"apricot", b"orange")?;
/// let mut writer = BlockWriter::new(Vec::new(), Compression::None)?;
/// let handle = writer.write_block(&mut block)?;
///
/// let source = BlockSource::new(writer.finish()?, &ReadOptions::default())?;
/// let block = source.read_block(handle)?;
/// let mut cursor = BlockCursor::default();
/// while cursor.advance(&block)? {
///     println!("{:?}: {:?}", cursor.key(), cursor.value(&block));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BlockSource<R> {
    reader: R,
    length: u64,
    longest_block: u64,
    verify_checksums: bool,
    /// The kinds of compression that were met.
    met: SharedSet,
    #[cfg(feature = "cache")]
    cache: Option<FileCache>,
}

/// The contents of a block, checked and decompressed: entries, or whatever else was written.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Where the block is in the file.
    pub handle: BlockHandle,
    /// The contents themselves.
    pub bytes: Vec<u8>,
    /// How it is compressed in the file.
    pub compression: Compression,
}

impl<R: ReadAt> BlockSource<R> {
    /// The blocks in `reader`, read as `options` say. Asks for its length, and reads nothing.
    ///
    /// # Errors
    ///
    /// [`BlockError::Io`] if `reader` does not know its length.
    pub fn new(reader: R, options: &ReadOptions) -> Result<Self, BlockError> {
        let length = reader.length()?;
        Ok(Self {
            reader,
            length,
            longest_block: options.longest_block.min(LONGEST_BLOCK),
            verify_checksums: options.verify_checksums,
            met: SharedSet::default(),
            #[cfg(feature = "cache")]
            cache: options.cache.as_ref().map(FileCache::new),
        })
    }

    /// The reader that blocks are read from.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// How many bytes there are; were, when this was made.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The kinds of compression of the blocks that were read so far, but from a cache.
    pub fn compressions(&self) -> CompressionSet {
        self.met.get()
    }

    /// Reads a block, whatever it holds: checks and decompresses it. O(block).
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`] if the handle points beyond the source, if the block is longer than
    /// the options have it, if its checksum is wrong or if it can't be decompressed;
    /// [`BlockError::Io`] if the source fails.
    pub fn read(&self, handle: BlockHandle) -> Result<Contents, BlockError> {
        handle.check_within(self.length)?;
        let BlockHandle { offset, length } = handle;
        let corrupt = |fault| BlockError::Corrupt { offset, fault };
        if length > self.longest_block {
            let most = self.longest_block;
            return Err(corrupt(BlockFault::TooLong { length, most }));
        }
        let (stored, number) = self.read_sealed(handle)?;
        let compression = Compression::of(number, &stored).map_err(corrupt)?;
        let bytes = decompress(stored, compression, self.longest_block).map_err(corrupt)?;
        self.met.insert(compression);
        Ok(Contents {
            handle,
            bytes,
            compression,
        })
    }

    /// Reads a block of entries.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read) and [`Block::parse`].
    pub fn read_block(&self, handle: BlockHandle) -> Result<Block, BlockError> {
        Block::parse(self.read(handle)?)
    }

    /// As [`read_block`](Self::read_block); from the cache, if there is one and the block is in it.
    ///
    /// # Errors
    ///
    /// As [`read_block`](Self::read_block).
    pub fn read_shared_block(&self, handle: BlockHandle) -> Result<Arc<Block>, BlockError> {
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.cache {
            if let Some(block) = cache.get(handle.offset) {
                return Ok(block);
            }
            let block = Arc::new(self.read_block(handle)?);
            cache.insert(handle.offset, &block);
            return Ok(block);
        }
        self.read_block(handle).map(Arc::new)
    }

    /// The stored bytes of a block, and the number of its compression: checked.
    fn read_sealed(&self, handle: BlockHandle) -> Result<(Vec<u8>, u8), BlockError> {
        let offset = handle.offset;
        let length = usize::try_from(handle.end() - offset)
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let mut stored = vec![0; length];
        self.reader.read_exact_at(&mut stored, offset)?;
        let Some((_, &[number, a, b, c, d])) = stored.split_last_chunk() else {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        };
        let checksum = u32::from_le_bytes([a, b, c, d]);
        stored.truncate(stored.len() - TRAILER_LENGTH);
        let computed = masked_checksum(&stored, number);
        if checksum != computed && self.verify_checksums {
            let stored = checksum;
            let fault = BlockFault::Checksum { stored, computed };
            return Err(BlockError::Corrupt { offset, fault });
        }
        Ok((stored, number))
    }
}

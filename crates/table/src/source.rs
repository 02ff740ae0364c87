//! Where blocks are read from: finds, checks and decompresses them.

use std::io;
use std::sync::Arc;

use crate::atomic::SharedSet;
use crate::block_reader::Block;
#[cfg(feature = "cache")]
use crate::cache::TableCache;
use crate::codec::decompress;
use crate::format::{
    BlockHandle, FOOTER_LENGTH, Footer, LONGEST_BLOCK, MAGIC, TRAILER_LENGTH, masked_checksum,
};
use crate::{Compression, CompressionSet, Fault, ReadAt, ReadOptions, TableError};

/// The source of a table's bytes.
#[derive(Debug)]
pub(crate) struct Source<R> {
    reader: R,
    length: u64,
    longest_block: u64,
    /// The kinds of compression that were met.
    met: SharedSet,
    #[cfg(feature = "cache")]
    cache: Option<TableCache>,
}

/// A block as it is read: checked and decompressed.
pub(crate) struct Contents {
    pub(crate) bytes: Vec<u8>,
    /// How many bytes it takes in the file, without its trailer.
    pub(crate) stored: u64,
    pub(crate) compression: Compression,
}

impl<R: ReadAt> Source<R> {
    pub(crate) fn new(reader: R, options: &ReadOptions) -> Result<Self, TableError> {
        let length = reader.length().map_err(read_error)?;
        Ok(Self {
            reader,
            length,
            longest_block: options.longest_block.min(LONGEST_BLOCK),
            met: SharedSet::default(),
            #[cfg(feature = "cache")]
            cache: options.cache.as_ref().map(TableCache::new),
        })
    }

    /// The kinds of compression of the blocks that were read so far.
    pub(crate) fn compressions(&self) -> CompressionSet {
        self.met.get()
    }

    /// The length of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Where the footer begins and blocks end.
    pub(crate) fn footer_offset(&self) -> Result<u64, TableError> {
        let length = self.length;
        length
            .checked_sub(FOOTER_LENGTH as u64)
            .ok_or_else(|| corrupt(0, Fault::TooShort { length }))
    }

    /// The footer, and its bytes.
    pub(crate) fn read_footer(&self) -> Result<(Footer, Vec<u8>), TableError> {
        let offset = self.footer_offset()?;
        let bytes = self.read(offset, FOOTER_LENGTH as u64)?;
        let (handles, magic) = bytes
            .split_last_chunk()
            .ok_or_else(|| read_error(io::ErrorKind::UnexpectedEof.into()))?;
        let magic = u64::from_le_bytes(*magic);
        if magic != MAGIC {
            let fault = Fault::Magic { found: magic };
            return Err(corrupt(offset + handles.len() as u64, fault));
        }
        let footer =
            Footer::decode(handles).map_err(|error| corrupt(offset, Fault::Handle(error)))?;
        Ok((footer, bytes))
    }

    pub(crate) fn read_block(&self, handle: BlockHandle) -> Result<Block, TableError> {
        Block::parse(self.read_contents(handle)?, handle.offset)
    }

    /// As [`read_block`](Self::read_block); from the cache, if there is one and the block is in it.
    pub(crate) fn read_shared_block(&self, handle: BlockHandle) -> Result<Arc<Block>, TableError> {
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

    /// Checks that a block can be where a handle says: before the footer.
    pub(crate) fn check_handle(&self, handle: BlockHandle) -> Result<(), TableError> {
        let BlockHandle { offset, length } = handle;
        let end = self.footer_offset()?;
        if handle.end() > end {
            let fault = Fault::HandleOutside {
                offset,
                length,
                end,
            };
            return Err(corrupt(offset, fault));
        }
        Ok(())
    }

    /// The contents of a block, whatever they are: checked and decompressed.
    pub(crate) fn read_contents(&self, handle: BlockHandle) -> Result<Contents, TableError> {
        self.check_handle(handle)?;
        self.read_anywhere(handle)
    }

    /// As [`read_contents`](Self::read_contents), of a block that may be where no handle says so.
    pub(crate) fn read_anywhere(&self, handle: BlockHandle) -> Result<Contents, TableError> {
        let BlockHandle { offset, length } = handle;
        if length > self.longest_block {
            let most = self.longest_block;
            return Err(corrupt(offset, Fault::BlockTooLong { length, most }));
        }
        let mut stored = self.read(offset, length + TRAILER_LENGTH as u64)?;
        let Some((_, [number, a, b, c, d])) = stored.split_last_chunk() else {
            return Err(read_error(io::ErrorKind::UnexpectedEof.into()));
        };
        let number = *number;
        let checksum = u32::from_le_bytes([*a, *b, *c, *d]);
        stored.truncate(stored.len() - TRAILER_LENGTH);
        let computed = masked_checksum(&stored, number);
        if checksum != computed {
            let stored = checksum;
            return Err(corrupt(offset, Fault::Checksum { stored, computed }));
        }
        self.decompress(stored, number)
            .map_err(|fault| corrupt(offset, fault))
    }

    fn decompress(&self, stored: Vec<u8>, number: u8) -> Result<Contents, Fault> {
        let length = stored.len() as u64;
        let compression = Compression::of(number, &stored)?;
        let bytes = decompress(stored, compression, self.longest_block)?;
        self.met.insert(compression);
        Ok(Contents {
            bytes,
            stored: length,
            compression,
        })
    }

    /// Fills `buffer` with what is at an offset.
    pub(crate) fn fill(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.reader.read_exact_at(buffer, offset)
    }

    /// So many bytes of the file, within its length.
    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, TableError> {
        let length =
            usize::try_from(length).map_err(|_| read_error(io::ErrorKind::OutOfMemory.into()))?;
        let mut bytes = vec![0; length];
        self.reader
            .read_exact_at(&mut bytes, offset)
            .map_err(read_error)?;
        Ok(bytes)
    }
}

pub(crate) fn corrupt(offset: u64, fault: Fault) -> TableError {
    TableError::Corrupt { offset, fault }
}

/// What the source said; what is wrong with the table as an error of its data.
pub(crate) fn into_io(error: TableError) -> io::Error {
    match error {
        TableError::Io { source, .. } => source,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

fn read_error(source: io::Error) -> TableError {
    TableError::Io {
        action: "read the table",
        source,
    }
}

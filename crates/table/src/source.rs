//! Where blocks are read from: finds, checks and decompresses them.

use std::io;

use snap::raw::{Decoder, decompress_len};

use crate::block_reader::Block;
use crate::format::{
    BlockHandle, FOOTER_LENGTH, Footer, LONGEST_BLOCK, MAGIC, TRAILER_LENGTH, masked_checksum,
};
use crate::{Compression, Fault, ReadAt, TableError};

/// The most bytes that a byte of snappy's can stand for: three of them copy 64 at most.
const SNAPPY_EXPANSION: u64 = 64_u64.div_ceil(3);

/// The source of a table's bytes.
#[derive(Debug)]
pub(crate) struct Source<R> {
    reader: R,
    length: u64,
}

impl<R: ReadAt> Source<R> {
    pub(crate) fn new(reader: R) -> Result<Self, TableError> {
        let length = reader.length().map_err(read_error)?;
        Ok(Self { reader, length })
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

    /// Checks that a block can be where a handle says: before the footer, and short enough.
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
        if length > LONGEST_BLOCK {
            return Err(corrupt(offset, Fault::BlockTooLong { length }));
        }
        Ok(())
    }

    /// The contents of a block, whatever they are: checked and decompressed.
    pub(crate) fn read_contents(&self, handle: BlockHandle) -> Result<Vec<u8>, TableError> {
        self.check_handle(handle)?;
        let BlockHandle { offset, length } = handle;
        let mut contents = self.read(offset, length + TRAILER_LENGTH as u64)?;
        let Some((_, [compression, a, b, c, d])) = contents.split_last_chunk() else {
            return Err(read_error(io::ErrorKind::UnexpectedEof.into()));
        };
        let compression = *compression;
        let stored = u32::from_le_bytes([*a, *b, *c, *d]);
        contents.truncate(contents.len() - TRAILER_LENGTH);
        let computed = masked_checksum(&contents, compression);
        if stored != computed {
            return Err(corrupt(offset, Fault::Checksum { stored, computed }));
        }
        decompress(contents, compression).map_err(|fault| corrupt(offset, fault))
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

fn decompress(contents: Vec<u8>, compression: u8) -> Result<Vec<u8>, Fault> {
    const NONE: u8 = Compression::None as u8;
    const SNAPPY: u8 = Compression::Snappy as u8;
    match compression {
        NONE => Ok(contents),
        SNAPPY => decompress_snappy(&contents),
        number => Err(Fault::UnknownCompression { number }),
    }
}

fn decompress_snappy(contents: &[u8]) -> Result<Vec<u8>, Fault> {
    let fault = |error: snap::Error| Fault::Snappy {
        reason: error.to_string(),
    };
    let length = decompress_len(contents).map_err(fault)?;
    let most = contents.len() as u64 * SNAPPY_EXPANSION;
    if length as u64 > most {
        return Err(Fault::Snappy {
            reason: format!(
                "it says that it is {length} bytes long, and its {} bytes can be {most} at most",
                contents.len()
            ),
        });
    }
    Decoder::new().decompress_vec(contents).map_err(fault)
}

pub(crate) fn corrupt(offset: u64, fault: Fault) -> TableError {
    TableError::Corrupt { offset, fault }
}

fn read_error(source: io::Error) -> TableError {
    TableError::Io {
        action: "read the table",
        source,
    }
}

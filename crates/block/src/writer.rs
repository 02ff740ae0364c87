//! Where blocks are written: compresses, seals and counts.

use std::fmt;
use std::io::{self, Write};

use crate::block::most_key_bytes;
use crate::codec::Compressor;
use crate::handle::{TRAILER_LENGTH, trailer};
use crate::{BlockBuilder, BlockFault, BlockHandle, Compression};

/// Writes blocks to `W`, one behind the other, each with its trailer.
///
/// ```text
/// contents, perhaps compressed | number of the compression (1 byte) | masked CRC-32C of both (4 bytes)
/// ```
///
/// It holds the compressor's buffers and no block. `W` is written to in pieces of a block and less,
/// so a file is best wrapped in a [`BufWriter`](std::io::BufWriter).
///
/// ```
/// use strata_block::{BlockBuilder, BlockHandle, BlockWriter, Compression};
///
/// let mut block = BlockBuilder::new(16);
/// block.add(b"key", b"value")?;
/// let mut writer = BlockWriter::new(Vec::new(), Compression::None)?;
/// let handle = writer.write_block(&mut block)?;
/// assert_eq!(handle, BlockHandle { offset: 0, length: 19 });
/// assert_eq!(writer.offset(), handle.end());
/// writer.write(&handle.encode())?; // a footer
/// assert_eq!(writer.finish()?[..11], *b"\x00\x03\x05keyvalue");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BlockWriter<W> {
    dest: W,
    offset: u64,
    compressor: Compressor,
}

impl<W: Write> BlockWriter<W> {
    /// Begins at the beginning of `dest`. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// [`BlockFault::CompressionLeftOut`] if the feature of `compression` is off.
    pub fn new(dest: W, compression: Compression) -> Result<Self, BlockFault> {
        Ok(Self {
            dest,
            offset: 0,
            compressor: Compressor::new(compression)?,
        })
    }

    /// Writes a block of entries, compressed if that is asked for and saves more than an eighth of
    /// it, and leaves `block` empty.
    ///
    /// It is stored as it is, too, if compressed it were so short that a reader would refuse its
    /// keys as out of proportion ([`BlockFault::KeysTooLong`]).
    ///
    /// # Errors
    ///
    /// The error of `dest`. How much of the block it has is then unknown, and so is where the next
    /// block would begin.
    pub fn write_block(&mut self, block: &mut BlockBuilder) -> io::Result<BlockHandle> {
        let block = block.finish();
        let contents = &block.contents[..];
        let is_read =
            |stored: &[u8]| block.key_bytes <= most_key_bytes(contents.len(), stored.len() as u64);
        let (stored, compression) = self
            .compressor
            .compress(contents)
            .filter(|(stored, _)| is_read(stored))
            .unwrap_or((contents, Compression::None));
        write_sealed(&mut self.dest, &mut self.offset, stored, compression)
    }

    /// Writes a block of any bytes, as they are.
    ///
    /// # Errors
    ///
    /// As [`write_block`](Self::write_block).
    pub fn write_raw_block(&mut self, contents: &[u8]) -> io::Result<BlockHandle> {
        write_sealed(
            &mut self.dest,
            &mut self.offset,
            contents,
            Compression::None,
        )
    }

    /// Writes bytes that are no block.
    ///
    /// # Errors
    ///
    /// As [`write_block`](Self::write_block).
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.dest.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes have been written: where the next ones begin.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Flushes the destination and gives it back.
    ///
    /// # Errors
    ///
    /// The destination's error.
    pub fn finish(mut self) -> io::Result<W> {
        self.dest.flush()?;
        Ok(self.dest)
    }
}

fn write_sealed(
    dest: &mut impl Write,
    offset: &mut u64,
    stored: &[u8],
    compression: Compression,
) -> io::Result<BlockHandle> {
    let handle = BlockHandle {
        offset: *offset,
        length: stored.len() as u64,
    };
    dest.write_all(stored)?;
    dest.write_all(&trailer(stored, compression))?;
    *offset += handle.length + TRAILER_LENGTH as u64;
    Ok(handle)
}

impl<W> fmt::Debug for BlockWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockWriter")
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

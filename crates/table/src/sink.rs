//! Where blocks are written: compresses, seals and counts.

use std::io::{self, Write};

use crate::Compression;
use crate::block_builder::Finished;
use crate::block_reader::most_key_bytes;
use crate::codec::Compressor;
use crate::format::{BlockHandle, TRAILER_LENGTH, trailer};

/// The destination of a table's bytes.
pub(crate) struct Sink<W> {
    dest: W,
    offset: u64,
    compressor: Compressor,
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(dest: W, compression: Compression) -> Self {
        Self {
            dest,
            offset: 0,
            compressor: Compressor::new(compression),
        }
    }

    /// Writes a block, compressed if that is asked for and pays.
    ///
    /// It is stored as it is, too, if compressed it were so short that a reader would refuse its
    /// keys as out of proportion.
    pub(crate) fn write_block(&mut self, block: &Finished) -> io::Result<BlockHandle> {
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

    /// Writes a block as it is.
    pub(crate) fn write_raw_block(&mut self, contents: &[u8]) -> io::Result<BlockHandle> {
        write_sealed(
            &mut self.dest,
            &mut self.offset,
            contents,
            Compression::None,
        )
    }

    /// Writes bytes that are no block.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.dest.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes have been written: where the next ones begin.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Flushes the destination and gives it back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.dest.flush()?;
        Ok(self.dest)
    }
}

fn write_sealed(
    dest: &mut impl Write,
    offset: &mut u64,
    contents: &[u8],
    compression: Compression,
) -> io::Result<BlockHandle> {
    let handle = BlockHandle {
        offset: *offset,
        length: contents.len() as u64,
    };
    dest.write_all(contents)?;
    dest.write_all(&trailer(contents, compression))?;
    *offset += handle.length + TRAILER_LENGTH as u64;
    Ok(handle)
}

impl<W> std::fmt::Debug for Sink<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink")
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

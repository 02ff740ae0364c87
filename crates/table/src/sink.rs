//! Where blocks are written: compresses, seals and counts.

use std::io::{self, Write};

use snap::raw::{Encoder, max_compress_len};

use crate::Compression;
use crate::format::{BlockHandle, TRAILER_LENGTH, trailer};

/// The destination of a table's bytes.
pub(crate) struct Sink<W> {
    dest: W,
    offset: u64,
    compression: Compression,
    encoder: Encoder,
    compressed: Vec<u8>,
}

impl<W: Write> Sink<W> {
    pub(crate) fn new(dest: W, compression: Compression) -> Self {
        Self {
            dest,
            offset: 0,
            compression,
            encoder: Encoder::new(),
            compressed: Vec::new(),
        }
    }

    /// Writes a block, compressed if that is asked for and pays.
    pub(crate) fn write_block(&mut self, contents: &[u8]) -> io::Result<BlockHandle> {
        match self.compress(contents) {
            Some(length) => {
                let compressed = &self.compressed[..length];
                write_sealed(
                    &mut self.dest,
                    &mut self.offset,
                    compressed,
                    Compression::Snappy,
                )
            }
            None => self.write_raw_block(contents),
        }
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

    /// Compresses a block and returns to what length, if that saves more than an eighth.
    fn compress(&mut self, contents: &[u8]) -> Option<usize> {
        if self.compression == Compression::None {
            return None;
        }
        let most = max_compress_len(contents.len());
        if self.compressed.len() < most {
            self.compressed.resize(most, 0);
        }
        // It fails on blocks near 4 GiB, which snappy has no room for: they are stored raw.
        let length = self.encoder.compress(contents, &mut self.compressed).ok()?;
        (length < contents.len() - contents.len() / 8).then_some(length)
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
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

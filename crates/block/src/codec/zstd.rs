//! Zstd: one frame a block.

use std::io::{Cursor, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use ruzstd::encoding::{CompressionLevel, FrameCompressor, MatchGeneratorDriver};

use super::{ZSTD_MAGIC, too_long};
use crate::{BlockFault, Compression};

/// The most bytes that a byte of zstd's can stand for: 4 of them repeat one 128 KiB times.
const EXPANSION: u64 = 1 << 15;

pub(super) fn decompress(stored: &[u8], longest: u64) -> Result<Vec<u8>, BlockFault> {
    let fault = |reason: String| BlockFault::Compressed {
        compression: Compression::Zstd,
        reason,
    };
    let most = longest.min(stored.len() as u64 * EXPANSION);
    // A new decoder allocates nothing for the window that the frame asks for, only for what it
    // decodes; so any window will do.
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(u64::MAX);
    let mut rest = stored;
    let mut reader = StreamingDecoder::new_with_decoder(&mut rest, &mut decoder)
        .map_err(|error| fault(error.to_string()))?;
    let mut contents = Vec::new();
    (&mut reader)
        .take(most.saturating_add(1))
        .read_to_end(&mut contents)
        .map_err(|error| fault(error.to_string()))?;
    let length = contents.len() as u64;
    if length > most {
        return Err(too_long(length, most));
    }
    let said = decoder.content_size();
    if said != 0 && said != length {
        return Err(fault(format!(
            "it says that it is {said} bytes long, and is {length}"
        )));
    }
    if !rest.is_empty() {
        return Err(fault(format!("{} bytes follow the frame", rest.len())));
    }
    Ok(contents)
}

pub(crate) struct Compressor {
    frames: FrameCompressor<Cursor<Vec<u8>>, Vec<u8>, MatchGeneratorDriver>,
    compressed: Vec<u8>,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            frames: FrameCompressor::new(CompressionLevel::Fastest),
            compressed: Vec::new(),
        }
    }
}

impl Compressor {
    pub(super) fn compress(&mut self, contents: &[u8]) -> Option<&[u8]> {
        let mut source = self.frames.take_source().unwrap_or_default();
        source.get_mut().clear();
        source.get_mut().extend_from_slice(contents);
        source.set_position(0);
        self.frames.set_source(source);
        let mut drain = self.frames.take_drain().unwrap_or_default();
        drain.clear();
        self.frames.set_drain(drain);
        self.frames.compress();
        let frame = self.frames.drain()?;
        self.compressed.clear();
        with_content_size(frame, contents.len(), &mut self.compressed)?;
        Some(&self.compressed)
    }
}

/// Copies a frame without a content size, and gives it one: LevelDB reads no frame without.
///
/// ```text
/// magic, 4 bytes | descriptor | window descriptor | blocks
/// magic, 4 bytes | descriptor | window descriptor | content size, 4 bytes | blocks
/// ```
fn with_content_size(frame: &[u8], length: usize, into: &mut Vec<u8>) -> Option<()> {
    /// In the descriptor: that the content size takes 4 bytes.
    const SIZE_OF_4_BYTES: u8 = 0b10 << 6;
    /// In the descriptor: that a checksum follows the blocks.
    const CHECKSUM: u8 = 1 << 2;
    let length = u32::try_from(length).ok()?;
    let (&[a, b, c, d, descriptor, window], blocks) = frame.split_first_chunk()?;
    if [a, b, c, d] != ZSTD_MAGIC || descriptor & !CHECKSUM != 0 {
        return None;
    }
    into.extend_from_slice(&ZSTD_MAGIC);
    into.extend_from_slice(&[descriptor | SIZE_OF_4_BYTES, window]);
    into.extend_from_slice(&length.to_le_bytes());
    into.extend_from_slice(blocks);
    Some(())
}

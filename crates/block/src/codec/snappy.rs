//! Snappy's raw format.

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use super::too_long;
use crate::{BlockFault, Compression};

/// The most bytes that a byte of snappy's can stand for: three of them copy 64 at most.
const EXPANSION: u64 = 64_u64.div_ceil(3);

pub(super) fn decompress(stored: &[u8], longest: u64) -> Result<Vec<u8>, BlockFault> {
    let fault = |reason: String| BlockFault::Compressed {
        compression: Compression::Snappy,
        reason,
    };
    let length = decompress_len(stored).map_err(|error| fault(error.to_string()))?;
    let most = stored.len() as u64 * EXPANSION;
    if length as u64 > most {
        return Err(fault(format!(
            "it says that it is {length} bytes long, and its {} bytes can be {most} at most",
            stored.len()
        )));
    }
    if length as u64 > longest {
        return Err(too_long(length as u64, longest));
    }
    Decoder::new()
        .decompress_vec(stored)
        .map_err(|error| fault(error.to_string()))
}

/// Snappy's bytes are the length, seven bits a byte, then a literal, for there is nothing to copy
/// yet: its tag, whose upper six bits are the length or say how many bytes that takes.
pub(super) fn begins_with_zero(first: &[u8]) -> bool {
    let Some((_, rest)) = first
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .and_then(|end| first.split_at_checked(end + 1))
    else {
        return false;
    };
    match rest.split_first() {
        Some((&tag, literal)) if tag & 0b11 == 0 => {
            let length_bytes = usize::from(tag >> 2).saturating_sub(59);
            literal.get(length_bytes) == Some(&0)
        }
        _ => false,
    }
}

pub(crate) struct Compressor {
    encoder: Encoder,
    compressed: Vec<u8>,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            encoder: Encoder::new(),
            compressed: Vec::new(),
        }
    }
}

impl Compressor {
    pub(super) fn compress(&mut self, contents: &[u8]) -> Option<&[u8]> {
        let most = max_compress_len(contents.len());
        if self.compressed.len() < most {
            self.compressed.resize(most, 0);
        }
        // It fails on blocks near 4 GiB, which snappy has no room for: they are stored raw.
        let length = self.encoder.compress(contents, &mut self.compressed).ok()?;
        self.compressed.get(..length)
    }
}

//! Deflate, with zlib's header and checksum or without.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::too_long;
use crate::{BlockFault, Compression};

/// The most bytes that a byte of deflate's can stand for: 258 take at least 2 bits.
const EXPANSION: u64 = 1032;

/// How many times as long as the compressed bytes the decompressed ones are guessed to be at first.
const GUESS: usize = 4;

pub(super) fn decompress(
    stored: &[u8],
    compression: Compression,
    longest: u64,
) -> Result<Vec<u8>, BlockFault> {
    let fault = |reason: String| BlockFault::Compressed {
        compression,
        reason,
    };
    let most = longest.min(stored.len() as u64 * EXPANSION);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut inflate = Decompress::new(compression == Compression::Zlib);
    let mut contents = Vec::with_capacity(stored.len().saturating_mul(GUESS).min(most));
    loop {
        let read = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
        let rest = stored.get(read..).unwrap_or_default();
        let before = (read, contents.len());
        let status = inflate
            .decompress_vec(rest, &mut contents, FlushDecompress::None)
            .map_err(|error| fault(error.to_string()))?;
        if status == Status::StreamEnd {
            let read = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
            return match stored.get(read..) {
                None | Some([]) => Ok(contents),
                Some(rest) => Err(fault(format!("{} bytes follow it", rest.len()))),
            };
        }
        if contents.len() < contents.capacity() {
            let read = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
            if (read, contents.len()) == before {
                return Err(fault("it ends too soon".to_owned()));
            }
        } else if contents.len() >= most {
            return Err(too_long(contents.len() as u64 + 1, most as u64));
        } else {
            contents.reserve_exact(contents.len().max(stored.len()).min(most - contents.len()));
        }
    }
}

pub(super) fn begins_with_zero(first: &[u8], compression: Compression) -> bool {
    let mut inflate = Decompress::new(compression == Compression::Zlib);
    let mut byte = [1];
    let status = inflate.decompress(first, &mut byte, FlushDecompress::None);
    match (status, inflate.total_out()) {
        (Err(_), _) => false,
        (Ok(_), 0) => true,
        (Ok(_), _) => byte == [0],
    }
}

pub(crate) struct Compressor {
    deflate: Compress,
    compressed: Vec<u8>,
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Self {
        // Zlib's own default, 6.
        let level = flate2::Compression::default();
        Self {
            deflate: Compress::new(level, compression == Compression::Zlib),
            compressed: Vec::new(),
        }
    }

    /// None if the compressed bytes would be longer than pays.
    pub(super) fn compress(&mut self, contents: &[u8]) -> Option<&[u8]> {
        self.deflate.reset();
        self.compressed.clear();
        self.compressed.reserve(contents.len());
        let status =
            self.deflate
                .compress_vec(contents, &mut self.compressed, FlushCompress::Finish);
        (status.ok()? == Status::StreamEnd).then_some(&*self.compressed)
    }
}

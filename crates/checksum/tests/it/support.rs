//! Random bytes, blocks, and searches run to their end.

use std::convert::Infallible;

use strata_checksum::{Sealed, SealedSearch, crc32c, mask};

/// Numbers that differ between seeds.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 8
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap() % limit
    }

    /// Bytes of a small alphabet, so that many positions may be ends.
    pub(crate) fn bytes(&mut self, length: usize, alphabet: u8) -> Vec<u8> {
        (0..length)
            .map(|_| u8::try_from(self.below(usize::from(alphabet) + 1)).unwrap())
            .collect()
    }
}

/// A block with these contents, whole.
pub(crate) fn block(contents: &[u8], kind: u8) -> Vec<u8> {
    let mut block = [contents, &[kind]].concat();
    let checksum = mask(crc32c(&block));
    block.extend_from_slice(&checksum.to_le_bytes());
    block
}

pub(crate) fn reading(file: &[u8]) -> impl FnMut(u64, &mut [u8]) -> Result<(), Infallible> {
    |offset, buffer| {
        let offset = usize::try_from(offset).unwrap();
        buffer.copy_from_slice(&file[offset..offset + buffer.len()]);
        Ok(())
    }
}

/// All that the search finds, and whether that is all.
pub(crate) fn search(
    file: &[u8],
    longest: u32,
    plausible: impl Fn([u8; 4], u8) -> bool,
) -> (Vec<(usize, usize)>, bool) {
    let mut search = SealedSearch::new(file.len() as u64, longest, plausible);
    let mut found = Vec::new();
    while let Ok(Some(Sealed { start, end })) = search.next(&mut reading(file)) {
        found.push((
            usize::try_from(start).unwrap(),
            usize::try_from(end).unwrap(),
        ));
    }
    (found, search.is_exhaustive())
}

/// The same, by trying every pair.
pub(crate) fn naive(
    file: &[u8],
    longest: usize,
    plausible: impl Fn([u8; 4], u8) -> bool,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for end in 4..file.len().saturating_sub(4) {
        let stored: [u8; 4] = file[end + 1..end + 5].try_into().unwrap();
        if stored == [0; 4] || !plausible(file[end - 4..end].try_into().unwrap(), file[end]) {
            continue;
        }
        for start in end.saturating_sub(longest)..=end - 4 {
            if mask(crc32c(&file[start..=end])).to_le_bytes() == stored {
                found.push((start, end));
            }
        }
    }
    found
}

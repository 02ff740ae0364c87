//! Values.

use crate::SplitMix64;

/// How many pieces of the pool a value may begin at: the pool stays within a core's own caches.
const STARTS: usize = 1 << START_BITS;
const START_BITS: u32 = 10;

/// The pool consists of pieces as long as this, whose second half repeats the first. Values begin
/// where a piece does, so that they contain both halves.
const PIECE_BYTES: usize = 100;

/// 2⁶⁴ divided by the golden ratio: multiplying by it puts neighbours far apart.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

const POOL_SEED: u64 = 301;

/// Values of one length, which compress to about half as `db_bench`'s do: slices of a pool of
/// printable bytes, chosen by a number.
///
/// ```
/// let values = benches::Values::new(100);
/// assert_eq!(values.get(7).len(), 100);
/// assert_ne!(values.get(7), values.get(8));
/// ```
#[derive(Clone, Debug)]
pub struct Values {
    pool: Vec<u8>,
    value_bytes: usize,
}

impl Values {
    /// Values of `value_bytes` bytes.
    #[must_use]
    pub fn new(value_bytes: usize) -> Self {
        let mut rng = SplitMix64::new(POOL_SEED);
        let mut pool = Vec::new();
        while pool.len() < STARTS * PIECE_BYTES + value_bytes {
            let start = pool.len();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the printable bytes are fewer than 256"
            )]
            pool.extend((0..PIECE_BYTES / 2).map(|_| b' ' + rng.below(95) as u8));
            pool.extend_from_within(start..);
        }
        Self { pool, value_bytes }
    }

    /// The length of a value.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        self.value_bytes
    }

    /// The value of a number.
    #[must_use]
    pub fn get(&self, number: u64) -> &[u8] {
        let piece = (number.wrapping_mul(SPREAD) >> (u64::BITS - START_BITS)) as usize;
        let start = piece * PIECE_BYTES;
        &self.pool[start..start + self.value_bytes]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_have_the_length_asked_for() {
        for value_bytes in [0, 1, 8, 100, 100_000] {
            let values = Values::new(value_bytes);
            assert!((0..1000).all(|number| values.get(number).len() == value_bytes));
        }
    }

    #[test]
    fn neighbours_have_different_values() {
        let values = Values::new(100);
        for first in (0..10_000).step_by(100) {
            let near = (first..first + 100).map(|number| values.get(number));
            assert_eq!(near.collect::<BTreeSet<&[u8]>>().len(), 100, "{first}");
        }
    }

    #[test]
    fn every_piece_repeats_its_first_half() {
        let pool = Values::new(0).pool;
        assert!(
            pool.chunks(PIECE_BYTES)
                .all(|piece| piece[..PIECE_BYTES / 2] == piece[PIECE_BYTES / 2..])
        );
        assert!(pool.iter().all(|byte| (b' '..=b'~').contains(byte)));
    }
}

//! How high each node is: drawn from the list's seed, so that a run can be repeated.

use crate::link::Counter;

/// The most levels a list has. With one node in [`BRANCHING`] reaching the next level, twelve
/// levels serve 4¹² = 16 million keys as well as any more would: LevelDB's number.
#[cfg(not(loom))]
pub const MAX_HEIGHT: usize = 12;

/// Two levels are all that loom can explore.
#[cfg(loom)]
pub const MAX_HEIGHT: usize = 2;

/// One node in how many reaches the next level. A link more costs 8 bytes: with 4 a node has 1.33
/// links on average and a search compares about twice as often as with 2, LevelDB's choice.
pub const BRANCHING: u32 = 4;

/// The seed of a list that is given none.
pub const DEFAULT_SEED: u64 = 0xdead_beef;

const _: () = assert!(BRANCHING.is_power_of_two());

/// Draws heights: the n-th is a function of the seed and n.
#[derive(Debug)]
pub(crate) struct Heights {
    seed: u64,
    drawn: Counter,
}

impl Heights {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: Counter::zero(),
        }
    }

    /// Draws `count` heights: `height` of the number returned and the `count - 1` after it.
    pub(crate) fn draw(&self, count: u64) -> u64 {
        self.drawn.add(count)
    }

    /// The n-th height: 1 with probability 3/4, 2 with 3/16, and so on.
    pub(crate) fn height(&self, n: u64) -> usize {
        // One bit in BRANCHING - 1 must be zero for each level: count groups of zero bits.
        let zero_bits = mix(self.seed.wrapping_add(n.wrapping_mul(GOLDEN))).trailing_zeros();
        let levels = 1 + zero_bits / BRANCHING.trailing_zeros();
        (levels as usize).min(MAX_HEIGHT)
    }
}

/// 2⁶⁴ divided by the golden ratio: its multiples are spread evenly over the words.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads every bit of `word` over all of the result, as the last step of `SplitMix64` does.
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn heights_are_distributed_by_the_branching_factor() {
        let heights = Heights::new(DEFAULT_SEED);
        let mut counts = [0u32; MAX_HEIGHT + 1];
        for n in 0..1_000_000 {
            counts[heights.height(n)] += 1;
        }
        assert_eq!(counts[0], 0);
        let mut expected = 750_000.0;
        for (height, &count) in counts.iter().enumerate().take(8).skip(1) {
            let deviation = (f64::from(count) - expected).abs() / expected.sqrt();
            assert!(
                deviation < 5.0,
                "{count} of height {height} where {expected} were expected"
            );
            expected /= f64::from(BRANCHING);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_heights() {
        let draw = |seed| {
            let heights = Heights::new(seed);
            (0..100)
                .map(|_| heights.height(heights.draw(1)))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn heights_drawn_together_are_those_drawn_one_by_one() {
        let (one, many) = (Heights::new(9), Heights::new(9));
        let singly: Vec<usize> = (0..10).map(|_| one.height(one.draw(1))).collect();
        let first = many.draw(10);
        assert_eq!(
            singly,
            (first..first + 10)
                .map(|n| many.height(n))
                .collect::<Vec<_>>()
        );
    }
}

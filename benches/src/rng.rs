//! The one source of chance.

/// Steele, Lea and Flood's `SplitMix64`: 2⁶⁴ numbers in an order that the seed begins.
///
/// Not from a crate, so that an upgrade can't change the workloads.
///
/// ```
/// use benches::SplitMix64;
///
/// let mut rng = SplitMix64::new(7);
/// let (first, second) = (rng.next_u64(), rng.next_u64());
/// assert_ne!(first, second);
/// assert_eq!(SplitMix64::new(7).next_u64(), first);
/// assert!(rng.below(10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

/// What the state grows by: 2⁶⁴ divided by the golden ratio, made odd.
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

impl SplitMix64 {
    /// The sequence that `seed` begins.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(INCREMENT);
        mix(self.state)
    }

    /// A number less than `bound`, or 0 if that is 0. The bias is less than `bound` in 2⁶⁴.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> u64::BITS) as u64
    }

    /// Puts `items` into an order in which every permutation is as likely: Fisher and Yates's way.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let mut rest = items;
        while let [.., _] = rest {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is less than a length, which is a usize"
            )]
            let chosen = self.below(rest.len() as u64) as usize;
            let last = rest.len() - 1;
            rest.swap(chosen, last);
            rest = &mut rest[..last];
        }
    }
}

/// Maps every number to another one, no two to the same, and neighbours far apart.
pub(crate) const fn mix(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let mut rng = SplitMix64::new(1_234_567);
        assert_eq!(
            [(); 5].map(|()| rng.next_u64()),
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ],
        );
    }

    #[test]
    fn numbers_below_a_bound_reach_all_of_it_and_no_further() {
        let mut rng = SplitMix64::new(1);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[usize::try_from(rng.below(7)).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|times| (800..1200).contains(times)),
            "{seen:?}"
        );
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn shuffling_keeps_every_item_and_moves_nearly_all() {
        let mut items: Vec<usize> = (0..1000).collect();
        SplitMix64::new(1).shuffle(&mut items);
        let fixed = items.iter().enumerate().filter(|(at, item)| at == *item);
        assert!(fixed.count() < 10);
        items.sort_unstable();
        assert!(items.into_iter().eq(0..1000));
    }
}

//! Few keys that are asked for often, and many that seldom are.

use crate::SplitMix64;

/// How unlike the keys are: YCSB's constant. Of a million keys, the first hundredth is asked for in
/// two thirds of all cases.
const THETA: f64 = 0.99;

/// Ranks from 0 on, each as likely as Zipf's law has it: in proportion to `1 / (1 + rank)^0.99`.
///
/// By Gray and others' approximation ("Quickly generating billion-record synthetic databases",
/// 1994), as YCSB does it. To make one takes time in proportion to the number of ranks.
///
/// ```
/// use benches::{SplitMix64, Zipf};
///
/// let (zipf, mut rng) = (Zipf::new(1000), SplitMix64::new(7));
/// let ranks: Vec<u64> = (0..1000).map(|_| zipf.rank(&mut rng)).collect();
/// assert!(ranks.iter().all(|&rank| rank < 1000));
/// assert!(ranks.iter().filter(|&&rank| rank < 10).count() > 300);
/// ```
#[derive(Clone, Debug)]
pub struct Zipf {
    ranks: u64,
    zeta: f64,
    zeta_of_two: f64,
    alpha: f64,
    eta: f64,
}

impl Zipf {
    /// Ranks below `ranks`.
    #[must_use]
    pub fn new(ranks: u64) -> Self {
        let weight = |rank: u64| float(rank + 1).powf(-THETA);
        let zeta: f64 = (0..ranks).map(weight).sum();
        let zeta_of_two: f64 = (0..2).map(weight).sum();
        let eta = (1.0 - (2.0 / float(ranks)).powf(1.0 - THETA)) / (1.0 - zeta_of_two / zeta);
        Self {
            ranks,
            zeta,
            zeta_of_two,
            alpha: 1.0 / (1.0 - THETA),
            eta,
        }
    }

    /// A rank by chance.
    #[must_use]
    pub fn rank(&self, rng: &mut SplitMix64) -> u64 {
        let chance = float(rng.next_u64() >> 11) / float(1 << 53);
        let along = chance * self.zeta;
        if along < 1.0 {
            return 0;
        }
        if along < self.zeta_of_two {
            return 1.min(self.ranks - 1);
        }
        let part = (self.eta * chance - self.eta + 1.0).powf(self.alpha);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and the number of ranks"
        )]
        let rank = (float(self.ranks) * part) as u64;
        rank.min(self.ranks - 1)
    }
}

fn float(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 2 to the 53rd")]
    let float = number as f64;
    float
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_as_likely_as_the_law_has_it() {
        let (zipf, mut rng) = (Zipf::new(10_000), SplitMix64::new(1));
        let mut times = vec![0_u32; 10_000];
        for _ in 0..1_000_000 {
            times[usize::try_from(zipf.rank(&mut rng)).unwrap()] += 1;
        }
        for rank in [0_u32, 1, 9, 99] {
            let expected = 1e6 * f64::from(rank + 1).powf(-THETA) / zipf.zeta;
            let found = f64::from(times[rank as usize]);
            assert!(
                (0.8..1.25).contains(&(found / expected)),
                "{rank}: {found} of {expected}"
            );
        }
        assert!(times.iter().filter(|&&times| times > 0).count() > 9000);
    }

    #[test]
    fn of_one_rank_all_are_it() {
        let (zipf, mut rng) = (Zipf::new(1), SplitMix64::new(1));
        assert!((0..1000).all(|_| zipf.rank(&mut rng) == 0));
    }
}

//! What is written and what is asked for.

use std::fmt;

use strata_dbformat::SequenceNumber;

use crate::{KeyShape, Keys, SplitMix64, Values, Zipf};

const WRITE_SEED: u64 = 1;
const READ_SEED: u64 = 2;
const ABSENT_SEED: u64 = 3;
const ZIPF_SEED: u64 = 5;

/// Keys, values and orders to write and read them in; the same in every run and on every machine.
///
/// The keys that are there are made of even numbers, and absent ones, which lie among them, of the
/// odd ones. As a string it is the parameters in a benchmark's name. What is as usual is left out:
/// keys as `db_bench`'s, one version of each, no values.
///
/// ```
/// use benches::{KeyShape, Workload};
///
/// let workload = Workload::new(KeyShape::Decimal, 100_000, 100);
/// assert_eq!(workload.to_string(), "keys=100k/value=100B");
/// assert_eq!(workload.in_order().iter().nth(1), Some(&b"0000000000000002"[..]));
/// assert_eq!(workload.value(2, 0).len(), 100);
///
/// let keys = Workload::new(KeyShape::UserOrder, 500, 0);
/// assert_eq!(keys.to_string(), "keys=500/key=user-order");
/// ```
#[derive(Clone, Debug)]
pub struct Workload {
    shape: KeyShape,
    keys: u64,
    versions: u64,
    values: Values,
}

impl Workload {
    /// `keys` keys of a shape, one version of each, with values of `value_bytes` bytes.
    #[must_use]
    pub fn new(shape: KeyShape, keys: u64, value_bytes: usize) -> Self {
        Self {
            shape,
            keys,
            versions: 1,
            values: Values::new(value_bytes),
        }
    }

    /// As many versions of each key: all keys are written once, then all a second time.
    #[must_use]
    pub fn versions(self, versions: u64) -> Self {
        Self { versions, ..self }
    }

    /// How many versions of each key there are.
    #[must_use]
    pub fn version_count(&self) -> u64 {
        self.versions
    }

    /// How many entries there are: versions of all keys.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.keys * self.versions
    }

    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// How many bytes the keys and values of all entries have together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries() * (self.shape.key_bytes() + self.values.value_bytes()) as u64
    }

    /// The value of a version, counted from 0, of the key of this number.
    #[must_use]
    pub fn value(&self, number: u64, version: u64) -> &[u8] {
        // Numbers of keys are less than 2 to the 32nd in any workload that fits a memory.
        self.values.get(number + (version << 32))
    }

    /// The sequence number of a version of the key that is written at this position, both counted
    /// from 0: they count the writes from 1 on.
    ///
    /// # Panics
    ///
    /// If there were more writes than sequence numbers.
    #[must_use]
    pub fn sequence(&self, version: u64, position: u64) -> SequenceNumber {
        match SequenceNumber::new(1 + version * self.keys + position) {
            Ok(sequence) => sequence,
            Err(error) => panic!("{error}"),
        }
    }

    /// The keys, ascending.
    #[must_use]
    pub fn in_order(&self) -> Keys {
        let mut numbers = self.numbers(0);
        numbers.sort_by_cached_key(|&number| self.shape.key(number));
        Keys::new(self.shape, numbers)
    }

    /// The keys in a random order: to be written in.
    #[must_use]
    pub fn in_write_order(&self) -> Keys {
        self.shuffled(0, WRITE_SEED)
    }

    /// The keys in another random order: to be looked up in.
    #[must_use]
    pub fn in_read_order(&self) -> Keys {
        self.shuffled(0, READ_SEED)
    }

    /// `reads` of the keys, few of them often and most seldom: [`Zipf`]'s ranks, of which those that
    /// are asked for often lie anywhere among the keys.
    #[must_use]
    pub fn in_zipf_order(&self, reads: usize) -> Keys {
        let mut by_rank = self.numbers(0);
        let mut rng = SplitMix64::new(ZIPF_SEED);
        rng.shuffle(&mut by_rank);
        let zipf = Zipf::new(self.keys);
        let mut number = || {
            let rank = usize::try_from(zipf.rank(&mut rng)).unwrap_or(usize::MAX);
            by_rank[rank]
        };
        let numbers = (0..reads).map(|_| number()).collect();
        Keys::new(self.shape, numbers)
    }

    /// As many keys that are not there, in a random order.
    #[must_use]
    pub fn absent(&self) -> Keys {
        self.shuffled(1, ABSENT_SEED)
    }

    fn numbers(&self, first: u64) -> Vec<u64> {
        (0..self.keys).map(|number| 2 * number + first).collect()
    }

    fn shuffled(&self, first: u64, seed: u64) -> Keys {
        let mut numbers = self.numbers(first);
        SplitMix64::new(seed).shuffle(&mut numbers);
        Keys::new(self.shape, numbers)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys={}", Count(self.keys))?;
        match self.shape {
            KeyShape::Decimal => {}
            KeyShape::BigEndian => f.write_str("/key=big-endian")?,
            KeyShape::UserOrder => f.write_str("/key=user-order")?,
        }
        if self.versions != 1 {
            write!(f, "/versions={}", Count(self.versions))?;
        }
        match self.values.value_bytes() {
            0 => Ok(()),
            bytes => write!(f, "/value={}B", Count(bytes as u64)),
        }
    }
}

/// A number, with k for thousands and M for millions if it is round.
///
/// ```
/// use benches::Count;
///
/// let text = |number| Count(number).to_string();
/// assert_eq!([7, 1500, 20_000, 3_000_000].map(text), ["7", "1500", "20k", "3M"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number > 0 && number % 1_000_000 == 0 => write!(f, "{}M", number / 1_000_000),
            number if number > 0 && number % 1000 == 0 => write!(f, "{}k", number / 1000),
            number => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const SHAPES: [KeyShape; 3] = [KeyShape::Decimal, KeyShape::BigEndian, KeyShape::UserOrder];

    fn sorted(keys: &Keys) -> Vec<&[u8]> {
        let mut keys: Vec<&[u8]> = keys.iter().collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn every_order_is_one_of_the_same_keys() {
        for shape in SHAPES {
            let workload = Workload::new(shape, 1000, 0);
            let in_order = workload.in_order();
            assert!(in_order.iter().is_sorted(), "{shape:?}");
            for keys in [workload.in_write_order(), workload.in_read_order()] {
                assert!(!keys.iter().is_sorted(), "{shape:?}");
                assert!(in_order.iter().eq(sorted(&keys)), "{shape:?}");
            }
        }
    }

    #[test]
    fn keys_are_not_looked_up_in_the_order_they_were_written_in() {
        let workload = Workload::new(KeyShape::Decimal, 1000, 0);
        let (written, read) = (workload.in_write_order(), workload.in_read_order());
        let same = written.iter().zip(read.iter()).filter(|(a, b)| a == b);
        assert!(same.count() < 10);
    }

    #[test]
    fn few_keys_are_read_often_in_zipfs_order() {
        let workload = Workload::new(KeyShape::Decimal, 1000, 0);
        let (there, read) = (workload.in_order(), workload.in_zipf_order(10_000));
        assert_eq!(read.len(), 10_000);
        let mut times: BTreeMap<&[u8], u32> = there.iter().map(|key| (key, 0)).collect();
        for key in read.iter() {
            *times.get_mut(key).unwrap() += 1;
        }
        let mut times: Vec<u32> = times.into_values().collect();
        times.sort_unstable_by_key(|&times| std::cmp::Reverse(times));
        assert!(times[..10].iter().sum::<u32>() > 3000, "{times:?}");
        assert!(times[500..].iter().sum::<u32>() < 1500, "{times:?}");
    }

    #[test]
    fn absent_keys_are_absent_and_lie_among_the_others() {
        for shape in SHAPES {
            let workload = Workload::new(shape, 1000, 0);
            let (there, absent) = (workload.in_order(), workload.absent());
            let there: BTreeSet<&[u8]> = there.iter().collect();
            assert!(absent.iter().all(|key| !there.contains(key)), "{shape:?}");
            let within = absent.iter().filter(|&key| {
                there.range(..key).next().is_some() && there.range(key..).next().is_some()
            });
            assert!(within.count() >= 990, "{shape:?}");
        }
    }

    #[test]
    fn a_workload_is_the_same_every_time() {
        let keys = || Workload::new(KeyShape::Decimal, 100, 0).in_write_order();
        assert!(keys().iter().eq(keys().iter()));
        let first: Vec<u64> = keys()
            .numbered()
            .map(|(_, number)| number)
            .take(4)
            .collect();
        assert_eq!(first, [44, 192, 48, 158]);
    }

    #[test]
    fn the_name_says_what_differs_from_the_usual() {
        let name = |shape, keys, bytes| Workload::new(shape, keys, bytes).to_string();
        assert_eq!(
            name(KeyShape::Decimal, 1_000_000, 1000),
            "keys=1M/value=1kB"
        );
        assert_eq!(
            name(KeyShape::BigEndian, 100_000, 8),
            "keys=100k/key=big-endian/value=8B"
        );
        assert_eq!(name(KeyShape::Decimal, 10, 0), "keys=10");
        let versions = Workload::new(KeyShape::Decimal, 1000, 1).versions(10);
        assert_eq!(versions.to_string(), "keys=1k/versions=10/value=1B");
    }

    #[test]
    fn bytes_count_keys_and_values_of_all_versions() {
        let workload = Workload::new(KeyShape::UserOrder, 10, 100);
        assert_eq!(workload.bytes(), 1360);
        assert_eq!(workload.versions(3).bytes(), 3 * 1360);
    }

    #[test]
    fn sequence_numbers_count_the_writes() {
        let workload = Workload::new(KeyShape::Decimal, 10, 0).versions(2);
        let writes = (0..2).flat_map(|version| (0..10).map(move |position| (version, position)));
        let numbers = writes.map(|(version, position)| workload.sequence(version, position));
        assert!(numbers.map(u64::from).eq(1..=20));
    }

    #[test]
    fn versions_of_a_key_have_different_values() {
        let workload = Workload::new(KeyShape::Decimal, 10, 100).versions(2);
        assert!((0..10).all(|key| workload.value(2 * key, 0) != workload.value(2 * key, 1)));
    }
}

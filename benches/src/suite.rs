//! The benchmarks that every ordered index goes through.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput};
use strata_dbformat::SequenceNumber;

use crate::{Contestant, Keys, Operation, SplitMix64, Workload, last_byte};

/// How many entries [`SeekRandom`](Operation::SeekRandom) goes on by after each seek.
pub const NEXTS: usize = 10;

const SNAPSHOT_SEED: u64 = 4;

/// Measures a contestant with a workload, one operation a method.
///
/// What is measured is first done once and its outcome compared with what the workload says it
/// must be; a wrong one is a panic. Benchmarks that only read share one contestant, filled in
/// random order. Dropping it is measured nowhere.
pub struct Suite<'a, C> {
    criterion: &'a mut Criterion,
    workload: &'a Workload,
    written: Keys,
    filled: OnceCell<C>,
}

impl<'a, C: Contestant> Suite<'a, C> {
    /// A suite for `C` with `workload`.
    pub fn new(criterion: &'a mut Criterion, workload: &'a Workload) -> Self {
        Self {
            criterion,
            workload,
            written: workload.in_write_order(),
            filled: OnceCell::new(),
        }
    }

    /// Filling it with ascending keys. Timed is the whole fill, from nothing.
    pub fn fill_seq(&mut self) -> &mut Self {
        let keys = self.workload.in_order();
        self.fill(Operation::FillSeq, &keys)
    }

    /// Filling it in random order. Timed is the whole fill, from nothing.
    pub fn fill_random(&mut self) -> &mut Self {
        let keys = self.written.clone();
        self.fill(Operation::FillRandom, &keys)
    }

    fn fill(&mut self, operation: Operation, keys: &Keys) -> &mut Self {
        let workload = self.workload;
        let checked = OnceCell::new();
        let mut group = slow_group::<C>(self.criterion, workload.entries());
        group.bench_function(operation.id(workload), |bencher| {
            checked.get_or_init(|| check_entries(&filled::<C>(workload, keys), workload));
            bencher.iter_batched_ref(
                C::default,
                |contestant| write_all(contestant, workload, keys),
                BatchSize::PerIteration,
            );
        });
        group.finish();
        self
    }

    /// Writing all keys once more, in another random order, to what holds each once already.
    pub fn overwrite(&mut self) -> &mut Self {
        let workload = self.workload;
        let (once, twice) = (workload.clone().versions(1), workload.clone().versions(2));
        let again = workload.in_read_order();
        let written = &self.written;
        let overwrite = |contestant: &C| write(contestant, &twice, &again, 1);
        let checked = OnceCell::new();
        let mut group = slow_group::<C>(self.criterion, workload.keys());
        group.bench_function(Operation::Overwrite.id(workload), |bencher| {
            checked.get_or_init(|| {
                let contestant: C = filled(&once, written);
                overwrite(&contestant);
                check_entries(&contestant, &twice);
            });
            bencher.iter_batched_ref(
                || filled(&once, written),
                |contestant: &mut C| overwrite(contestant),
                BatchSize::PerIteration,
            );
        });
        group.finish();
        self
    }

    /// Looking up a key that is there: at a random snapshot, if keys have several versions. Timed
    /// is one lookup.
    pub fn read_random(&mut self) -> &mut Self {
        let workload = self.workload;
        let keys = workload.in_read_order();
        let snapshots = snapshots(workload);
        let (filled, written) = (&self.filled, &self.written);
        let checked = OnceCell::new();
        let mut group = group::<C>(self.criterion, 1);
        group.bench_function(Operation::ReadRandom.id(workload), |bencher| {
            let contestant = filled.get_or_init(|| self::filled(workload, written));
            checked.get_or_init(|| {
                check_lookups(
                    contestant,
                    workload,
                    written,
                    keys.numbered().zip(&snapshots),
                );
            });
            let mut lookups = keys.iter().zip(&snapshots).cycle();
            bencher.iter(|| {
                let (key, snapshot) = lookups.next()?;
                contestant.get(key, *snapshot, last_byte)
            });
        });
        group.finish();
        self
    }

    /// Looking up a key that is not there. Timed is one lookup.
    ///
    /// # Panics
    ///
    /// If a key is found.
    pub fn read_missing(&mut self) -> &mut Self {
        let workload = self.workload;
        let keys = workload.absent();
        let (filled, written) = (&self.filled, &self.written);
        let newest = SequenceNumber::MAX;
        let checked = OnceCell::new();
        let mut group = group::<C>(self.criterion, 1);
        group.bench_function(Operation::ReadMissing.id(workload), |bencher| {
            let contestant = filled.get_or_init(|| self::filled(workload, written));
            checked.get_or_init(|| {
                let found = keys
                    .iter()
                    .find_map(|key| contestant.get(key, newest, last_byte));
                assert_eq!(found, None, "a key that was never written");
            });
            let mut lookups = keys.iter().cycle();
            bencher.iter(|| contestant.get(lookups.next()?, newest, last_byte));
        });
        group.finish();
        self
    }

    /// Going through all entries, forward. Timed is the whole way.
    pub fn read_seq(&mut self) -> &mut Self {
        self.scan(Operation::ReadSeq, |contestant| {
            let mut sum = 0;
            contestant.scan(|key, value| sum += look_at(key, value));
            sum
        })
    }

    /// Going through all entries, backward. Timed is the whole way.
    pub fn read_reverse(&mut self) -> &mut Self {
        self.scan(Operation::ReadReverse, |contestant| {
            let mut sum = 0;
            contestant.scan_back(|key, value| sum += look_at(key, value));
            sum
        })
    }

    fn scan(&mut self, operation: Operation, sum: impl Fn(&C) -> u64) -> &mut Self {
        let workload = self.workload;
        let (filled, written) = (&self.filled, &self.written);
        let checked = OnceCell::new();
        let mut group = slow_group::<C>(self.criterion, workload.entries());
        group.bench_function(operation.id(workload), |bencher| {
            let contestant = filled.get_or_init(|| self::filled(workload, written));
            checked.get_or_init(|| check_entries(contestant, workload));
            bencher.iter(|| sum(contestant));
        });
        group.finish();
        self
    }

    /// Seeking a key that is there, and going on by [`NEXTS`] entries. Timed is one seek with its
    /// steps.
    pub fn seek_random(&mut self) -> &mut Self {
        let workload = self.workload;
        let keys = workload.in_read_order();
        let (filled, written) = (&self.filled, &self.written);
        let checked = OnceCell::new();
        let mut group = group::<C>(self.criterion, 1);
        let parameters = format!("{workload}/nexts={NEXTS}");
        group.bench_function(Operation::SeekRandom.id(parameters), |bencher| {
            let contestant = filled.get_or_init(|| self::filled(workload, written));
            checked.get_or_init(|| check_seeks(contestant, workload));
            let mut seeks = keys.iter().cycle();
            bencher.iter(|| {
                let mut sum = 0;
                contestant.seek(seeks.next()?, NEXTS, |key, value| {
                    sum += look_at(key, value)
                });
                Some(sum)
            });
        });
        group.finish();
        self
    }
}

impl<C> fmt::Debug for Suite<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("workload", self.workload)
            .finish_non_exhaustive()
    }
}

fn group<C: Contestant>(criterion: &mut Criterion, elements: u64) -> BenchmarkGroup<'_, WallTime> {
    let mut group = criterion.benchmark_group(C::NAME);
    group.throughput(Throughput::Elements(elements));
    group
}

/// A group of benchmarks of which one iteration takes milliseconds.
fn slow_group<C: Contestant>(
    criterion: &mut Criterion,
    elements: u64,
) -> BenchmarkGroup<'_, WallTime> {
    let mut group = group::<C>(criterion, elements);
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group
}

/// What every step of a scan does with its entry.
fn look_at(key: &[u8], value: &[u8]) -> u64 {
    black_box(last_byte(key) + last_byte(value))
}

/// The contestant that holds the workload, written in the order of `keys`.
fn filled<C: Contestant>(workload: &Workload, keys: &Keys) -> C {
    let contestant = C::default();
    write_all(&contestant, workload, keys);
    contestant
}

/// Writes every version of all keys: all in their first one, then all in their second one.
fn write_all<C: Contestant>(contestant: &C, workload: &Workload, keys: &Keys) {
    for version in 0..workload.version_count() {
        write(contestant, workload, keys, version);
    }
}

fn write<C: Contestant>(contestant: &C, workload: &Workload, keys: &Keys, version: u64) {
    for ((key, number), position) in keys.numbered().zip(0..) {
        let sequence = workload.sequence(version, position);
        contestant.insert(key, sequence, workload.value(number, version));
    }
}

/// A snapshot for each key, at which each has a version.
fn snapshots(workload: &Workload) -> Vec<SequenceNumber> {
    let mut rng = SplitMix64::new(SNAPSHOT_SEED);
    let later = workload.entries() - workload.keys();
    (0..workload.keys())
        .map(|_| workload.sequence(1, rng.below(later + 1)))
        .collect()
}

/// Compares what lookups find with what was written last before their snapshots.
fn check_lookups<'k, C: Contestant>(
    contestant: &C,
    workload: &Workload,
    written: &Keys,
    lookups: impl Iterator<Item = ((&'k [u8], u64), &'k SequenceNumber)>,
) {
    let positions: HashMap<u64, u64> = written
        .numbered()
        .map(|(_, number)| number)
        .zip(0..)
        .collect();
    for ((key, number), &snapshot) in lookups {
        let is_seen = |version: &u64| workload.sequence(*version, positions[&number]) <= snapshot;
        let newest = (0..workload.version_count()).rev().find(is_seen);
        let expected = newest.map(|version| workload.value(number, version).to_vec());
        assert_eq!(
            contestant.get(key, snapshot, <[u8]>::to_vec),
            expected,
            "the value of '{}' at {snapshot}",
            key.escape_ascii(),
        );
    }
}

/// Compares all entries, in both directions, with all that were written.
fn check_entries<C: Contestant>(contestant: &C, workload: &Workload) {
    let keys = workload.in_order();
    let expected: Vec<(&[u8], &[u8])> = keys
        .numbered()
        .flat_map(|(key, number)| {
            let newest_first = (0..workload.version_count()).rev();
            newest_first.map(move |version| (key, workload.value(number, version)))
        })
        .collect();
    let mut forward = expected.iter();
    contestant.scan(|key, value| assert_eq!(forward.next(), Some(&(key, value))));
    assert_eq!(forward.next(), None, "entries after the last one given");
    let mut backward = expected.iter().rev();
    contestant.scan_back(|key, value| assert_eq!(backward.next(), Some(&(key, value))));
    assert_eq!(backward.next(), None, "entries before the last one given");
}

/// Compares what seeks give with the keys from the one sought on.
fn check_seeks<C: Contestant>(contestant: &C, workload: &Workload) {
    let keys = workload.in_order();
    let newest = workload.version_count() - 1;
    let expected: Vec<(&[u8], &[u8])> = keys
        .numbered()
        .map(|(key, number)| (key, workload.value(number, newest)))
        .collect();
    for (at, (key, _)) in expected.iter().enumerate() {
        let end = expected.len().min(at + 1 + NEXTS);
        let mut following = expected[at..end].iter();
        contestant.seek(key, NEXTS, |key, value| {
            assert_eq!(following.next(), Some(&(key, value)));
        });
        assert_eq!(following.next(), None, "entries after the last one given");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyShape, LockedBTreeMap, LockedBTreeSet};

    fn workload(versions: u64) -> Workload {
        Workload::new(KeyShape::Decimal, 200, 10).versions(versions)
    }

    #[test]
    fn what_is_written_is_found() {
        for versions in [1, 3] {
            let workload = workload(versions);
            let written = workload.in_write_order();
            let map: LockedBTreeMap = filled(&workload, &written);
            check_entries(&map, &workload);
            let (keys, snapshots) = (workload.in_read_order(), snapshots(&workload));
            check_lookups(&map, &workload, &written, keys.numbered().zip(&snapshots));
        }
        check_seeks::<LockedBTreeMap>(
            &filled(&workload(1), &workload(1).in_write_order()),
            &workload(1),
        );
    }

    #[test]
    fn snapshots_are_spread_over_all_that_see_every_key() {
        let workload = workload(3);
        let snapshots: Vec<u64> = snapshots(&workload).into_iter().map(u64::from).collect();
        assert!(
            snapshots
                .iter()
                .all(|snapshot| (201..=601).contains(snapshot))
        );
        assert!(snapshots.iter().any(|&snapshot| snapshot < 250));
        assert!(snapshots.iter().any(|&snapshot| snapshot > 550));
    }

    #[test]
    #[should_panic(expected = "the value of '0000000000000000'")]
    fn a_wrong_value_is_noticed() {
        let workload = workload(1);
        let written = workload.in_order();
        let map = LockedBTreeMap::default();
        for (key, number) in written.numbered() {
            map.insert(key, workload.sequence(0, number / 2), b"wrong");
        }
        let lookups = written
            .numbered()
            .zip(std::iter::repeat(&SequenceNumber::MAX));
        check_lookups(&map, &workload, &written, lookups);
    }

    #[test]
    #[should_panic(expected = "entries after the last one given")]
    fn a_missing_entry_is_noticed() {
        let all = Workload::new(KeyShape::Decimal, 200, 0);
        let fewer = Workload::new(KeyShape::Decimal, 199, 0);
        check_entries::<LockedBTreeSet>(&filled(&fewer, &fewer.in_order()), &all);
    }
}

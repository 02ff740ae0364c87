//! What a scenario writes and asks for, and what must come of it.

use benches::{Checksum, KeyShape, Keys, NEXTS, Workload};

/// How many bytes a value has.
const VALUE_BYTES: usize = 100;

/// How many entries a batch has.
pub(crate) const BATCH: usize = 1000;

/// One in this many of the keys that are read is sought.
const SEEK_STEP: usize = 4;

/// The order in which keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Random,
    Sequential,
}

/// Keys of 16 digits, values of 100 bytes, and orders to write and read them in.
///
/// An overwrite gives a key another version of its value, so that it can be told from the one before.
#[derive(Debug)]
pub(crate) struct Prepared {
    workload: Workload,
    ascending: Keys,
    shuffled: Keys,
    reads: Keys,
}

/// One thread's share of a list: every so manieth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) thread: usize,
    pub(crate) threads: usize,
}

impl Prepared {
    pub(crate) fn new(entries: u64) -> Self {
        let workload = Workload::new(KeyShape::Decimal, entries.max(1), VALUE_BYTES);
        Self {
            ascending: workload.in_order(),
            shuffled: workload.in_write_order(),
            reads: workload.in_read_order(),
            workload,
        }
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> usize {
        self.ascending.len()
    }

    /// How many seeks there are.
    pub(crate) fn seek_count(&self) -> usize {
        self.entries().div_ceil(SEEK_STEP)
    }

    /// The value of a version of a key.
    #[inline]
    pub(crate) fn value(&self, number: u64, version: u64) -> &[u8] {
        self.workload.value(number, version)
    }

    fn keys(&self, order: Order) -> &Keys {
        match order {
            Order::Random => &self.shuffled,
            Order::Sequential => &self.ascending,
        }
    }

    /// What a thread writes, one by one.
    #[inline]
    pub(crate) fn writes(
        &self,
        order: Order,
        version: u64,
        Share { thread, threads }: Share,
    ) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let keys = self.keys(order).numbered();
        let keys = keys.skip(thread).step_by(threads);
        keys.map(move |(key, number)| (key, self.value(number, version)))
    }

    /// What a thread writes, batch by batch.
    pub(crate) fn batches(
        &self,
        order: Order,
        version: u64,
        Share { thread, threads }: Share,
    ) -> impl Iterator<Item = impl Iterator<Item = (&[u8], &[u8])>> {
        let mut keys = self.keys(order).numbered();
        advance(&mut keys, thread * BATCH);
        std::iter::from_fn(move || {
            let batch = keys.clone().take(BATCH);
            // Not by skipping from the beginning each time, which would be most of what is measured.
            advance(&mut keys, threads * BATCH);
            let batch = (batch.len() > 0).then_some(batch)?;
            Some(batch.map(move |(key, number)| (key, self.value(number, version))))
        })
    }

    /// The keys that a thread looks up, each with its number.
    #[inline]
    pub(crate) fn reads(
        &self,
        Share { thread, threads }: Share,
    ) -> impl Iterator<Item = (&[u8], u64)> + Clone {
        self.reads.numbered().skip(thread).step_by(threads)
    }

    /// The keys that a thread seeks, each with its number.
    #[inline]
    pub(crate) fn seeks(
        &self,
        Share { thread, threads }: Share,
    ) -> impl Iterator<Item = (&[u8], u64)> {
        let seeks = self.reads.numbered().step_by(SEEK_STEP);
        seeks.skip(thread).step_by(threads)
    }

    /// What a thread's lookups find.
    pub(crate) fn found(&self, version: u64, share: Share) -> Checksum {
        let mut found = Checksum::default();
        for (_, number) in self.reads(share) {
            found.add(self.value(number, version));
        }
        found
    }

    /// What a thread's seeks show.
    pub(crate) fn sought(&self, version: u64, share: Share) -> Checksum {
        let entries: Vec<(&[u8], u64)> = self.ascending.numbered().collect();
        let mut sought = Checksum::default();
        for (target, _) in self.seeks(share) {
            let at = entries.partition_point(|(key, _)| *key < target);
            for (key, number) in entries.iter().skip(at).take(1 + NEXTS) {
                sought.add_entry(key, self.value(*number, version));
            }
        }
        sought
    }

    /// What a scan shows when the first `newer` keys, in the order of their writing at random, have
    /// the version after this one.
    pub(crate) fn scanned(&self, version: u64, newer: usize) -> Checksum {
        let mut is_newer = vec![false; self.entries()];
        for (_, number) in self.shuffled.numbered().take(newer) {
            is_newer[index(number)] = true;
        }
        let mut scanned = Checksum::default();
        for (key, number) in self.ascending.numbered() {
            let version = version + u64::from(is_newer[index(number)]);
            scanned.add_entry(key, self.value(number, version));
        }
        scanned
    }
}

/// Passes over so many items.
fn advance(items: &mut impl Iterator, count: usize) {
    items.take(count).for_each(drop);
}

/// The keys that are there are made of even numbers.
fn index(number: u64) -> usize {
    usize::try_from(number / 2).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALONE: Share = Share {
        thread: 0,
        threads: 1,
    };

    fn halves() -> [Share; 2] {
        [0, 1].map(|thread| Share { thread, threads: 2 })
    }

    #[test]
    fn two_threads_write_everything_once() {
        let prepared = Prepared::new(2500);
        let all: BTreeMap<_, _> = prepared.writes(Order::Sequential, 0, ALONE).collect();
        assert_eq!(all.len(), 2500);
        for order in [Order::Random, Order::Sequential] {
            let writes = halves().map(|half| prepared.writes(order, 0, half).collect::<Vec<_>>());
            assert_eq!(writes.each_ref().map(Vec::len), [1250, 1250]);
            assert!(writes.concat().into_iter().collect::<BTreeMap<_, _>>() == all);
            let batches = halves().map(|half| {
                let batches = prepared.batches(order, 0, half);
                batches.map(Iterator::collect).collect::<Vec<Vec<_>>>()
            });
            let lengths = batches.each_ref().map(|batches| {
                let lengths = batches.iter().map(Vec::len);
                lengths.collect::<Vec<_>>()
            });
            assert_eq!(lengths, [vec![1000, 500], vec![1000]]);
            let batches = batches.concat().concat();
            assert!(batches.into_iter().collect::<BTreeMap<_, _>>() == all);
        }
    }

    #[test]
    fn what_is_expected_is_what_a_map_answers() {
        let prepared = Prepared::new(500);
        let mut map: BTreeMap<_, _> = prepared.writes(Order::Random, 1, ALONE).collect();
        for half in halves() {
            let (mut found, mut sought) = (Checksum::default(), Checksum::default());
            for (key, _) in prepared.reads(half) {
                found.add(map[key]);
            }
            for (key, _) in prepared.seeks(half) {
                for (key, value) in map.range(key..).take(11) {
                    sought.add_entry(key, value);
                }
            }
            assert_eq!(prepared.found(1, half), found);
            assert_eq!(prepared.sought(1, half), sought);
            assert_ne!(prepared.found(2, half), found);
        }
        map.extend(prepared.writes(Order::Random, 2, ALONE).take(200));
        let mut scanned = Checksum::default();
        map.iter()
            .for_each(|(key, value)| scanned.add_entry(key, value));
        assert_eq!(prepared.scanned(1, 200), scanned);
        assert_ne!(prepared.scanned(1, 199), scanned);
    }
}

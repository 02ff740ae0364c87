//! What a scenario writes and asks for, and what must come of it: made once, for all contestants.

use benches::{Checksum, Keys, NEXTS, SplitMix64, Workload};
use strata_dbformat::SequenceNumber;

use crate::contestant::{Room, Writer};
use crate::scenario::Order;

/// The seed of the snapshots that versions are read at.
const SNAPSHOT_SEED: u64 = 4;

/// One in this many of the keys that are read is sought.
const SEEK_STEP: usize = 4;

/// A scenario's writes, reads and right answers.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) workload: Workload,
    pub(crate) writes: Keys,
    pub(crate) reads: Keys,
    /// What each read is made at.
    pub(crate) snapshots: Vec<SequenceNumber>,
    pub(crate) absent: Keys,
    pub(crate) found: Checksum,
    pub(crate) scanned: Checksum,
    pub(crate) scanned_back: Checksum,
    pub(crate) sought: Checksum,
}

impl Prepared {
    pub(crate) fn new(workload: Workload, order: Order) -> Self {
        let writes = match order {
            Order::Random => workload.in_write_order(),
            Order::Sequential => workload.in_order(),
        };
        let reads = workload.in_read_order();
        let versions = read_versions(&workload, &writes, &reads);
        let mut prepared = Self {
            snapshots: versions.iter().map(|&(_, snapshot)| snapshot).collect(),
            absent: workload.absent(),
            found: Checksum::default(),
            scanned: Checksum::default(),
            scanned_back: Checksum::default(),
            sought: Checksum::default(),
            workload,
            writes,
            reads,
        };
        for ((_, number), (version, _)) in prepared.reads.numbered().zip(versions) {
            prepared.found.add(prepared.workload.value(number, version));
        }
        prepared.expect_scans();
        prepared
    }

    fn expect_scans(&mut self) {
        let in_order = self.workload.in_order();
        let entries: Vec<(&[u8], &[u8])> = in_order
            .numbered()
            .flat_map(|(key, number)| {
                let versions = (0..self.workload.version_count()).rev();
                versions.map(move |version| (key, number, version))
            })
            .map(|(key, number, version)| (key, self.workload.value(number, version)))
            .collect();
        let (mut scanned, mut back) = (Checksum::default(), Checksum::default());
        for (key, value) in &entries {
            scanned.add_entry(key, value);
        }
        for (key, value) in entries.iter().rev() {
            back.add_entry(key, value);
        }
        let mut sought = Checksum::default();
        for target in self.seeks() {
            let at = entries.partition_point(|(key, _)| *key < target);
            for (key, value) in &entries[at..entries.len().min(at + 1 + NEXTS)] {
                sought.add_entry(key, value);
            }
        }
        (self.scanned, self.scanned_back, self.sought) = (scanned, back, sought);
    }

    /// The keys that are sought.
    pub(crate) fn seeks(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.reads.iter().step_by(SEEK_STEP)
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> usize {
        self.writes.len() * usize::try_from(self.workload.version_count()).unwrap_or(usize::MAX)
    }

    /// How much a contestant will have to hold.
    pub(crate) fn room(&self) -> Room {
        Room {
            entries: self.entries(),
            bytes: usize::try_from(self.workload.bytes()).unwrap_or(usize::MAX),
        }
    }

    /// Writes every entry.
    #[inline]
    pub(crate) fn write_all(&self, writer: &mut impl Writer) {
        self.write_some(writer, 0, 1);
    }

    /// Writes every `step`th entry from the one at `first` on.
    #[inline]
    pub(crate) fn write_some(&self, writer: &mut impl Writer, first: usize, step: usize) {
        for version in 0..self.workload.version_count() {
            let writes = (0..).zip(self.writes.numbered()).skip(first).step_by(step);
            for (position, (key, number)) in writes {
                let sequence = self.workload.sequence(version, position);
                writer.insert(key, sequence, self.workload.value(number, version));
            }
        }
    }

    /// A snapshot that sees everything.
    pub(crate) fn newest(&self) -> SequenceNumber {
        let last = self.workload.version_count() - 1;
        self.workload.sequence(last, self.workload.keys() - 1)
    }
}

/// For each read the version it is to find, by chance, and a snapshot that sees it and none newer.
fn read_versions(workload: &Workload, writes: &Keys, reads: &Keys) -> Vec<(u64, SequenceNumber)> {
    let mut positions = vec![0; writes.len()];
    for (position, (_, number)) in (0..).zip(writes.numbered()) {
        positions[index(number)] = position;
    }
    let mut rng = SplitMix64::new(SNAPSHOT_SEED);
    let read = |(_, number): (&[u8], u64)| {
        let version = rng.below(workload.version_count());
        let written = workload.sequence(version, positions[index(number)]).get();
        let last = workload.keys() * workload.version_count();
        let snapshot = last.min(written + rng.below(workload.keys()));
        match SequenceNumber::new(snapshot) {
            Ok(snapshot) => (version, snapshot),
            Err(error) => panic!("{error}"),
        }
    };
    reads.numbered().map(read).collect()
}

/// The keys that are there are made of even numbers.
fn index(number: u64) -> usize {
    usize::try_from(number / 2).unwrap_or(usize::MAX)
}

//! What a scenario writes and asks for, and what must come of it: made once, for all contestants.

use benches::{Checksum, Keys, NEXTS, SplitMix64, Workload};
use strata_dbformat::SequenceNumber;

use crate::contestant::{Contestant, Room, Writer};
use crate::scenario::Order;

/// The seed of the snapshots that versions are read at.
const SNAPSHOT_SEED: u64 = 4;

/// How many keys are looked up at most: enough for a figure that does not move, whatever the number of
/// entries.
const MOST_READS: usize = 500_000;

/// How many entries a scan goes through that stops, and one in how many of the keys that are read it
/// begins at.
const SCANS: [Scan; 4] = [
    Scan {
        entries: 1,
        step: 4,
    },
    Scan {
        entries: 10,
        step: 8,
    },
    Scan {
        entries: 1 + NEXTS,
        step: 4,
    },
    Scan {
        entries: 100,
        step: 32,
    },
];

#[derive(Clone, Copy, Debug)]
struct Scan {
    entries: usize,
    step: usize,
}

/// A scenario's writes, reads and right answers.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) workload: Workload,
    pub(crate) writes: Keys,
    pub(crate) reads: Keys,
    /// What each read is made at.
    pub(crate) snapshots: Vec<SequenceNumber>,
    pub(crate) absent: Keys,
    /// Lookups of few keys often and of most seldom.
    pub(crate) zipf: Keys,
    pub(crate) found: Checksum,
    /// The checksum of what the same lookups find if they see everything.
    pub(crate) found_newest: Checksum,
    pub(crate) found_zipf: Checksum,
    pub(crate) scanned: Checksum,
    pub(crate) scanned_back: Checksum,
    /// The checksums of scans that stop after so many entries.
    sought: Vec<(usize, Checksum)>,
}

impl Prepared {
    pub(crate) fn new(workload: Workload, order: Order) -> Self {
        let writes = match order {
            Order::Random => workload.in_write_order(),
            Order::Sequential => workload.in_order(),
        };
        let reads = reads(&workload);
        let versions = read_versions(&workload, &writes, &reads);
        let zipf = workload.in_zipf_order(reads.len());
        let mut prepared = Self {
            snapshots: versions.iter().map(|&(_, snapshot)| snapshot).collect(),
            absent: workload.absent().first(MOST_READS),
            found: Checksum::default(),
            found_newest: Checksum::default(),
            found_zipf: Checksum::default(),
            scanned: Checksum::default(),
            scanned_back: Checksum::default(),
            sought: Vec::new(),
            workload,
            writes,
            reads,
            zipf,
        };
        let (workload, last) = (&prepared.workload, prepared.workload.version_count() - 1);
        for ((_, number), (version, _)) in prepared.reads.numbered().zip(versions) {
            prepared.found.add(workload.value(number, version));
            prepared.found_newest.add(workload.value(number, last));
        }
        for (_, number) in prepared.zipf.numbered() {
            prepared.found_zipf.add(workload.value(number, last));
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
        let expect = |Scan { entries: most, .. }: Scan| {
            let mut sought = Checksum::default();
            for target in self.seeks(most) {
                let at = entries.partition_point(|(key, _)| *key < target);
                for (key, value) in &entries[at..entries.len().min(at + most)] {
                    sought.add_entry(key, value);
                }
            }
            (most, sought)
        };
        let sought = SCANS.map(expect).to_vec();
        (self.scanned, self.scanned_back, self.sought) = (scanned, back, sought);
    }

    /// The keys that scans of so many entries begin at.
    pub(crate) fn seeks(&self, entries: usize) -> impl ExactSizeIterator<Item = &[u8]> {
        let scan = SCANS.iter().find(|scan| scan.entries == entries);
        self.reads.iter().step_by(scan.map_or(1, |scan| scan.step))
    }

    /// The checksum of those scans.
    pub(crate) fn sought(&self, entries: usize) -> Option<Checksum> {
        let found = self.sought.iter().find(|(of, _)| *of == entries);
        found.map(|&(_, sought)| sought)
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

    /// Writes every entry, so many at once.
    pub(crate) fn write_batches(&self, contestant: &impl Contestant, at_once: usize) {
        for version in 0..self.workload.version_count() {
            let (mut rest, mut first) = (self.writes.numbered(), 0);
            while rest.len() > 0 {
                let entries = rest.clone().take(at_once);
                let entries =
                    entries.map(|(key, number)| (key, self.workload.value(number, version)));
                contestant.insert_batch(self.workload.sequence(version, first), entries);
                first += rest.by_ref().take(at_once).count() as u64;
            }
        }
    }

    /// A snapshot that sees everything.
    pub(crate) fn newest(&self) -> SequenceNumber {
        let last = self.workload.version_count() - 1;
        self.workload.sequence(last, self.workload.keys() - 1)
    }
}

/// The keys that are looked up: in another order than they were written in, or the one key again and
/// again.
fn reads(workload: &Workload) -> Keys {
    if workload.keys() == 1 {
        let times = usize::try_from(workload.entries()).unwrap_or(usize::MAX);
        return workload.in_zipf_order(times.min(MOST_READS));
    }
    workload.in_read_order().first(MOST_READS)
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
pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number / 2).unwrap_or(usize::MAX)
}

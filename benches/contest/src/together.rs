//! The phases of two threads, each on a core of its own, and of more threads than cores.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alone::nanoseconds;
use crate::contestant::{Contestant, Writer};
use crate::cores;
use crate::heap;
use crate::prepared::{Prepared, index};
use crate::scenario::Phase;
use benches::Checksum;
use strata_dbformat::SequenceNumber;

/// How many lookups a reader makes between two looks at whether the writer is done.
const LOOKUPS: usize = 64;

/// How many readers there are beside one writer where there are more threads than cores.
const READERS: usize = 3;

/// One writer and one reader, each alone and then beside the other.
///
/// The first half of the entries is there beforehand, and is what is read; the second is written.
/// Alone, the reader reads with the first half there and again with all.
///
/// # Panics
///
/// If an answer is wrong.
pub(crate) fn beside<C: Contestant>(prepared: &Prepared) -> Vec<(Phase, f64)> {
    let half = prepared.writes.len() / 2;
    let reads = Reads::new(prepared, half);
    let begun = || {
        let contestant = C::new(prepared.room());
        write(&contestant, prepared, 0..half);
        contestant
    };
    let contestant = begun();
    let read_half = reads.all(&contestant);
    let write_alone = write(&contestant, prepared, half..prepared.writes.len());
    let read_full = reads.all(&contestant);
    check(&contestant, prepared);
    drop(contestant);

    heap::begin_afresh();
    let contestant = begun();
    let (is_done, start) = (AtomicBool::new(false), Barrier::new(2));
    let (write_beside, read_beside) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let _ = cores::pin_second();
            start.wait();
            reads.until(&contestant, &is_done)
        });
        start.wait();
        let wrote = write(&contestant, prepared, half..prepared.writes.len());
        is_done.store(true, Ordering::Relaxed);
        (wrote, cores::join(reader))
    });
    check(&contestant, prepared);
    vec![
        (Phase::WriteAlone, write_alone),
        (Phase::WriteBeside, write_beside),
        (Phase::ReadAlone, f64::midpoint(read_half, read_full)),
        (Phase::ReadBeside, read_beside),
    ]
}

/// Writes the keys at these positions, and returns the nanoseconds an insertion.
pub(crate) fn write<C: Contestant>(
    contestant: &C,
    prepared: &Prepared,
    positions: std::ops::Range<usize>,
) -> f64 {
    let (mut writer, writes) = (contestant.writer(), positions.len());
    let started = Instant::now();
    let keys = (0..).zip(prepared.writes.numbered());
    for (position, (key, number)) in keys.skip(positions.start).take(writes) {
        let sequence = prepared.workload.sequence(0, position);
        writer.insert(key, sequence, prepared.workload.value(number, 0));
    }
    nanoseconds(started.elapsed(), writes)
}

pub(crate) fn check<C: Contestant>(contestant: &C, prepared: &Prepared) {
    let mut scanned = Checksum::default();
    contestant.scan(|key, value| scanned.add_entry(key, value));
    assert_eq!(scanned, prepared.scanned, "{}: a scan", C::NAME);
}

/// Lookups of the keys that were written first, in an order of their own.
pub(crate) struct Reads<'a> {
    reads: Vec<Read<'a>>,
}

/// A lookup, and the last byte of the value that it must find.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    key: &'a [u8],
    expected: Option<u8>,
    snapshot: SequenceNumber,
}

impl Read<'_> {
    /// Looks the key up.
    ///
    /// # Panics
    ///
    /// If something else is found.
    #[inline]
    pub(crate) fn check<C: Contestant>(&self, contestant: &C) {
        let found = contestant.get(self.key, self.snapshot, |value| value.last().copied());
        assert_eq!(found, Some(self.expected), "{}: a lookup", C::NAME);
    }
}

impl<'a> Reads<'a> {
    pub(crate) fn new(prepared: &'a Prepared, half: usize) -> Self {
        let mut is_first = vec![false; prepared.writes.len()];
        for (_, number) in prepared.writes.numbered().take(half) {
            is_first[index(number)] = true;
        }
        let value = |number| prepared.workload.value(number, 0).last().copied();
        let reads = prepared.reads.numbered();
        let reads = reads.filter(|&(_, number)| is_first[index(number)]);
        let read = |(key, number)| Read {
            key,
            expected: value(number),
            snapshot: prepared.newest(),
        };
        Self {
            reads: reads.map(read).collect(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.reads.len()
    }

    /// Shows each to `visit`.
    pub(crate) fn each(&self, visit: impl FnMut(&Read<'a>)) {
        self.reads.iter().for_each(visit);
    }

    /// The nanoseconds of a lookup.
    fn all<C: Contestant>(&self, contestant: &C) -> f64 {
        let started = Instant::now();
        self.each(|read| read.check(contestant));
        nanoseconds(started.elapsed(), self.len())
    }

    /// The nanoseconds of a lookup, of as many as are made until the writer is done.
    fn until<C: Contestant>(&self, contestant: &C, is_done: &AtomicBool) -> f64 {
        let (started, mut lookups) = (Instant::now(), 0);
        for some in self.reads.chunks(LOOKUPS).cycle() {
            some.iter().for_each(|read| read.check(contestant));
            lookups += some.len();
            if is_done.load(Ordering::Relaxed) {
                break;
            }
        }
        nanoseconds(started.elapsed(), lookups)
    }
}

/// One writer of all entries, and two of half of them each, on memory that was touched beforehand;
/// nothing for those that can't have that.
///
/// # Panics
///
/// If an entry is missing afterwards.
pub(crate) fn writers<C: Contestant>(prepared: &Prepared) -> Vec<(Phase, f64)> {
    let Some(contestant) = C::touched(prepared.room()) else {
        return Vec::new();
    };
    let started = Instant::now();
    prepared.write_all(&mut contestant.shared_writer());
    let one = started.elapsed();
    check(&contestant, prepared);
    drop(contestant);

    heap::begin_afresh();
    let Some(contestant) = C::touched(prepared.room()) else {
        return Vec::new();
    };
    let two = write_parts(&contestant, prepared, 2);
    check(&contestant, prepared);
    vec![
        (Phase::OneWriter, nanoseconds(one, prepared.entries())),
        (Phase::TwoWriters, nanoseconds(two, prepared.entries())),
    ]
}

/// So many writers, each of as many entries, and the time until all are done. The first is this thread;
/// the others are on its core and the second one in turn.
fn write_parts<C: Contestant>(contestant: &C, prepared: &Prepared, writers: usize) -> Duration {
    let start = Barrier::new(writers);
    let part = |writer: usize| {
        let mut inserting = contestant.shared_writer();
        start.wait();
        let started = Instant::now();
        prepared.write_some(&mut inserting, writer, writers);
        started
    };
    thread::scope(|scope| {
        let others = (1..writers).map(|writer| {
            scope.spawn(move || {
                let _ = cores::pin_one_of_two(writer);
                part(writer);
            })
        });
        let others: Vec<_> = others.collect();
        let started = part(0);
        others.into_iter().for_each(cores::join);
        started.elapsed()
    })
}

/// More threads than two cores can run at once: four writers and eight, and a writer beside three
/// readers of the half that was there beforehand. An insertion's part of the time until all are done.
///
/// # Panics
///
/// If an answer is wrong.
pub(crate) fn crowd<C: Contestant>(prepared: &Prepared) -> Vec<(Phase, f64)> {
    let mut figures = Vec::new();
    for (phase, writers) in [(Phase::FourWriters, 4), (Phase::EightWriters, 8)] {
        heap::begin_afresh();
        let contestant = C::new(prepared.room());
        let time = write_parts(&contestant, prepared, writers);
        check(&contestant, prepared);
        figures.push((phase, nanoseconds(time, prepared.entries())));
    }

    heap::begin_afresh();
    let (contestant, half) = (C::new(prepared.room()), prepared.writes.len() / 2);
    write(&contestant, prepared, 0..half);
    let reads = Reads::new(prepared, half);
    let (is_done, start) = (AtomicBool::new(false), Barrier::new(1 + READERS));
    let read = |reader: usize| {
        let _ = cores::pin_one_of_two(reader);
        start.wait();
        reads.until(&contestant, &is_done)
    };
    let (wrote, read) = thread::scope(|scope| {
        let read = &read;
        let readers = (1..=READERS).map(|reader| scope.spawn(move || read(reader)));
        let readers: Vec<_> = readers.collect();
        start.wait();
        let wrote = write(&contestant, prepared, half..prepared.writes.len());
        is_done.store(true, Ordering::Relaxed);
        let read: f64 = readers.into_iter().map(cores::join).sum();
        (wrote, read)
    });
    check(&contestant, prepared);
    figures.push((Phase::WriteBesideThree, wrote));
    #[expect(clippy::cast_precision_loss, reason = "three")]
    figures.push((Phase::ReadInThree, read / READERS as f64));
    figures
}

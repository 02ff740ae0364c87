//! The phases of two threads, each on a core of its own.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::alone::nanoseconds;
use crate::contestant::{Contestant, Writer};
use crate::cores;
use crate::heap;
use crate::prepared::Prepared;
use crate::runner::Figures;
use crate::scenario::Phase;
use benches::Checksum;

/// How many lookups a reader makes between two looks at whether the writer is done.
const LOOKUPS: usize = 64;

/// One writer and one reader, each alone and then beside the other.
///
/// The first half of the entries is there beforehand, and is what is read; the second is written.
/// Alone, the reader reads with the first half there and again with all.
///
/// # Panics
///
/// If an answer is wrong.
pub(crate) fn beside<C: Contestant>(prepared: &Prepared) -> Figures {
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
fn write<C: Contestant>(
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

fn check<C: Contestant>(contestant: &C, prepared: &Prepared) {
    let mut scanned = Checksum::default();
    contestant.scan(|key, value| scanned.add_entry(key, value));
    assert_eq!(scanned, prepared.scanned, "{}: a scan", C::NAME);
}

/// Lookups of the keys that were written first, in an order of their own.
struct Reads<'a> {
    prepared: &'a Prepared,
    keys: Vec<(&'a [u8], Option<u8>)>,
}

impl<'a> Reads<'a> {
    fn new(prepared: &'a Prepared, half: usize) -> Self {
        let mut is_first = vec![false; prepared.writes.len()];
        for (_, number) in prepared.writes.numbered().take(half) {
            is_first[index(number)] = true;
        }
        let value = |number| prepared.workload.value(number, 0).last().copied();
        let keys = prepared.reads.numbered();
        let keys = keys.filter(|&(_, number)| is_first[index(number)]);
        Self {
            prepared,
            keys: keys.map(|(key, number)| (key, value(number))).collect(),
        }
    }

    /// Looks up some, and checks what is found.
    fn some<C: Contestant>(&self, contestant: &C, keys: &[(&[u8], Option<u8>)]) {
        let newest = self.prepared.newest();
        for &(key, expected) in keys {
            let found = contestant.get(key, newest, |value| value.last().copied());
            assert_eq!(found, Some(expected), "{}: a lookup", C::NAME);
        }
    }

    /// The nanoseconds of a lookup.
    fn all<C: Contestant>(&self, contestant: &C) -> f64 {
        let started = Instant::now();
        self.some(contestant, &self.keys);
        nanoseconds(started.elapsed(), self.keys.len())
    }

    /// The nanoseconds of a lookup, of as many as are made until the writer is done.
    fn until<C: Contestant>(&self, contestant: &C, is_done: &AtomicBool) -> f64 {
        let (started, mut lookups) = (Instant::now(), 0);
        for keys in self.keys.chunks(LOOKUPS).cycle() {
            self.some(contestant, keys);
            lookups += keys.len();
            if is_done.load(Ordering::Relaxed) {
                break;
            }
        }
        nanoseconds(started.elapsed(), lookups)
    }
}

/// The keys that are there are made of even numbers.
fn index(number: u64) -> usize {
    usize::try_from(number / 2).unwrap_or(usize::MAX)
}

/// One writer of all entries, and two of half of them each, on memory that was touched beforehand;
/// nothing for those that can't have that.
///
/// # Panics
///
/// If an entry is missing afterwards.
pub(crate) fn writers<C: Contestant>(prepared: &Prepared) -> Figures {
    let Some(contestant) = C::touched(prepared.room()) else {
        return Figures::new();
    };
    let started = Instant::now();
    prepared.write_all(&mut contestant.shared_writer());
    let one = started.elapsed();
    check(&contestant, prepared);
    drop(contestant);

    heap::begin_afresh();
    let Some(contestant) = C::touched(prepared.room()) else {
        return Figures::new();
    };
    let two = write_halves(&contestant, prepared);
    check(&contestant, prepared);
    vec![
        (Phase::OneWriter, nanoseconds(one, prepared.entries())),
        (Phase::TwoWriters, nanoseconds(two, prepared.entries())),
    ]
}

/// Two writers of every second entry each, and the time until both are done.
fn write_halves<C: Contestant>(contestant: &C, prepared: &Prepared) -> Duration {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let _ = cores::pin_second();
            let mut writer = contestant.shared_writer();
            start.wait();
            prepared.write_some(&mut writer, 1, 2);
        });
        let mut writer = contestant.shared_writer();
        start.wait();
        let started = Instant::now();
        prepared.write_some(&mut writer, 0, 2);
        cores::join(other);
        started.elapsed()
    })
}

//! The phases of one thread.

use std::time::{Duration, Instant};

use crate::contestant::{Contestant, Writer};
use crate::contestants::{BareEntries, Offsets};
use crate::heap;
use crate::prepared::Prepared;
use crate::runner::{Figures, attempt};
use crate::scenario::Phase;
use benches::{Checksum, NEXTS, SplitMix64};

/// How many lookups are made at once.
const AT_ONCE: usize = 16;

/// The seed of the order in which keys are read between writes.
const READ_WRITE_SEED: u64 = 6;

/// Nanoseconds an operation.
pub(crate) fn nanoseconds(time: Duration, operations: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2 to the 52nd")]
    let operations = operations as f64;
    time.as_secs_f64() * 1e9 / operations
}

/// Fills a new contestant and measures the phases asked for; a wrong answer is one of its phase.
///
/// # Panics
///
/// If it has not what was written to it.
pub(crate) fn round<C: Contestant>(prepared: &Prepared, phases: &[Phase]) -> Figures {
    match phases {
        [Phase::Memory] => return vec![(Phase::Memory, attempt(|| memory::<C>(prepared)))],
        [Phase::ReadWrite] => {
            return vec![(Phase::ReadWrite, attempt(|| read_write::<C>(prepared)))];
        }
        _ => {}
    }
    let mut figures = Figures::new();
    let contestant = C::new(prepared.room());
    let started = Instant::now();
    prepared.write_all(&mut contestant.writer());
    let filled = nanoseconds(started.elapsed(), prepared.entries());
    for &phase in phases {
        let measure = || match phase {
            Phase::ReadRandom => read_random(&contestant, prepared),
            Phase::ReadNewest => read_newest(&contestant, prepared),
            Phase::ReadMissing => read_missing(&contestant, prepared),
            Phase::ReadZipf => read_zipf(&contestant, prepared),
            Phase::Get16 => get16(&contestant, prepared),
            Phase::ReadSeq => read_seq(&contestant, prepared),
            Phase::OwnedIter => owned_iter(&contestant, prepared),
            Phase::ReadReverse => read_reverse(&contestant, prepared),
            Phase::SeekRandom => seek_random(&contestant, prepared, 1 + NEXTS),
            Phase::Scan1 => seek_random(&contestant, prepared, 1),
            Phase::Scan10 => seek_random(&contestant, prepared, 10),
            Phase::Scan100 => seek_random(&contestant, prepared, 100),
            _ => filled,
        };
        if phase != Phase::Drop {
            figures.push((phase, attempt(measure)));
        }
    }
    if !phases.contains(&Phase::ReadSeq) {
        // What was only written is checked as well.
        read_seq(&contestant, prepared);
    }
    let started = Instant::now();
    drop(contestant);
    let dropped = nanoseconds(started.elapsed(), prepared.entries());
    if phases.contains(&Phase::Drop) {
        figures.push((Phase::Drop, Ok(dropped)));
    }
    figures
}

/// Bytes an entry beyond key and value.
fn memory<C: Contestant>(prepared: &Prepared) -> f64 {
    let (live, contestant) = heap::count(|| {
        let contestant = C::new(prepared.room());
        prepared.write_all(&mut contestant.writer());
        contestant
    });
    let bytes = contestant.used_bytes().map_or(live, usize::cast_signed);
    let beyond = bytes - prepared.room().bytes.cast_signed();
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2 to the 52nd")]
    let figure = beyond as f64 / prepared.entries() as f64;
    figure
}

fn read_random<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let mut found = Checksum::default();
    let started = Instant::now();
    for (key, &snapshot) in prepared.reads.iter().zip(&prepared.snapshots) {
        contestant.get(key, snapshot, |value| found.add(value));
    }
    let time = started.elapsed();
    assert_eq!(found, prepared.found, "{}: lookups", C::NAME);
    nanoseconds(time, prepared.reads.len())
}

fn read_newest<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let (snapshot, mut found) = (prepared.newest(), Checksum::default());
    let started = Instant::now();
    for key in prepared.reads.iter() {
        contestant.get(key, snapshot, |value| found.add(value));
    }
    let time = started.elapsed();
    assert_eq!(found, prepared.found_newest, "{}: newest", C::NAME);
    nanoseconds(time, prepared.reads.len())
}

fn read_zipf<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let (snapshot, mut found) = (prepared.newest(), Checksum::default());
    let started = Instant::now();
    for key in prepared.zipf.iter() {
        contestant.get(key, snapshot, |value| found.add(value));
    }
    let time = started.elapsed();
    assert_eq!(found, prepared.found_zipf, "{}: Zipf's lookups", C::NAME);
    nanoseconds(time, prepared.zipf.len())
}

/// The second half of the entries written, and after each of them one of the first looked up.
fn read_write<C: Contestant>(prepared: &Prepared) -> f64 {
    let contestant = C::new(prepared.room());
    let half = prepared.writes.len() / 2;
    let mut writer = contestant.writer();
    let mut writes = (0..).zip(prepared.writes.numbered());
    for (position, (key, number)) in writes.by_ref().take(half) {
        let sequence = prepared.workload.sequence(0, position);
        writer.insert(key, sequence, prepared.workload.value(number, 0));
    }
    let firsts = prepared.writes.numbered().take(half);
    let mut firsts: Vec<(&[u8], u64)> = firsts.collect();
    SplitMix64::new(READ_WRITE_SEED).shuffle(&mut firsts);
    let mut expected = Checksum::default();
    let operations = firsts.len().min(prepared.writes.len() - half);
    for (_, number) in &firsts[..operations] {
        expected.add(prepared.workload.value(*number, 0));
    }
    let (newest, mut found) = (prepared.newest(), Checksum::default());
    let started = Instant::now();
    for ((position, (key, number)), (read, _)) in writes.zip(&firsts) {
        let sequence = prepared.workload.sequence(0, position);
        writer.insert(key, sequence, prepared.workload.value(number, 0));
        contestant.get(read, newest, |value| found.add(value));
    }
    let time = started.elapsed();
    assert_eq!(found, expected, "{}: lookups between insertions", C::NAME);
    read_seq(&contestant, prepared);
    nanoseconds(time, 2 * operations)
}

fn read_missing<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let (snapshot, mut found) = (prepared.newest(), 0);
    let started = Instant::now();
    for key in prepared.absent.iter() {
        found += usize::from(contestant.get(key, snapshot, |_| ()).is_some());
    }
    let time = started.elapsed();
    assert_eq!(found, 0, "{}: absent keys found", C::NAME);
    nanoseconds(time, prepared.absent.len())
}

fn get16<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let snapshot = prepared.newest();
    let mut found = Checksum::default();
    let started = Instant::now();
    let mut keys = prepared.reads.iter();
    while keys.len() > 0 {
        let some = keys.by_ref().take(AT_ONCE);
        contestant.get_many(some, snapshot, |value| {
            if let Some(value) = value {
                found.add(value);
            }
        });
    }
    let time = started.elapsed();
    assert_eq!(
        found,
        prepared.found_newest,
        "{}: 16 lookups at once",
        C::NAME
    );
    nanoseconds(time, prepared.reads.len())
}

fn read_seq<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let mut scanned = Checksum::default();
    let started = Instant::now();
    contestant.scan(|key, value| scanned.add_entry(key, value));
    let time = started.elapsed();
    assert_eq!(scanned, prepared.scanned, "{}: a scan", C::NAME);
    nanoseconds(time, prepared.entries())
}

fn owned_iter<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let mut scanned = Checksum::default();
    let started = Instant::now();
    contestant.scan_owned(|key, value| scanned.add_entry(key, value));
    let time = started.elapsed();
    assert_eq!(scanned, prepared.scanned, "{}: an owned scan", C::NAME);
    nanoseconds(time, prepared.entries())
}

fn read_reverse<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let mut scanned = Checksum::default();
    let started = Instant::now();
    contestant.scan_back(|key, value| scanned.add_entry(key, value));
    let time = started.elapsed();
    assert_eq!(
        scanned,
        prepared.scanned_back,
        "{}: a scan backward",
        C::NAME
    );
    nanoseconds(time, prepared.entries())
}

fn seek_random<C: Contestant>(contestant: &C, prepared: &Prepared, entries: usize) -> f64 {
    let mut sought = Checksum::default();
    let started = Instant::now();
    for key in prepared.seeks(entries) {
        contestant.seek(key, entries - 1, |key, value| sought.add_entry(key, value));
    }
    let time = started.elapsed();
    assert_eq!(Some(sought), prepared.sought(entries), "{}: seeks", C::NAME);
    nanoseconds(time, prepared.seeks(entries).len())
}

/// Looks entries up whose places are known.
///
/// # Panics
///
/// If a wrong one is found.
pub(crate) fn offsets(prepared: &Prepared, phases: &[Phase]) -> Figures {
    let offsets = Offsets::new(prepared);
    let started = Instant::now();
    let found = offsets.read_random(prepared);
    let time = started.elapsed();
    assert_eq!(found, prepared.found, "{}: lookups", Offsets::NAME);
    let figure = nanoseconds(time, prepared.reads.len());
    phases.iter().map(|&phase| (phase, Ok(figure))).collect()
}

/// Writes the bare entries.
///
/// # Panics
///
/// If fewer bytes were written than keys and values have.
pub(crate) fn floor(prepared: &Prepared, phases: &[Phase]) -> Figures {
    let (live, (bare, time)) = heap::count(|| {
        let mut bare = BareEntries::default();
        let started = Instant::now();
        prepared.write_all(&mut bare);
        (bare, started.elapsed())
    });
    let beyond = live - prepared.room().bytes.cast_signed();
    assert!(bare.bytes() > prepared.room().bytes, "all were written");
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2 to the 52nd")]
    let beyond = beyond as f64 / prepared.entries() as f64;
    let figure = |&phase: &Phase| match phase {
        Phase::Memory => (phase, Ok(beyond)),
        _ => (phase, Ok(nanoseconds(time, prepared.entries()))),
    };
    phases.iter().map(figure).collect()
}

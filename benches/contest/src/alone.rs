//! The phases of one thread.

use std::time::{Duration, Instant};

use crate::contestant::Contestant;
use crate::contestants::BareEntries;
use crate::heap;
use crate::prepared::Prepared;
use crate::runner::Figures;
use crate::scenario::Phase;
use benches::{Checksum, NEXTS};

/// How many lookups are made at once.
const AT_ONCE: usize = 16;

/// Nanoseconds an operation.
pub(crate) fn nanoseconds(time: Duration, operations: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2 to the 52nd")]
    let operations = operations as f64;
    time.as_secs_f64() * 1e9 / operations
}

/// Fills a new contestant and measures the phases asked for.
///
/// # Panics
///
/// If an answer is wrong.
pub(crate) fn round<C: Contestant>(prepared: &Prepared, phases: &[Phase]) -> Figures {
    if phases == [Phase::Memory] {
        return vec![(Phase::Memory, memory::<C>(prepared))];
    }
    let mut figures = Figures::new();
    let contestant = C::new(prepared.room());
    let started = Instant::now();
    prepared.write_all(&mut contestant.writer());
    let filled = nanoseconds(started.elapsed(), prepared.entries());
    for &phase in phases {
        let figure = match phase {
            Phase::FillRandom | Phase::FillSeq => filled,
            Phase::ReadRandom => read_random(&contestant, prepared),
            Phase::ReadMissing => read_missing(&contestant, prepared),
            Phase::Get16 => get16(&contestant, prepared),
            Phase::ReadSeq => read_seq(&contestant, prepared),
            Phase::ReadReverse => read_reverse(&contestant, prepared),
            Phase::SeekRandom => seek_random(&contestant, prepared),
            _ => continue,
        };
        figures.push((phase, figure));
    }
    if !phases.contains(&Phase::ReadSeq) {
        // What was only written is checked as well.
        read_seq(&contestant, prepared);
    }
    let started = Instant::now();
    drop(contestant);
    let dropped = nanoseconds(started.elapsed(), prepared.entries());
    if phases.contains(&Phase::Drop) {
        figures.push((Phase::Drop, dropped));
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
    assert_eq!(found, prepared.found, "{}: 16 lookups at once", C::NAME);
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

fn seek_random<C: Contestant>(contestant: &C, prepared: &Prepared) -> f64 {
    let mut sought = Checksum::default();
    let started = Instant::now();
    for key in prepared.seeks() {
        contestant.seek(key, NEXTS, |key, value| sought.add_entry(key, value));
    }
    let time = started.elapsed();
    assert_eq!(sought, prepared.sought, "{}: seeks", C::NAME);
    nanoseconds(time, prepared.seeks().len())
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
        Phase::Memory => (phase, beyond),
        _ => (phase, nanoseconds(time, prepared.entries())),
    };
    phases.iter().map(figure).collect()
}

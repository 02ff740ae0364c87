//! How long a lookup takes at worst, beside a writer, while memtables freeze and are flushed, and while
//! none is.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_files::{FileDirectory, FileNumbers};
use strata_table::TableOptions;
use strata_write_buffer::{Flusher, TableFlush, WriteBuffer, WriteBufferOptions};

use crate::contestant::done;
use crate::prepared::{Order, Prepared, Share};
use crate::scenario::{Figures, Phase};
use crate::threads::{self, Over};

/// How many times every key is looked up, at least.
const PASSES: usize = 10;

/// How many memtables are flushed, at least, where any is.
const FLUSHES: u64 = 3;

/// How many lookups or writes are made between two looks at whether it is over.
const STEPS: usize = 16;

/// What a memtable may take where memtables are flushed, in bytes for each key there is: 16 MiB for
/// 100 000 keys, which is about one write of each.
const BYTES_A_KEY: usize = 168;

/// All keys.
const ALONE: Share = Share {
    thread: 0,
    threads: 1,
};

type Buffer = WriteBuffer<BytewiseComparator>;

/// Looks up keys on one core, while they are overwritten on the other, one by one and as fast as that
/// goes.
///
/// A lookup is timed from its beginning until what it found is dropped, which may be the last that
/// kept a memtable.
///
/// # Panics
///
/// If a lookup finds another key's value, or nothing while nothing is flushed.
pub(crate) fn measure(prepared: &Prepared, is_flushing: bool, folder: &Path) -> Figures {
    let mut lookups = Lookups {
        prepared,
        keys: prepared.reads(ALONE).cycle(),
        times: Vec::with_capacity(2 * PASSES * prepared.entries()),
        is_flushing,
    };
    let flushes = if is_flushing {
        flushing(&mut lookups, folder)
    } else {
        quiet(&mut lookups);
        0
    };
    let mut times = lookups.times;
    times.sort_unstable();
    let at = |thousandths: usize| nanoseconds(times[(times.len() - 1) * thousandths / 1000]);
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let flushes = flushes as f64;
    vec![
        (Phase::P50, at(500)),
        (Phase::P99, at(990)),
        (Phase::P999, at(999)),
        (Phase::Max, at(1000)),
        (Phase::Flushes, flushes),
    ]
}

/// Nothing freezes. When a write buffer holds as much as one that flushes does, another one is begun:
/// lookups in one that grew and grew would be slower, and make those beside flushes look good.
fn quiet<'k>(lookups: &mut Lookups<'_, impl Iterator<Item = (&'k [u8], u64)> + Send>) {
    let prepared = lookups.prepared;
    while !lookups.are_enough() {
        let buffer = filled(prepared, usize::MAX);
        let full = 2 * buffer.last_sequence().get();
        let read = || {
            while buffer.last_sequence().get() < full {
                lookups.make_some(&buffer);
            }
        };
        threads::beside(read, |over| overwrite(&buffer, prepared, over));
        let memtables = buffer.view().memtables().count();
        assert_eq!(memtables, 1, "a memtable was frozen");
    }
}

/// [`Flusher`]'s thread, on the core of the writer, writes each memtable as a table, in LevelDB's way
/// with all its syncing, as soon as it is frozen; says how many.
///
/// What was flushed is no longer found then, and that is right: its tables would have it.
fn flushing<'k>(
    lookups: &mut Lookups<'_, impl Iterator<Item = (&'k [u8], u64)> + Send>,
    folder: &Path,
) -> u64 {
    let folder = done(tempfile::tempdir_in(folder));
    let prepared = lookups.prepared;
    let buffer = filled(prepared, prepared.entries() * BYTES_A_KEY);
    let read = || {
        while !(lookups.are_enough() && are_flushed(&buffer)) {
            lookups.make_some(&buffer);
        }
        buffer.flushes().done
    };
    let write = |over: &Over| {
        let flusher = flusher(&buffer, folder.path());
        overwrite(&buffer, prepared, over);
        drop(flusher);
    };
    let (flushes, ()) = threads::beside(read, write);
    flushes
}

/// A write buffer that has every key; the size is clipped to LevelDB's bounds.
fn filled(prepared: &Prepared, write_buffer_size: usize) -> Buffer {
    let options = WriteBufferOptions {
        write_buffer_size,
        max_write_buffers: 4,
        ..WriteBufferOptions::default()
    };
    let buffer = Buffer::new(BytewiseComparator, options);
    for (user_key, value) in prepared.writes(Order::Random, 0, ALONE) {
        done(buffer.put(user_key, value));
    }
    buffer
}

fn overwrite(buffer: &Buffer, prepared: &Prepared, over: &Over) {
    let mut writes = prepared.writes(Order::Random, 0, ALONE).cycle();
    while !over.is_over() {
        for (user_key, value) in writes.by_ref().take(STEPS) {
            done(buffer.put(user_key, value));
        }
    }
}

/// What flushes to tables in this folder. Its thread stays on the core of this one.
fn flusher(buffer: &Buffer, folder: &Path) -> Flusher {
    let directory = Arc::new(FileDirectory::new(folder));
    let numbers = Arc::new(done(FileNumbers::after(&*directory)));
    let sink = TableFlush::new(directory, numbers, TableOptions::default(), |_| Ok(()));
    done(Flusher::spawn(buffer.clone(), done(sink)))
}

/// Whether enough memtables were flushed.
///
/// # Panics
///
/// If one could not be.
fn are_flushed(buffer: &Buffer) -> bool {
    let flushes = buffer.flushes();
    assert_eq!(flushes.last_error, None, "a flush");
    flushes.done >= FLUSHES
}

/// Lookups of one key after the other, and how long each took.
struct Lookups<'a, I> {
    prepared: &'a Prepared,
    keys: I,
    times: Vec<Duration>,
    is_flushing: bool,
}

impl<'k, I: Iterator<Item = (&'k [u8], u64)>> Lookups<'_, I> {
    fn are_enough(&self) -> bool {
        self.times.len() >= PASSES * self.prepared.entries()
    }

    fn make_some(&mut self, buffer: &Buffer) {
        let mut wrong = 0;
        for (user_key, number) in self.keys.by_ref().take(STEPS) {
            let right = self.prepared.value(number, 0);
            let started = Instant::now();
            let found = buffer.get(user_key, SequenceNumber::MAX);
            let is_right = match found {
                Some(found) => found.entry().value() == right,
                None => self.is_flushing,
            };
            self.times.push(started.elapsed());
            wrong += usize::from(!is_right);
        }
        assert_eq!(wrong, 0, "lookups beside a writer");
    }
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

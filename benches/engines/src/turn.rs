//! A turn: one contestant fills and reads, and every answer is checked.

use std::path::Path;
use std::time::{Duration, Instant};

use benches::{Checksum, NEXTS};

use crate::contestant::{Contestant, Logging, Writer};
use crate::prepared::{Order, Prepared, Share};
use crate::scenario::{Figures, Phase};
use crate::threads::{self, Over};

/// What is written first, by an overwrite, and beside a reader.
const FILLED: u64 = 0;
const OVERWRITTEN: u64 = 1;
const BESIDE: u64 = 2;

/// How many writes a writer beside a reader makes between two looks at whether the reader is done.
const WRITES: usize = 16;

/// Nanoseconds an operation.
pub(crate) fn nanoseconds(time: Duration, operations: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2 to the 52nd")]
    let operations = operations as f64;
    time.as_secs_f64() * 1e9 / operations
}

/// Measures these phases, each fill on one that was just opened, in a folder of its own in this one.
///
/// # Panics
///
/// If an answer is wrong, or something was flushed.
pub(crate) fn turn<C: Contestant>(
    prepared: &Prepared,
    logging: Logging,
    threads: usize,
    phases: &[Phase],
    folder: &Path,
) -> Figures {
    let turn = Turn::<C> {
        prepared,
        logging,
        threads,
        folder,
        contestant: None,
    };
    turn.run(phases)
}

struct Turn<'a, C> {
    prepared: &'a Prepared,
    logging: Logging,
    threads: usize,
    folder: &'a Path,
    /// What was filled last, and where its files are.
    contestant: Option<(C, tempfile::TempDir)>,
}

impl<C: Contestant> Turn<'_, C> {
    fn run(mut self, phases: &[Phase]) -> Figures {
        let mut figures = Figures::new();
        for (fill, order, is_batched) in [
            (Phase::FillBatch, Order::Sequential, true),
            (Phase::FillBatchRandom, Order::Random, true),
            (Phase::FillSeq, Order::Sequential, false),
        ] {
            if phases.contains(&fill) {
                figures.push((fill, self.fill(order, is_batched)));
            }
        }
        let fills = [Phase::FillBatch, Phase::FillBatchRandom, Phase::FillSeq];
        if phases.iter().all(|phase| fills.contains(phase)) {
            return figures;
        }
        // All that is left is measured on keys that were written at random.
        figures.push((Phase::FillRandom, self.fill(Order::Random, false)));
        if phases.contains(&Phase::ReadRandom) {
            figures.push((Phase::ReadRandom, self.read()));
        }
        if phases.contains(&Phase::SeekRandom) {
            figures.push((Phase::SeekRandom, self.seek()));
        }
        let beside = [Phase::ReadWhileWriting, Phase::WriteWhileReading];
        let is_beside = beside.iter().any(|phase| phases.contains(phase));
        if is_beside || phases.contains(&Phase::Overwrite) {
            figures.push((Phase::Overwrite, self.overwrite()));
        }
        if is_beside {
            figures.extend(self.read_while_writing());
        }
        figures.retain(|(phase, _)| phases.contains(phase));
        figures
    }

    /// The one that was filled last.
    ///
    /// # Panics
    ///
    /// If none was.
    fn contestant(&self) -> &C {
        match &self.contestant {
            Some((contestant, _)) => contestant,
            None => panic!("nothing was filled"),
        }
    }

    fn share(&self, thread: usize) -> Share {
        Share {
            thread,
            threads: self.threads,
        }
    }

    /// Fills a new one.
    fn fill(&mut self, order: Order, is_batched: bool) -> f64 {
        // Its threads end and its files go before another one begins.
        self.contestant = None;
        let folder = match tempfile::tempdir_in(self.folder) {
            Ok(folder) => folder,
            Err(error) => panic!("{}: {error}", self.folder.display()),
        };
        self.contestant = Some((C::open(folder.path(), self.logging), folder));
        let (contestant, prepared) = (self.contestant(), self.prepared);
        let (time, _) = threads::together(self.threads, |thread| {
            let (mut writer, share) = (contestant.writer(), self.share(thread));
            if is_batched {
                for batch in prepared.batches(order, FILLED, share) {
                    writer.write(batch);
                }
            } else {
                for (user_key, value) in prepared.writes(order, FILLED, share) {
                    writer.put(user_key, value);
                }
            }
        });
        self.check(FILLED, 0);
        nanoseconds(time, prepared.entries())
    }

    fn overwrite(&self) -> f64 {
        let contestant = self.contestant();
        let (time, _) = threads::together(self.threads, |thread| {
            let (mut writer, share) = (contestant.writer(), self.share(thread));
            for (user_key, value) in self.prepared.writes(Order::Random, OVERWRITTEN, share) {
                writer.put(user_key, value);
            }
        });
        self.check(OVERWRITTEN, 0);
        nanoseconds(time, self.prepared.entries())
    }

    /// Checks all that is there: of `newer` keys, in the order of writing at random, the version after
    /// this one.
    fn check(&self, version: u64, newer: usize) {
        let mut scanned = Checksum::default();
        self.contestant()
            .scan(|user_key, value| scanned.add_entry(user_key, value));
        let expected = self.prepared.scanned(version, newer);
        assert_eq!(scanned, expected, "{}: a scan", C::NAME);
        assert!(
            self.contestant().is_in_one_memtable(),
            "{}: something was flushed",
            C::NAME
        );
    }

    fn read(&self) -> f64 {
        let contestant = self.contestant();
        let (time, all) = threads::together(self.threads, |thread| {
            let mut found = Checksum::default();
            for (user_key, _) in self.prepared.reads(self.share(thread)) {
                contestant.get(user_key, |value| found.add(value));
            }
            found
        });
        for (thread, found) in all.into_iter().enumerate() {
            let expected = self.prepared.found(FILLED, self.share(thread));
            assert_eq!(found, expected, "{}: lookups", C::NAME);
        }
        nanoseconds(time, self.prepared.entries())
    }

    fn seek(&self) -> f64 {
        let contestant = self.contestant();
        let (time, all) = threads::together(self.threads, |thread| {
            let mut sought = Checksum::default();
            for (user_key, _) in self.prepared.seeks(self.share(thread)) {
                contestant.seek(user_key, NEXTS, |key, value| sought.add_entry(key, value));
            }
            sought
        });
        for (thread, sought) in all.into_iter().enumerate() {
            let expected = self.prepared.sought(FILLED, self.share(thread));
            assert_eq!(sought, expected, "{}: seeks", C::NAME);
        }
        nanoseconds(time, self.prepared.seek_count())
    }

    /// One thread looks up all keys, while another one writes to them as fast as it can until then.
    fn read_while_writing(&self) -> Figures {
        let (contestant, prepared) = (self.contestant(), self.prepared);
        let alone = Share {
            thread: 0,
            threads: 1,
        };
        let read = || {
            let (started, mut wrong) = (Instant::now(), 0);
            for (user_key, number) in prepared.reads(alone) {
                let last = contestant.get(user_key, |value| value.last().copied());
                let is_right = |version| prepared.value(number, version).last().copied();
                let right = [OVERWRITTEN, BESIDE].map(is_right);
                wrong += usize::from(last.is_none_or(|last| !right.contains(&last)));
            }
            (started.elapsed(), wrong)
        };
        let write = |over: &Over| {
            let (mut writer, mut count) = (contestant.writer(), 0);
            let mut writes = prepared.writes(Order::Random, BESIDE, alone).cycle();
            let started = Instant::now();
            while !over.is_over() {
                for (user_key, value) in writes.by_ref().take(WRITES) {
                    writer.put(user_key, value);
                    count += 1;
                }
            }
            (started.elapsed(), count)
        };
        let ((reading, wrong), (writing, count)) = threads::beside(read, write);
        assert_eq!(wrong, 0, "{}: lookups beside a writer", C::NAME);
        self.check(OVERWRITTEN, count);
        let reading = nanoseconds(reading, prepared.entries());
        vec![
            (Phase::ReadWhileWriting, reading),
            (Phase::WriteWhileReading, nanoseconds(writing, count)),
        ]
    }
}

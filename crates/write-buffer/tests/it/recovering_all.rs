//! Whatever was logged is recovered, in bounded memory, and the same again.

use std::path::Path;
use std::sync::Arc;

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_files::{Directory, FileDirectory, FileNumbers, log_file_name};
use strata_memtable::ImmutableMemTable;
use strata_table::{SeekLock, Table, TableOptions};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    DirectoryLogs, Flush, FlushError, LogReport, Logs, Recovery, RecoveryOptions, TableFlush,
};

use crate::outcome::{Comparator, Entries, batch, log, options, recover};
use strata_files::testing::{FaultyDirectory, Kept};

/// Counts, and lets go of the memtable.
#[derive(Default)]
struct Counting {
    memtables: u64,
    largest: usize,
}

impl Flush<Comparator> for Counting {
    fn flush(
        &mut self,
        memtable: &ImmutableMemTable<Comparator>,
        _: u64,
    ) -> Result<(), FlushError> {
        self.memtables += 1;
        self.largest = self.largest.max(memtable.approximate_memory_usage());
        Ok(())
    }
}

#[test]
fn no_more_than_a_memtable_and_a_record_are_in_memory() {
    const SIZE: usize = 256 << 10;
    const RECORD: usize = 50_000;
    let mut sequence = 0;
    let mut records = |count: usize| -> Vec<Vec<u8>> {
        let one = |_| {
            sequence += 1;
            batch(sequence, &[(&sequence.to_be_bytes(), &[b'v'; RECORD])])
        };
        (0..count).map(one).collect()
    };
    let logs: Vec<_> = (0..4).map(|_| log(&records(50))).collect();
    let mut flushed = Counting::default();
    let memory = allocation_counter::measure(|| {
        let mut recovery = Recovery::new(BytewiseComparator, options(SIZE, false));
        for (number, log) in (3..).zip(&logs) {
            let name = log_file_name(number);
            recovery = recovery
                .replay(number, &name, &log[..], &mut flushed, &mut |_| {})
                .unwrap();
        }
        assert_eq!(recovery.finish().records, 200);
    });
    assert!(flushed.memtables >= 30, "{} memtables", flushed.memtables);
    // A memtable takes memory in blocks: what exceeds the buffer is the last of them.
    assert!(flushed.largest <= 2 * SIZE, "{} bytes", flushed.largest);
    // The record is put together of fragments, in a vector that has grown by doubling.
    let bound = flushed.largest + 4 * RECORD + (64 << 10);
    let most = usize::try_from(memory.bytes_max).unwrap();
    assert!(
        most <= bound,
        "{most} bytes at once, {bound} expected at most"
    );
}

/// Bytes to damage logs with, and batches' sizes.
fn arbitrary_logs(seed: &[(u8, u16)]) -> (FaultyDirectory, Entries) {
    let directory = FaultyDirectory::default();
    let (mut sequence, mut written) = (1, Entries::new());
    for (number, part) in (3..).zip(seed.chunks(7)) {
        let mut records = Vec::new();
        for &(keys, size) in part {
            let mut batch = WriteBatch::new();
            batch.set_sequence(SequenceNumber::new(sequence).unwrap());
            for i in 0..keys % 5 {
                let user_key = vec![b'k', keys / 16, i];
                let is_tombstone = size.wrapping_add(i.into()) % 4 == 0;
                let value = match is_tombstone {
                    true => Vec::new(),
                    false => vec![i; usize::from(size) % 9000],
                };
                match is_tombstone {
                    true => batch.delete(&user_key).unwrap(),
                    false => batch.put(&user_key, &value).unwrap(),
                }
                written.insert((user_key, sequence, is_tombstone), value);
                sequence += 1;
            }
            records.push(batch.contents().to_vec());
        }
        directory.put(&log_file_name(number), &log(&records));
    }
    (directory, written)
}

#[test]
fn what_was_logged_is_recovered_whatever_the_sizes() {
    fn property(seed: Vec<(u8, u16)>, write_buffer_size: u16) -> bool {
        let (directory, written) = arbitrary_logs(&seed);
        let outcome = recover(&directory, 0, options(write_buffer_size.into(), false));
        let tombstones = written.keys().filter(|key| key.2).count() as u64;
        let last = written.keys().map(|key| key.1).max().unwrap_or(0);
        let recovered = &outcome.recovered;
        assert!(outcome.reports.is_empty());
        assert_eq!(recovered.entries, written.len() as u64);
        assert_eq!(recovered.tombstones, tombstones);
        assert_eq!(recovered.batches, seed.len() as u64);
        assert_eq!(recovered.last_sequence.get(), last);
        let sequences = recovered
            .sequences
            .map(|(first, last)| (first.get(), last.get()));
        assert_eq!(sequences, (last > 0).then_some((1, last)));
        // The memtables follow each other, and so do their logs.
        assert!(outcome.memtables.is_sorted_by_key(|(log, _)| *log));
        let mut next = 1;
        for (_, entries) in &outcome.memtables {
            let mut sequences: Vec<_> = entries.keys().map(|key| key.1).collect();
            sequences.sort_unstable();
            assert_eq!(sequences[0], next);
            next += sequences.len() as u64;
        }
        outcome.entries() == written
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(40, 4))
        .tests(200)
        .quickcheck(property as fn(Vec<(u8, u16)>, u16) -> bool);
}

#[test]
fn recovering_again_gives_the_same_and_changes_no_log() {
    fn property(seed: Vec<(u8, u16)>, damage: Vec<(u16, u8)>, cut: u16, salvage: bool) -> bool {
        let (sound, written) = arbitrary_logs(&seed);
        let directory = FaultyDirectory::default();
        for (name, mut bytes) in sound.contents() {
            for (at, mask) in &damage {
                let at = usize::from(*at) * 7 % (bytes.len() + 1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= mask;
                }
            }
            bytes.truncate(bytes.len() - usize::from(cut) % (bytes.len() + 1) / 2);
            directory.put(&name, &bytes);
        }
        let before = directory.contents();
        let first = recover(&directory, 0, options(20_000, salvage));
        let again = recover(&directory, 0, options(20_000, salvage));
        assert_eq!(first.memtables, again.memtables);
        assert_eq!(first.reports, again.reports);
        assert_eq!(first.recovered.last_sequence, again.recovered.last_sequence);
        assert!(directory.contents() == before);
        // Whatever is recovered was written, and has a number that is not given out again.
        let last = first.recovered.last_sequence.get();
        first
            .memtables
            .iter()
            .flat_map(|(_, entries)| entries)
            .all(|(key, value)| written.get(key) == Some(value) && key.1 <= last)
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(30, 5))
        .tests(200)
        .quickcheck(property as fn(Vec<(u8, u16)>, Vec<(u16, u8)>, u16, bool) -> bool);
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn what_a_real_leveldb_logged_is_recovered() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/data/leveldb-fixtures");
    for name in ["simple", "batches", "edges", "fragmented", "zero-tail"] {
        let fixture = fixtures.join(name);
        let writes = std::fs::read_to_string(fixture.join("writes.tsv")).unwrap();
        let mut written = Entries::new();
        for line in writes.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let value = fields.get(3).copied().unwrap_or_default();
            let key = (
                unhex(fields[2]),
                fields[0].parse().unwrap(),
                fields[1] == "del",
            );
            written.insert(key, unhex(value));
        }
        let directory = FileDirectory::new(fixture.join("db"));
        let outcome = recover(&directory, 0, options(64 << 10, false));
        assert_eq!(outcome.recovered.entries, written.len() as u64, "{name}");
        assert!(outcome.entries() == written, "{name}");
        let is_loss = |report: &LogReport| matches!(report, LogReport::Dropped(_));
        assert!(!outcome.reports.iter().any(is_loss), "{name}");
    }
}

/// Everything durable there is: the tables of a directory, and what its logs give.
fn found(directory: &FaultyDirectory) -> Entries {
    let mut found = recover(directory, 0, RecoveryOptions::default()).entries();
    for name in directory.names() {
        if !name.ends_with(".ldb") {
            continue;
        }
        let file = directory.open(&name).unwrap();
        let table = Table::open(SeekLock::new(file), BytewiseComparator).unwrap();
        for entry in table.entries() {
            let entry = entry.unwrap();
            let key = entry.internal_key.parsed().unwrap();
            let is_tombstone = key.value_type == ValueType::Deletion;
            let key = (key.user_key.to_vec(), key.sequence.get(), is_tombstone);
            let before = found.insert(key, entry.value.clone());
            assert!(before.is_none_or(|before| before == entry.value));
        }
    }
    found
}

/// Writes two logs, recovers them to tables, and removes them. Returns how many entries were
/// acknowledged as synced.
fn write_and_recover(directory: &FaultyDirectory, synced: &mut u64) -> Result<(), FlushError> {
    let shared: Arc<dyn Directory> = Arc::new(directory.clone());
    let numbers = Arc::new(FileNumbers::after(&*shared)?);
    let mut logs = DirectoryLogs::new(Arc::clone(&shared), Arc::clone(&numbers));
    let mut sequence = 1;
    for _ in 0..2 {
        let (_, mut log) = logs.create()?;
        for _ in 0..3 {
            log.append(&entry_batch(sequence))?;
            log.sync()?;
            *synced = sequence + 1;
            sequence += 2;
        }
    }
    let mut flush = TableFlush::new(shared, numbers, TableOptions::default(), |_| Ok(()))?;
    let recovered = Recovery::new(BytewiseComparator, options(30_000, false))
        .replay_directory(directory, 0, &mut flush, &mut |_| {})?
        .finish();
    if let Some((memtable, log)) = &recovered.memtable {
        flush.flush(memtable, *log)?;
    }
    for number in recovered.logs {
        directory.remove(&log_file_name(number))?;
    }
    Ok(())
}

/// Two entries that only come together.
fn entry_batch(sequence: u64) -> Vec<u8> {
    let value = vec![b'v'; 9_000];
    batch(sequence, &[(b"a", &value), (b"b", &value)])
}

#[test]
fn a_power_failure_at_every_operation_loses_nothing_synced_and_halves_no_batch() {
    for fault in 0.. {
        let directory = FaultyDirectory::default();
        directory.stop_after(fault);
        let mut synced = 0;
        let finished = write_and_recover(&directory, &mut synced).is_ok();
        let kept = (0..10).map(Kept::Some);
        for kept in kept.chain([Kept::Nothing, Kept::Everything]) {
            let left = directory.crash(kept);
            let mut sequences: Vec<u64> = found(&left).into_keys().map(|key| key.1).collect();
            sequences.sort_unstable();
            let what = format!("fault {fault}, {kept:?}, {synced} synced: {sequences:?}");
            assert!(sequences.len() as u64 >= synced, "{what}");
            assert!(sequences.len().is_multiple_of(2), "{what}");
            assert!(
                sequences.iter().copied().eq(1..=sequences.len() as u64),
                "{what}"
            );
            // And what is found goes through a second recovery.
            let again = Arc::new(left.clone());
            let numbers = Arc::new(FileNumbers::after(&left).unwrap());
            let mut flush =
                TableFlush::new(again, numbers, TableOptions::default(), |_| Ok(())).unwrap();
            let recovered = Recovery::new(BytewiseComparator, RecoveryOptions::default())
                .replay_directory(&left, 0, &mut flush, &mut |_| {})
                .unwrap()
                .finish();
            if let Some((memtable, log)) = &recovered.memtable {
                flush.flush(memtable, *log).unwrap();
            }
            let tables = left.crash(Kept::Nothing);
            for log in recovered.logs {
                tables.remove(&log_file_name(log)).unwrap();
            }
            assert_eq!(found(&tables).len(), sequences.len(), "{what}");
        }
        if finished {
            assert_eq!(synced, 12);
            break;
        }
    }
}

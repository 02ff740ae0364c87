//! Logs of batches, and all that comes of recovering them.

use std::collections::BTreeMap;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_files::{Directory, log_file_name};
use strata_memtable::ImmutableMemTable;
use strata_wal::Writer;
use strata_write_batch::WriteBatch;
use strata_write_buffer::{Flush, FlushError, LogReport, Recovered, Recovery, RecoveryOptions};

use strata_files::testing::FaultyDirectory;

pub(crate) type Comparator = BytewiseComparator;

/// By user key, sequence number and whether it is a tombstone: the value.
pub(crate) type Entries = BTreeMap<(Vec<u8>, u64, bool), Vec<u8>>;

/// What came of memtables, in the order they were flushed: number of the log, entries.
#[derive(Debug, Default)]
pub(crate) struct Flushed(pub(crate) Vec<(u64, Entries)>);

impl Flush<Comparator> for Flushed {
    fn flush(
        &mut self,
        memtable: &ImmutableMemTable<Comparator>,
        log: u64,
    ) -> Result<(), FlushError> {
        self.0.push((log, entries(memtable)));
        Ok(())
    }
}

pub(crate) fn entries(memtable: &ImmutableMemTable<Comparator>) -> Entries {
    let entry = |entry: strata_memtable::Entry<'_>| {
        let key = (
            entry.user_key().to_vec(),
            entry.sequence().get(),
            entry.is_tombstone(),
        );
        (key, entry.value().to_vec())
    };
    memtable.iter().map(entry).collect()
}

/// What was recovered, with the last memtable among those flushed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) memtables: Vec<(u64, Entries)>,
    pub(crate) recovered: Recovered<Comparator>,
    pub(crate) reports: Vec<LogReport>,
}

impl Outcome {
    pub(crate) fn entries(&self) -> Entries {
        let all = self
            .memtables
            .iter()
            .flat_map(|(_, entries)| entries.clone());
        all.collect()
    }

    pub(crate) fn sequences(&self) -> Vec<u64> {
        let mut sequences: Vec<u64> = self.entries().into_keys().map(|key| key.1).collect();
        sequences.sort_unstable();
        sequences
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.reports.iter().map(LogReport::to_string).collect()
    }
}

pub(crate) fn options(write_buffer_size: usize, salvage: bool) -> RecoveryOptions {
    RecoveryOptions {
        write_buffer_size,
        salvage,
        ..RecoveryOptions::default()
    }
}

pub(crate) fn recover(directory: &dyn Directory, first: u64, options: RecoveryOptions) -> Outcome {
    let (mut flushed, mut reports) = (Flushed::default(), Vec::new());
    let recovered = Recovery::new(BytewiseComparator, options)
        .replay_directory(directory, first, &mut flushed, &mut |report| {
            reports.push(report);
        })
        .unwrap()
        .finish();
    if let Some((memtable, log)) = &recovered.memtable {
        flushed.flush(memtable, *log).unwrap();
    }
    Outcome {
        memtables: flushed.0,
        recovered,
        reports,
    }
}

pub(crate) fn batch(sequence: u64, puts: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut batch = WriteBatch::new();
    batch.set_sequence(SequenceNumber::new(sequence).unwrap());
    for (user_key, value) in puts {
        batch.put(user_key, value).unwrap();
    }
    batch.contents().to_vec()
}

pub(crate) fn log(records: &[Vec<u8>]) -> Vec<u8> {
    let mut log = Vec::new();
    let mut writer = Writer::new(&mut log);
    for record in records {
        writer.add_record(record).unwrap();
    }
    log
}

pub(crate) fn with_logs(logs: &[(u64, &[Vec<u8>])]) -> FaultyDirectory {
    let directory = FaultyDirectory::default();
    for (number, records) in logs {
        directory.put(&log_file_name(*number), &log(records));
    }
    directory
}

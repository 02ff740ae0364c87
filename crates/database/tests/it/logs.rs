//! Damaged logs: every record that is left whole comes, and none that was not written.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use strata_dbformat::{InternalKey, SequenceNumber};
use strata_wal::Reader;
use strata_write_batch::{Operation, WriteBatch};

use crate::faults::Damaged;
use crate::made::{Entry, Made, log};
use crate::random::Random;

/// How many logs are damaged.
const LOGS: u64 = 400;

/// The entries of a record, as `log` made it.
fn entries_of_record(record: &[u8]) -> Vec<Entry> {
    let batch = WriteBatch::from_contents(record.to_vec()).unwrap();
    let first = batch.sequence().unwrap().get();
    let entry = |(operation, sequence): (Result<Operation<'_>, _>, u64)| {
        let operation = operation.unwrap();
        let sequence = SequenceNumber::new(sequence).unwrap();
        let key = InternalKey::new(operation.user_key(), sequence, operation.value_type());
        (key.encode().to_vec(), operation.value().to_vec())
    };
    batch.operations().zip(first..).map(entry).collect()
}

/// Every entry that salvage gives, and how many reports came.
fn salvaged(bytes: &[u8]) -> (BTreeSet<Entry>, usize) {
    let (mut reports, mut entries) = (0, BTreeSet::new());
    let mut reader = Reader::new(bytes).salvage(true);
    while let Some(record) = reader.read_record(&mut |_| reports += 1).unwrap() {
        entries.extend(entries_of_record(record.data));
    }
    (entries, reports)
}

fn check(made: &Made, damaged: &Damaged, context: &str) -> usize {
    let started = Instant::now();
    let mut found = None;
    let memory = allocation_counter::measure(|| found = Some(salvaged(&damaged.bytes)));
    let (found, reports) = found.unwrap();
    let all = made.entries();
    let context = format!("{context}: {:?}", damaged.faults);
    let left = made.left_whole(damaged);
    for part in &left {
        for entry in &part.entries {
            assert!(
                found.contains(entry),
                "{context}: the record {:?}, now at {:?}, is left whole and not found",
                part.range,
                damaged.place_of(&part.range)
            );
        }
    }
    for entry in &found {
        assert!(all.contains(entry), "{context}: {entry:?} was not written");
    }
    assert!(
        found.len() == all.len() || reports > 0 || !made.must_be_told(&left),
        "{context}: {} of {} entries, and no report",
        found.len(),
        all.len()
    );
    let most = 8 * (damaged.bytes.len() as u64) + (4 << 20);
    assert!(memory.bytes_max < most, "{context}: {}", memory.bytes_max);
    assert!(started.elapsed() < Duration::from_secs(20), "{context}");
    found.len()
}

#[test]
fn sound_logs_give_everything_and_no_report() {
    for seed in 0..50 {
        let made = log(&mut Random::new(seed), 1, 600);
        let (found, reports) = salvaged(&made.bytes);
        assert_eq!(found.len(), made.entries().len(), "seed {seed}");
        assert_eq!(reports, 0, "seed {seed}");
    }
}

#[test]
fn damaged_logs_give_every_record_that_is_left_whole() {
    let mut kept = 0;
    for seed in 0..LOGS {
        let mut random = Random::new(seed);
        let made = log(&mut random, 1, 600);
        let parts: Vec<_> = made.parts.iter().map(|part| part.range.clone()).collect();
        let damaged = Damaged::random(&made.bytes, &parts, &mut random);
        kept += check(&made, &damaged, &format!("seed {seed}"));
    }
    assert!(kept > 1000, "{kept} entries in all");
}

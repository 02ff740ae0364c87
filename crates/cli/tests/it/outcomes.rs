//! Every truncation and every single-bit flip of a log that a real LevelDB wrote, against what
//! the real LevelDB recovered from the same bytes (`tests/data/damage`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use strata_database::{Arrangement, Database, ReadOptions, Report};

use crate::data;

fn damage(name: &str) -> std::path::PathBuf {
    data(&format!("damage/{name}"))
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

type Written = BTreeMap<(u64, Vec<u8>), (bool, Vec<u8>)>;

/// The entries that were written, by sequence number and key, and which of them each batch holds.
fn written() -> (Written, BTreeMap<u32, BTreeSet<u64>>) {
    let (mut entries, mut batches) = (Written::new(), BTreeMap::<u32, BTreeSet<u64>>::new());
    for line in fs::read_to_string(damage("writes.tsv")).unwrap().lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let sequence = fields[0].parse().unwrap();
        entries.insert(
            (sequence, hex(fields[2])),
            (fields[1] == "put", hex(fields[3])),
        );
        batches
            .entry(fields[4].parse().unwrap())
            .or_default()
            .insert(sequence);
    }
    (entries, batches)
}

/// What is recovered from `log`: sequence numbers, after checking that each entry was written.
fn recover(
    path: &Path,
    log: &[u8],
    salvage: bool,
    written: &Written,
) -> (BTreeSet<u64>, Vec<String>) {
    fs::write(path, log).unwrap();
    let (mut recovered, mut reports) = (BTreeSet::new(), Vec::new());
    let read = ReadOptions {
        salvage,
        ..ReadOptions::default()
    };
    let mut report = |event: Report| reports.push(event.to_string());
    let database = Database::of_file(path, "000003.log").unwrap();
    let mut entries = database
        .entries(&read, Arrangement::AsTheyLie, &mut report)
        .unwrap();
    while let Some(entry) = entries.next(&mut report).unwrap() {
        let sequence = entry.sequence().get();
        let expected = written
            .get(&(sequence, entry.user_key.to_vec()))
            .map(|(is_put, value)| (*is_put, &value[..]));
        assert_eq!(
            expected,
            Some((!entry.is_tombstone(), entry.value)),
            "{entry:?}"
        );
        assert!(recovered.insert(sequence), "{entry:?} came twice");
    }
    (recovered, reports)
}

/// A damaged log, as a line of `outcomes.tsv` says it, and the batches LevelDB recovered of it.
fn outcome(line: &str, log: &[u8]) -> (Vec<u8>, u32, bool) {
    let fields: Vec<&str> = line.split('\t').collect();
    let number = |i: usize| fields[i].parse::<usize>().unwrap();
    let mut damaged = log.to_vec();
    let (mask, is_flip) = match fields[0] {
        "truncate" => {
            damaged.truncate(number(1));
            (fields[2], false)
        }
        "flip" => {
            damaged[number(1)] ^= 1 << number(2);
            (fields[3], true)
        }
        other => panic!("{other}"),
    };
    (damaged, u32::from_str_radix(mask, 16).unwrap(), is_flip)
}

#[test]
fn damage_costs_what_it_costs_a_real_leveldb_and_salvage_never_more() {
    let (written, batches) = written();
    let all: BTreeSet<u64> = batches.values().flatten().copied().collect();
    let largest_batch = batches.values().map(BTreeSet::len).max().unwrap();
    let log = fs::read(damage("small.log")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("000003.log");
    let mut lines = 0;
    for line in fs::read_to_string(damage("outcomes.tsv")).unwrap().lines() {
        let (damaged, mask, is_flip) = outcome(line, &log);
        let by_leveldb: BTreeSet<u64> = batches
            .iter()
            .filter(|(batch, _)| mask & (1 << **batch) != 0)
            .flat_map(|(_, sequences)| sequences.iter().copied())
            .collect();
        let (recovered, reports) = recover(&path, &damaged, false, &written);
        assert_eq!(recovered, by_leveldb, "{line}");
        // What is missing is reported; what a truncation took can't be, but a torn record is.
        let is_told = !reports.is_empty();
        assert_eq!(
            is_told,
            if is_flip {
                recovered != all
            } else {
                is_torn(&damaged, &log)
            },
            "{line}"
        );

        let (salvaged, reports) = recover(&path, &damaged, true, &written);
        assert!(salvaged.is_superset(&recovered), "{line}");
        if is_flip {
            assert!(
                salvaged.len() + largest_batch >= all.len(),
                "{line}: {} left",
                salvaged.len()
            );
            assert!(salvaged == all || !reports.is_empty());
        }
        lines += 1;
    }
    assert_eq!(
        lines,
        log.len() + 1 + 8 * log.len(),
        "every truncation and every flip"
    );
}

/// Whether a truncated log ends within a record.
fn is_torn(truncated: &[u8], log: &[u8]) -> bool {
    let mut end = 0;
    let mut ends = vec![0];
    while end < log.len() {
        end += 7 + usize::from(u16::from_le_bytes([log[end + 4], log[end + 5]]));
        ends.push(end);
    }
    !ends.contains(&truncated.len())
}

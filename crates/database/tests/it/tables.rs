//! Damaged tables: every block that is left whole comes, and no entry that was not written.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use strata_table::{Compression, Damage, Scan, TableOptions};

use crate::faults::Damaged;
use crate::made::{Entry, Made, table};
use crate::random::Random;

/// How many tables of each compression are damaged.
const TABLES: u64 = 150;

const COMPRESSIONS: [Compression; 5] = [
    Compression::None,
    Compression::Snappy,
    Compression::Zstd,
    Compression::Zlib,
    Compression::RawDeflate,
];

fn options(random: &mut Random, compression: Compression) -> TableOptions {
    TableOptions {
        block_size: random.pick(&[100, 500, 1000, 4096]),
        restart_interval: random.pick(&[1, 3, 16]),
        compression,
        bloom_bits_per_key: random.pick(&[None, Some(10)]),
    }
}

/// Every entry that a scan gives, and what it reports.
fn scanned(bytes: &[u8]) -> (BTreeSet<Entry>, Vec<Damage>) {
    let (mut entries, mut reports) = (BTreeSet::new(), Vec::new());
    let mut scan = Scan::new(bytes).unwrap();
    while let Some(block) = scan.next_block(&mut |damage| reports.push(damage)).unwrap() {
        let mut block = block;
        while block.advance() {
            let entry = block.entry().unwrap();
            entries.insert((entry.internal_key.to_vec(), entry.value.to_vec()));
        }
    }
    (entries, reports)
}

fn check(made: &Made, damaged: &Damaged, context: &str) -> usize {
    let started = Instant::now();
    let mut found = None;
    let memory = allocation_counter::measure(|| found = Some(scanned(&damaged.bytes)));
    let (found, reports) = found.unwrap();
    let all = made.entries();
    let context = format!("{context}: {:?}", damaged.faults);
    for part in made.left_whole(damaged) {
        for entry in &part.entries {
            assert!(
                found.contains(entry),
                "{context}: the block {:?}, now at {:?}, is left whole and not found; {reports:?}",
                part.range,
                damaged.place_of(&part.range)
            );
        }
    }
    for entry in &found {
        assert!(all.contains(entry), "{context}: {entry:?} was not written");
    }
    for part in &made.parts {
        let is_lost = part.entries.iter().any(|entry| !found.contains(entry));
        assert!(
            !is_lost || !reports.is_empty(),
            "{context}: the block {:?} is lost, and nothing is reported",
            part.range
        );
        if is_lost && damaged.is_in_place() && part.range.end <= damaged.bytes.len() {
            let (start, end) = (part.range.start as u64, part.range.end as u64);
            let covers =
                |report: &Damage| report.offset < end && start < report.offset + report.bytes;
            assert!(
                reports.iter().any(covers),
                "{context}: no report is of the lost block {:?}; {reports:?}",
                part.range
            );
        }
    }
    let most = 16 * (damaged.bytes.len() as u64) + (16 << 20);
    assert!(memory.bytes_max < most, "{context}: {}", memory.bytes_max);
    assert!(started.elapsed() < Duration::from_secs(20), "{context}");
    found.len()
}

#[test]
fn sound_tables_give_everything_and_no_report() {
    for compression in COMPRESSIONS {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            let options = options(&mut random, compression);
            let made = table(&mut random, 1, &options);
            let (found, reports) = scanned(&made.bytes);
            assert!(reports.is_empty(), "{compression:?} {seed}: {reports:?}");
            assert_eq!(found.len(), made.entries().len(), "{compression:?} {seed}");
        }
    }
}

#[test]
fn damaged_tables_give_every_block_that_is_left_whole() {
    for compression in COMPRESSIONS {
        let mut kept = 0;
        for seed in 0..TABLES {
            let mut random = Random::new(seed);
            let options = options(&mut random, compression);
            let made = table(&mut random, 1, &options);
            let parts: Vec<_> = made.parts.iter().map(|part| part.range.clone()).collect();
            let damaged = Damaged::random(&made.bytes, &parts, &mut random);
            kept += check(&made, &damaged, &format!("{compression:?}, seed {seed}"));
        }
        assert!(kept > 1000, "{kept} entries in all");
    }
}

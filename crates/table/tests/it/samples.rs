//! Tables that LevelDB 1.22 wrote: read, and written again byte for byte.
//!
//! `tests/data/make.py` made them, and says the same lists of writes in Python.

use strata_dbformat::{BytewiseComparator, Comparator, ReverseBytewiseComparator, SequenceNumber};
use strata_table::{Compression, Entry, Fault, TableError, TableOptions};

use crate::support::{entry, expected, list, open, options, sort, write};
use crate::walk::{Step, everywhere, walk};

type Write = (Vec<u8>, Option<Vec<u8>>);

fn tiny() -> Vec<Write> {
    vec![
        (b"apple".to_vec(), Some(b"red".to_vec())),
        (b"apricot".to_vec(), Some(b"orange".to_vec())),
        (b"apple".to_vec(), None),
    ]
}

/// Each key is written once; every 3rd again; every 5th deleted in the end. They are far apart, so
/// that the keys between blocks can be shortened in the index.
fn many(value: impl Fn(usize) -> Vec<u8>) -> Vec<Write> {
    let key = |i: usize| format!("{:08x}", i as u64 * 2_654_435_769 % (1 << 32)).into_bytes();
    let first = (0..150).map(|i| (key(i), Some(value(i))));
    let second = (0..150)
        .step_by(3)
        .map(|i| (key(i), Some(b"again".to_vec())));
    let third = (0..150).step_by(5).map(|i| (key(i), None));
    first.chain(second).chain(third).collect()
}

/// Bytes that do not compress: the high bytes of a linear congruential generator.
fn noise(i: usize, length: usize) -> Vec<u8> {
    let mut state = i + 1;
    (0..length)
        .map(|_| {
            state = (state * 1_103_515_245 + 12345) % (1 << 31);
            u8::try_from(state >> 23).unwrap()
        })
        .collect()
}

fn mixed(i: usize) -> Vec<u8> {
    let text = format!("{i} bottles of beer on the wall, ");
    match i {
        0..50 => noise(i, 100),
        _ => text.repeat(i % 6).into_bytes(),
    }
}

fn large(i: usize) -> Vec<u8> {
    noise(i, if i == 75 { 9000 } else { 40 })
}

fn decimal(i: usize) -> Vec<u8> {
    i.to_string().into_bytes()
}

struct Sample {
    name: &'static str,
    bytes: &'static [u8],
    writes: Vec<Write>,
    options: TableOptions,
    reverse: bool,
}

macro_rules! sample {
    ($name:literal, $writes:expr, $options:expr, $reverse:expr) => {
        Sample {
            name: $name,
            bytes: include_bytes!(concat!("../data/", $name, ".ldb")),
            writes: $writes,
            options: $options,
            reverse: $reverse,
        }
    };
}

fn samples() -> Vec<Sample> {
    use Compression::{None as Raw, Snappy};
    let restart1 = TableOptions {
        restart_interval: 1,
        ..options(Raw, Some(3), 1024)
    };
    let noisy = |i| noise(i, 40);
    vec![
        sample!("tiny_raw", tiny(), options(Raw, None, 4096), false),
        sample!("tiny_bloom", tiny(), options(Raw, Some(10), 4096), false),
        sample!("raw", many(noisy), options(Raw, None, 4096), false),
        sample!("bloom", many(large), options(Raw, Some(10), 4096), false),
        sample!("restart1", many(decimal), restart1, false),
        sample!(
            "snappy",
            many(mixed),
            options(Snappy, Some(10), 4096),
            false
        ),
        sample!("reverse", many(decimal), options(Snappy, None, 1024), true),
    ]
}

impl Sample {
    fn comparator(&self) -> Box<dyn Comparator> {
        if self.reverse {
            Box::new(ReverseBytewiseComparator)
        } else {
            Box::new(BytewiseComparator)
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = (1..)
            .zip(&self.writes)
            .map(|(number, (key, value))| entry(key, number, value.as_deref()))
            .collect();
        sort(&mut entries, self.comparator());
        entries
    }
}

#[test]
fn leveldbs_tables_are_read() {
    for sample in samples() {
        let name = sample.name;
        let entries = sample.entries();
        let table = open(sample.bytes, sample.comparator()).unwrap();
        assert_eq!(list(&table).unwrap(), entries, "{name}");

        let summary = table.verify().unwrap();
        assert_eq!(summary.entries, entries.len() as u64, "{name}");
        let tombstones = sample.writes.iter().filter(|(_, value)| value.is_none());
        assert_eq!(summary.tombstones, tombstones.count() as u64, "{name}");
        assert_eq!(summary.file_bytes, sample.bytes.len() as u64, "{name}");
        assert_eq!(summary.smallest, entries[0].internal_key, "{name}");
        assert_eq!(
            summary.largest,
            entries[entries.len() - 1].internal_key,
            "{name}"
        );
        assert_eq!(summary.data_blocks > 1, !name.starts_with("tiny"), "{name}");
        let bloom = sample.options.bloom_bits_per_key;
        assert_eq!(table.has_filter(), bloom.is_some(), "{name}");
    }
}

#[test]
fn leveldbs_tables_answer_lookups_at_every_snapshot() {
    for sample in samples() {
        let entries = sample.entries();
        let table = open(sample.bytes, sample.comparator()).unwrap();
        let absent: [&[u8]; 4] = [b"", b"7", b"9e3779b9x", b"zebra"];
        let keys = sample.writes.iter().map(|(key, _)| &key[..]).chain(absent);
        for key in keys {
            for number in [0, 1, 120, 180, 220, SequenceNumber::MAX.get()] {
                let snapshot = SequenceNumber::new(number).unwrap();
                assert_eq!(
                    table.get(key, snapshot).unwrap(),
                    expected(&entries, key, number),
                    "{}: {key:?} at {number}",
                    sample.name
                );
            }
        }
    }
}

#[test]
fn leveldbs_tables_are_walked_both_ways() {
    for sample in samples() {
        let entries = sample.entries();
        let mut steps = everywhere(&entries);
        for key in [&b""[..], b"7", b"9e3779b9x", b"apple", b"zebra"] {
            for number in [0, 1, 2, 120, 220] {
                let seek = Step::Seek(key.to_vec(), number);
                steps.extend([seek, Step::Prev, Step::Prev, Step::Next]);
            }
        }
        walk(sample.bytes, &&*sample.comparator(), &entries, steps);
    }
}

#[test]
fn uncompressed_tables_are_the_ones_leveldb_writes() {
    let raw = |sample: &Sample| sample.options.compression == Compression::None;
    let samples: Vec<Sample> = samples().into_iter().filter(raw).collect();
    assert_eq!(samples.len(), 5);
    for sample in samples {
        let (ours, _) = write(&sample.entries(), sample.comparator(), &sample.options);
        assert_eq!(ours, sample.bytes, "{}", sample.name);
    }
}

#[test]
fn compressed_tables_have_the_blocks_that_leveldb_writes() {
    for sample in samples() {
        let (ours, summary) = write(&sample.entries(), sample.comparator(), &sample.options);
        let theirs = open(sample.bytes, sample.comparator())
            .unwrap()
            .verify()
            .unwrap();
        assert_eq!(summary.data_blocks, theirs.data_blocks, "{}", sample.name);
        let ours = open(&ours, sample.comparator()).unwrap();
        assert_eq!(ours.verify().unwrap(), summary, "{}", sample.name);
        // Two snappy compressors, much the same size.
        let (a, b) = (summary.file_bytes, theirs.file_bytes);
        assert!(a.abs_diff(b) * 20 < b, "{}: {a} and {b} bytes", sample.name);
    }
}

#[test]
fn another_comparator_is_suggested() {
    let suggests = |error: TableError| {
        let TableError::Corrupt { fault, .. } = &error else {
            return false;
        };
        let order = matches!(
            fault,
            Fault::KeyNotAscending { .. } | Fault::IndexKey { .. }
        );
        order && error.to_string().contains("another --comparator?")
    };
    for sample in samples() {
        let wrong: Box<dyn Comparator> = if sample.reverse {
            Box::new(BytewiseComparator)
        } else {
            Box::new(ReverseBytewiseComparator)
        };
        let table = open(sample.bytes, wrong).unwrap();
        assert!(suggests(table.verify().unwrap_err()), "{}", sample.name);
        // Listing needs no order.
        assert_eq!(list(&table).unwrap(), sample.entries(), "{}", sample.name);
    }
}

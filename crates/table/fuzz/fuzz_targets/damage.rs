//! A table written of any entries with any options is verified, with the summary that the writer
//! gave; its entries are read back as they were, and each is found at its own snapshot and the one
//! before; a cursor goes any way among them. A key that is not after the last one is refused and leaves
//! no trace. With one bit of the file flipped, `verify` fails, what still lists all its entries lists
//! the same, and a cursor is where it would have been or, after an error, at none.

#![no_main]

mod check;
mod walk;

use std::cmp::Ordering;
use std::sync::Arc;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_table::{Compression, Entry, TableCursor, TableError, TableOptions, TableSummary, TableWriter};

#[derive(Arbitrary, Debug)]
struct Version<'a> {
    user_key: &'a [u8],
    sequence: u16,
    /// `None` is a tombstone.
    value: Option<&'a [u8]>,
    /// How often the value is repeated: so blocks fill, and compress.
    times: u8,
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    block_size: u16,
    restart_interval: u8,
    snappy: bool,
    bloom_bits_per_key: Option<u8>,
    versions: Vec<Version<'a>>,
    bits: [u32; 4],
    steps: Vec<walk::Step<'a>>,
}

impl Input<'_> {
    fn options(&self) -> TableOptions {
        TableOptions {
            block_size: usize::from(self.block_size) + 1,
            restart_interval: usize::from(self.restart_interval) + 1,
            compression: if self.snappy {
                Compression::Snappy
            } else {
                Compression::None
            },
            bloom_bits_per_key: self
                .bloom_bits_per_key
                .map(|bits| u32::from(bits) % 100 + 1),
        }
    }

    /// In order, each key once.
    fn entries(&self) -> Vec<Entry> {
        let entry = |version: &Version<'_>| {
            let sequence = SequenceNumber::new(version.sequence.into()).unwrap();
            let value_type = match version.value {
                Some(_) => ValueType::Value,
                None => ValueType::Deletion,
            };
            let value = version.value.unwrap_or_default();
            Entry {
                internal_key: InternalKey::new(version.user_key, sequence, value_type),
                value: value.repeat(usize::from(version.times) + 1),
            }
        };
        let mut entries: Vec<_> = self.versions.iter().map(entry).collect();
        entries.sort_by(|a, b| check::ORDER.compare_keys(&a.internal_key, &b.internal_key));
        entries.dedup_by(|a, b| a.internal_key == b.internal_key);
        entries
    }
}

fn write(entries: &[Entry], options: TableOptions) -> (Vec<u8>, TableSummary) {
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    for entry in entries {
        let key = entry.internal_key.encode();
        writer.add(key, &entry.value).unwrap();
        for refused in [key, entries[0].internal_key.encode()] {
            let error = writer.add(refused, b"refused").unwrap_err();
            assert!(
                matches!(error, TableError::KeyNotAscending { .. }),
                "{error}"
            );
        }
    }
    assert_eq!(writer.entries(), entries.len() as u64);
    writer.finish().unwrap()
}

fn check_sound(bytes: &[u8], entries: &[Entry], summary: &TableSummary, steps: &[walk::Step<'_>]) {
    let table = check::open(bytes).unwrap();
    assert_eq!(table.verify().unwrap(), *summary);
    assert_eq!(summary.file_bytes, bytes.len() as u64);
    let listed: Vec<Entry> = table.entries().collect::<Result<_, _>>().unwrap();
    assert_eq!(listed, entries);
    for entry in entries.iter().take(50) {
        let parsed = entry.internal_key.parsed().unwrap();
        let before = parsed.sequence.get().saturating_sub(1);
        let before = SequenceNumber::new(before).unwrap();
        let expected = check::naive_get(entries, parsed.user_key, before);
        assert_eq!(table.get(parsed.user_key, before).unwrap(), expected);
    }
    assert!(check::read(table, &[b"", b"a", b"\xff\xff"]));
    let cursor = TableCursor::new(Arc::new(check::open(bytes).unwrap()));
    assert!(walk::walk(cursor, entries, steps));
}

fn check_damaged(bytes: &[u8], entries: &[Entry], steps: &[walk::Step<'_>]) {
    let Ok(table) = check::open(bytes) else {
        return;
    };
    check::said(&table.verify().unwrap_err());
    match table.entries().collect::<Result<Vec<Entry>, _>>() {
        Ok(listed) => assert_eq!(listed, entries),
        Err(error) => check::said(&error),
    }
    for entry in entries.iter().take(20) {
        let parsed = entry.internal_key.parsed().unwrap();
        match table.get(parsed.user_key, parsed.sequence) {
            Ok(found) => {
                let expected = check::naive_get(entries, parsed.user_key, parsed.sequence);
                assert_eq!(found, expected);
            }
            Err(error) => check::said(&error),
        }
    }
    walk::walk(TableCursor::new(Arc::new(table)), entries, steps);
}

fuzz_target!(|input: Input<'_>| {
    let entries = input.entries();
    let keys = entries.iter().map(|entry| &entry.internal_key);
    assert!(keys.is_sorted_by(|a, b| check::ORDER.compare_keys(a, b) == Ordering::Less));
    let (mut bytes, summary) = write(&entries, input.options());
    check_sound(&bytes, &entries, &summary, &input.steps);
    for bit in input.bits {
        let (at, mask) = (bit as usize / 8 % bytes.len(), 1 << (bit % 8));
        bytes[at] ^= mask;
        check_damaged(&bytes, &entries, &input.steps);
        bytes[at] ^= mask;
    }
});

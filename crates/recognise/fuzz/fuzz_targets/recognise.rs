//! Any bytes as a file, and any records as a log, values as a table, heads and ends as a large
//! file. The first byte of the input chooses.
//!
//! A file is recognised whatever it holds, in time, and the same by a source that gives little at
//! once. A log with a record is a log or a manifest, a whole table is a table, and what is behind
//! the first 64 KiB and before the last 32 KiB is not looked at.

#![no_main]

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_recognise::{Content, recognise};
use strata_table::{Compression, TableOptions, TableWriter};
use strata_wal::Writer;

/// Gives a few bytes at a time, and is interrupted now and then.
struct Slow<'a> {
    bytes: Cursor<&'a [u8]>,
    calls: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(self.calls % 7 * 1000 + 1);
        self.bytes.read(&mut buffer[..length])
    }
}

impl Seek for Slow<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

fn content(bytes: &[u8]) -> Content {
    let begun = Instant::now();
    let length = bytes.len() as u64;
    let content = recognise(Cursor::new(bytes), length).unwrap();
    let slow = Slow {
        bytes: Cursor::new(bytes),
        calls: 0,
    };
    assert_eq!(recognise(slow, length).unwrap(), content);
    // A file that is being written, or cut.
    for length in [0, length / 2, length + 1, u64::MAX] {
        recognise(Cursor::new(bytes), length).unwrap();
    }
    assert!(!content.to_string().is_empty());
    assert!(begun.elapsed() < Duration::from_secs(10), "{content}");
    content
}

/// The bytes cut into parts, each behind its length.
fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((&length, rest)) = bytes.split_first() {
        let (part, rest) = rest.split_at(rest.len().min(usize::from(length)));
        parts.push(part);
        bytes = rest;
    }
    parts
}

fn log(records: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for record in records {
        writer.add_record(record).unwrap();
    }
    writer.into_inner()
}

fn table(values: &[&[u8]], compression: Compression) -> Vec<u8> {
    let options = TableOptions {
        compression,
        block_size: 500,
        ..TableOptions::default()
    };
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    for (i, value) in values.iter().enumerate() {
        let key = InternalKey::new(&i.to_be_bytes(), SequenceNumber::ZERO, ValueType::Value);
        writer.add(key.encode(), value).unwrap();
    }
    writer.finish().unwrap().0
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    match choice % 8 {
        0..=3 => {
            content(bytes);
        }
        4 => {
            let records = parts(bytes);
            let content = content(&log(&records));
            if records.iter().any(|record| !record.is_empty()) {
                assert!(
                    matches!(content, Content::Log | Content::Manifest),
                    "{content}"
                );
            }
        }
        5 => {
            let compression = usize::from(choice / 8) % Compression::ALL.len();
            let bytes = table(&parts(bytes), Compression::ALL[compression]);
            assert_eq!(content(&bytes), Content::Table);
        }
        6 => {
            // The middle is between 64 KiB and 32 KiB before the end.
            let (head, tail) = bytes.split_at(bytes.len() / 2);
            let file = |middle: u8| {
                let mut file = head.to_vec();
                file.resize(64 << 10, choice);
                file.resize(80 << 10, middle);
                file.resize((112 << 10) - tail.len(), choice);
                file.extend_from_slice(tail);
                file
            };
            assert_eq!(content(&file(0)), content(&file(b'a')));
        }
        _ => {
            // A table whose head is lost, or which another file's bytes precede.
            let table = table(&[bytes; 3], Compression::None);
            let cut = usize::from(choice / 8) * 8;
            content(&table[cut.min(table.len())..]);
            content(&[bytes, &table].concat());
            content(&table[..table.len().saturating_sub(cut)]);
        }
    }
});

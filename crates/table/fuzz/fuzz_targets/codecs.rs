//! Any bytes as a compressed block behind right checksums, and any values compressed. The first
//! byte of the input chooses the method and what is done with the rest.
//!
//! Reading ends with entries or with what is wrong with the bytes; what comes out is no longer than
//! was allowed; and carving, which judges a block by the start of what it holds before it expands
//! it, finds the entries that the index leads to. Values come back as they were.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_table::{
    Compression, Entry, ReadOptions, Scan, Table, TableError, TableOptions, TableWriter,
};

/// No block is read that is longer, and no more is compressed: a run takes less than a millisecond.
const LONGEST: usize = 1 << 16;

fn options() -> ReadOptions {
    ReadOptions {
        longest_block: LONGEST as u64,
        ..ReadOptions::default()
    }
}

fn seal(table: &mut Vec<u8>, stored: &[u8], number: u8) -> Vec<u8> {
    let mut handle = Vec::new();
    strata_coding::put_varint64(&mut handle, table.len() as u64);
    strata_coding::put_varint64(&mut handle, stored.len() as u64);
    let sealed = [stored, &[number]].concat();
    let checksum = crc32c::crc32c(&sealed)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8);
    table.extend_from_slice(&sealed);
    table.extend_from_slice(&checksum.to_le_bytes());
    handle
}

/// A table whose only data block is stored as these bytes.
fn table_of(stored: &[u8], number: u8) -> Vec<u8> {
    let mut table = Vec::new();
    let data = seal(&mut table, stored, number);
    let metaindex = seal(&mut table, &[0, 0, 0, 0, 1, 0, 0, 0], 0);
    let key = InternalKey::new(&[0xff; 20], SequenceNumber::ZERO, ValueType::Value);
    let mut index = vec![0, 28, u8::try_from(data.len()).unwrap()];
    index.extend_from_slice(key.encode());
    index.extend_from_slice(&data);
    index.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
    let index = seal(&mut table, &index, 0);
    let mut footer = [metaindex, index].concat();
    footer.resize(40, 0);
    table.extend_from_slice(&footer);
    table.extend_from_slice(&[0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]);
    table
}

/// The entries of a table, if all of it can be read.
fn read(bytes: &[u8]) -> Option<Vec<Entry>> {
    let table = Table::open_with(bytes, BytewiseComparator, &options()).unwrap();
    let mut entries = Vec::new();
    let mut length = 0;
    for entry in table.entries() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error @ TableError::Corrupt { .. }) => {
                assert!(!error.to_string().is_empty());
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        length += entry.value.len();
        entries.push(entry);
    }
    assert!(length <= LONGEST);
    Some(entries)
}

/// The same from the blocks alone, after the table has lost its end.
fn carve(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut scan = Scan::with_options(&bytes[..bytes.len() - 1], &options()).unwrap();
    assert!(scan.is_carved());
    let mut carved = Vec::new();
    while let Some(mut block) = scan.next_block(&mut |_| {}).unwrap() {
        while block.advance() {
            let entry = block.entry().unwrap();
            carved.push((entry.internal_key.to_vec(), entry.value.to_vec()));
        }
    }
    carved
}

/// Whether a value could be a block handle.
fn is_handle(value: &[u8]) -> bool {
    let rest = |bytes| strata_coding::get_varint64(bytes).map(|(_, rest)| rest);
    rest(value).and_then(rest).is_ok_and(<[u8]>::is_empty)
}

/// The bytes cut into values: each behind its length and how often it is repeated.
fn values(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut values, mut room) = (Vec::new(), LONGEST);
    while let Some((&[length, times], rest)) = bytes.split_first_chunk() {
        let (value, rest) = rest.split_at(rest.len().min(usize::from(length)));
        bytes = rest;
        let times = usize::from(times) + 1;
        let Some(left) = room.checked_sub(value.len() * times) else {
            break;
        };
        room = left;
        values.push(value.repeat(times));
    }
    values
}

fn round_trip(values: &[Vec<u8>], compression: Compression) {
    let options = TableOptions {
        compression,
        block_size: LONGEST,
        ..TableOptions::default()
    };
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    for (i, value) in values.iter().enumerate() {
        let key = InternalKey::new(&i.to_be_bytes(), SequenceNumber::ZERO, ValueType::Value);
        writer.add(key.encode(), value).unwrap();
    }
    let (bytes, summary) = writer.finish().unwrap();
    let table = Table::open(&bytes[..], BytewiseComparator).unwrap();
    assert_eq!(table.verify().unwrap(), summary);
    let read = table.entries().map(|entry| entry.unwrap().value);
    assert_eq!(read.collect::<Vec<_>>(), values);
}

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    let compression = Compression::ALL[1 + usize::from(choice) % 4];
    let header: &[u8] = match compression {
        Compression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        Compression::Zlib => &[0x78, 0x9c],
        _ => &[],
    };
    let stored = [header, bytes].concat();
    match choice / 4 % 4 {
        0 => round_trip(&values(bytes), compression),
        // Without what both formats begin with.
        1 => {
            read(&table_of(bytes, compression.number()));
        }
        2 => {
            read(&table_of(&stored, compression.number()));
        }
        _ => {
            let table = table_of(&stored, compression.number());
            let carved = carve(&table);
            if let Some(entries) = read(&table) {
                let entries = entries
                    .into_iter()
                    .map(|entry| (entry.internal_key.encode().to_vec(), entry.value))
                    .collect::<Vec<_>>();
                // Entries that could be those of an index are no data.
                let is_index =
                    carved.is_empty() && entries.iter().all(|(_, value)| is_handle(value));
                assert!(is_index || carved == entries, "{carved:?} of {entries:?}");
            }
        }
    }
});

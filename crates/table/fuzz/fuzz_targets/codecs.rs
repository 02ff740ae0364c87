//! Any bytes as a compressed block of each kind, behind right checksums: reading them ends with
//! entries or with what is wrong with the bytes, and what comes out is no longer than was allowed.
//! And entries with any values, compressed in each way, are read back as they were.

#![no_main]

mod check;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_table::{Compression, ReadOptions, Scan, Table, TableOptions, TableWriter};

/// No block is read that is longer, so that a frame of zeros does not take a gigabyte.
const LONGEST: u64 = 1 << 20;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    stored: &'a [u8],
    values: Vec<(&'a [u8], u8)>,
}

fn options() -> ReadOptions {
    ReadOptions {
        longest_block: LONGEST,
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
    let key = InternalKey::new(b"\xff", SequenceNumber::ZERO, ValueType::Value);
    let mut index = vec![0, 9, u8::try_from(data.len()).unwrap()];
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

fn read(stored: &[u8], number: u8) {
    let bytes = table_of(stored, number);
    let table = Table::open_with(&bytes[..], BytewiseComparator, &options()).unwrap();
    let mut read = 0;
    for entry in table.entries() {
        match entry {
            Ok(entry) => read += entry.value.len() as u64,
            Err(error) => check::said(&error),
        }
    }
    assert!(read <= LONGEST);
    for bytes in [&bytes[..], &bytes[..bytes.len() - 1]] {
        let mut scan = Scan::with_options(bytes, &options()).unwrap();
        while let Some(block) = scan.next_block(&mut |_| {}).unwrap() {
            let mut entries = block.entries();
            while entries.next_entry().is_some() {}
        }
    }
}

fn round_trip(values: &[(&[u8], u8)], compression: Compression) {
    let options = TableOptions {
        compression,
        ..TableOptions::default()
    };
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    let value = |(value, times): &(&[u8], u8)| value.repeat(usize::from(*times) + 1);
    for (i, one) in values.iter().enumerate() {
        let key = InternalKey::new(&i.to_be_bytes(), SequenceNumber::ZERO, ValueType::Value);
        writer.add(key.encode(), &value(one)).unwrap();
    }
    let (bytes, summary) = writer.finish().unwrap();
    let table = Table::open(&bytes[..], BytewiseComparator).unwrap();
    assert_eq!(table.verify().unwrap(), summary);
    for (entry, one) in table.entries().zip(values) {
        assert_eq!(entry.unwrap().value, value(one));
    }
}

fuzz_target!(|input: Input<'_>| {
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    for number in [1, 2, 4] {
        read(input.stored, number);
    }
    read(&[ZSTD, input.stored].concat(), 2);
    read(&[&[0x78, 0x9c], input.stored].concat(), 2);
    for compression in Compression::ALL {
        round_trip(&input.values, compression);
    }
});

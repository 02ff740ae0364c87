//! Any bytes, and a table that was damaged in any way: a scan ends, tells nothing outside the file,
//! gives nothing that is not in the table, and all blocks that are whole and where they were.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_table::{Compression, ReadOptions, Scan, TableOptions, TableWriter};

#[derive(Arbitrary, Debug)]
enum Fault<'a> {
    Flip(u16, u8),
    Fill(u16, u8, u8),
    Cut(u16, u8),
    Insert(u16, &'a [u8]),
    Truncate(u16),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    bytes: &'a [u8],
    values: Vec<(&'a [u8], u8)>,
    compression: u8,
    block_size: u8,
    bloom: bool,
    faults: Vec<Fault<'a>>,
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a scan gives, and where its blocks are.
fn scan(bytes: &[u8]) -> (Entries, Vec<(u64, Vec<Vec<u8>>)>) {
    let options = ReadOptions {
        longest_block: 1 << 20,
        ..ReadOptions::default()
    };
    let mut scan = Scan::with_options(bytes, &options).unwrap();
    let (mut entries, mut blocks) = (Entries::new(), Vec::new());
    let length = bytes.len() as u64;
    let mut told = |damage: strata_table::Damage| {
        assert!(damage.offset + damage.bytes <= length, "{damage:?}");
        assert!(!damage.to_string().is_empty());
    };
    while let Some(mut block) = scan.next_block(&mut told).unwrap() {
        let mut keys = Vec::new();
        while block.advance() {
            let entry = block.entry().unwrap();
            keys.push(entry.internal_key.to_vec());
            entries.insert(entry.internal_key.to_vec(), entry.value.to_vec());
        }
        assert!(!keys.is_empty());
        blocks.push((block.offset(), keys));
    }
    (entries, blocks)
}

fn table(input: &Input<'_>) -> (Vec<u8>, Entries) {
    let options = TableOptions {
        compression: Compression::ALL[usize::from(input.compression) % Compression::ALL.len()],
        block_size: usize::from(input.block_size) * 4 + 1,
        bloom_bits_per_key: input.bloom.then_some(10),
        ..TableOptions::default()
    };
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    let mut entries = Entries::new();
    for (i, (value, times)) in input.values.iter().enumerate() {
        let user_key = format!("key{i:04}");
        let key = InternalKey::new(user_key.as_bytes(), SequenceNumber::ZERO, ValueType::Value);
        let value = no_block(value).repeat(usize::from(*times % 8));
        writer.add(key.encode(), &value).unwrap();
        entries.insert(key.encode().to_vec(), value);
    }
    (writer.finish().unwrap().0, entries)
}

/// The corpus has tables, and a value that holds a sound block gives up its entries where the table
/// is carved. Changed in this way, a block's checksum is wrong.
fn no_block(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0xa5).collect()
}

fn damage(bytes: &mut Vec<u8>, fault: &Fault<'_>) {
    let within = |at: u16, bytes: &[u8]| usize::from(at) % (bytes.len() + 1);
    match fault {
        Fault::Flip(at, mask) => {
            let at = within(*at, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= mask;
            }
        }
        Fault::Fill(at, length, with) => {
            let at = within(*at, bytes);
            bytes
                .iter_mut()
                .skip(at)
                .take(usize::from(*length))
                .for_each(|byte| *byte = *with);
        }
        Fault::Cut(at, length) => {
            let at = within(*at, bytes);
            let end = (at + usize::from(*length)).min(bytes.len());
            bytes.drain(at..end);
        }
        Fault::Insert(at, inserted) => {
            let at = within(*at, bytes);
            bytes.splice(at..at, no_block(inserted));
        }
        Fault::Truncate(length) => bytes.truncate(within(*length, bytes)),
    }
}

fuzz_target!(|input: Input<'_>| {
    scan(input.bytes);
    let (mut bytes, entries) = table(&input);
    let (found, blocks) = scan(&bytes);
    assert_eq!(found, entries);
    let whole = bytes.clone();
    for fault in &input.faults {
        damage(&mut bytes, fault);
    }
    let (found, _) = scan(&bytes);
    for (key, value) in &found {
        assert_eq!(entries.get(key), Some(value), "a wrong entry");
    }
    // The blocks that are where they were and have not changed; with their trailers.
    let ends = blocks.iter().skip(1).map(|(start, _)| *start);
    for ((start, keys), end) in blocks.iter().zip(ends) {
        let range = usize::try_from(*start).unwrap()..usize::try_from(end).unwrap();
        if bytes.get(range.clone()) == whole.get(range) {
            for key in keys {
                assert!(found.contains_key(key), "lost a whole block at {start}");
            }
        }
    }
});

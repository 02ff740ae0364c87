//! Any blocks as a table, under right checksums, where the footer and the index say they are, so
//! that no checksum keeps the fuzzer from what reads their contents. What must hold is what must
//! hold of any bytes; see the target `bytes`.

#![no_main]

mod check;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_coding::{put_fixed32, put_fixed64, put_varint32, put_varint64};

#[derive(Arbitrary, Debug)]
struct Key<'a> {
    user_key: &'a [u8],
    /// Shifted by the value type, which is known if this is low.
    tag: u16,
}

impl Key<'_> {
    fn encode(&self) -> Vec<u8> {
        let [low, high] = self.tag.to_le_bytes();
        let value_type = if low < 0xf0 { low % 2 } else { low };
        [self.user_key, &[value_type, high, 0, 0, 0, 0, 0, 0]].concat()
    }
}

#[derive(Arbitrary, Debug)]
struct Entry<'a> {
    key: Key<'a>,
    value: &'a [u8],
    /// How much of the key before is shared: as much as there is, or what the fuzzer likes.
    shared: Option<u8>,
    is_restart: bool,
}

#[derive(Arbitrary, Debug)]
enum Contents<'a> {
    Raw(&'a [u8]),
    Entries(Vec<Entry<'a>>),
}

#[derive(Arbitrary, Debug)]
struct Block<'a> {
    contents: Contents<'a>,
    /// A known one if this is low; the contents are then taken for snappy's.
    compression: u8,
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// The data blocks, and what the index calls them.
    data: Vec<(Block<'a>, Key<'a>)>,
    filter: Option<&'a [u8]>,
    /// In place of the index of the data blocks.
    index: Option<Block<'a>>,
    metaindex: Option<Block<'a>>,
    user_keys: [&'a [u8]; 2],
}

/// The contents of a block of entries: keys, how much each shares with the one before, values,
/// and which are restart points besides the first.
fn entries_block(entries: &[(Vec<u8>, usize, &[u8], bool)]) -> Vec<u8> {
    let mut block = Vec::new();
    let mut restarts = vec![0];
    for (i, (key, shared, value, is_restart)) in entries.iter().enumerate() {
        if i > 0 && *is_restart {
            restarts.push(u32::try_from(block.len()).unwrap());
        }
        let unshared = &key[(*shared).min(key.len())..];
        for length in [*shared, unshared.len(), value.len()] {
            put_varint32(&mut block, u32::try_from(length).unwrap());
        }
        block.extend_from_slice(unshared);
        block.extend_from_slice(value);
    }
    for restart in &restarts {
        put_fixed32(&mut block, *restart);
    }
    put_fixed32(&mut block, u32::try_from(restarts.len()).unwrap());
    block
}

fn contents(contents: &Contents<'_>) -> Vec<u8> {
    let entries = match contents {
        Contents::Raw(bytes) => return bytes.to_vec(),
        Contents::Entries(entries) => entries,
    };
    let mut last = Vec::new();
    let parts = entries.iter().enumerate().map(|(i, entry)| {
        let key = entry.key.encode();
        let common = key.iter().zip(&last).take_while(|(a, b)| a == b).count();
        let shared = match entry.shared {
            Some(shared) if shared < 0xe0 => usize::from(shared),
            _ if i == 0 || entry.is_restart => 0,
            _ => common,
        };
        last.clone_from(&key);
        (key, shared, entry.value, entry.is_restart)
    });
    entries_block(&parts.collect::<Vec<_>>())
}

/// Appends a block with its trailer; gives its handle.
fn put_block(table: &mut Vec<u8>, contents: &[u8], compression: u8) -> Vec<u8> {
    let mut handle = Vec::new();
    put_varint64(&mut handle, table.len() as u64);
    put_varint64(&mut handle, contents.len() as u64);
    let compression = if compression < 0xf0 {
        compression / 0x80
    } else {
        compression
    };
    let checksum = crc32c::crc32c_append(crc32c::crc32c(contents), &[compression]);
    table.extend_from_slice(contents);
    table.push(compression);
    put_fixed32(table, checksum.rotate_right(15).wrapping_add(0xa282_ead8));
    handle
}

fn put_any_block(table: &mut Vec<u8>, block: &Block<'_>) -> Vec<u8> {
    put_block(table, &contents(&block.contents), block.compression)
}

fn build(input: &Input<'_>) -> Vec<u8> {
    let mut table = Vec::new();
    let handles: Vec<_> = input
        .data
        .iter()
        .map(|(block, key)| (key.encode(), put_any_block(&mut table, block)))
        .collect();
    let filter = input.filter.map(|filter| put_block(&mut table, filter, 0));
    let metaindex = match (&input.metaindex, &filter) {
        (Some(block), _) => put_any_block(&mut table, block),
        (None, Some(handle)) => {
            let key = b"filter.leveldb.BuiltinBloomFilter2".to_vec();
            let contents = entries_block(&[(key, 0, &handle[..], false)]);
            put_block(&mut table, &contents, 0)
        }
        (None, None) => put_block(&mut table, &entries_block(&[]), 0),
    };
    let index = match &input.index {
        Some(block) => put_any_block(&mut table, block),
        None => {
            let entries = handles
                .iter()
                .map(|(key, handle)| (key.clone(), 0, &handle[..], true));
            put_block(&mut table, &entries_block(&entries.collect::<Vec<_>>()), 0)
        }
    };
    let mut footer = [metaindex, index].concat();
    footer.resize(40, 0);
    put_fixed64(&mut footer, 0xdb47_7524_8b80_fb57);
    table.extend_from_slice(&footer);
    table
}

fuzz_target!(|input: Input<'_>| {
    let bytes = build(&input);
    if let Ok(table) = check::open(&bytes) {
        check::read(table, &input.user_keys);
    }
});

//! Blocks that tables share in a cache.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_table::{BlockCache, Compression, Entry, Lookup, ReadAt, ReadOptions, Table};

use crate::support::{entry, options, write};

/// Counts how often it is read.
struct Counting {
    bytes: Vec<u8>,
    reads: Cell<usize>,
}

impl ReadAt for Counting {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        self.bytes.read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.bytes.length()
    }
}

fn entries(value: u8) -> Vec<Entry> {
    let key = |i: u32| format!("{i:06}");
    (0..1000)
        .map(|i| entry(key(i).as_bytes(), 1, Some(&[value; 100])))
        .collect()
}

fn cached(value: u8, cache: &Arc<BlockCache>) -> (Counting, ReadOptions) {
    let raw = options(Compression::None, None, 1024);
    let source = Counting {
        bytes: write(&entries(value), BytewiseComparator, &raw).0,
        reads: Cell::new(0),
    };
    let options = ReadOptions {
        cache: Some(Arc::clone(cache)),
        ..ReadOptions::default()
    };
    (source, options)
}

#[test]
fn a_block_in_the_cache_is_not_read_again_and_each_table_has_its_own() {
    let cache = Arc::new(BlockCache::new(64 << 20));
    let tables: Vec<_> = (0..3_u8)
        .map(|value| {
            let (source, options) = cached(value, &cache);
            Table::open_with(source, BytewiseComparator, &options).unwrap()
        })
        .collect();
    for round in 0..3 {
        for (value, table) in (0..).zip(&tables) {
            for entry in entries(value) {
                let key = entry.internal_key.parsed().unwrap();
                let found = table.get(key.user_key, SequenceNumber::MAX).unwrap();
                assert_eq!(found, Lookup::Value(vec![value; 100]), "round {round}");
            }
            assert_eq!(table.entries().count(), 1000);
        }
    }
    let bytes = cache.bytes();
    assert!((300_000..600_000).contains(&bytes), "{bytes}");
    // Opening reads the footer, the index and the metaindex.
    for (value, table) in (0_u8..).zip(tables) {
        let blocks = table.verify().unwrap().data_blocks;
        let (source, options) = cached(value, &cache);
        let again = Table::open_with(&source, BytewiseComparator, &options).unwrap();
        let opening = source.reads.get();
        for _ in 0..2 {
            assert_eq!(again.entries().count(), 1000);
        }
        assert_eq!((source.reads.get() - opening) as u64, blocks);
    }
}

#[test]
fn the_cache_holds_no_more_bytes_than_it_may() {
    let cache = Arc::new(BlockCache::new(100_000));
    assert!(cache.capacity() <= 100_000);
    for value in 0..10 {
        let (source, options) = cached(value, &cache);
        let table = Table::open_with(source, BytewiseComparator, &options).unwrap();
        for entry in table.entries() {
            assert_eq!(entry.unwrap().value, [value; 100]);
            assert!(cache.bytes() <= cache.capacity(), "{cache:?}");
        }
    }
    assert!(cache.bytes() > 10_000, "{cache:?}");
}

//! How much a memtable grows against how much it was said to grow at most, and what it tells a
//! meter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quickcheck::{Gen, QuickCheck};
use strata_arena::{BlockPool, Meter};
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{MemTable, MemTableOptions};

type Table = MemTable<BytewiseComparator>;

/// A Lehmer generator, to draw the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % bound
    }
}

/// Where keys come to lie.
#[derive(Clone, Copy, Debug)]
enum Order {
    Ascending,
    Descending,
    Random,
    /// In a few places, each with a prefix of its own: nodes are replaced.
    Clustered,
}

impl Order {
    fn drawn(random: &mut Random) -> Self {
        [
            Self::Ascending,
            Self::Descending,
            Self::Random,
            Self::Clustered,
        ][random.below(4)]
    }

    /// The key of the entry with this sequence number.
    fn key(self, sequence: usize, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Ascending => format!("k{sequence:09}"),
            Self::Descending => format!("k{:09}", 1_000_000_000 - sequence),
            Self::Random => format!("k{:09}", random.below(1_000_000_000)),
            Self::Clustered => {
                let cluster = random.below(12);
                let prefix = "x".repeat(cluster * 3);
                format!("{prefix}{cluster}/{:06}", random.below(1_000_000))
            }
        }
        .into_bytes()
    }
}

fn value_length(random: &mut Random, kind: usize) -> usize {
    match kind {
        0..=3 => random.below(120),
        4 => random.below(6000),
        5 => random.below(100_000),
        6 => [300, 425, 2680, 4005, 8100][random.below(5)],
        _ if random.below(20) == 0 => random.below(3 << 20),
        _ => random.below(30),
    }
}

fn fill(table: &Table, random: &mut Random, count: usize) {
    let order = Order::drawn(random);
    let kind = random.below(5);
    for sequence in 0..count {
        let key = order.key(sequence, random);
        let value = vec![0; value_length(random, kind)];
        add(table, sequence, &key, &value);
    }
}

fn add(table: &Table, sequence: usize, key: &[u8], value: &[u8]) {
    let sequence = SequenceNumber::new(u64::try_from(sequence).unwrap()).unwrap();
    // A limit may have been reached.
    let _ = table.add(sequence, ValueType::Value, key, value);
}

#[test]
fn no_sequence_of_additions_grows_a_memtable_by_more_than_the_bound() {
    fn holds(seed: u32, count: u8, kind: u8, limited: bool) -> bool {
        let mut random = Random(u64::from(seed % 2_147_483_646) + 1);
        let memory_limit_bytes = match limited {
            true => random.below(1 << 20),
            false => usize::MAX,
        };
        let table = Table::with_options(
            BytewiseComparator,
            MemTableOptions {
                memory_limit_bytes,
                ..MemTableOptions::default()
            },
        );
        let present = [0, 1, 64, 700, 3000][random.below(5)];
        fill(&table, &mut random, present);
        // Mostly a few, now and then many.
        let count = match count % 3 {
            0 => 1,
            1 => usize::from(count % 20),
            _ => usize::from(count) * 4,
        };
        let kind = usize::from(kind % 8);
        let count = if kind > 6 { count.min(60) } else { count };
        let order = Order::drawn(&mut random);
        let entries: Vec<(Vec<u8>, Vec<u8>)> = (0..count)
            .map(|i| {
                let key = order.key(10_000 + i, &mut random);
                (key, vec![1; value_length(&mut random, kind)])
            })
            .collect();
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len());
        let bound = table.growth_bound(entries.len() as u64, bytes.sum());
        let before = table.approximate_memory_usage();
        let mut left = &entries[..];
        let mut sequence = 10_000;
        while !left.is_empty() {
            let together = (1 + random.below(7)).min(left.len());
            let (some, rest) = left.split_at(together);
            match together {
                1..3 => {
                    for (i, (key, value)) in some.iter().enumerate() {
                        add(&table, sequence + i, key, value);
                    }
                }
                _ => {
                    let first = SequenceNumber::new(sequence as u64).unwrap();
                    let batch = some
                        .iter()
                        .map(|(key, value)| (ValueType::Value, &key[..], &value[..]));
                    let _ = table.add_batch(first, batch);
                }
            }
            sequence += together;
            left = rest;
        }
        let growth = table.approximate_memory_usage() - before;
        assert!(
            growth <= bound,
            "{growth} of {bound}: {count} of kind {kind}, {order:?}, {present} before"
        );
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(250, 5))
        .tests(400)
        .quickcheck(holds as fn(_, _, _, _) -> _);
}

/// A list in order leaves every node full, at every level: then a key in each splits them all.
#[test]
fn the_bound_holds_where_every_leaf_is_full() {
    for present in [1000, 20_000] {
        let table = Table::new(BytewiseComparator);
        for i in 0..present {
            add(&table, i, format!("k{i:09}").as_bytes(), b"");
        }
        for per_leaf in [1, 3] {
            let before = table.approximate_memory_usage();
            let keys = present / 64 * per_leaf;
            let bound = table.growth_bound(keys as u64, keys * 11);
            for i in 0..keys {
                let key = format!("k{:09}+", i * 64 / per_leaf);
                add(&table, present * per_leaf + i, key.as_bytes(), b"");
            }
            let growth = table.approximate_memory_usage() - before;
            assert!(growth <= bound, "{growth} of {bound}");
        }
    }
}

#[test]
fn several_threads_grow_a_memtable_by_no_more_than_the_bound() {
    for (present, each) in [(0, 1), (0, 300), (2000, 3), (2000, 500)] {
        let table = Table::new(BytewiseComparator);
        fill(&table, &mut Random(3), present);
        let bound = table.growth_bound(6 * each as u64, 6 * each * (10 + 100));
        let before = table.approximate_memory_usage();
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let table = &table;
                scope.spawn(move || {
                    let mut random = Random(thread as u64 + 1);
                    for i in 0..each {
                        let key = Order::Random.key(i, &mut random);
                        add(table, 10_000 + thread * each + i, &key, &[7; 100]);
                    }
                });
            }
        });
        let growth = table.approximate_memory_usage() - before;
        assert!(growth <= bound, "{growth} of {bound}: {each} each");
    }
}

#[test]
fn a_single_entry_is_expected_to_need_a_block_or_two_at_most() {
    let table = Table::new(BytewiseComparator);
    let mut random = Random(9);
    let mut sum = 0;
    for sequence in 0..20_000 {
        let bound = table.growth_bound(1, 10 + 100);
        let before = table.approximate_memory_usage();
        let key = Order::Random.key(sequence, &mut random);
        add(&table, sequence, &key, &[7; 100]);
        let growth = table.approximate_memory_usage() - before;
        assert!(growth <= bound, "{growth} of {bound}");
        assert!(bound <= before / 16 + (32 << 10), "{bound} at {before}");
        sum += bound;
    }
    let average = sum / 20_000;
    assert!(average < 16 << 10, "{average}");
    let many = table.growth_bound(1000, 110_000);
    let most = if cfg!(strata_small_nodes) {
        32 << 20
    } else {
        8 << 20
    };
    assert!(many < most, "{many}");
}

#[test]
fn an_empty_batch_takes_no_memory() {
    let table = Table::new(BytewiseComparator);
    assert_eq!(table.growth_bound(0, 0), 0);
    let none = std::iter::empty();
    table
        .add_batch(SequenceNumber::new(1).unwrap(), none)
        .unwrap();
    assert_eq!(table.approximate_memory_usage(), 0);
}

#[derive(Debug, Default)]
struct Sum(AtomicUsize);

impl Meter for Sum {
    fn reserved(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn released(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[test]
fn a_meter_hears_of_a_memtable_until_its_last_reader_is_gone() {
    let sum = Arc::new(Sum::default());
    let told = || sum.0.load(Ordering::Relaxed);
    let table = Table::with_options(
        BytewiseComparator,
        MemTableOptions {
            pool: Some(Arc::new(BlockPool::default())),
            meter: Some(Arc::clone(&sum) as Arc<dyn Meter>),
            ..MemTableOptions::default()
        },
    );
    assert_eq!(told(), 0);
    for sequence in 0..1000 {
        add(&table, sequence, format!("{sequence}").as_bytes(), b"value");
        assert_eq!(told(), table.approximate_memory_usage());
    }
    let reader = table.reader();
    let usage = table.approximate_memory_usage();
    drop(table);
    assert_eq!(told(), usage, "a reader keeps the memory");
    drop(reader);
    assert_eq!(told(), 0);
}

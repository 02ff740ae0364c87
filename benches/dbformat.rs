//! The key vocabulary: what a memtable and a table do with every key they pass.

use std::cmp::Ordering;
use std::hint::black_box;

use benches::{Count, KeyShape, Keys, Workload, criterion};
use criterion::{BenchmarkId, Criterion, Throughput};
use strata_dbformat::{
    BytewiseComparator, Comparator, InternalKeyComparator, LookupKey, ParsedInternalKey,
    SequenceNumber, ValueType, append_internal_key,
};

/// Few enough for the keys to stay in the cache.
const KEYS: u64 = 1000;

fn main() {
    let mut criterion = criterion();
    for shape in [KeyShape::Decimal, KeyShape::BigEndian, KeyShape::UserOrder] {
        let workload = Workload::new(shape, KEYS, 0);
        compare(&mut criterion, &workload);
        encode(&mut criterion, &workload);
        separate(&mut criterion, &workload);
    }
    criterion.final_summary();
}

/// The internal keys of `keys`, numbered in their order.
fn internal_keys(keys: &Keys) -> Vec<Vec<u8>> {
    let encode = |(user_key, number)| {
        let mut bytes = Vec::new();
        let sequence = SequenceNumber::new(number).unwrap();
        let value_type = ValueType::Value;
        append_internal_key(
            &mut bytes,
            &ParsedInternalKey {
                user_key,
                sequence,
                value_type,
            },
        );
        bytes
    };
    keys.iter().zip(1..).map(encode).collect()
}

/// Compares internal keys: neighbours in order, as the last steps of a search do, and random ones.
fn compare(criterion: &mut Criterion, workload: &Workload) {
    let order = InternalKeyComparator::new(BytewiseComparator);
    let less = |keys: &[Vec<u8>]| {
        let pairs = keys.windows(2);
        pairs
            .filter(|pair| order.compare(&pair[0], &pair[1]) == Ordering::Less)
            .count()
    };
    let sorted = internal_keys(&workload.in_order());
    let random = internal_keys(&workload.in_read_order());
    let pairs = sorted.len() - 1;
    assert_eq!(less(&sorted), pairs);
    assert!((pairs / 3..pairs * 2 / 3).contains(&less(&random)));

    let mut group = criterion.benchmark_group("dbformat");
    group.throughput(Throughput::Elements(pairs as u64));
    let id = BenchmarkId::new("compare/neighbours", workload);
    group.bench_function(id, |bencher| bencher.iter(|| less(&sorted)));
    let id = BenchmarkId::new("compare/random", workload);
    group.bench_function(id, |bencher| bencher.iter(|| less(&random)));
    group.finish();
}

/// Makes lookup keys, and encodes and decodes internal keys.
fn encode(criterion: &mut Criterion, workload: &Workload) {
    let keys = workload.in_read_order();
    let internal_keys = internal_keys(&keys);
    for (user_key, internal_key) in keys.iter().zip(&internal_keys) {
        let parsed = ParsedInternalKey::decode(internal_key).unwrap();
        assert_eq!(parsed.user_key, user_key);
        let lookup = LookupKey::new(user_key, parsed.sequence).unwrap();
        assert_eq!(lookup.internal_key(), internal_key);
    }

    let mut group = criterion.benchmark_group("dbformat");
    group.throughput(Throughput::Elements(workload.keys()));
    group.bench_function(BenchmarkId::new("lookup_key", workload), |bencher| {
        bencher.iter(|| {
            for user_key in keys.iter() {
                black_box(LookupKey::new(user_key, SequenceNumber::MAX).unwrap());
            }
        });
    });
    let mut buffer = Vec::new();
    group.bench_function(
        BenchmarkId::new("append_internal_key", workload),
        |bencher| {
            let (sequence, value_type) = (SequenceNumber::MAX, ValueType::Value);
            bencher.iter(|| {
                buffer.clear();
                for user_key in keys.iter() {
                    let key = ParsedInternalKey {
                        user_key,
                        sequence,
                        value_type,
                    };
                    append_internal_key(&mut buffer, &key);
                }
                buffer.len()
            });
        },
    );
    group.bench_function(
        BenchmarkId::new("decode_internal_key", workload),
        |bencher| {
            bencher.iter(|| {
                for internal_key in &internal_keys {
                    black_box(ParsedInternalKey::decode(internal_key).unwrap());
                }
            });
        },
    );
    group.finish();
}

/// Shortens the first of two keys, as a table does between its blocks: here, every twentieth key.
fn separate(criterion: &mut Criterion, workload: &Workload) {
    const BLOCK: usize = 20;
    let in_order = workload.in_order();
    let keys: Vec<&[u8]> = in_order.iter().collect();
    let blocks = keys.chunks(BLOCK).zip(keys.chunks(BLOCK).skip(1));
    let limits: Vec<(&[u8], &[u8])> = blocks.map(|(a, b)| (a[a.len() - 1], b[0])).collect();
    let mut separator = Vec::new();
    let mut separate = |(start, limit): (&[u8], &[u8])| {
        separator.clear();
        separator.extend_from_slice(start);
        BytewiseComparator.find_shortest_separator(&mut separator, limit);
        assert!(start <= &separator[..] && &separator[..] < limit);
        separator.len()
    };

    let count = limits.len() as u64;
    let mut group = criterion.benchmark_group("dbformat");
    group.throughput(Throughput::Elements(count));
    let parameters = format!("pairs={}/{workload}", Count(count));
    let id = BenchmarkId::new("find_shortest_separator", parameters);
    group.bench_function(id, |bencher| {
        bencher.iter(|| limits.iter().map(|&pair| separate(pair)).sum::<usize>());
    });
    group.finish();
}

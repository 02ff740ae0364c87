//! The sorted table, in memory: what it costs besides the disk.

use benches::{KeyShape, Operation, Workload, criterion, last_byte};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, SamplingMode, Throughput};
use strata_dbformat::{
    BytewiseComparator, ParsedInternalKey, SequenceNumber, ValueType, append_internal_key,
};
use strata_table::{Compression, Lookup, Table, TableOptions, TableWriter};

type OpenTable<'b> = Table<&'b [u8], BytewiseComparator>;

fn main() {
    let mut criterion = criterion();
    let workload = Workload::new(KeyShape::Decimal, 100_000, 100);
    let options = |compression, bloom_bits_per_key| TableOptions {
        compression,
        bloom_bits_per_key,
        ..TableOptions::default()
    };
    let entries = entries(&workload);
    let mut sizes = Vec::new();
    for (name, options) in [
        ("compression=none", options(Compression::None, None)),
        ("compression=snappy", options(Compression::Snappy, None)),
        (
            "compression=none/bloom=10",
            options(Compression::None, Some(10)),
        ),
    ] {
        let bytes = build(&entries, &options);
        check(&bytes, &workload);
        sizes.push(bytes.len());
        let mut group = criterion.benchmark_group("table");
        let parameters = format!("{workload}/{name}");
        group.throughput(Throughput::Bytes(workload.bytes()));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.bench_function(Operation::FillSeq.id(&parameters), |bencher| {
            bencher.iter_with_large_drop(|| build(&entries, &options));
        });
        measure_whole(&mut group, &parameters, &bytes);
        measure_lookups(&mut group, &parameters, &workload, &bytes);
        group.finish();
    }
    // The values are made to compress to half; what the keys share is left out in any case.
    assert!(sizes[1] * 4 < sizes[0] * 3, "{sizes:?}");
    assert!(sizes[2] > sizes[0], "{sizes:?}");
    criterion.final_summary();
}

/// Internal keys and values, in order.
type Entries<'w> = Vec<(Vec<u8>, &'w [u8])>;

fn entries(workload: &Workload) -> Entries<'_> {
    let keys = workload.in_order();
    let encode = |((user_key, number), position)| {
        let key = ParsedInternalKey {
            user_key,
            sequence: workload.sequence(0, position),
            value_type: ValueType::Value,
        };
        let mut internal_key = Vec::new();
        append_internal_key(&mut internal_key, &key);
        (internal_key, workload.value(number, 0))
    };
    keys.numbered().zip(0..).map(encode).collect()
}

/// The table of these entries.
fn build(entries: &Entries<'_>, options: &TableOptions) -> Vec<u8> {
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options.clone()).unwrap();
    for (internal_key, value) in entries {
        writer.add(internal_key, value).unwrap();
    }
    writer.finish().unwrap().0
}

fn open(bytes: &[u8]) -> OpenTable<'_> {
    Table::open(bytes, BytewiseComparator).unwrap()
}

fn check(bytes: &[u8], workload: &Workload) {
    let table = open(bytes);
    let summary = table.verify().unwrap();
    assert_eq!(summary.entries, workload.entries());
    for (key, number) in workload.in_order().numbered() {
        let found = table.get(key, SequenceNumber::MAX).unwrap();
        assert_eq!(found, Lookup::Value(workload.value(number, 0).to_vec()));
    }
    for key in workload.absent().iter() {
        assert_eq!(table.get(key, SequenceNumber::MAX).unwrap(), Lookup::Absent);
    }
}

/// Going through the whole table, and verifying it.
fn measure_whole(group: &mut BenchmarkGroup<'_, WallTime>, parameters: &str, bytes: &[u8]) {
    let table = open(bytes);
    group.bench_function(Operation::ReadSeq.id(parameters), |bencher| {
        bencher.iter(|| {
            let mut sum = 0;
            let mut entries = table.entries();
            while let Some(entry) = entries.next_entry().unwrap() {
                sum += last_byte(entry.value);
            }
            sum
        });
    });
    group.bench_function(BenchmarkId::new("verify", parameters), |bencher| {
        bencher.iter(|| table.verify().unwrap());
    });
}

/// Looking up one key: each time a block is read, checked and, if need be, decompressed.
fn measure_lookups(
    group: &mut BenchmarkGroup<'_, WallTime>,
    parameters: &str,
    workload: &Workload,
    bytes: &[u8],
) {
    group
        .throughput(Throughput::Elements(1))
        .sample_size(20)
        .sampling_mode(SamplingMode::Auto);
    let table = open(bytes);
    for (operation, keys) in [
        (Operation::ReadRandom, workload.in_read_order()),
        (Operation::ReadMissing, workload.absent()),
    ] {
        let mut lookups = keys.iter().cycle();
        group.bench_function(operation.id(parameters), |bencher| {
            bencher.iter(|| {
                let key = lookups.next()?;
                Some(table.get(key, SequenceNumber::MAX).unwrap())
            });
        });
    }
}

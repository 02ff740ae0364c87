//! The write batch: made, read, and inserted into a memtable, in batches of a thousand and of one.

use benches::{Count, KeyShape, Keys, Operation, Workload, criterion, last_byte};
use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput};
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::MemTable;
use strata_write_batch::WriteBatch;

fn main() {
    let mut criterion = criterion();
    let workload = Workload::new(KeyShape::Decimal, 1000, 100);
    make_and_read(&mut criterion, &workload);

    let workload = Workload::new(KeyShape::Decimal, 100_000, 100);
    for (operation, keys) in [
        (Operation::FillBatch, workload.in_order()),
        (Operation::FillRandom, workload.in_write_order()),
    ] {
        for per_batch in [1, 1000] {
            insert(&mut criterion, operation, &workload, &keys, per_batch);
        }
    }
    criterion.final_summary();
}

fn put_all<'k>(
    batch: &mut WriteBatch,
    workload: &Workload,
    keys: impl Iterator<Item = (&'k [u8], u64)>,
) {
    for (key, number) in keys {
        batch.put(key, workload.value(number, 0)).unwrap();
    }
}

/// One batch of all the workload's keys.
fn make_and_read(criterion: &mut Criterion, workload: &Workload) {
    let keys = workload.in_write_order();
    let mut batch = WriteBatch::new();
    put_all(&mut batch, workload, keys.numbered());
    for (operation, (key, number)) in batch.operations().zip(keys.numbered()) {
        let operation = operation.unwrap();
        assert_eq!(operation.user_key(), key);
        assert_eq!(operation.value(), workload.value(number, 0));
    }
    assert_eq!(u64::from(batch.count()), workload.keys());

    let mut group = criterion.benchmark_group("write_batch");
    group.throughput(Throughput::Elements(workload.keys()));
    let mut reused = batch.clone();
    group.bench_function(BenchmarkId::new("put", workload), |bencher| {
        bencher.iter(|| {
            reused.clear();
            put_all(&mut reused, workload, keys.numbered());
            reused.approximate_size()
        });
    });
    group.bench_function(BenchmarkId::new("operations", workload), |bencher| {
        bencher.iter(|| {
            let operations = batch.operations().map(Result::unwrap);
            operations
                .map(|operation| last_byte(operation.value()))
                .sum::<u64>()
        });
    });
    group.finish();
}

/// All the workload's keys, `per_batch` a batch, into an empty memtable.
fn insert(
    criterion: &mut Criterion,
    operation: Operation,
    workload: &Workload,
    keys: &Keys,
    per_batch: usize,
) {
    let entries: Vec<(&[u8], u64)> = keys.numbered().collect();
    let mut first = 1;
    let chunks = entries.chunks(per_batch).map(|chunk| {
        let mut batch = WriteBatch::new();
        batch.set_sequence(SequenceNumber::new(first).unwrap());
        put_all(&mut batch, workload, chunk.iter().copied());
        first += chunk.len() as u64;
        batch
    });
    let batches: Vec<WriteBatch> = chunks.collect();
    let insert_all = |memtable: &mut MemTable<BytewiseComparator>| {
        for batch in &batches {
            batch.insert_into(memtable).unwrap();
        }
    };
    let mut memtable = MemTable::default();
    insert_all(&mut memtable);
    assert_eq!(memtable.len(), workload.keys());
    for &(key, number) in &entries {
        let found = memtable.get_at(key, SequenceNumber::MAX);
        assert_eq!(found.value(), Some(workload.value(number, 0)));
    }
    drop(memtable);

    let mut group = criterion.benchmark_group("write_batch");
    group
        .throughput(Throughput::Elements(workload.keys()))
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat);
    let id = operation.id(format!("{workload}/batch={}", Count(per_batch as u64)));
    group.bench_function(id, |bencher| {
        bencher.iter_batched_ref(MemTable::default, insert_all, BatchSize::PerIteration);
    });
    group.finish();
}

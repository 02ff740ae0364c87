//! The write-ahead log, in memory: what it costs besides the disk.

use benches::{Count, SplitMix64, criterion, last_byte};
use criterion::{BenchmarkId, Criterion, Throughput};
use strata_wal::{Reader, Writer};

/// How many bytes of records a log holds: it stays in the outer caches.
const LOG_BYTES: usize = 1_000_000;

fn main() {
    let mut criterion = criterion();
    // A write of its own, a batch, and a record in several blocks.
    for record_bytes in [100, 1000, 100_000] {
        log(&mut criterion, record_bytes);
    }
    criterion.final_summary();
}

fn log(criterion: &mut Criterion, record_bytes: usize) {
    let records = LOG_BYTES / record_bytes;
    let payload = random_bytes(record_bytes);
    let written = write(Vec::new(), &payload, records);
    assert!(written.len() > LOG_BYTES, "headers come on top");
    let expected = (records, records as u64 * last_byte(&payload));
    assert_eq!(read(Reader::new(&written[..])), expected);

    let mut group = criterion.benchmark_group("wal");
    group.throughput(Throughput::Bytes((records * record_bytes) as u64));
    let parameters = format!(
        "records={}/record={}B",
        Count(records as u64),
        Count(record_bytes as u64)
    );

    let mut reused = written.clone();
    group.bench_function(BenchmarkId::new("add_record", &parameters), |bencher| {
        bencher.iter(|| {
            let mut log = std::mem::take(&mut reused);
            log.clear();
            reused = write(log, &payload, records);
            reused.len()
        });
    });
    group.bench_function(BenchmarkId::new("read_record", &parameters), |bencher| {
        bencher.iter(|| read(Reader::new(&written[..])));
    });
    let id = BenchmarkId::new("read_record", format!("{parameters}/checksums=off"));
    group.bench_function(id, |bencher| {
        bencher.iter(|| read(Reader::new(&written[..]).verify_checksums(false)));
    });
    // Nothing is bad in this log, so that it should cost nothing.
    let id = BenchmarkId::new("read_record", format!("{parameters}/salvage=on"));
    group.bench_function(id, |bencher| {
        bencher.iter(|| read(Reader::new(&written[..]).salvage(true)));
    });
    group.finish();
}

fn random_bytes(length: usize) -> Vec<u8> {
    let mut rng = SplitMix64::new(1);
    (0..length)
        .map(|_| rng.next_u64().to_le_bytes()[0])
        .collect()
}

fn write(log: Vec<u8>, payload: &[u8], records: usize) -> Vec<u8> {
    let mut writer = Writer::new(log);
    for _ in 0..records {
        writer.add_record(payload).unwrap();
    }
    writer.into_inner()
}

/// How many records there are, and the sum of their last bytes.
fn read(mut reader: Reader<&[u8]>) -> (usize, u64) {
    let mut records = 0;
    let mut sum = 0;
    let mut report = |report| panic!("the log is sound: {report}");
    while let Some(record) = reader.read_record(&mut report).unwrap() {
        records += 1;
        sum += last_byte(record.data);
    }
    (records, sum)
}

//! The program, run in this process: a log recovered to a database and to tables, and listed.

use std::fs;
use std::path::Path;

use benches::{KeyShape, Workload, criterion};
use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput};
use strata_wal::Writer;
use strata_write_batch::WriteBatch;
use tempfile::TempDir;

/// How many entries a batch of the log has.
const PER_BATCH: usize = 100;

fn main() {
    let mut criterion = criterion();
    let workload = Workload::new(KeyShape::Decimal, 100_000, 100);
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("000003.log");
    write_log(&log, &workload);
    recover(&mut criterion, &workload, &log, "recover", &[]);
    let logs_only = ["--logs-only"];
    recover(&mut criterion, &workload, &log, "recover logs", &logs_only);
    dump(&mut criterion, &workload, &log);
    criterion.final_summary();
}

/// A log of all the workload's keys, in random order.
fn write_log(path: &Path, workload: &Workload) {
    let keys = workload.in_write_order();
    let keys: Vec<(&[u8], u64)> = keys.numbered().collect();
    let mut writer = Writer::new(Vec::new());
    let mut batch = WriteBatch::new();
    let mut position = 0;
    for keys in keys.chunks(PER_BATCH) {
        batch.clear();
        batch.set_sequence(workload.sequence(0, position));
        for &(key, number) in keys {
            batch.put(key, workload.value(number, 0)).unwrap();
            position += 1;
        }
        writer.add_record(batch.contents()).unwrap();
    }
    fs::write(path, writer.into_inner()).unwrap();
}

/// Runs the program and returns what it answers.
fn strata(arguments: &[&str]) -> Vec<u8> {
    let mut answer = Vec::new();
    let status = strata_cli::run(["strata"].iter().chain(arguments), &mut answer);
    assert_eq!(status, 0, "{arguments:?}");
    answer
}

/// Log to tables, their writing and syncing included: a disk is part of what this measures.
fn recover(
    criterion: &mut Criterion,
    workload: &Workload,
    log: &Path,
    name: &str,
    options: &[&str],
) {
    let mut group = criterion.benchmark_group("cli");
    group.throughput(Throughput::Bytes(log.metadata().unwrap().len()));
    group.sampling_mode(SamplingMode::Flat);
    let recover = |out: &TempDir| {
        let (log, out) = (log.to_str().unwrap(), out.path().to_str().unwrap());
        let arguments = ["recover", log, "--out", out, "--json", "--strict"];
        strata(&[&arguments, options].concat())
    };
    let answer = String::from_utf8(recover(&tempfile::tempdir().unwrap())).unwrap();
    let entries = format!("\"entries\":{},", workload.entries());
    assert!(answer.contains(&entries), "{answer}");
    group.bench_function(BenchmarkId::new(name, workload), |bencher| {
        let fresh = || tempfile::tempdir().unwrap();
        bencher.iter_batched_ref(fresh, |out| recover(out).len(), BatchSize::PerIteration);
    });
    group.finish();
}

/// Log to lines of text.
fn dump(criterion: &mut Criterion, workload: &Workload, log: &Path) {
    let mut group = criterion.benchmark_group("cli");
    group.throughput(Throughput::Bytes(log.metadata().unwrap().len()));
    group.sampling_mode(SamplingMode::Flat);
    let dump = || strata(&["dump", log.to_str().unwrap()]);
    let lines = dump().iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(lines as u64, workload.entries());
    group.bench_function(BenchmarkId::new("dump", workload), |bencher| {
        bencher.iter(|| dump().len());
    });
    group.finish();
}

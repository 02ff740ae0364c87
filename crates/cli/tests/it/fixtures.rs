//! Every database that a real LevelDB left behind gives what was written to it, and what LevelDB
//! itself sees of it after recovery.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{Write, contents, data, dumped, strata, text, visible, writes};

/// What LevelDB sees of a fixture.
fn seen_by_leveldb(fixture: &Path) -> BTreeMap<String, String> {
    let lines = fs::read_to_string(fixture.join("visible.tsv")).unwrap();
    let pair = |line: &str| {
        let (key, value) = line.split_once('\t').unwrap();
        (key.to_owned(), value.to_owned())
    };
    lines.lines().map(pair).collect()
}

/// In memtable order, as `dump` lists them: by key, the newest first. The fixtures' keys sort in
/// hex as they do in bytes, a prefix before what it is a prefix of.
fn in_memtable_order(mut writes: Vec<Write>) -> Vec<Write> {
    writes.sort_by(|a, b| (&a.2, b.0).cmp(&(&b.2, a.0)));
    writes
}

/// Recovers a fixture's logs, lists the tables that come of it, and says what was dropped.
fn recovered(fixture: &Path, options: &[&str]) -> (Vec<Write>, Vec<serde_json::Value>, i32) {
    let out = tempfile::tempdir().unwrap();
    let db = fixture.join("db");
    let before = contents(&db);
    let arguments = ["recover", text(&db), "--out", text(out.path()), "--json"];
    let answer = strata(arguments.iter().chain(options).copied());
    assert_eq!(contents(&db), before, "the input is only read");
    let report = answer.json();
    let mut entries = Vec::new();
    for table in report["tables"].as_array().unwrap() {
        let path = out.path().join(table["file"].as_str().unwrap());
        assert_eq!(
            path.metadata().unwrap().len(),
            table["bytes"].as_u64().unwrap()
        );
        let dump = strata(["dump", text(&path), "--json"]);
        assert_eq!(dump.status, 0, "{}", dump.stderr);
        assert_eq!(
            dumped(&dump).len() as u64,
            table["entries"].as_u64().unwrap()
        );
        entries.extend(dumped(&dump));
    }
    assert_eq!(entries.len() as u64, report["entries"].as_u64().unwrap());
    let tombstones = entries.iter().filter(|entry| entry.1 == "del").count();
    assert_eq!(tombstones as u64, report["tombstones"].as_u64().unwrap());
    assert_eq!(
        entries.iter().map(|entry| entry.0).min(),
        report["first_sequence"].as_u64()
    );
    assert_eq!(
        entries.iter().map(|entry| entry.0).max(),
        report["last_sequence"].as_u64()
    );
    (
        entries,
        report["dropped"].as_array().unwrap().clone(),
        answer.status,
    )
}

/// A fixture whose log holds all writes, and lost none.
fn check_whole(name: &str) {
    let fixture = data("leveldb-fixtures").join(name);
    let written = in_memtable_order(writes(&fixture.join("writes.tsv")));
    let seen = seen_by_leveldb(&fixture);
    assert_eq!(visible(&written), seen);

    let dump = strata(["dump", text(&fixture.join("db")), "--json"]);
    assert_eq!(
        (dump.status, dumped(&dump)),
        (0, written.clone()),
        "{}",
        dump.stderr
    );
    let dump = strata(["dump", text(&fixture.join("db")), "--json", "--visible"]);
    assert_eq!(visible(&dumped(&dump)), seen);
    assert_eq!(dumped(&dump).len(), seen.len());

    let all_options: [&[&str]; 4] = [
        &[],
        &["--write-buffer-size", "65536", "--compression", "none"],
        &["--bloom-bits", "10"],
        &["--salvage", "--strict"],
    ];
    for options in all_options {
        let (entries, dropped, status) = recovered(&fixture, options);
        assert_eq!((dropped, status), (vec![], 0));
        assert_eq!(in_memtable_order(entries), written, "{options:?}");
    }
}

#[test]
fn overwritten_and_deleted_keys_are_all_there() {
    check_whole("simple");
}

#[test]
fn batches_are_all_there() {
    check_whole("batches");
}

#[test]
fn empty_keys_and_values_and_odd_bytes_are_all_there() {
    check_whole("edges");
}

#[test]
fn records_across_blocks_are_all_there() {
    check_whole("fragmented");
}

#[test]
fn zeros_behind_the_log_are_passed_over_and_mentioned() {
    check_whole("zero-tail");
    let log = data("leveldb-fixtures/zero-tail/db");
    let dump = strata(["dump", text(&log)]);
    assert!(
        dump.stderr.contains("40000 bytes passed over: zeros"),
        "{}",
        dump.stderr
    );
}

/// Only the tail of the writes is in the log; the rest is in tables, which `--tables` reads, too.
fn check_with_tables(name: &str) {
    let fixture = data("leveldb-fixtures").join(name);
    let written = in_memtable_order(writes(&fixture.join("writes.tsv")));
    let dump = strata(["dump", text(&fixture.join("db")), "--json", "--tables"]);
    assert_eq!(dump.status, 0);
    let found = dumped(&dump);
    // A table holds what the compaction that made it kept.
    assert!(found.iter().all(|entry| written.contains(entry)));
    assert_eq!(visible(&found), seen_by_leveldb(&fixture));
    assert_eq!(visible(&found), visible(&written));

    let dump = strata(["dump", text(&fixture.join("db")), "--json"]);
    let in_logs = dumped(&dump);
    assert!(dump.stderr.contains("--tables"), "{}", dump.stderr);
    let first = in_logs.iter().map(|entry| entry.0).min().unwrap();
    let tail: Vec<Write> = written
        .into_iter()
        .filter(|write| write.0 >= first)
        .collect();
    assert_eq!(in_logs, tail);
    let (entries, dropped, status) = recovered(&fixture, &[]);
    assert_eq!((dropped, status), (vec![], 0));
    assert_eq!(in_memtable_order(entries), tail);
}

#[test]
fn a_database_that_was_reopened_has_its_tail_in_the_log() {
    check_with_tables("reopened");
}

#[test]
fn a_database_whose_logs_rotated_is_read_from_all_of_them() {
    check_with_tables("rotated");
}

/// What is there after damage: never less than LevelDB sees, and nothing that was not written.
fn check_damaged(name: &str) {
    let fixture = data("leveldb-fixtures").join(name);
    let written = in_memtable_order(writes(&fixture.join("writes.tsv")));
    let seen = seen_by_leveldb(&fixture);
    let (entries, dropped, status) = recovered(&fixture, &[]);
    assert_eq!(status, if dropped.is_empty() { 0 } else { 3 });
    assert!(entries.iter().all(|entry| written.contains(entry)));
    assert_eq!(
        visible(&entries),
        seen,
        "the default drops what LevelDB drops"
    );
    let (salvaged, _, _) = recovered(&fixture, &["--salvage"]);
    assert!(salvaged.iter().all(|entry| written.contains(entry)));
    assert!(entries.iter().all(|entry| salvaged.contains(entry)));
    assert!(
        salvaged.len() + 2 >= written.len(),
        "{} of {}",
        salvaged.len(),
        written.len()
    );
}

#[test]
fn a_torn_tail_costs_the_torn_record_only() {
    check_damaged("torn-tail");
    let db = data("leveldb-fixtures/torn-tail/db");
    let out = tempfile::tempdir().unwrap();
    let answer = strata(["recover", text(&db), "--out", text(out.path()), "--strict"]);
    assert_eq!(
        answer.status, 0,
        "a torn tail is no drop: {}",
        answer.stderr
    );
    assert!(
        answer
            .stdout
            .contains("a record that the end of the file cuts"),
        "{}",
        answer.stdout
    );
}

#[test]
fn flipped_bits_cost_what_they_cost_leveldb_and_salvage_gets_the_rest() {
    check_damaged("bit-flip");
    let (_, dropped, status) = recovered(&data("leveldb-fixtures/bit-flip"), &[]);
    assert_eq!((dropped.len(), status), (3, 3));
    assert_eq!(dropped[0]["reason"], "checksum mismatch");
    assert_eq!(dropped[0]["file"], "000003.log");
}

#[test]
fn the_sample_is_what_was_written() {
    let sample = data("sample");
    let written = in_memtable_order(writes(&sample.join("writes.tsv")));
    let dump = strata(["dump", text(&sample), "--json"]);
    assert_eq!((dump.status, dumped(&dump)), (0, written));
}

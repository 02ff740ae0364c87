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

/// What `recover` gave of a fixture.
struct Recovered {
    /// What `dump` lists of what was written.
    entries: Vec<Write>,
    report: serde_json::Value,
    status: i32,
}

impl Recovered {
    fn dropped(&self) -> &[serde_json::Value] {
        self.report["dropped"].as_array().unwrap()
    }

    fn has_lost_nothing(&self) -> bool {
        self.dropped().is_empty() && self.status == 0
    }
}

/// Runs `recover` on a fixture and has `list` list what was written to the directory.
fn recovered(
    fixture: &Path,
    options: &[&str],
    list: impl FnOnce(&Path, &serde_json::Value) -> Vec<Write>,
) -> Recovered {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let db = fixture.join("db");
    let before = contents(&db);
    let arguments = ["recover", text(&db), "--out", text(&out), "--json"];
    let answer = strata(arguments.iter().chain(options).copied());
    assert_eq!(contents(&db), before, "the input is only read");
    let report = answer.json();
    for table in report["tables"].as_array().unwrap() {
        let path = out.join(table["file"].as_str().unwrap());
        assert_eq!(
            path.metadata().unwrap().len(),
            table["bytes"].as_u64().unwrap()
        );
        assert_eq!(
            listed(&path).len() as u64,
            table["entries"].as_u64().unwrap()
        );
    }
    Recovered {
        entries: list(&out, &report),
        report,
        status: answer.status,
    }
}

/// What `dump` lists; it must find nothing missing.
fn listed(input: &Path) -> Vec<Write> {
    let dump = strata(["dump", text(input), "--json"]);
    assert_eq!(dump.status, 0, "{}", dump.stderr);
    dumped(&dump)
}

/// Recovers a fixture to a database, and says what that holds.
fn database_of(fixture: &Path, options: &[&str]) -> Recovered {
    let recovered = recovered(fixture, options, |out, _| {
        let verified = strata(["verify", text(out)]);
        assert_eq!(verified.status, 0, "{}", verified.stdout);
        listed(out)
    });
    let sum = |name: &str| -> u64 {
        let files = recovered.report["files"].as_array().unwrap();
        files.iter().filter_map(|file| file[name].as_u64()).sum()
    };
    assert_eq!(sum("kept"), recovered.entries.len() as u64);
    let read = recovered.report["entries"].as_u64().unwrap();
    assert_eq!(
        sum("kept") + sum("superseded"),
        read,
        "each is accounted for"
    );
    recovered
}

/// Recovers a fixture's logs to tables, and says what those hold.
fn tables_of_logs(fixture: &Path, options: &[&str]) -> Recovered {
    let options = [&["--logs-only"], options].concat();
    let recovered = recovered(fixture, &options, |out, report| {
        let tables = report["tables"].as_array().unwrap().iter();
        let paths = tables.map(|table| out.join(table["file"].as_str().unwrap()));
        paths.flat_map(|path| listed(&path)).collect()
    });
    check_totals(&recovered);
    recovered
}

/// The totals that were told are those of what was written.
fn check_totals(recovered: &Recovered) {
    let Recovered {
        entries, report, ..
    } = recovered;
    let tombstones = entries.iter().filter(|entry| entry.1 == "del").count();
    let sequences = || entries.iter().map(|entry| entry.0);
    assert_eq!(report["entries"].as_u64().unwrap(), entries.len() as u64);
    assert_eq!(report["tombstones"].as_u64().unwrap(), tombstones as u64);
    assert_eq!(report["first_sequence"].as_u64(), sequences().min());
    assert_eq!(report["last_sequence"].as_u64(), sequences().max());
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
        let tables = tables_of_logs(&fixture, options);
        assert!(tables.has_lost_nothing(), "{:?}", tables.dropped());
        assert_eq!(in_memtable_order(tables.entries), written, "{options:?}");
    }
    let all_options: [&[&str]; 6] = [
        &[],
        &["--compression", "snappy", "--bloom-bits", "10"],
        &["--compression", "zstd"],
        &["--compression", "zlib"],
        &["--compression", "deflate"],
        &["--salvage", "--strict"],
    ];
    for options in all_options {
        let database = database_of(&fixture, options);
        assert!(database.has_lost_nothing(), "{:?}", database.dropped());
        assert_eq!(visible(&database.entries), seen, "{options:?}");
        assert_eq!(
            database.entries.len(),
            seen.len(),
            "the newest versions alone"
        );
    }
    let database = database_of(&fixture, &["--all-versions"]);
    assert!(database.has_lost_nothing());
    check_totals(&database);
    assert_eq!(database.entries, written);
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

/// Only the tail of the writes is in the log; the rest is in tables.
fn check_with_tables(name: &str) {
    let fixture = data("leveldb-fixtures").join(name);
    let db = fixture.join("db");
    let written = in_memtable_order(writes(&fixture.join("writes.tsv")));
    let seen = seen_by_leveldb(&fixture);
    assert_eq!(visible(&written), seen);
    let found = listed(&db);
    // A table holds what the compaction that made it kept.
    assert!(found.iter().all(|entry| written.contains(entry)));
    assert_eq!(visible(&found), seen);

    let database = database_of(&fixture, &[]);
    assert!(database.has_lost_nothing());
    assert_eq!(visible(&database.entries), seen);
    assert_eq!(database.entries.len(), seen.len());
    let database = database_of(&fixture, &["--all-versions"]);
    assert_eq!(database.entries, found);

    // Each file's entries are in the listing of the whole, if it is live.
    for name in contents(&db).into_keys() {
        if name.ends_with(".ldb") || name.ends_with(".log") {
            let dump = strata(["dump", text(&db), "--json", "--all-files"]);
            let all = dumped(&dump);
            assert!(
                listed(&db.join(&name))
                    .iter()
                    .all(|entry| all.contains(entry))
            );
        }
    }
    let tables = tables_of_logs(&fixture, &[]);
    assert!(tables.has_lost_nothing());
    let first = tables.entries.iter().map(|entry| entry.0).min().unwrap();
    let is_in_log = |write: &Write| write.0 >= first;
    let tail: Vec<Write> = written.into_iter().filter(is_in_log).collect();
    assert_eq!(in_memtable_order(tables.entries), tail);
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
    for recover in [
        tables_of_logs as fn(&Path, &[&str]) -> Recovered,
        database_of,
    ] {
        let plain = recover(&fixture, &[]);
        assert_eq!(plain.status, if plain.dropped().is_empty() { 0 } else { 3 });
        assert!(plain.entries.iter().all(|entry| written.contains(entry)));
        assert_eq!(
            visible(&plain.entries),
            seen,
            "the default drops what LevelDB drops"
        );
        let salvaged = recover(&fixture, &["--salvage"]).entries;
        assert!(salvaged.iter().all(|entry| written.contains(entry)));
        assert!(plain.entries.iter().all(|entry| salvaged.contains(entry)));
        assert!(
            salvaged.len() + 2 >= written.len(),
            "{} of {}",
            salvaged.len(),
            written.len()
        );
    }
}

#[test]
fn a_torn_tail_costs_the_torn_record_only() {
    check_damaged("torn-tail");
    let db = data("leveldb-fixtures/torn-tail/db");
    for options in [&[][..], &["--logs-only"]] {
        let out = tempfile::tempdir().unwrap();
        let arguments = ["recover", text(&db), "--out", text(out.path()), "--strict"];
        let answer = strata(arguments.iter().chain(options).copied());
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
}

#[test]
fn flipped_bits_cost_what_they_cost_leveldb_and_salvage_gets_the_rest() {
    check_damaged("bit-flip");
    let database = database_of(&data("leveldb-fixtures/bit-flip"), &[]);
    let dropped = database.dropped();
    assert_eq!((dropped.len(), database.status), (3, 3));
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

//! `recover` writes all or nothing, and never over anything.

use std::fs;
use std::path::Path;

use crate::folder::Folder;
use crate::{contents, data, dumped, strata, text};

fn sample() -> String {
    text(&data("sample")).to_owned()
}

fn bit_flip() -> String {
    text(&data("leveldb-fixtures/bit-flip/db")).to_owned()
}

fn names(directory: &Path) -> Vec<String> {
    contents(directory).into_keys().collect()
}

/// The sample's log with its manifest, and nothing else.
fn plain_sample() -> Folder {
    let folder = Folder::copy_of(&data("sample"));
    folder.remove("writes.tsv");
    folder
}

#[test]
fn what_was_recovered_is_told_in_text() {
    let (db, parent) = (plain_sample(), tempfile::tempdir().unwrap());
    let out = parent.path().join("out");
    let answer = strata(["recover", db.text(), "--out", text(&out)]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    let expected = format!(
        "{}
  read       000003.log  22 entries kept, 168 superseded
  entries    190, of which 2 are tombstones
  sequences  1 to 190
  wrote      1 table in level 1, compression none, 568 bytes
    {}  22 entries, 568 bytes
  dropped    nothing
  next       close the program that uses the old database, move the old directory away, and put {} in its place
",
        db.text(),
        out.join("000002.ldb").display(),
        out.display()
    );
    assert_eq!(answer.stdout, expected);
    assert_eq!(names(&out), ["000002.ldb", "CURRENT", "MANIFEST-000001"]);
    let shown = crate::probe::shown_by_sound_database(&out, "the sample");
    assert_eq!(shown.len(), 22);
    let again = parent.path().join("again");
    assert_eq!(
        strata(["recover", db.text(), "--out", text(&again)]).status,
        0
    );
    assert_eq!(contents(&out), contents(&again), "the same gives the same");
}

#[test]
fn what_came_of_logs_alone_is_told_in_text() {
    let out = tempfile::tempdir().unwrap();
    let answer = strata([
        "recover",
        &sample(),
        "--logs-only",
        "--out",
        text(out.path()),
    ]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    for line in [
        "  records    161",
        "  batches    161",
        "  entries    190, of which 2 are tombstones",
        "  sequences  1 to 190",
        "  flushed    1 memtable, 3154 bytes",
        "  dropped    nothing",
    ] {
        assert!(answer.stdout.contains(line), "{line} in\n{}", answer.stdout);
    }
    assert_eq!(names(out.path()), ["000004.ldb"]);
}

#[test]
fn what_was_dropped_is_told_in_text_and_by_the_status() {
    for options in [&[][..], &["--logs-only"]] {
        let out = tempfile::tempdir().unwrap();
        let arguments = ["recover", &bit_flip(), "--out", text(out.path())];
        let answer = strata(arguments.iter().chain(options).copied());
        assert_eq!(answer.status, 3);
        let line = "  dropped    000003.log: 26775 bytes at offset 5993 dropped: checksum mismatch";
        assert!(answer.stdout.contains(line), "{}", answer.stdout);
    }
}

/// All that is lost is known only when all has been read; by then tables have been written.
#[test]
fn strict_writes_nothing_if_anything_would_be_lost() {
    let logs_only = ["--logs-only", "--write-buffer-size", "65536"];
    for options in [&[][..], &logs_only] {
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("new/deeper");
        let arguments = ["recover", &bit_flip(), "--out", text(&out), "--strict"];
        let answer = strata(arguments.iter().chain(options).copied());
        assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
        assert!(
            answer.stderr.contains("nothing was written")
                && answer.stderr.contains("checksum mismatch"),
            "{}",
            answer.stderr
        );
        assert_eq!(
            fs::read_dir(parent.path()).unwrap().count(),
            0,
            "what was made is gone again"
        );
        let there = parent.path().join("there");
        fs::create_dir(&there).unwrap();
        let arguments = ["recover", &bit_flip(), "--out", text(&there), "--strict"];
        let answer = strata(arguments.iter().chain(options).copied());
        assert_eq!(answer.status, 1);
        assert_eq!(names(&there), [""; 0], "it is as it was");
    }
    let there = tempfile::tempdir().unwrap();
    fs::write(there.path().join("000007.ldb"), "mine").unwrap();
    let arguments = [
        "recover",
        &bit_flip(),
        "--out",
        text(there.path()),
        "--strict",
    ];
    let answer = strata(arguments.into_iter().chain(["--logs-only"]));
    assert_eq!(answer.status, 1);
    assert_eq!(names(there.path()), ["000007.ldb"]);
}

/// A file that the manifest names and that is not there is lost as well.
#[test]
fn strict_counts_files_that_are_missing() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let missing = data("field-cases/missing-table");
    let arguments = ["recover", text(&missing), "--out", text(&out), "--strict"];
    let answer = strata(arguments);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    assert!(answer.stderr.contains("000009.ldb"), "{}", answer.stderr);
    assert!(!out.exists());
    // Of logs alone nothing is missing.
    let of_logs = strata(arguments.into_iter().chain(["--logs-only"]));
    assert_eq!(of_logs.status, 0, "{}", of_logs.stderr);
}

#[test]
fn tables_are_numbered_behind_what_is_there() {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("000017.ldb"), "mine").unwrap();
    fs::write(out.path().join("notes.txt"), "mine, too").unwrap();
    for _ in 0..2 {
        assert_eq!(
            strata([
                "recover",
                &sample(),
                "--logs-only",
                "--out",
                text(out.path())
            ])
            .status,
            0
        );
    }
    assert_eq!(
        names(out.path()),
        ["000017.ldb", "000018.ldb", "000019.ldb", "notes.txt"]
    );
    assert_eq!(fs::read(out.path().join("000017.ldb")).unwrap(), b"mine");
    let [first, second] =
        ["000018.ldb", "000019.ldb"].map(|name| fs::read(out.path().join(name)).unwrap());
    assert!(first == second, "the same log gives the same table");
}

#[test]
fn memtables_are_flushed_when_they_exceed_the_write_buffer() {
    let fixture = text(&data("leveldb-fixtures/fragmented/db")).to_owned();
    let out = tempfile::tempdir().unwrap();
    let of_logs = |input: &str, bytes: &str| {
        strata([
            "recover",
            input,
            "--logs-only",
            "--out",
            text(out.path()),
            "--json",
            "--write-buffer-size",
            bytes,
        ])
    };
    let report = of_logs(&fixture, "65536").json();
    // Seven values, of which two exceed the buffer alone and two do together.
    assert_eq!(report["tables"].as_array().unwrap().len(), 3);

    let answer = of_logs(&sample(), "1000");
    assert_eq!(answer.status, 0);
    assert!(
        answer.stderr.contains("has 65536 bytes here, not 1000"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_directory_with_a_database_is_not_written_to() {
    let db = Folder::copy_of(&data("sample"));
    let before = contents(db.path());
    for (options, reason) in [
        (&[][..], "it is not empty"),
        (&["--logs-only"], "holds a database"),
    ] {
        let arguments = ["recover", &sample(), "--out", db.text()];
        let answer = strata(arguments.iter().chain(options).copied());
        assert_eq!(answer.status, 1);
        assert!(answer.stderr.contains(reason), "{}", answer.stderr);
        assert_eq!(contents(db.path()), before);
    }
}

/// Tables without `CURRENT` are what a recovery leaves that was interrupted: with a database put
/// over them nobody could tell whose they are.
#[test]
fn a_database_goes_to_an_empty_directory_alone() {
    let out = Folder::new();
    out.add("000002.ldb", b"");
    let answer = strata(["recover", &sample(), "--out", out.text()]);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    for word in ["it is not empty", "000002.ldb", "--out"] {
        assert!(answer.stderr.contains(word), "{}", answer.stderr);
    }
    assert_eq!(names(out.path()), ["000002.ldb"]);
    out.remove("000002.ldb");
    assert_eq!(
        strata(["recover", &sample(), "--out", out.text()]).status,
        0
    );
}

#[test]
fn what_can_not_be_read_or_written_is_said_with_its_name() {
    let out = tempfile::tempdir().unwrap();
    let out_path = text(out.path()).to_owned();
    let missing = strata(["recover", "no/such.log", "--out", &out_path]);
    assert_eq!(missing.status, 1);
    assert!(
        missing.stderr.contains("can't read no/such.log"),
        "{}",
        missing.stderr
    );

    let empty = tempfile::tempdir().unwrap();
    let nothing = strata(["recover", text(empty.path()), "--out", &out_path]);
    assert_eq!(nothing.status, 1);
    assert!(
        nothing.stderr.contains("neither a table nor a log"),
        "{}",
        nothing.stderr
    );

    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let no_directory = strata(["recover", &sample(), "--out", text(&file)]);
    assert_eq!(no_directory.status, 1);
    assert!(
        no_directory.stderr.contains("it is no directory"),
        "{}",
        no_directory.stderr
    );

    let table_alone = Folder::new();
    let table = fs::read(data("field-cases/zero-length-ldb/000005.ldb")).unwrap();
    table_alone.add("000005.ldb", &table);
    let arguments = [
        "recover",
        table_alone.text(),
        "--logs-only",
        "--out",
        &out_path,
    ];
    let no_log = strata(arguments);
    assert_eq!(no_log.status, 1);
    assert!(
        no_log.stderr.contains("there is no log"),
        "{}",
        no_log.stderr
    );
    assert_eq!(names(out.path()), ["file"]);
}

/// A directory that has the name of a log is named, and is no log.
#[test]
fn a_directory_under_the_name_of_a_log_is_passed_over_and_named() {
    let db = plain_sample();
    fs::create_dir(db.file("000007.log")).unwrap();
    let parent = tempfile::tempdir().unwrap();
    for options in [&[][..], &["--logs-only"]] {
        let out = parent.path().join(format!("out{}", options.len()));
        let arguments = ["recover", db.text(), "--out", text(&out)];
        let answer = strata(arguments.iter().chain(options).copied());
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        let named = "  mentioned  000007.log: ignored: it is a directory";
        assert!(answer.stdout.contains(named), "{}", answer.stdout);
    }
}

#[cfg(unix)]
#[test]
fn a_log_that_can_not_be_read_is_lost_and_named() {
    let db = plain_sample();
    std::os::unix::fs::symlink("nowhere", db.file("000007.log")).unwrap();
    let parent = tempfile::tempdir().unwrap();
    for options in [&[][..], &["--logs-only"]] {
        let out = parent.path().join(format!("out{}", options.len()));
        let arguments = ["recover", db.text(), "--out", text(&out)];
        let answer = strata(arguments.iter().chain(options).copied());
        assert_eq!(answer.status, 3, "{}", answer.stderr);
        let lost = "  dropped    000007.log: 0 bytes at offset 0 dropped: the file can't be read: ";
        assert!(answer.stdout.contains(lost), "{}", answer.stdout);
    }
}

/// A log with another format's bytes gives no record: that is a loss and no success.
#[test]
fn a_log_that_is_none_is_lost_and_named() {
    for name in ["000009.log", "000003.log"] {
        let db = Folder::new();
        let whole = crate::folder::log(&[(1, "key", Some(&"v".repeat(300)))]);
        db.add("000003.log", &whole[..200]);
        if name == "000009.log" {
            let pointer = data("field-cases/wrong-files/lfs/000009.log");
            db.add(name, &fs::read(pointer).unwrap());
        }
        let parent = tempfile::tempdir().unwrap();
        for options in [&[][..], &["--logs-only"]] {
            let out = parent.path().join(format!("out{}", options.len()));
            let arguments = ["recover", db.text(), "--out", text(&out)];
            let answer = strata(arguments.iter().chain(options).copied());
            assert_eq!(answer.status, 3, "{}{}", answer.stdout, answer.stderr);
            let lost = answer.stdout.lines().any(|line| {
                line.starts_with(&format!("  dropped    {name}: "))
                    && line.contains("a log was expected; the file looks like ")
            });
            assert!(lost, "{name} {options:?}: {}", answer.stdout);
        }
    }
}

#[test]
fn an_empty_log_recovers_to_nothing() {
    let db = Folder::new();
    db.add("000003.log", b"");
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let arguments = ["recover", db.text(), "--out", text(&out), "--json"];
    let answer = strata(arguments.into_iter().chain(["--logs-only"]));
    assert_eq!(answer.status, 0);
    let mut report = answer.json();
    for (name, value) in [
        ("records", 0.into()),
        ("batches", 0.into()),
        ("entries", 0.into()),
        ("tombstones", 0.into()),
        ("first_sequence", serde_json::Value::Null),
        ("last_sequence", serde_json::Value::Null),
        ("tables", serde_json::json!([])),
        ("dropped", serde_json::json!([])),
    ] {
        assert_eq!(report[name].take(), value, "{name}");
    }
    assert_eq!(names(&out), [""; 0]);

    // An empty database, which any LevelDB opens.
    let answer = strata(arguments);
    assert_eq!(answer.status, 0);
    assert_eq!(answer.json()["tables"], serde_json::json!([]));
    assert_eq!(names(&out), ["CURRENT", "MANIFEST-000001"]);
    assert_eq!(
        crate::probe::shown_by_sound_database(&out, "empty").len(),
        0
    );
}

/// Two logs with the same sequence numbers, as after a copied log: both are kept by themselves,
/// and are one where they are merged.
#[test]
fn repeated_sequence_numbers_lose_nothing() {
    let db = Folder::new();
    let log = fs::read(data("sample/000003.log")).unwrap();
    db.add("000003.log", &log);
    db.add("000005.log", &log);
    let out = tempfile::tempdir().unwrap();
    let arguments = ["recover", db.text(), "--out", text(out.path()), "--json"];
    let report = strata(arguments.into_iter().chain(["--logs-only"])).json();
    assert_eq!(report["entries"], 380);
    assert_eq!(report["tables"].as_array().unwrap().len(), 2);
    assert_eq!(names(out.path()), ["000006.ldb", "000007.ldb"]);
    let dump = strata(["dump", db.text(), "--json"]);
    assert_eq!(
        dumped(&dump).len(),
        190,
        "an entry that comes twice is one entry"
    );
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let arguments = ["recover", db.text(), "--out", text(&out), "--json"];
    let answer = strata(arguments.into_iter().chain(["--all-versions", "--strict"]));
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(answer.json()["entries"], 190);
}

/// The same internal key with another value in each log: no order says which is right. One is
/// kept, and the other is told.
#[test]
fn of_entries_that_contradict_each_other_one_is_kept_and_the_other_told() {
    let db = Folder::new();
    for (name, value) in [("000003.log", "first"), ("000005.log", "second")] {
        db.add(name, &crate::folder::log(&[(7, "key", Some(value))]));
    }
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let answer = strata(["recover", db.text(), "--out", text(&out)]);
    assert_eq!(answer.status, 3);
    let told = "  dropped    000003.log: 5 bytes at offset 0 dropped: another entry has the same key \
                and sequence number, and another value";
    assert!(answer.stdout.contains(told), "{}", answer.stdout);
    assert_eq!(strata(["get", text(&out), "key"]).stdout, "second\n");
}

/// A record that is no batch, and one that is a broken one, under good checksums.
#[test]
fn records_that_are_no_batches_are_dropped_with_leveldbs_reason() {
    let db = tempfile::tempdir().unwrap();
    let mut log = Vec::new();
    let mut writer = strata_wal::Writer::new(&mut log);
    writer.add_record(b"too small").unwrap();
    let mut batch = strata_write_batch::WriteBatch::new();
    batch.set_sequence(strata_dbformat::SequenceNumber::new(5).unwrap());
    batch.put(b"a", b"1").unwrap();
    batch.put(b"b", b"2").unwrap();
    let contents = batch.contents();
    writer.add_record(&contents[..contents.len() - 1]).unwrap();
    batch.set_sequence(strata_dbformat::SequenceNumber::new(9).unwrap());
    writer.add_record(batch.contents()).unwrap();
    fs::write(db.path().join("000003.log"), &log).unwrap();

    let out = tempfile::tempdir().unwrap();
    let arguments = [
        "recover",
        text(db.path()),
        "--logs-only",
        "--out",
        text(out.path()),
        "--json",
    ];
    let answer = strata(arguments);
    assert_eq!(answer.status, 3);
    let report = answer.json();
    let reasons: Vec<&str> = report["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dropped| dropped["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        [
            "log record too small",
            "bad WriteBatch Put at byte 17 of the batch"
        ]
    );
    assert_eq!(report["dropped"][0]["bytes"], 9);
    assert_eq!(report["dropped"][1]["offset"], 16);
    assert_eq!(
        (&report["records"], &report["batches"], &report["entries"]),
        (&3.into(), &1.into(), &2.into())
    );

    let salvaged = strata(arguments.into_iter().chain(["--salvage"]));
    assert_eq!(salvaged.status, 3);
    assert_eq!(
        salvaged.json()["entries"],
        3,
        "the put before the fault is kept"
    );
}

/// LevelDB passes over a block of zeros without a word, wherever it is.
#[test]
fn zeros_in_the_middle_of_a_log_are_a_loss_and_at_its_end_are_none() {
    let db = tempfile::tempdir().unwrap();
    let mut log = fs::read(data("leveldb-fixtures/fragmented/db/000003.log")).unwrap();
    log[3 * 32768..4 * 32768].fill(0);
    fs::write(db.path().join("000003.log"), &log).unwrap();
    let out = tempfile::tempdir().unwrap();
    let answer = strata([
        "recover",
        text(db.path()),
        "--out",
        text(out.path()),
        "--json",
    ]);
    assert_eq!(answer.status, 3);
    let dropped = answer.json()["dropped"].as_array().unwrap().clone();
    let zeros = dropped
        .iter()
        .find(|dropped| dropped["offset"] == 3 * 32768)
        .unwrap();
    assert_eq!(zeros["bytes"], 32768);
    assert_eq!(zeros["reason"], "zeros in the middle of the log");
}

#[test]
fn nothing_is_made_inside_the_directory_that_is_read() {
    let db = tempfile::tempdir().unwrap();
    fs::copy(data("sample/000003.log"), db.path().join("000003.log")).unwrap();
    for out in ["", "new", "new/deeper"] {
        let out = db.path().join(out);
        for options in [&[][..], &["--logs-only"]] {
            let arguments = ["recover", text(db.path()), "--out", text(&out)];
            let answer = strata(arguments.iter().chain(options).copied());
            assert_eq!(answer.status, 1, "{}", out.display());
            assert!(
                answer.stderr.contains("in the directory that is read"),
                "{}",
                answer.stderr
            );
        }
    }
    assert_eq!(names(db.path()), ["000003.log"]);
}

#[test]
fn temporary_files_that_were_left_behind_do_not_count_as_tables() {
    let out = Folder::new();
    out.add("1998874536409838826.dbtmp", b"");
    assert_eq!(
        strata(["recover", &sample(), "--logs-only", "--out", out.text()]).status,
        0
    );
    assert_eq!(
        names(out.path()),
        ["000004.ldb", "1998874536409838826.dbtmp"]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_can_not_be_written_leaves_nothing() {
    for options in [&[][..], &["--logs-only"]] {
        let out = tempfile::tempdir().unwrap();
        let full = fs::File::create("/dev/full").unwrap();
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_strata"))
            .args(["recover", &sample(), "--out", text(out.path())])
            .args(options)
            .stdout(full)
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1));
        assert_eq!(names(out.path()), [""; 0]);
    }
}

//! `recover` writes all or nothing, and never over anything.

use std::fs;
use std::path::Path;

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

#[test]
fn what_was_recovered_is_told_in_text() {
    let out = tempfile::tempdir().unwrap();
    let answer = strata(["recover", &sample(), "--out", text(out.path())]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    for line in [
        "  records    161",
        "  batches    161",
        "  entries    190, of which 2 are tombstones",
        "  sequences  1 to 190",
        "  flushed    1 memtable, 1943 bytes",
        "  dropped    nothing",
    ] {
        assert!(answer.stdout.contains(line), "{line} in\n{}", answer.stdout);
    }
    assert_eq!(names(out.path()), ["000004.ldb"]);
}

#[test]
fn what_was_dropped_is_told_in_text_and_by_the_status() {
    let out = tempfile::tempdir().unwrap();
    let answer = strata(["recover", &bit_flip(), "--out", text(out.path())]);
    assert_eq!(answer.status, 3);
    let line = "  dropped    000003.log: 26775 bytes at offset 5993 dropped: checksum mismatch";
    assert!(answer.stdout.contains(line), "{}", answer.stdout);
}

#[test]
fn strict_writes_nothing_if_anything_would_be_lost() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("new/deeper");
    let arguments = [
        "recover",
        &bit_flip(),
        "--out",
        text(&out),
        "--strict",
        "--write-buffer-size",
        "65536",
    ];
    let answer = strata(arguments);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    assert!(
        answer.stderr.contains("checksum mismatch"),
        "{}",
        answer.stderr
    );
    assert_eq!(
        fs::read_dir(parent.path()).unwrap().count(),
        0,
        "what was made is gone again"
    );

    fs::create_dir(parent.path().join("there")).unwrap();
    let out = parent.path().join("there");
    fs::write(out.join("000007.ldb"), "mine").unwrap();
    let answer = strata(["recover", &bit_flip(), "--out", text(&out), "--strict"]);
    assert_eq!(answer.status, 1);
    assert_eq!(names(&out), ["000007.ldb"]);
}

#[test]
fn tables_are_numbered_behind_what_is_there() {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("000017.ldb"), "mine").unwrap();
    fs::write(out.path().join("notes.txt"), "mine, too").unwrap();
    for _ in 0..2 {
        assert_eq!(
            strata(["recover", &sample(), "--out", text(out.path())]).status,
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
    let arguments = [
        "recover",
        &fixture,
        "--out",
        text(out.path()),
        "--json",
        "--write-buffer-size",
        "65536",
    ];
    let tables = strata(arguments).json()["tables"].as_array().unwrap().len();
    // Seven values, of which two exceed the buffer alone and two do together.
    assert_eq!(tables, 3);

    let answer = strata([
        "recover",
        &sample(),
        "--out",
        text(out.path()),
        "--write-buffer-size",
        "1000",
    ]);
    assert_eq!(answer.status, 0);
    assert!(
        answer.stderr.contains("has 65536 bytes here, not 1000"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_directory_with_a_database_is_not_written_to() {
    let db = tempfile::tempdir().unwrap();
    for (name, bytes) in contents(&data("sample")) {
        fs::write(db.path().join(name), bytes).unwrap();
    }
    let before = contents(db.path());
    let answer = strata(["recover", &sample(), "--out", text(db.path())]);
    assert_eq!(answer.status, 1);
    assert!(
        answer.stderr.contains("holds a database"),
        "{}",
        answer.stderr
    );
    assert_eq!(contents(db.path()), before);
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
        nothing.stderr.contains("there is no log in it"),
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

    let directory_for_a_log = out.path().join("000003.log");
    fs::create_dir(&directory_for_a_log).unwrap();
    let unreadable = strata(["recover", text(out.path()), "--out", text(empty.path())]);
    assert_eq!(unreadable.status, 1);
    assert!(
        unreadable.stderr.contains("000003.log"),
        "{}",
        unreadable.stderr
    );
    assert_eq!(names(empty.path()), [""; 0]);
}

#[test]
fn an_empty_log_recovers_to_nothing() {
    let db = tempfile::tempdir().unwrap();
    fs::write(db.path().join("000003.log"), "").unwrap();
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let answer = strata(["recover", text(db.path()), "--out", text(&out), "--json"]);
    assert_eq!(answer.status, 0);
    let expected = r#"{"records":0,"batches":0,"entries":0,"tombstones":0,"first_sequence":null,"last_sequence":null,"tables":[],"dropped":[],"mentioned":[]}"#;
    assert_eq!(answer.stdout.trim_end(), expected);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}

/// Two logs with the same sequence numbers, as after a copied log: both are kept, the later wins.
#[test]
fn repeated_sequence_numbers_lose_nothing() {
    let db = tempfile::tempdir().unwrap();
    let log = fs::read(data("sample/000003.log")).unwrap();
    fs::write(db.path().join("000003.log"), &log).unwrap();
    fs::write(db.path().join("000005.log"), &log).unwrap();
    let out = tempfile::tempdir().unwrap();
    let report = strata([
        "recover",
        text(db.path()),
        "--out",
        text(out.path()),
        "--json",
    ])
    .json();
    assert_eq!(report["entries"], 380);
    assert_eq!(report["tables"].as_array().unwrap().len(), 2);
    assert_eq!(names(out.path()), ["000006.ldb", "000007.ldb"]);
    let dump = strata(["dump", text(db.path()), "--json"]);
    assert_eq!(
        dumped(&dump).len(),
        190,
        "an entry that comes twice is one entry"
    );
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
        let answer = strata(["recover", text(db.path()), "--out", text(&out)]);
        assert_eq!(answer.status, 1, "{}", out.display());
        assert!(
            answer.stderr.contains("in the directory that is read"),
            "{}",
            answer.stderr
        );
    }
    assert_eq!(names(db.path()), ["000003.log"]);
}

#[test]
fn temporary_files_that_were_left_behind_do_not_count_as_tables() {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("1998874536409838826.dbtmp"), "").unwrap();
    assert_eq!(
        strata(["recover", &sample(), "--out", text(out.path())]).status,
        0
    );
    assert_eq!(
        names(out.path()),
        ["000004.ldb", "1998874536409838826.dbtmp"]
    );
}

#[test]
fn another_order_than_the_databases_is_told() {
    let out = tempfile::tempdir().unwrap();
    let arguments = ["recover", &sample(), "--out", text(out.path())];
    let answer = strata(
        arguments
            .into_iter()
            .chain(["--comparator", "reverse-bytewise"]),
    );
    assert_eq!(answer.status, 0);
    let told = "sorts its keys by leveldb.BytewiseComparator";
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
    assert_eq!(strata(arguments).stderr, "");
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_can_not_be_written_leaves_no_table() {
    let out = tempfile::tempdir().unwrap();
    let full = fs::File::create("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(["recover", &sample(), "--out", text(out.path())])
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(names(out.path()), [""; 0]);
}

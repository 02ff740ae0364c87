//! Directories, the names of files, and their numbers.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use strata_wal::SyncData;
use strata_write_buffer::{
    Directory, FileDirectory, FileKind, FileNumbers, log_file_name, parse_file_name,
    temporary_file_name,
};

use crate::faulty::FaultyDirectory;

fn contents(directory: &dyn Directory, name: &str) -> String {
    let mut contents = String::new();
    let mut file = directory.open(name).unwrap();
    file.read_to_string(&mut contents).unwrap();
    contents
}

/// What is asked of every directory.
fn keeps_the_contract(directory: &dyn Directory) {
    let mut file = directory.create("a").unwrap();
    file.write_all(b"kept, cut").unwrap();
    file.set_len(4).unwrap();
    file.write_all(b"!").unwrap();
    file.sync_data().unwrap();
    assert_eq!(
        contents(directory, "a"),
        "kept!",
        "goes on where it was cut"
    );
    let mut open = directory.open("a").unwrap();
    assert_eq!(open.seek(SeekFrom::End(-1)).unwrap(), 4);

    let taken = directory.create("a").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    directory.create("b").unwrap().write_all(b"other").unwrap();
    directory.rename("a", "b").unwrap();
    directory.sync().unwrap();
    directory.sync_file("b").unwrap();
    assert_eq!(directory.list().unwrap(), ["b"]);
    assert_eq!(
        contents(directory, "b"),
        "kept!",
        "what had the name is gone"
    );

    directory.remove("b").unwrap();
    assert_eq!(directory.list().unwrap(), [""; 0]);
    let missing = [
        directory.open("b").map(drop),
        directory.rename("b", "c"),
        directory.remove("b"),
        directory.sync_file("b"),
    ];
    for result in missing {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn a_directory_of_the_file_system_and_the_double_keep_one_contract() {
    let temporary = tempfile::tempdir().unwrap();
    keeps_the_contract(&FileDirectory::new(temporary.path()));
    keeps_the_contract(&FaultyDirectory::default());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = FileDirectory::new(temporary.path().join("inner"));
    std::fs::create_dir(directory.path()).unwrap();
    directory.create("there").unwrap();
    for name in ["", ".", "..", "../a", "a/b", "/a", "a/"] {
        let results = [
            directory.create(name).map(drop),
            directory.open(name).map(drop),
            directory.rename(name, "a"),
            directory.rename("there", name),
            directory.remove(name),
            directory.sync_file(name),
        ];
        for result in results {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
            let expected = format!("{name:?} is not the name of a file in a directory");
            assert_eq!(error.to_string(), expected);
        }
    }
    assert_eq!(directory.list().unwrap(), ["there"]);
}

#[test]
fn names_tell_number_and_kind() {
    for (name, expected) in [
        ("000003.log", Some((3, FileKind::Log))),
        ("1234567.ldb", Some((1_234_567, FileKind::Table))),
        ("000012.sst", Some((12, FileKind::Table))),
        ("MANIFEST-000002", Some((2, FileKind::Manifest))),
        ("000007.dbtmp", Some((7, FileKind::Temporary))),
        ("000007.blob", Some((7, FileKind::Other))),
        ("18446744073709551615.log", Some((u64::MAX, FileKind::Log))),
        ("18446744073709551616.log", None),
        ("+000013.log", None),
        ("MANIFEST-+2", None),
        ("MANIFEST-", None),
        ("CURRENT", None),
        ("LOCK", None),
        ("LOG.old", None),
        (".log", None),
        ("x.log", None),
        ("-3.log", None),
    ] {
        assert_eq!(parse_file_name(name), expected, "{name}");
    }
    for number in [0, 3, 999_999, 1_000_000, u64::MAX] {
        let log = log_file_name(number);
        assert_eq!(parse_file_name(&log), Some((number, FileKind::Log)));
        let temporary = temporary_file_name(number);
        let expected = Some((number, FileKind::Temporary));
        assert_eq!(parse_file_name(&temporary), expected);
    }
}

#[test]
fn numbers_come_after_those_of_files_that_stay() {
    let directory = FaultyDirectory::default();
    assert_eq!(FileNumbers::after(&directory).unwrap().draw().unwrap(), 1);
    for name in ["000004.log", "000006.ldb", "MANIFEST-000009", "CURRENT"] {
        directory.put(name, b"");
    }
    // What is temporary is removed, and may have a number that was made up.
    directory.put("1234567890123456789.dbtmp", b"");
    let numbers = FileNumbers::after(&directory).unwrap();
    assert_eq!(numbers.draw().unwrap(), 10);
    numbers.mark_used(3);
    assert_eq!(numbers.draw().unwrap(), 11, "never one again");
}

#[test]
fn the_last_number_is_given_out_once() {
    let numbers = FileNumbers::starting_at(u64::MAX);
    assert_eq!(numbers.draw().unwrap(), u64::MAX);
    for _ in 0..2 {
        let error = numbers.draw().unwrap_err();
        assert!(error.to_string().contains("no file number left"), "{error}");
    }
    let directory = FaultyDirectory::default();
    directory.put(&log_file_name(u64::MAX), b"");
    assert!(FileNumbers::after(&directory).unwrap().draw().is_err());
}

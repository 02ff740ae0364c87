//! That the double is a directory, and that it fails as it is told to.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use strata_wal::SyncData;

use super::{FaultyDirectory, Kept};
use crate::{Directory, FileDirectory};

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

    directory.create("c").unwrap().write_all(b"taken").unwrap();
    let taken = directory.rename_new("b", "c").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    assert_eq!(contents(directory, "b"), "kept!");
    assert_eq!(contents(directory, "c"), "taken");
    directory.remove("c").unwrap();
    directory.rename_new("b", "c").unwrap();
    assert_eq!(directory.list().unwrap(), ["c"]);
    assert_eq!(contents(directory, "c"), "kept!");

    directory.remove("c").unwrap();
    assert_eq!(directory.list().unwrap(), [""; 0]);
    let missing = [
        directory.open("b").map(drop),
        directory.rename("b", "c"),
        directory.rename_new("b", "c"),
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

fn bytes(directory: &FaultyDirectory, name: &str) -> Option<Vec<u8>> {
    directory.contents().remove(name)
}

#[test]
fn a_power_failure_takes_what_was_not_synced() {
    let directory = FaultyDirectory::default();
    let mut file = directory.create("a").unwrap();
    file.write_all(b"synced").unwrap();
    file.sync_data().unwrap();
    assert_eq!(directory.crash(Kept::Nothing).names(), [""; 0]);
    directory.sync().unwrap();
    file.write_all(b", not").unwrap();
    directory.rename("a", "b").unwrap();
    directory.create("c").unwrap();

    let left = directory.crash(Kept::Nothing);
    assert_eq!(left.names(), ["a"]);
    assert_eq!(bytes(&left, "a").unwrap(), b"synced");
    let left = directory.crash(Kept::Everything);
    assert_eq!(left.names(), ["b", "c"]);
    assert_eq!(bytes(&left, "b").unwrap(), b"synced, not");
}

#[test]
fn a_power_failure_may_leave_some_of_what_was_not_synced() {
    let directory = FaultyDirectory::default();
    let mut file = directory.create("a").unwrap();
    file.write_all(b"12").unwrap();
    file.sync_data().unwrap();
    directory.sync().unwrap();
    file.write_all(b"34").unwrap();
    file.set_len(3).unwrap();
    file.write_all(b"5").unwrap();
    directory.create("b").unwrap();
    directory.remove("a").unwrap();

    let mut left: Vec<_> = (0..200)
        .map(|seed| directory.crash(Kept::Some(seed)))
        .map(|left| {
            (
                left.names().join(" "),
                bytes(&left, "a").unwrap_or_default(),
            )
        })
        .collect();
    left.sort();
    left.dedup();
    for names in ["", "a", "a b", "b"] {
        assert!(left.iter().any(|left| left.0 == names), "{names:?}");
    }
    for contents in ["12", "12\0\0", "123", "123\0", "1234", "1235"] {
        assert!(
            left.iter().any(|left| left.1 == contents.as_bytes()),
            "{contents:?}"
        );
    }
    for (_, contents) in left {
        assert!(contents.is_empty() || contents.starts_with(b"12"));
    }
}

#[test]
fn operations_fail_when_they_are_told_to() {
    let directory = FaultyDirectory::default();
    directory.fail_after(2, 1);
    let mut file = directory.create("a").unwrap();
    file.write_all(b"whole").unwrap();
    assert!(!directory.has_failed());
    let error = file.write_all(b"half").unwrap_err();
    assert_eq!(
        error.to_string(),
        "operation 2, write 4 bytes, was told to fail"
    );
    assert!(directory.has_failed());
    file.write_all(b"!").unwrap();
    assert_eq!(bytes(&directory, "a").unwrap(), b"wholeha!");
    assert_eq!(directory.operations(), 4);

    directory.stop_after(1);
    directory.list().unwrap();
    assert!(directory.list().is_err());
    assert!(file.write_all(b"half").is_err());
    assert!(directory.open("a").is_err());
    assert_eq!(bytes(&directory, "a").unwrap(), b"wholeha!");
}

#[test]
fn what_a_failed_sync_lost_no_other_brings_back() {
    let directory = FaultyDirectory::default();
    let mut file = directory.create("a").unwrap();
    directory.sync().unwrap();
    file.write_all(b"lost").unwrap();
    directory.fail_after(0, 1);
    assert!(file.sync_data().is_err());
    file.sync_data().unwrap();
    assert_eq!(bytes(&directory.crash(Kept::Nothing), "a").unwrap(), b"");
}

#[test]
fn a_file_is_synced_whoever_wrote_it() {
    let directory = FaultyDirectory::default();
    let mut file = directory.create("a").unwrap();
    directory.sync().unwrap();
    file.write_all(b"kept").unwrap();
    drop(file);
    assert_eq!(bytes(&directory.crash(Kept::Nothing), "a").unwrap(), b"");
    directory.sync_file("a").unwrap();
    assert_eq!(
        bytes(&directory.crash(Kept::Nothing), "a").unwrap(),
        b"kept"
    );
}

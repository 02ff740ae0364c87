//! The numbers of files.

use strata_files::{Directory, FileDirectory, FileNumbers, log_file_name};

#[test]
fn numbers_come_after_those_of_files_that_stay() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = FileDirectory::new(temporary.path());
    assert_eq!(FileNumbers::after(&directory).unwrap().draw().unwrap(), 1);
    for name in ["000004.log", "000006.ldb", "MANIFEST-000009", "CURRENT"] {
        directory.create(name).unwrap();
    }
    // Temporary files are removed, and may have numbers that were made up.
    directory.create("1234567890123456789.dbtmp").unwrap();
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
    let temporary = tempfile::tempdir().unwrap();
    let directory = FileDirectory::new(temporary.path());
    directory.create(&log_file_name(u64::MAX)).unwrap();
    assert!(FileNumbers::after(&directory).unwrap().draw().is_err());
}

#[test]
fn names_that_leveldb_does_not_give_use_up_no_numbers() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = FileDirectory::new(temporary.path());
    for name in [
        "18446744073709551615.txt",
        "000099.ldb.bak",
        "000098 (1).ldb",
        "000097.log.1",
        "000096.",
        "MANIFEST-000095.old",
        "000004.sst",
    ] {
        directory.create(name).unwrap();
    }
    assert_eq!(FileNumbers::after(&directory).unwrap().draw().unwrap(), 5);
}

//! Tables as files: all or nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use strata_dbformat::{BytewiseComparator, ValueType};
use strata_files::table_file_name;
use strata_table::{PendingTable, Table, TableError, TableFile, TableOptions};

use crate::support::{key, small, write};

fn create(directory: &Path) -> TableFile<BytewiseComparator> {
    TableFile::create(directory, BytewiseComparator, TableOptions::default()).unwrap()
}

fn pending(directory: &Path) -> PendingTable {
    let mut table = create(directory);
    for entry in small() {
        table
            .add(entry.internal_key.encode(), &entry.value)
            .unwrap();
    }
    table.finish().unwrap().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_persisted_table_is_whole_and_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(table_file_name(12));
    let pending = pending(directory.path());
    let (expected, expected_summary) =
        write(&small(), BytewiseComparator, &TableOptions::default());
    assert_eq!(
        fs::read(pending.path()).unwrap(),
        expected,
        "complete before it is persisted"
    );
    assert_eq!(*pending.summary(), expected_summary);

    assert_eq!(pending.persist(&path).unwrap(), expected_summary);
    assert_eq!(names(directory.path()), ["000012.ldb"]);
    let file = fs::File::open(&path).unwrap();
    let table = Table::open(file, BytewiseComparator).unwrap();
    assert_eq!(table.verify().unwrap(), expected_summary);
    assert_eq!(table.file_bytes(), path.metadata().unwrap().len());
}

/// LevelDB parses the name as a number and the suffix, and removes such a file when it opens the
/// directory. A name with letters it would leave for ever.
#[test]
fn a_temporary_file_has_a_name_that_leveldb_removes() {
    let directory = tempfile::tempdir().unwrap();
    let tables: Vec<_> = (0..20).map(|_| create(directory.path())).collect();
    let found = names(directory.path());
    assert_eq!(found.len(), tables.len());
    for name in found {
        let number = name.strip_suffix(".dbtmp").unwrap();
        assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
        assert!(number.parse::<u64>().unwrap() >= 10_u64.pow(18), "{name}");
    }
}

#[test]
fn what_is_dropped_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    drop(create(directory.path()));
    assert_eq!(names(directory.path()), [""; 0], "nothing added");
    let mut table = create(directory.path());
    table
        .add(key(b"k", 1, ValueType::Value).encode(), &[0; 10_000])
        .unwrap();
    assert!(table.bytes_written() > 0 && table.entries() == 1);
    drop(table);
    assert_eq!(names(directory.path()), [""; 0], "not finished");
    let pending = pending(directory.path());
    assert_eq!(names(directory.path()).len(), 1);
    drop(pending);
    assert_eq!(names(directory.path()), [""; 0], "not persisted");
}

#[test]
fn a_table_of_nothing_is_no_file() {
    let directory = tempfile::tempdir().unwrap();
    assert!(create(directory.path()).finish().unwrap().is_none());
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(table_file_name(12));
    fs::write(&path, "precious").unwrap();
    let error = pending(directory.path()).persist(&path).unwrap_err();
    let TableError::File {
        source,
        path: named,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(source.kind(), ErrorKind::AlreadyExists);
    assert_eq!(*named, path);
    assert!(
        error.to_string().starts_with("can't move the table to "),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert_eq!(names(directory.path()), ["000012.ldb"]);
}

#[test]
fn a_directory_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let options = TableOptions::default();
    let error = TableFile::create(&missing, BytewiseComparator, options).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    let error = pending(directory.path())
        .persist(missing.join("1.ldb"))
        .unwrap_err();
    assert!(matches!(error, TableError::File { .. }));
    assert_eq!(names(directory.path()), [""; 0]);
}

#[test]
fn wrong_options_make_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let options = TableOptions {
        block_size: 0,
        ..TableOptions::default()
    };
    TableFile::create(directory.path(), BytewiseComparator, options).unwrap_err();
    assert_eq!(names(directory.path()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_file_has_the_mode_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(table_file_name(12));
    pending(directory.path()).persist(&path).unwrap();
    let other = directory.path().join("other");
    fs::write(&other, "").unwrap();
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode(path), mode(other));
}

#[cfg(target_os = "linux")]
#[test]
fn a_pending_table_holds_no_open_file() {
    let directory = tempfile::tempdir().unwrap();
    let open_here = || {
        fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter(|path| path.starts_with(directory.path()))
            .count()
    };
    let writing = create(directory.path());
    assert_eq!(open_here(), 1, "one that is being written does");
    drop(writing);
    let pending: Vec<PendingTable> = (0..5).map(|_| pending(directory.path())).collect();
    assert_eq!((pending.len(), open_here()), (5, 0));
}

//! A directory of the file system. What it has in common with its double is in `testing`.

use std::fs;
use std::io::{ErrorKind, Write};

use strata_files::{Directory, FileDirectory};

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
            directory.rename_new(name, "a"),
            directory.rename_new("there", name),
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
fn what_can_not_be_renamed_is_not_removed() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = FileDirectory::new(temporary.path());
    directory.create("a").unwrap().write_all(b"kept").unwrap();
    fs::create_dir(temporary.path().join("folder")).unwrap();
    let taken = directory.rename_new("a", "folder").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(temporary.path().join("a")).unwrap(), b"kept");
}

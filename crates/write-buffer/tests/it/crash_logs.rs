//! The example's store and its logs: which are synced with which, and those that come back.

use std::collections::BTreeMap;

use strata_files::log_file_name;
use strata_write_batch::WriteBatch;

use crate::crash::Open;
use strata_files::testing::{FaultyDirectory, Kept};

/// A store in an empty directory.
fn new_store() -> (FaultyDirectory, Open) {
    let directory = FaultyDirectory::default();
    let open = Open::new(&directory).unwrap();
    (directory, open)
}

fn put(open: &Open, key: &str, value: &str, is_synced: bool) {
    let mut batch = WriteBatch::new();
    batch.put(key.as_bytes(), value.as_bytes()).unwrap();
    open.store.write(&batch, is_synced).unwrap();
}

fn batch_of_b() -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(b"b", b"value").unwrap();
    batch
}

fn get(open: &Open, key: &str) -> Option<String> {
    let value = open.store.get(key.as_bytes()).unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn logs_that_are_back_bring_nothing_back() {
    let (directory, mut open) = new_store();
    let mut logs = BTreeMap::new();
    let mut note_log = |open: &Open| {
        let name = log_file_name(open.store.buffer().oldest_log());
        logs.insert(name.clone(), directory.contents().remove(&name).unwrap());
    };
    put(&open, "key", "old", false);
    put(&open, "deleted", "old", true);
    note_log(&open);
    open.flush_all();
    put(&open, "key", "new", false);
    let mut batch = WriteBatch::new();
    batch.delete(b"deleted").unwrap();
    open.store.write(&batch, false).unwrap();
    note_log(&open);
    open.flush_all();
    drop(open);

    // As if their removal had not survived a power failure.
    for back in [1, 2] {
        for (log, bytes) in logs.iter().take(back) {
            assert!(!directory.names().contains(log));
            directory.put(log, bytes);
        }
        let open = Open::new(&directory).unwrap();
        assert_eq!(get(&open, "key").as_deref(), Some("new"));
        assert_eq!(get(&open, "deleted"), None);
        let memtables = open.store.buffer().memtables();
        assert_eq!((memtables.len(), memtables[0].entries), (1, 0), "replayed");
        assert_eq!(open.store.buffer().last_sequence().get(), 4);
    }
}

#[test]
fn a_log_that_took_half_a_record_is_synced_with_the_next() {
    let (directory, open) = new_store();
    put(&open, "a", "value", false);
    // The append, and the cut that would take it back.
    directory.fail_after(0, 2);
    open.store.write(&batch_of_b(), true).unwrap_err();
    open.store.flush().unwrap();
    put(&open, "c", "value", true);
    let left = Open::new(&directory.crash(Kept::Nothing)).unwrap();
    let found = ["a", "b", "c"].map(|key| get(&left, key).is_some());
    assert_eq!(found, [true, false, true]);
}

#[test]
fn an_earlier_log_is_synced_although_the_first_to_want_it_failed() {
    let (directory, open) = new_store();
    put(&open, "a", "value", false);
    open.store.flush().unwrap();
    directory.fail_after(0, 1);
    open.store.write(&batch_of_b(), true).unwrap_err();
    put(&open, "c", "value", true);
    let left = Open::new(&directory.crash(Kept::Nothing)).unwrap();
    let found = ["a", "b", "c"].map(|key| get(&left, key).is_some());
    assert_eq!(found, [true, false, true]);
}

#[test]
fn after_a_failed_sync_nothing_is_written_until_the_log_is_replaced() {
    let (directory, open) = new_store();
    directory.fail_after(1, 1);
    let error = open
        .store
        .write(&batch_of_b(), true)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("can't sync the log: operation "),
        "{error}"
    );
    for is_synced in [false, true] {
        let error = open
            .store
            .write(&batch_of_b(), is_synced)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("an earlier sync of the log failed "),
            "{error}"
        );
    }
    open.store.buffer().replace_log().unwrap();
    assert_eq!(get(&open, "b"), None);
    put(&open, "c", "value", true);
    let left = Open::new(&directory.crash(Kept::Nothing)).unwrap();
    assert_eq!(
        ["b", "c"].map(|key| get(&left, key).is_some()),
        [false, true]
    );
}

#[test]
fn what_is_synced_does_not_survive_without_an_earlier_log() {
    let (directory, open) = new_store();
    for (key, is_synced) in [("a", false), ("b", false), ("c", true), ("d", false)] {
        put(&open, key, "value", is_synced);
        open.store.flush().unwrap();
    }
    let left = Open::new(&directory.crash(Kept::Nothing)).unwrap();
    let found = ["a", "b", "c", "d"].map(|key| get(&left, key).is_some());
    assert_eq!(found, [true, true, true, false]);
}

#[test]
fn what_is_synced_does_not_survive_without_what_another_process_left_unsynced() {
    let (directory, open) = new_store();
    put(&open, "a", "value", false);
    open.store.flush().unwrap();
    put(&open, "b", "value", false);
    drop(open);
    let open = Open::new(&directory).unwrap();
    put(&open, "c", "value", true);
    let left = Open::new(&directory.crash(Kept::Nothing)).unwrap();
    let found = ["a", "b", "c"].map(|key| get(&left, key).is_some());
    assert_eq!(found, [true, true, true]);
}

//! Logs in a directory: what fails is taken back, and what was synced is found.

use std::io;
use std::sync::Arc;

use strata_files::{Directory, FileNumbers};
use strata_wal::Reader;
use strata_write_buffer::{DirectoryLogs, FailedStep, Log, LogFailed, Logs};

use strata_files::testing::{FaultyDirectory, Kept};

fn logs(directory: &FaultyDirectory) -> DirectoryLogs {
    let numbers = FileNumbers::after(directory).unwrap();
    DirectoryLogs::new(Arc::new(directory.clone()), Arc::new(numbers))
}

fn created(directory: &FaultyDirectory) -> (u64, Box<dyn Log>) {
    logs(directory).create().unwrap()
}

/// The records of log 1 up to where it ends, or stops making sense.
fn records(directory: &FaultyDirectory) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(directory.open("000001.log").unwrap());
    let mut records = Vec::new();
    while let Some(record) = reader.read_record(&mut |_| {}).unwrap() {
        records.push(record.data.to_vec());
    }
    records
}

/// Small ones, and some that reach into further blocks.
fn record(i: usize) -> Vec<u8> {
    vec![u8::try_from(i).unwrap(); [10, 0, 40_000, 7, 100_000, 3][i % 6]]
}

fn refusal(result: io::Result<()>) -> LogFailed {
    let error = result.unwrap_err();
    let inner = error.get_ref().unwrap();
    inner.downcast_ref::<LogFailed>().unwrap().clone()
}

#[test]
fn a_failed_append_is_taken_back_and_the_log_goes_on() {
    let mut failures = 0;
    for fault in 0.. {
        let directory = FaultyDirectory::default();
        let (number, mut log) = created(&directory);
        assert_eq!(number, 1);
        directory.fail_after(fault, 1);
        let mut appended = Vec::new();
        for i in 0..12 {
            match log.append(&record(i)) {
                Ok(()) => appended.push(record(i)),
                Err(error) => assert!(error.to_string().contains("was told to fail"), "{error}"),
            }
        }
        let left = directory.crash(Kept::Everything);
        assert_eq!(records(&left), appended, "fault {fault}");
        if !directory.has_failed() {
            break;
        }
        failures += 1;
        assert_eq!(appended.len(), 11);
    }
    assert!(failures > 12, "every fragment's write was made to fail");
}

#[test]
fn a_log_that_can_not_take_an_append_back_is_synced_and_takes_no_more() {
    let directory = FaultyDirectory::default();
    let (_, mut log) = created(&directory);
    log.append(&record(0)).unwrap();
    // The write, and the cut that would take it back.
    directory.fail_after(0, 2);
    log.append(&record(2)).unwrap_err();
    let operations = directory.operations();
    let expected = LogFailed {
        name: "000001.log".to_owned(),
        length: 17,
        step: FailedStep::Append,
    };
    assert_eq!(refusal(log.append(b"")), expected);
    assert_eq!(directory.operations(), operations, "nothing more was tried");
    log.sync().unwrap();
    assert_eq!(refusal(log.append(b"")), expected);
    assert_eq!(records(&directory.crash(Kept::Nothing)), [record(0)]);

    directory.fail_after(0, 1);
    log.sync().unwrap_err();
    assert_eq!(refusal(log.sync()).step, FailedStep::Sync);
}

#[test]
fn a_log_whose_sync_failed_refuses_everything_further() {
    // The file's sync, and that of its name.
    for fault in 0..2 {
        let directory = FaultyDirectory::default();
        let (_, mut log) = created(&directory);
        log.append(&record(0)).unwrap();
        directory.fail_after(fault, 1);
        log.sync().unwrap_err();
        for result in [log.append(b""), log.sync()] {
            let failed = refusal(result);
            assert_eq!((failed.step, failed.length), (FailedStep::Sync, 17));
            assert_eq!(
                failed.to_string(),
                "000001.log takes no more records: a sync failed, so how much of its 17 bytes \
                 would survive a power failure is unknown"
            );
        }
    }
}

/// Appends records, some of them synced. Returns those that were appended, and how many of them
/// are known to be synced.
fn written(directory: &FaultyDirectory) -> (Vec<Vec<u8>>, usize) {
    let numbers = Arc::new(FileNumbers::starting_at(1));
    let mut logs = DirectoryLogs::new(Arc::new(directory.clone()), numbers);
    let (mut appended, mut synced) = (Vec::new(), 0);
    let Ok((_, mut log)) = logs.create() else {
        return (appended, synced);
    };
    for i in 0..12 {
        if log.append(&record(i)).is_ok() {
            appended.push(record(i));
        }
        if i % 3 == 1 && log.sync().is_ok() {
            synced = appended.len();
        }
    }
    (appended, synced)
}

#[test]
fn what_was_synced_survives_a_power_failure_at_every_operation() {
    // The machine dies at the fault, or goes on after it and dies later.
    for times in [u64::MAX, 1] {
        for fault in 0.. {
            let directory = FaultyDirectory::default();
            directory.fail_after(fault, times);
            let (appended, synced) = written(&directory);
            let kept = (0..10).map(Kept::Some);
            for kept in kept.chain([Kept::Nothing, Kept::Everything]) {
                let left = directory.crash(kept);
                let found = match left.names().is_empty() {
                    true => Vec::new(),
                    false => records(&left),
                };
                let what = format!("fault {fault}, {times} times, {kept:?}");
                assert!(found.len() >= synced, "{what}");
                assert!(appended.starts_with(&found), "{what}");
            }
            if !directory.has_failed() {
                assert_eq!((appended.len(), synced), (12, 11));
                break;
            }
        }
    }
}

#[test]
fn a_log_that_is_there_is_not_written_over() {
    let directory = FaultyDirectory::default();
    let mut logs = logs(&directory);
    directory.put("000001.log", b"somebody else's");
    let error = logs.create().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(logs.create().unwrap().0, 2);
    assert_eq!(directory.contents()["000001.log"], b"somebody else's");
}

#[test]
fn logs_that_are_never_synced_sync_no_names() {
    let directory = FaultyDirectory::default();
    let (_, mut log) = created(&directory);
    let before = directory.operations();
    log.append(b"record").unwrap();
    assert_eq!(directory.operations() - before, 1, "the write");
    log.sync().unwrap();
    assert_eq!(
        directory.operations() - before,
        3,
        "the file's and the name's"
    );
    log.sync().unwrap();
    assert_eq!(directory.operations() - before, 4, "the name's only once");
}

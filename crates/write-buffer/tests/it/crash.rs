//! The example's store, stopped after any operation: what is there when the power is back.

use std::collections::BTreeMap;
use std::sync::Arc;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_files::{Directory, FileKind, parse_file_name};
use strata_table::{SeekLock, Table, TableCursor};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{InternalCursor, LogAction, WriteBufferOptions, WriteError};

use crate::example::{Result, Sink, Store};
use strata_files::testing::{FaultyDirectory, Kept};

/// What a batch does: keys, and values or that they are deleted.
type Operations = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What the store is put through: `w` writes a batch, `s` writes one and syncs it, `l` writes a
/// large one, of which three fill a memtable; `z` freezes, `f` flushes the oldest memtable; `r`
/// ends the process, and another one opens the store.
///
/// There are synced and unsynced logs in every order, memtables that are recovered, full ones among
/// them, and flushes with and without others that wait.
const PROGRAM: &str = "rwswz wsz fwf szw rwsf wzwff llwllslw rwf szfw rzfw";

fn operations(number: usize) -> Operations {
    let left = number * 37 % 101;
    let length = if number % 2 == LARGE { 24_000 } else { number };
    let value = vec![number.to_le_bytes()[0]; length];
    let text = |number: usize| Some(number.to_string().into_bytes());
    vec![
        (b"number".to_vec(), text(number)),
        (b"left".to_vec(), text(left)),
        (
            format!("key{}", number % 5).into_bytes(),
            (!number.is_multiple_of(3)).then_some(value),
        ),
        (b"right".to_vec(), text(100 - left)),
    ]
}

/// The last bit of the numbers of large batches.
const LARGE: usize = 1;

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Written {
        last: SequenceNumber,
        log: u64,
    },
    /// Nobody may ever see any of it.
    Refused,
    /// Its sync failed: a recovery may find it.
    Unsure,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    number: usize,
    is_synced: bool,
    outcome: Outcome,
}

impl Attempt {
    fn is_written(&self) -> bool {
        matches!(self.outcome, Outcome::Written { .. })
    }
}

/// A store that is open, with what flushes it on this thread.
pub(crate) struct Open {
    pub(crate) store: Store,
    sink: Sink,
}

impl Open {
    pub(crate) fn new(directory: &FaultyDirectory) -> Result<Self> {
        let options = WriteBufferOptions {
            write_buffer_size: 64 << 10,
            max_write_buffers: 16,
            ..WriteBufferOptions::default()
        };
        let (store, sink) = Store::recover(Arc::new(directory.clone()), options, &mut |_| {})?;
        Ok(Self { store, sink })
    }

    fn write(&self, number: usize, is_synced: bool) -> (Attempt, Result<()>) {
        let mut batch = WriteBatch::new();
        for (key, value) in operations(number) {
            match value {
                Some(value) => batch.put(&key, &value).unwrap(),
                None => batch.delete(&key).unwrap(),
            }
        }
        let result = self.store.write(&batch, is_synced);
        let error = result.as_ref().err();
        let outcome = match error.map(|error| error.downcast_ref::<WriteError>().unwrap()) {
            None => Outcome::Written {
                last: self.store.buffer().last_sequence(),
                log: self.store.buffer().memtables()[0].log_number,
            },
            Some(WriteError::Log {
                action: LogAction::Sync,
                ..
            }) => Outcome::Unsure,
            Some(_) => Outcome::Refused,
        };
        if result.is_err() {
            let seen = self.store.get(b"number").unwrap();
            assert_ne!(
                seen,
                Some(number.to_string().into_bytes()),
                "it was refused"
            );
        }
        let attempt = Attempt {
            number,
            is_synced,
            outcome,
        };
        (attempt, result)
    }

    pub(crate) fn flush_all(&mut self) {
        self.store.flush().unwrap();
        while self
            .store
            .buffer()
            .flush_oldest(&mut self.sink)
            .unwrap()
            .is_some()
        {}
    }
}

/// The program under way.
struct Run {
    directory: FaultyDirectory,
    open: Option<Open>,
    attempts: Vec<Attempt>,
    /// All logs with smaller numbers are in tables.
    flushed_before: u64,
    /// How many attempts there had been when a sync failed: of what they left in logs nobody knows
    /// whether it survives a power failure before it is in tables.
    failed_syncs: Vec<usize>,
}

impl Run {
    fn new(directory: FaultyDirectory) -> Self {
        Self {
            directory,
            open: None,
            attempts: Vec::new(),
            flushed_before: 0,
            failed_syncs: Vec::new(),
        }
    }

    /// Runs the program until a step fails.
    fn until_failure(directory: FaultyDirectory) -> Self {
        let mut run = Self::new(directory);
        let _ = PROGRAM.chars().try_for_each(|step| run.take(step));
        run
    }

    /// Runs the whole program, whatever fails.
    fn through_failures(directory: FaultyDirectory) -> Self {
        let mut run = Self::new(directory);
        let mut failed_before = false;
        for step in PROGRAM.chars() {
            let failed = run.take(step).is_err();
            while run.open.is_none() {
                let _ = run.take('r');
            }
            if matches!(step, 'w' | 's' | 'l') {
                if failed && failed_before {
                    let _ = run.open().store.buffer().replace_log();
                }
                failed_before = failed;
            }
        }
        run
    }

    fn open(&self) -> &Open {
        self.open.as_ref().unwrap()
    }

    fn take(&mut self, step: char) -> Result<()> {
        match step {
            'w' => self.write(0, false),
            's' => self.write(0, true),
            'l' => self.write(LARGE, false),
            'z' => self.open().store.flush(),
            'f' => {
                let Open { store, sink } = self.open.as_mut().unwrap();
                if let Some(flushed) = store.buffer().flush_oldest(sink)? {
                    self.flushed_before = flushed.logs_before;
                }
                Ok(())
            }
            'r' => {
                self.open = None;
                let opened = Open::new(&self.directory);
                self.failed_syncs
                    .extend(opened.is_err().then_some(self.attempts.len()));
                self.open = Some(opened?);
                Ok(())
            }
            ' ' => Ok(()),
            _ => unreachable!("{step} is no step"),
        }
    }

    fn write(&mut self, size: usize, is_synced: bool) -> Result<()> {
        let number = 2 * self.attempts.len() + 2 + size;
        let (attempt, result) = self.open().write(number, is_synced);
        self.attempts.push(attempt);
        if attempt.outcome == Outcome::Unsure {
            self.failed_syncs.push(self.attempts.len());
        }
        result
    }

    /// Whether an attempt that was written must be there whatever of the unsynced is lost: it is in
    /// a table, or it or a later one was synced.
    fn is_durable(&self, index: usize, log: u64) -> bool {
        let failed = self.failed_syncs.iter().find(|&&failed| index < failed);
        let later = index..failed.copied().unwrap_or(self.attempts.len());
        let mut later = self.attempts[later].iter();
        log < self.flushed_before || later.any(|later| later.is_synced && later.is_written())
    }

    /// Compares what there is with what was promised.
    fn check(&self, there: &There, kept: Kept, what: &str) {
        let mut lost_of = None;
        for (i, attempt) in self.attempts.iter().enumerate() {
            let found = there.batches.get(&attempt.number);
            match (attempt.outcome, found) {
                (Outcome::Written { last, log }, Some(&found)) => {
                    assert_eq!(found, last, "{what}: {attempt:?}");
                    assert_ne!(lost_of, Some(log), "{what}: a hole before {attempt:?}");
                }
                (Outcome::Written { log, .. }, None) => {
                    let may_be_lost = !matches!(kept, Kept::Everything) && !self.is_durable(i, log);
                    assert!(may_be_lost, "{what}: {attempt:?} is lost: {there:?}");
                    lost_of = Some(log);
                }
                (Outcome::Refused, found) => assert_eq!(found, None, "{what}: {attempt:?}"),
                (Outcome::Unsure, _) => {}
            }
        }
    }

    /// Compares what the store that is open has with what was promised.
    fn check_open(&self, what: &str) {
        let there = There::of(self.open(), &self.directory);
        self.check(&there, Kept::Everything, what);
    }
}

/// What a store has.
#[derive(Debug, PartialEq, Eq)]
struct There {
    /// The last sequence number of each batch, by the batch's number.
    batches: BTreeMap<usize, SequenceNumber>,
}

impl There {
    /// Looks at the versions in memtables and tables: there are whole batches, in their order.
    /// Then looks at what is visible: it is what these batches leave.
    fn of(open: &Open, directory: &FaultyDirectory) -> Self {
        let versions = versions(open, directory);
        let mut batches = BTreeMap::new();
        let mut model = BTreeMap::new();
        let mut rest = versions.iter();
        while let Some((&first, (key, value))) = rest.next() {
            assert_eq!(key, b"number", "half of a batch, from {first} on");
            let text = String::from_utf8(value.clone().unwrap()).unwrap();
            let number: usize = text.parse().unwrap();
            let operations = operations(number);
            let mut last = first;
            for operation in &operations[1..] {
                last += 1;
                assert_eq!(rest.next(), Some((&last, operation)), "of batch {number}");
            }
            if let Some((&before, _)) = batches.last_key_value() {
                assert!(before < number, "{number} after {before}");
            }
            batches.insert(number, SequenceNumber::new(last).unwrap());
            for (key, value) in operations {
                match value {
                    Some(value) => drop(model.insert(key, value)),
                    None => drop(model.remove(&key)),
                }
            }
        }
        check_visible(&open.store, model);
        Self { batches }
    }
}

/// Every version by its sequence number, with what it says of which key. One that is in several
/// places says the same everywhere.
fn versions(open: &Open, directory: &FaultyDirectory) -> BTreeMap<u64, (Vec<u8>, Option<Vec<u8>>)> {
    let mut versions = BTreeMap::new();
    let tables = directory
        .names()
        .into_iter()
        .filter(|name| matches!(parse_file_name(name), Some((_, FileKind::Table))));
    let tables = tables.map(|name| {
        let file = directory.open(&name).unwrap();
        let table = Table::open(SeekLock::new(file), BytewiseComparator).unwrap();
        TableCursor::new(Arc::new(table))
    });
    for table in tables {
        collect(table, &mut versions);
    }
    let memtables = open.store.buffer().view().internal_cursor(..);
    collect(memtables, &mut versions);
    versions
}

fn collect<E: std::fmt::Debug>(
    mut cursor: impl InternalCursor<Error = E>,
    versions: &mut BTreeMap<u64, (Vec<u8>, Option<Vec<u8>>)>,
) {
    cursor.seek_to_first().unwrap();
    while let Some(entry) = cursor.entry() {
        let value = (!entry.is_tombstone()).then(|| entry.value.to_vec());
        let version = (entry.user_key.to_vec(), value);
        let sequence = entry.sequence().get();
        if let Some(other) = versions.insert(sequence, version.clone()) {
            assert_eq!(other, version, "two things at {sequence}");
        }
        cursor.next().unwrap();
    }
}

fn check_visible(store: &Store, model: BTreeMap<Vec<u8>, Vec<u8>>) {
    for key in [
        "left", "right", "number", "key0", "key1", "key2", "key3", "key4", "absent",
    ] {
        let expected = model.get(key.as_bytes()).cloned();
        assert_eq!(store.get(key.as_bytes()).unwrap(), expected, "{key}");
    }
    let mut expected: Vec<_> = model.into_iter().collect();
    let mut scan = store.scan(..).unwrap();
    let mut found = Vec::new();
    scan.seek_to_first().unwrap();
    while let Some(entry) = scan.entry() {
        found.push((entry.user_key.to_vec(), entry.value.to_vec()));
        scan.next().unwrap();
    }
    assert!(found == expected, "forward");
    found.clear();
    expected.reverse();
    scan.seek_to_last().unwrap();
    while let Some(entry) = scan.entry() {
        found.push((entry.user_key.to_vec(), entry.value.to_vec()));
        scan.prev().unwrap();
    }
    assert!(found == expected, "backward");
}

/// Opens what a power failure has left, and looks at it; a second time, too; then goes on with it.
fn reopen(left: &FaultyDirectory, what: &str) -> There {
    let open = Open::new(left).unwrap_or_else(|error| panic!("{what}: {error}"));
    let there = There::of(&open, left);
    drop(open);
    let mut open = Open::new(left).unwrap();
    assert_eq!(There::of(&open, left), there, "{what}: the second time");

    // What is synced now does not survive without what was there before.
    let last = there.batches.values().max().copied();
    let number = there
        .batches
        .last_key_value()
        .map_or(2, |(last, _)| last / 2 * 2 + 2);
    let (attempt, result) = open.write(number, true);
    result.unwrap();
    let Outcome::Written { last: next, .. } = attempt.outcome else {
        unreachable!("it was written");
    };
    assert!(
        last.is_none_or(|last| last.get() + 4 <= next.get()),
        "{what}"
    );
    let mut more = There {
        batches: there.batches.clone(),
    };
    more.batches.insert(number, next);
    let again = left.crash(Kept::Nothing);
    let opened_again = Open::new(&again).unwrap();
    assert_eq!(
        There::of(&opened_again, &again),
        more,
        "{what}: and once more"
    );

    open.flush_all();
    assert_eq!(There::of(&open, left), more, "{what}: flushed");
    there
}

/// How many operations the whole program is.
fn operations_of_all() -> u64 {
    let run = Run::until_failure(FaultyDirectory::default());
    assert!(run.attempts.len() > 20 && run.failed_syncs.is_empty());
    run.check_open("nothing failed");
    run.directory.operations()
}

#[test]
fn a_store_that_stops_after_any_operation_keeps_its_promises() {
    for stop in 0..=operations_of_all() {
        let directory = FaultyDirectory::default();
        directory.stop_after(stop);
        let run = Run::until_failure(directory.clone());
        let chances = (0..2).map(|seed| Kept::Some(stop * 2 + seed));
        for kept in [Kept::Nothing, Kept::Everything].into_iter().chain(chances) {
            let what = format!("stopped after {stop}, {kept:?}");
            run.check(&reopen(&directory.crash(kept), &what), kept, &what);
        }
        // The process ends, and the machine goes on.
        directory.fail_after(0, 0);
        let what = format!("stopped after {stop}");
        run.check(&reopen(&directory, &what), Kept::Everything, &what);
    }
}

#[test]
fn a_recovery_that_stops_after_any_operation_changes_nothing() {
    for stop in 0..=operations_of_all() {
        let directory = FaultyDirectory::default();
        directory.stop_after(stop);
        let _ = Run::until_failure(directory.clone());
        let kept = match stop % 4 {
            0 => Kept::Nothing,
            1 => Kept::Everything,
            _ => Kept::Some(stop),
        };
        let left = directory.crash(kept);
        let expected = {
            let copy = left.crash(Kept::Everything);
            There::of(&Open::new(&copy).unwrap(), &copy)
        };
        for stop_again in 0.. {
            let copy = left.crash(Kept::Everything);
            copy.stop_after(stop_again);
            let is_whole = Open::new(&copy).is_ok();
            copy.fail_after(0, 0);
            let what = format!("{kept:?} after {stop}, and again after {stop_again}");
            let kept_of_it = [Kept::Nothing, Kept::Everything, Kept::Some(stop_again)];
            for left in kept_of_it
                .map(|kept| copy.crash(kept))
                .iter()
                .chain([&copy])
            {
                let there = There::of(&Open::new(left).unwrap(), left);
                assert_eq!(there, expected, "{what}");
            }
            if is_whole {
                break;
            }
        }
    }
}

#[test]
fn a_store_goes_on_after_operations_that_fail() {
    for first in 0..operations_of_all() {
        for times in 1..=2 {
            let directory = FaultyDirectory::default();
            directory.fail_after(first, times);
            let mut run = Run::through_failures(directory.clone());
            directory.fail_after(0, 0);
            let what = format!("{times} failed after {first}");
            run.check_open(&what);
            run.open = None;
            let refused = run.attempts.iter().filter(|attempt| !attempt.is_written());
            assert!(refused.count() <= 4, "{what}: {:?}", run.attempts);
            for kept in [Kept::Nothing, Kept::Some(first)] {
                let (left, what) = (directory.crash(kept), format!("{what}, {kept:?}"));
                let there = There::of(&Open::new(&left).unwrap(), &left);
                run.check(&there, kept, &what);
            }
            run.check(&reopen(&directory, &what), Kept::Everything, &what);
        }
    }
}

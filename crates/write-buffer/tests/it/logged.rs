//! Writers with a log: who is appended with whom, what is synced when, and what failures leave.

use std::thread;
use std::time::Duration;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::Lookup;
use strata_write_batch::{WriteBatch, WriteBatchView};
use strata_write_buffer::{
    LogAction, Wait, WriteBuffer, WriteBufferOptions, WriteError, WriteOptions,
};

use crate::concurrent::must_end;
use crate::memory_logs::{Event, Fate, MemoryLogs};

const ROOMY: usize = 64 << 20;

fn roomy() -> WriteBufferOptions {
    WriteBufferOptions {
        write_buffer_size: ROOMY,
        max_write_buffers: 8,
        ..WriteBufferOptions::default()
    }
}

const SYNC: WriteOptions = WriteOptions {
    sync: true,
    wait: Wait::Forever,
};

fn put(key: &[u8], value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(key, value).unwrap();
    batch
}

/// A batch of one record that takes so many bytes in a log.
fn batch_of(key: u8, bytes: usize) -> WriteBatch {
    let mut length = bytes;
    loop {
        let batch = put(&[key], &vec![key; length]);
        match batch.approximate_size().checked_sub(bytes) {
            Some(0) => return batch,
            Some(excess) => length -= excess,
            None => panic!("no batch takes {bytes} bytes"),
        }
    }
}

/// What somebody in the queue asks for.
#[derive(Clone, Debug)]
enum Ask {
    Write(WriteBatch, WriteOptions),
    Freeze,
}

impl Ask {
    fn of_size(key: u8, bytes: usize) -> Self {
        Self::Write(batch_of(key, bytes), WriteOptions::default())
    }

    fn small(key: u8) -> Self {
        Self::of_size(key, 40)
    }

    fn synced(key: u8) -> Self {
        Self::Write(batch_of(key, 40), SYNC)
    }
}

type Written = Result<Option<SequenceNumber>, WriteError>;

/// Lets `asked` queue up behind a write that is held in its append, each `pause` after the one
/// before, and says what becomes of each.
fn queue_up(
    logs: &MemoryLogs,
    buffer: &WriteBuffer<BytewiseComparator>,
    asked: &[Ask],
    pause: Duration,
) -> Vec<thread::Result<Written>> {
    logs.hold();
    thread::scope(|scope| {
        let first = scope.spawn(|| buffer.put(b"first", b""));
        logs.wait_until_held();
        let mut others = Vec::new();
        for ask in asked {
            others.push(scope.spawn(move || match ask {
                Ask::Write(batch, options) => buffer.write_with(batch, *options).map(Some),
                Ask::Freeze => buffer.freeze(Wait::Forever).map(|_| None),
            }));
            // Nothing tells that somebody is in the queue. If this is too short, what comes out is
            // something else than expected, and it is tried again with a longer one.
            thread::sleep(pause);
        }
        logs.release();
        first.join().unwrap().unwrap();
        others.into_iter().map(|other| other.join()).collect()
    })
}

/// The pauses that are tried: for something that nothing tells, each longer than the one before.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    (0..9).map(|doublings| Duration::from_millis(1 << doublings))
}

/// Asserts that what queues up is logged in these groups, given as the keys in each record; and is
/// synced where `!` says so. `|` is another log.
#[track_caller]
fn assert_groups(asked: &[Ask], expected: &str) {
    let mut found = String::new();
    for pause in pauses() {
        let logs = MemoryLogs::default();
        let buffer = logs.buffer_after(7, roomy());
        let written = queue_up(&logs, &buffer, asked, pause);
        found = described(&logs.take_events()[2..]);
        for (ask, written) in asked.iter().zip(written) {
            let (written, Ask::Write(batch, _)) = (written.unwrap().unwrap(), ask) else {
                continue;
            };
            let key = batch
                .operations()
                .next()
                .map(|record| record.unwrap().user_key().to_vec());
            let seen = key.and_then(|key| buffer.get(&key, SequenceNumber::MAX));
            assert_eq!(seen.map(|entry| entry.entry().sequence()), written);
        }
        if found == expected {
            return;
        }
    }
    assert_eq!(found, expected);
}

fn described(events: &[Event]) -> String {
    let mut described = Vec::new();
    let mut next = None;
    for event in events {
        match event {
            Event::Created(_) => described.push("|".to_owned()),
            Event::Synced(_) => described.push("!".to_owned()),
            Event::Appended(_, record) => {
                let record = WriteBatchView::new(record).unwrap();
                let first = record.sequence().unwrap().get();
                assert_eq!(
                    *next.get_or_insert(first),
                    first,
                    "sequence numbers are consecutive"
                );
                next = Some(first + u64::from(record.count()));
                let operations = record.operations().map(Result::unwrap);
                let keys = operations.map(|operation| char::from(operation.user_key()[0]));
                described.push(keys.collect());
            }
        }
    }
    described.join(" ")
}

#[test]
fn small_writes_that_wait_are_logged_together() {
    let asked: Vec<_> = (b'a'..=b'h').map(Ask::small).collect();
    assert_groups(&asked, "abcdefgh");
}

/// LevelDB: with a first batch of at most 128 KiB, others up to 128 KiB more.
#[test]
fn a_small_first_batch_takes_in_128_kib_more() {
    let size = 128 << 10;
    let exactly = [
        Ask::of_size(b'a', 50),
        Ask::of_size(b'b', size - 50),
        Ask::of_size(b'c', 50),
    ];
    assert_groups(&exactly, "abc");
    let one_more = [
        Ask::of_size(b'a', 50),
        Ask::of_size(b'b', size - 49),
        Ask::of_size(b'c', 50),
    ];
    assert_groups(&one_more, "ab c");
    let two = [
        Ask::of_size(b'a', size),
        Ask::of_size(b'b', size),
        Ask::small(b'c'),
    ];
    assert_groups(&two, "ab c");
}

/// LevelDB: otherwise, up to 1 MiB with its own.
#[test]
fn a_larger_first_batch_takes_in_up_to_a_mebibyte() {
    let large = (128 << 10) + 1;
    let left = (1 << 20) - large;
    let exactly = [
        Ask::of_size(b'a', large),
        Ask::of_size(b'b', left),
        Ask::small(b'c'),
    ];
    assert_groups(&exactly, "ab c");
    let one_more = [
        Ask::of_size(b'a', large),
        Ask::of_size(b'b', left + 1),
        Ask::small(b'c'),
    ];
    assert_groups(&one_more, "a bc");
}

#[test]
fn nobody_is_taken_in_before_who_came_earlier() {
    let asked = [
        Ask::small(b'a'),
        Ask::of_size(b'b', 200 << 10),
        Ask::small(b'c'),
    ];
    assert_groups(&asked, "a bc");
}

#[test]
fn who_wants_a_sync_does_not_join_who_does_not() {
    assert_groups(
        &[Ask::small(b'a'), Ask::synced(b'b'), Ask::small(b'c')],
        "a bc !",
    );
    assert_groups(
        &[Ask::synced(b'a'), Ask::small(b'b'), Ask::synced(b'c')],
        "abc !",
    );
}

#[test]
fn who_freezes_parts_those_before_from_those_after() {
    let asked = [
        Ask::small(b'a'),
        Ask::small(b'b'),
        Ask::Freeze,
        Ask::small(b'c'),
    ];
    assert_groups(&asked, "ab | c");
}

/// Whatever a group with an empty batch in it shows afterwards, it is no less than before.
#[test]
fn an_empty_batch_among_others_takes_nothing_back() {
    must_end(write_beside_empty_batches);
}

fn write_beside_empty_batches() {
    let logs = MemoryLogs::default();
    let buffer = logs.buffer(roomy());
    let empty = Ask::Write(WriteBatch::new(), SYNC);
    let asked = [b'a', b'b', b'c'].map(|key| [Ask::synced(key), empty.clone()]);
    for round in 1..=40 {
        let written = queue_up(
            &logs,
            &buffer,
            asked.as_flattened(),
            Duration::from_micros(300),
        );
        for written in written {
            assert!(written.unwrap().unwrap() <= Some(buffer.last_sequence()));
        }
        // What was first, and three more.
        assert_eq!(buffer.last_sequence().get(), 4 * round);
    }
}

#[test]
fn a_group_whose_append_fails_is_refused_as_a_whole() {
    let asked = [b'a', b'b', b'c'].map(Ask::small);
    for pause in pauses() {
        let logs = MemoryLogs::default();
        let buffer = logs.buffer(roomy());
        logs.next_append(Fate::Well);
        logs.fail_append();
        let written = queue_up(&logs, &buffer, &asked, pause);
        let refused = |written: &thread::Result<Written>| {
            matches!(
                written,
                Ok(Err(WriteError::Log {
                    action: LogAction::Append,
                    ..
                }))
            )
        };
        if !written.iter().all(refused) {
            // Some came too late to be in it.
            continue;
        }
        let view = buffer.view();
        assert_eq!(view.get_many(&[b"a", b"b", b"c"]), [Lookup::Absent; 3]);
        // Nobody gets the numbers that were theirs.
        assert_eq!(buffer.put(b"d", b"").unwrap().get(), 1 + 3 + 1);
        assert_eq!(logs.replayed().into_keys().collect::<Vec<_>>(), [1, 5]);
        assert_eq!(buffer.memtables()[0].entries, 2);
        return;
    }
    panic!("they never were in one group");
}

#[test]
fn a_group_whose_log_panics_is_refused() {
    must_end(panic_in_the_log);
}

fn panic_in_the_log() {
    let asked = [b'a', b'b', b'c'].map(Ask::small);
    for pause in pauses() {
        let logs = MemoryLogs::default();
        let buffer = logs.buffer(roomy());
        logs.next_append(Fate::Well);
        logs.next_append(Fate::Panics);
        let written = queue_up(&logs, &buffer, &asked, pause);
        let (panicked, refused): (Vec<_>, Vec<_>) = written.into_iter().partition(Result::is_err);
        assert_eq!(panicked.len(), 1);
        for refused in refused {
            assert!(
                matches!(refused, Ok(Err(WriteError::Poisoned))),
                "{refused:?}"
            );
        }
        assert!(matches!(buffer.put(b"d", b""), Err(WriteError::Poisoned)));
        assert_eq!(buffer.last_sequence().get(), 1);
        assert_eq!(
            buffer.view().get_many(&[&b"first"[..], b"a"]),
            [Lookup::Value(b""), Lookup::Absent]
        );
        if logs.lost() == 3 {
            return;
        }
    }
    panic!("they never were in one group");
}

#[test]
fn a_failed_sync_ends_writing_until_the_log_is_replaced() {
    let logs = MemoryLogs::default();
    let buffer = logs.buffer(roomy());
    buffer.put(b"before", b"").unwrap();
    logs.next_sync(Fate::Fails);
    let failed = buffer.write_with(&put(b"unsure", b""), SYNC);
    assert!(matches!(
        failed,
        Err(WriteError::Log {
            action: LogAction::Sync,
            ..
        })
    ));
    for options in [WriteOptions::default(), SYNC] {
        let refused = buffer.write_with(&put(b"later", b""), options);
        assert!(
            matches!(refused, Err(WriteError::LogFailed { .. })),
            "{refused:?}"
        );
    }
    let refused = buffer.write_with(&WriteBatch::new(), SYNC);
    assert!(
        matches!(refused, Err(WriteError::LogFailed { .. })),
        "{refused:?}"
    );
    logs.fail_create();
    assert!(matches!(
        buffer.replace_log(),
        Err(WriteError::Log {
            action: LogAction::Create,
            ..
        })
    ));
    assert!(matches!(
        buffer.put(b"later", b""),
        Err(WriteError::LogFailed { .. })
    ));

    logs.take_events();
    buffer.replace_log().unwrap();
    let last = buffer.write_with(&put(b"after", b""), SYNC).unwrap();
    assert!(
        last.get() > 2,
        "the record that was not synced may be found"
    );
    // What failed is not synced any more: it is flushed.
    let events = logs.take_events();
    assert_eq!(described(&events), "| a !");
    assert_eq!(events.last(), Some(&Event::Synced(6)));
    let found = [
        Lookup::Value(b""),
        Lookup::Absent,
        Lookup::Absent,
        Lookup::Value(b""),
    ];
    assert_eq!(
        buffer
            .view()
            .get_many(&[&b"before"[..], b"unsure", b"later", b"after"]),
        found
    );
    let numbers: Vec<_> = buffer
        .memtables()
        .iter()
        .map(|memtable| memtable.log_number)
        .collect();
    assert_eq!(numbers, [6, 3]);
}

/// A buffer with a record that is not synced in each of two logs, the second of them the current.
fn with_unsynced(logs: &MemoryLogs) -> WriteBuffer<BytewiseComparator> {
    let buffer = logs.buffer(roomy());
    buffer.put(b"a", b"").unwrap();
    buffer.freeze(Wait::Never).unwrap();
    buffer.put(b"b", b"").unwrap();
    logs.take_events();
    buffer
}

fn syncs(logs: &MemoryLogs) -> Vec<u64> {
    let events = logs.take_events().into_iter();
    let syncs = events.filter_map(|event| match event {
        Event::Synced(number) => Some(number),
        Event::Created(_) | Event::Appended(..) => None,
    });
    syncs.collect()
}

#[test]
fn earlier_logs_are_synced_before_the_current_one() {
    let logs = MemoryLogs::default();
    let buffer = with_unsynced(&logs);
    buffer.freeze(Wait::Never).unwrap();
    buffer.write_with(&put(b"c", b""), SYNC).unwrap();
    assert_eq!(syncs(&logs), [3, 6, 9]);
    // Once is enough.
    buffer.write_with(&put(b"d", b""), SYNC).unwrap();
    assert_eq!(syncs(&logs), [9]);
    // One that was synced when it was frozen needs none.
    buffer.freeze(Wait::Never).unwrap();
    buffer.write_with(&put(b"e", b""), SYNC).unwrap();
    assert_eq!(syncs(&logs), [12]);
}

#[test]
fn the_log_of_a_flushed_memtable_is_not_synced() {
    let logs = MemoryLogs::default();
    let buffer = with_unsynced(&logs);
    assert_eq!(buffer.begin_flush().unwrap().finish().logs_before, 6);
    buffer.write_with(&put(b"c", b""), SYNC).unwrap();
    assert_eq!(syncs(&logs), [6]);
}

#[test]
fn earlier_logs_are_synced_though_an_append_failed_before() {
    let logs = MemoryLogs::default();
    let buffer = with_unsynced(&logs);
    logs.fail_append();
    buffer.write_with(&put(b"c", b""), SYNC).unwrap_err();
    assert_eq!(syncs(&logs), []);
    buffer.write_with(&put(b"c", b""), SYNC).unwrap();
    assert_eq!(syncs(&logs), [3, 6]);
}

/// A log that refuses appends for ever is replaced, and what it holds is synced all the same.
#[test]
fn logs_are_synced_though_one_was_replaced_that_had_not_failed() {
    let logs = MemoryLogs::default();
    let buffer = with_unsynced(&logs);
    buffer.replace_log().unwrap();
    buffer.write_with(&put(b"c", b""), SYNC).unwrap();
    assert_eq!(syncs(&logs), [3, 6, 9]);
}

#[test]
fn a_failed_sync_of_an_earlier_log_ends_writing_too() {
    for fails in 0..3 {
        let logs = MemoryLogs::default();
        let buffer = with_unsynced(&logs);
        buffer.freeze(Wait::Never).unwrap();
        (0..fails).for_each(|_| logs.next_sync(Fate::Well));
        logs.next_sync(Fate::Fails);
        buffer.write_with(&put(b"c", b""), SYNC).unwrap_err();
        assert_eq!(syncs(&logs), [3, 6, 9][..fails]);
        assert!(matches!(
            buffer.put(b"d", b""),
            Err(WriteError::LogFailed { .. })
        ));
    }
}

#[test]
fn an_empty_batch_syncs_what_was_written_before() {
    let logs = MemoryLogs::default();
    let buffer = with_unsynced(&logs);
    let sync = || {
        let last = buffer.write_with(&WriteBatch::new(), SYNC).unwrap();
        assert_eq!(last, buffer.last_sequence());
        described(&logs.take_events())
    };
    assert_eq!(sync(), "! !");
    assert_eq!(sync(), "", "all is synced");
    buffer.put(b"c", b"").unwrap();
    buffer.freeze(Wait::Never).unwrap();
    assert_eq!(described(&logs.take_events()), "c |");
    assert_eq!(sync(), "!", "the new log is empty");
    assert_eq!(buffer.freeze(Wait::Never).unwrap(), None, "it is no write");
    assert_eq!(
        buffer.write(&WriteBatch::new()).unwrap(),
        buffer.last_sequence()
    );
    assert_eq!(logs.take_events(), []);
    assert_eq!(logs.created(), 3);
}

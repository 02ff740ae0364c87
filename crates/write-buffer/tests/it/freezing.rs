//! When a memtable becomes immutable, and what becomes of its log.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use strata_dbformat::SequenceNumber;
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    AdviceOptions, FlushReason, LogAction, StallCause, Wait, WriteBufferOptions, WriteError,
};

use crate::scripted::{
    Buffer, Event, NEVER, SMALL, SYNC, Script, batch, both, flush, logged, numbers, small,
};

fn entries(buffer: &Buffer) -> Vec<u64> {
    let memtables = buffer.memtables();
    memtables.iter().map(|memtable| memtable.entries).collect()
}

fn has(buffer: &Buffer, key: &[u8]) -> bool {
    buffer.get(key, SequenceNumber::MAX).is_some()
}

/// LevelDB's rule: it has taken more than it may, not as much.
#[test]
fn the_write_after_it_has_taken_more_than_its_size_freezes_a_memtable() {
    for buffer in both(&small()) {
        for i in 0..300_u32 {
            let before = buffer.memory().reserved_bytes;
            buffer.write(&batch(&i.to_be_bytes(), 900)).unwrap();
            let is_frozen = buffer.memtables().len() == 2;
            assert_eq!(is_frozen, before > SMALL, "{before}");
            if is_frozen {
                assert_eq!(entries(&buffer)[0], 1, "the new one has what was written");
                assert!(flush(&buffer));
            }
        }
    }
}

#[test]
fn exactly_its_size_is_not_more() {
    // What an entry with a block of its own takes is found, and the size set to that.
    let bytes = 200_000;
    let reserved = both(&WriteBufferOptions::default()).map(|buffer| {
        buffer.write(&batch(b"key", bytes)).unwrap();
        buffer.memory().reserved_bytes
    })[0];
    for (write_buffer_size, is_frozen) in [(reserved, false), (reserved - 1, true)] {
        for buffer in both(&WriteBufferOptions {
            write_buffer_size,
            ..small()
        }) {
            buffer.write(&batch(b"key", bytes)).unwrap();
            buffer.put(b"next", b"").unwrap();
            assert_eq!(buffer.memtables().len() == 2, is_frozen);
        }
    }
}

#[test]
fn sizes_are_clipped_to_leveldbs_bounds() {
    for buffer in both(&WriteBufferOptions {
        write_buffer_size: 0,
        ..small()
    }) {
        while buffer.memtables().len() == 1 {
            buffer.put(b"key", &[0; 100]).unwrap();
        }
        assert!(buffer.memtables()[1].memory.reserved_bytes > SMALL);
    }
    // Shares are considered from a sixteenth of the size on: 64 MiB of 1 GiB.
    let advice = AdviceOptions {
        tombstone_percent: Some(0),
        ..AdviceOptions::default()
    };
    let options = WriteBufferOptions {
        write_buffer_size: usize::MAX,
        advice,
        ..small()
    };
    let buffer = &both(&options)[0];
    buffer.put(b"key", &vec![0; 60 << 20]).unwrap();
    assert_eq!(buffer.flush_advice(), None);
    buffer.put(b"key", &vec![0; 8 << 20]).unwrap();
    assert_eq!(
        buffer.flush_advice(),
        Some(FlushReason::Tombstones { percent: 0 })
    );
}

#[test]
fn a_batch_larger_than_a_memtable_gets_one_to_itself() {
    for buffer in both(&WriteBufferOptions {
        max_write_buffers: 4,
        ..small()
    }) {
        buffer.put(b"before", b"").unwrap();
        let mut giant = WriteBatch::new();
        for i in 0..3_u8 {
            giant.put(&[i], &[0; 40 << 10]).unwrap();
        }
        buffer.write_with(&giant, NEVER).unwrap();
        assert_eq!(entries(&buffer), [3, 1]);
        buffer.put(b"after", b"").unwrap();
        buffer.put(b"after", b"").unwrap();
        assert_eq!(entries(&buffer), [2, 3, 1]);
        assert_eq!(numbers(&buffer), [3, 2, 1]);
        // And when it is the first: no memtable without entries comes before.
        buffer.freeze(Wait::Never).unwrap();
        while flush(&buffer) {}
        buffer.write_with(&giant, NEVER).unwrap();
        assert_eq!(entries(&buffer), [3]);
        buffer.write_with(&giant, NEVER).unwrap();
        assert_eq!(entries(&buffer), [3, 3], "nor do two share one");
    }
}

#[test]
fn a_large_batch_waits_for_a_place_for_its_memtable() {
    for buffer in both(&small()) {
        buffer.put(b"before", b"").unwrap();
        let giant = batch(b"giant", 2 * SMALL);
        buffer.write_with(&giant, NEVER).unwrap();
        for small_or_not in [&giant, &batch(b"after", 1)] {
            let refused = buffer.write_with(small_or_not, NEVER);
            let cause = StallCause::BuffersFull { oldest: 1 };
            assert!(
                matches!(refused, Err(WriteError::WouldBlock(found)) if found == cause),
                "{refused:?}"
            );
        }
        assert_eq!(entries(&buffer), [1, 1]);
        assert!(flush(&buffer));
        buffer.write_with(&giant, NEVER).unwrap();
        assert_eq!(entries(&buffer), [1, 1]);
    }
}

#[test]
fn an_empty_memtable_is_not_frozen() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    assert_eq!(buffer.freeze(Wait::Never).unwrap(), None);
    buffer.write(&WriteBatch::new()).unwrap();
    buffer.write_with(&WriteBatch::new(), SYNC).unwrap();
    assert_eq!(buffer.freeze(Wait::Forever).unwrap(), None);
    assert_eq!((numbers(&buffer), script.creations()), (vec![1], 1));
    for buffer in both(&small()) {
        buffer.put(b"key", b"").unwrap();
        assert_eq!(buffer.freeze(Wait::Never).unwrap(), Some(1));
        assert_eq!(
            buffer.freeze(Wait::Never).unwrap(),
            None,
            "though there is no place for it"
        );
        assert_eq!(numbers(&buffer), [2, 1]);
    }
}

#[test]
fn a_memtable_is_found_by_its_log_until_that_may_be_deleted() {
    for buffer in both(&WriteBufferOptions {
        max_write_buffers: 5,
        ..small()
    }) {
        for number in 1..=4_u64 {
            for _ in 0..number {
                buffer.put(&number.to_be_bytes(), b"").unwrap();
            }
            if number < 4 {
                assert_eq!(buffer.freeze(Wait::Never).unwrap(), Some(number));
            }
        }
        assert_eq!(numbers(&buffer), [4, 3, 2, 1]);
        for flushed in 0..=3 {
            assert_eq!(buffer.oldest_log(), flushed + 1);
            let view = buffer.view();
            for number in 0..6 {
                let found = view.memtable_of_log(number).map(|memtable| memtable.len());
                let expected = (flushed + 1..=4).contains(&number).then_some(number);
                assert_eq!(found, expected);
            }
            if let Some(job) = buffer.begin_flush() {
                assert_eq!(job.log_number(), flushed + 1);
                let told = job.finish();
                assert_eq!(
                    (told.log_number, told.entries, told.logs_before),
                    (flushed + 1, flushed + 1, flushed + 2)
                );
            }
        }
    }
}

#[test]
fn a_failed_append_is_seen_by_nobody_and_the_next_goes_on() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    buffer.put(b"before", b"").unwrap();
    script.fail(LogAction::Append, 1);
    let refused = buffer.put(b"refused", b"");
    assert!(
        matches!(&refused, Err(WriteError::Log { action: LogAction::Append, source }) if source.to_string() == "scripted"),
        "{refused:?}"
    );
    assert!(!has(&buffer, b"refused"));
    let after = buffer.put(b"after", b"").unwrap();
    assert_eq!(buffer.last_sequence(), after);
    assert_eq!(entries(&buffer), [2]);
    assert_eq!(
        script.events(),
        [Event::Created(1), Event::Appended(1), Event::Appended(1)]
    );
}

/// What was appended to an earlier log and not synced still has to be, before anything after it.
#[test]
fn a_failed_append_forgets_no_earlier_log_that_is_to_be_synced() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    buffer.put(b"first", b"").unwrap();
    buffer.freeze(Wait::Never).unwrap();
    script.fail(LogAction::Append, 1);
    buffer.write_with(&batch(b"refused", 1), SYNC).unwrap_err();
    script.events();
    buffer.write_with(&batch(b"synced", 1), SYNC).unwrap();
    assert_eq!(
        script.events(),
        [Event::Appended(2), Event::Synced(1), Event::Synced(2)]
    );
    buffer.write_with(&batch(b"again", 1), SYNC).unwrap();
    assert_eq!(script.events(), [Event::Appended(2), Event::Synced(2)]);
}

#[test]
fn what_is_flushed_needs_no_sync() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    buffer.put(b"first", b"").unwrap();
    buffer.freeze(Wait::Never).unwrap();
    assert!(flush(&buffer));
    script.events();
    buffer.write_with(&WriteBatch::new(), SYNC).unwrap();
    assert_eq!(script.events(), []);
    buffer.put(b"second", b"").unwrap();
    buffer.write_with(&WriteBatch::new(), SYNC).unwrap();
    assert_eq!(script.events(), [Event::Appended(2), Event::Synced(2)]);
}

#[test]
fn after_a_failed_sync_nothing_is_written_until_the_log_is_replaced() {
    let script = Script::default();
    let buffer = logged(
        WriteBufferOptions {
            max_write_buffers: 3,
            ..small()
        },
        &script,
    );
    buffer.put(b"before", b"").unwrap();
    script.fail(LogAction::Sync, 1);
    let refused = buffer.write_with(&batch(b"lost", 1), SYNC);
    assert!(
        matches!(
            &refused,
            Err(WriteError::Log {
                action: LogAction::Sync,
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(!has(&buffer, b"lost"));
    script.events();
    for options in [NEVER, SYNC] {
        let refused = buffer.write_with(&batch(b"late", 1), options);
        assert!(
            matches!(&refused, Err(WriteError::LogFailed { source }) if source.to_string() == "scripted")
        );
    }
    assert_eq!(script.events(), [], "nothing more is asked of that log");
    assert!(has(&buffer, b"before"), "it is still read");
    assert_eq!(buffer.stalls(), Default::default());

    // No log can be made; then one can.
    script.fail(LogAction::Create, 1);
    let refused = buffer.replace_log();
    assert!(
        matches!(
            &refused,
            Err(WriteError::Log {
                action: LogAction::Create,
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(matches!(
        buffer.put(b"late", b""),
        Err(WriteError::LogFailed { .. })
    ));
    buffer.replace_log().unwrap();
    buffer.write_with(&batch(b"after", 1), SYNC).unwrap();
    assert_eq!(
        script.events(),
        [Event::Created(2), Event::Appended(2), Event::Synced(2)]
    );
    assert_eq!(
        (numbers(&buffer), entries(&buffer)),
        (vec![2, 1], vec![1, 1])
    );
    let job = buffer.begin_flush().unwrap();
    assert_eq!(job.memtable().iter().next().unwrap().user_key(), b"before");
    assert_eq!(job.finish().logs_before, 2);
}

/// A log that is replaced though it has not failed is synced before what comes after it is.
#[test]
fn a_log_replaced_without_need_is_still_synced() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    buffer.put(b"first", b"").unwrap();
    buffer.replace_log().unwrap();
    script.events();
    buffer.write_with(&batch(b"synced", 1), SYNC).unwrap();
    assert_eq!(
        script.events(),
        [Event::Appended(2), Event::Synced(1), Event::Synced(2)]
    );
}

#[test]
fn without_a_next_log_the_full_memtable_goes_on_being_read() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    while buffer.memory().reserved_bytes <= SMALL {
        buffer.write(&batch(b"key", 1000)).unwrap();
    }
    let last = buffer.last_sequence();
    script.fail(LogAction::Create, 2);
    let refused = buffer.put(b"refused", b"");
    assert!(
        matches!(
            &refused,
            Err(WriteError::Log {
                action: LogAction::Create,
                ..
            })
        ),
        "{refused:?}"
    );
    let refused = buffer.freeze(Wait::Forever);
    assert!(
        matches!(
            &refused,
            Err(WriteError::Log {
                action: LogAction::Create,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!((buffer.last_sequence(), numbers(&buffer)), (last, vec![1]));
    assert!(!has(&buffer, b"refused") && has(&buffer, b"key"));
    buffer.put(b"after", b"").unwrap();
    assert_eq!((numbers(&buffer), entries(&buffer)[0]), (vec![2, 1], 1));
}

/// A sync of nothing has no sequence numbers of its own, and takes back none of those after it.
#[test]
fn syncs_of_nothing_make_nothing_invisible() {
    let buffer = &logged(WriteBufferOptions::default(), &Script::default());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..3000 {
                    buffer.write_with(&WriteBatch::new(), SYNC).unwrap();
                }
            });
        }
        for writer in 0..2_u8 {
            scope.spawn(move || {
                for _ in 0..3000 {
                    let written = buffer.put(&[writer], b"").unwrap();
                    assert!(buffer.last_sequence() >= written);
                }
            });
        }
    });
    assert_eq!(buffer.last_sequence().get(), 6000);
}

/// Those in the group of a writer whose log panics are told, too.
#[test]
fn an_append_that_panics_leaves_nobody_waiting() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    script.hold();
    thread::scope(|scope| {
        let first = scope.spawn(|| buffer.put(b"first", b"").map(drop));
        script.wait_until_held();
        let behind = [0_u8; 3].map(|i| {
            let buffer = &buffer;
            scope.spawn(move || buffer.put(&[i], b"").map(drop))
        });
        thread::sleep(Duration::from_millis(20));
        script.panic_after(0);
        script.release();
        assert!(first.join().is_err());
        for writer in behind {
            assert!(matches!(writer.join().unwrap(), Err(WriteError::Poisoned)));
        }
    });
    assert_eq!(buffer.last_sequence().get(), 0);
}

/// The second append panics, which has a group.
#[test]
fn a_group_whose_append_panics_is_told() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    script.hold();
    thread::scope(|scope| {
        let (sender, outcomes) = channel();
        scope.spawn(|| buffer.put(b"first", b"").unwrap());
        script.wait_until_held();
        for i in 0..3_u8 {
            let (buffer, sender) = (&buffer, sender.clone());
            scope.spawn(move || {
                let write = std::panic::AssertUnwindSafe(|| buffer.put(&[i], b""));
                let outcome = std::panic::catch_unwind(write);
                sender
                    .send(outcome.map(|written| written.is_ok()).ok())
                    .unwrap();
            });
        }
        thread::sleep(Duration::from_millis(30));
        script.panic_after(1);
        script.release();
        let told = [(); 3].map(|()| outcomes.recv_timeout(Duration::from_secs(10)).unwrap());
        assert_eq!(
            told.iter().filter(|told| told.is_none()).count(),
            1,
            "one has panicked"
        );
        assert!(!told.contains(&Some(true)), "{told:?}");
    });
    assert_eq!(buffer.last_sequence().get(), 1);
}

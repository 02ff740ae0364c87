//! Writers for whom there is no room.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber};
use strata_memtable::ImmutableMemTable;
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    Flush, FlushError, Flusher, StallCause, StallTime, Wait, WriteBuffer, WriteBufferOptions,
    WriteError,
};

use crate::scripted::{
    Buffer, NEVER, Script, Sink, batch, both, fill_up, flush, logged, numbers, small, soon, until,
    wait,
};

fn full(buffer: &Buffer) -> StallTime {
    buffer.stalls().buffers_full
}

#[test]
fn who_does_not_wait_is_told_which_memtable_is_in_the_way() {
    for buffer in both(&small()) {
        let (cause, written) = fill_up(&buffer);
        assert_eq!(cause, StallCause::BuffersFull { oldest: 1 });
        assert_eq!(numbers(&buffer), [2, 1]);
        let entries: u64 = buffer.memtables().iter().map(|of| of.entries).sum();
        assert_eq!(entries, written, "what was refused is not there");
        assert_eq!(
            buffer.last_sequence().get(),
            written,
            "nor is its number taken"
        );

        assert!(flush(&buffer));
        let (cause, _) = fill_up(&buffer);
        assert_eq!(cause, StallCause::BuffersFull { oldest: 2 });
        let stalls = buffer.stalls();
        assert_eq!(stalls.buffers_full.refused, 2);
        assert_eq!(
            (stalls.buffers_full.waits, stalls.buffers_full.waiting),
            (0, 0)
        );
        assert_eq!(stalls.budget, StallTime::default());
    }
}

#[test]
fn as_many_memtables_as_there_may_be_are_filled_before_anybody_waits() {
    for max_write_buffers in [2, 3, 5] {
        for buffer in both(&WriteBufferOptions {
            max_write_buffers,
            ..small()
        }) {
            fill_up(&buffer);
            assert_eq!(buffer.memtables().len(), max_write_buffers);
        }
    }
    for buffer in both(&WriteBufferOptions {
        max_write_buffers: 0,
        ..small()
    }) {
        fill_up(&buffer);
        assert_eq!(buffer.memtables().len(), 2, "there are two at least");
    }
}

#[test]
fn who_waits_until_a_deadline_is_told_that_it_has_passed() {
    for buffer in both(&small()) {
        let (cause, written) = fill_up(&buffer);
        let deadline = Instant::now() + Duration::from_millis(30);
        let refused = buffer.write_with(&batch(b"late", 10), wait(Wait::Until(deadline)));
        assert!(Instant::now() >= deadline);
        assert!(
            matches!(refused, Err(WriteError::TimedOut(found)) if found == cause),
            "{refused:?}"
        );
        assert!(buffer.get(b"late", SequenceNumber::MAX).is_none());
        assert_eq!(buffer.last_sequence().get(), written);
        let stalls = full(&buffer);
        assert_eq!((stalls.waits, stalls.waiting, stalls.refused), (1, 0, 2));
        assert!(stalls.longest >= Duration::from_millis(25), "{stalls:?}");

        // A deadline that has passed is no wait; with room, it is not looked at.
        let before = Wait::Until(Instant::now());
        let refused = buffer.write_with(&batch(b"late", 10), wait(before));
        assert!(matches!(refused, Err(WriteError::TimedOut(_))));
        assert_eq!((full(&buffer).waits, full(&buffer).refused), (1, 3));
        assert!(flush(&buffer));
        buffer
            .write_with(&batch(b"late", 10), wait(before))
            .unwrap();
    }
}

#[test]
fn a_flush_in_time_beats_the_deadline() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        thread::scope(|scope| {
            let writer =
                scope.spawn(|| buffer.write_with(&batch(b"in time", 10), wait(soon(60_000))));
            until("it waits", || full(&buffer).waiting == 1);
            assert!(flush(&buffer));
            writer.join().unwrap().unwrap();
        });
        assert_eq!(
            (
                full(&buffer).waits,
                full(&buffer).waiting,
                full(&buffer).refused
            ),
            (1, 0, 1)
        );
    }
}

#[test]
fn the_counters_include_the_wait_under_way() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        thread::scope(|scope| {
            let writer = scope.spawn(|| buffer.put(b"key", b"value"));
            until("it waits", || full(&buffer).waiting == 1);
            let early = full(&buffer);
            assert_eq!((early.waits, early.longest), (1, Duration::ZERO));
            until("time passes", || {
                full(&buffer).total > early.total + Duration::from_millis(5)
            });
            let late = full(&buffer);
            assert!(flush(&buffer));
            writer.join().unwrap().unwrap();
            let over = full(&buffer);
            assert_eq!((over.waits, over.waiting), (1, 0));
            assert!(over.total >= late.total, "{over:?} {late:?}");
            assert_eq!(over.longest, over.total, "there was one wait");
        });
        let over = full(&buffer);
        thread::yield_now();
        assert_eq!(full(&buffer), over, "it is over");
    }
}

#[test]
fn all_who_wait_are_counted_and_go_on_after_one_flush() {
    for buffer in both(&small()) {
        let (_, written) = fill_up(&buffer);
        thread::scope(|scope| {
            for i in 0..4_u8 {
                let buffer = &buffer;
                scope.spawn(move || buffer.put(&[i], b"value").unwrap());
            }
            until("all wait", || full(&buffer).waiting == 4);
            assert!(full(&buffer).waits >= 4);
            assert!(flush(&buffer));
        });
        assert_eq!(buffer.last_sequence().get(), written + 4);
        assert_eq!(full(&buffer).waiting, 0);
        assert_eq!(numbers(&buffer), [3, 2]);
        for i in 0..4_u8 {
            assert!(buffer.get(&[i], SequenceNumber::MAX).is_some());
        }
    }
}

#[test]
fn who_does_not_wait_does_not_wait_behind_somebody_who_does() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        thread::scope(|scope| {
            scope.spawn(|| buffer.put(b"patient", b"").unwrap());
            until("one waits", || full(&buffer).waiting == 1);
            for _ in 0..3 {
                let refused = buffer.write_with(&batch(b"key", 1), NEVER);
                assert!(matches!(
                    refused,
                    Err(WriteError::WouldBlock(StallCause::BuffersFull {
                        oldest: 1
                    }))
                ));
                let refused = buffer.freeze(Wait::Never);
                assert!(
                    matches!(refused, Err(WriteError::WouldBlock(_))),
                    "{refused:?}"
                );
            }
            assert_eq!(full(&buffer).refused, 4, "writes are counted");
            assert!(flush(&buffer));
        });
        assert!(buffer.get(b"patient", SequenceNumber::MAX).is_some());
    }
}

#[test]
fn a_deadline_holds_behind_somebody_who_waits_for_ever() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        thread::scope(|scope| {
            scope.spawn(|| buffer.put(b"patient", b"").unwrap());
            until("one waits", || full(&buffer).waiting == 1);
            let refused = buffer.write_with(&batch(b"late", 1), wait(soon(20)));
            let oldest = StallCause::BuffersFull { oldest: 1 };
            assert!(
                matches!(refused, Err(WriteError::TimedOut(cause)) if cause == oldest),
                "{refused:?}"
            );
            let refused = buffer.freeze(soon(20));
            assert!(
                matches!(refused, Err(WriteError::TimedOut(cause)) if cause == oldest),
                "{refused:?}"
            );
            assert_eq!(full(&buffer).waiting, 1, "who was refused no longer waits");
            assert!(flush(&buffer));
        });
        assert!(buffer.get(b"late", SequenceNumber::MAX).is_none());
        assert_eq!((full(&buffer).waiting, full(&buffer).refused), (0, 2));
    }
}

/// Only waiting for room is meant by a deadline.
#[test]
fn an_append_that_takes_long_lets_no_deadline_pass() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    script.hold();
    thread::scope(|scope| {
        scope.spawn(|| buffer.put(b"slow", b"").unwrap());
        script.wait_until_held();
        let waits = [Wait::Never, Wait::Until(Instant::now()), soon(5)];
        let behind = waits.map(|kind| {
            let buffer = &buffer;
            scope.spawn(move || buffer.write_with(&batch(b"behind", 1), wait(kind)))
        });
        // Whether they are in the queue by now or not, none may be refused.
        thread::sleep(Duration::from_millis(20));
        script.release();
        for writer in behind {
            writer.join().unwrap().unwrap();
        }
    });
    assert_eq!(buffer.stalls(), Default::default());
    assert_eq!(buffer.last_sequence().get(), 4);
}

/// A writer that came while the log was appended to, and for whom there then is no room.
#[test]
fn who_is_in_the_queue_is_refused_when_the_front_begins_to_wait() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    // Full but for one write, which is large.
    while numbers(&buffer).len() < 2 {
        buffer.write(&batch(b"key", 1000)).unwrap();
    }
    script.hold();
    thread::scope(|scope| {
        scope.spawn(|| buffer.write(&batch(b"large", 60 << 10)).unwrap());
        script.wait_until_held();
        let (sender, refusals) = channel();
        scope.spawn(|| buffer.write(&batch(b"larger", 130 << 10)).unwrap());
        thread::sleep(Duration::from_millis(20));
        for kind in [Wait::Never, soon(1)] {
            let (buffer, sender) = (&buffer, sender.clone());
            scope.spawn(move || {
                let large = batch(b"impatient", 60 << 10);
                sender.send(buffer.write_with(&large, wait(kind))).unwrap();
            });
        }
        thread::sleep(Duration::from_millis(20));
        script.release();
        for _ in 0..2 {
            let refused = refusals.recv().unwrap();
            assert!(
                matches!(
                    refused,
                    Err(WriteError::WouldBlock(_) | WriteError::TimedOut(_))
                ),
                "{refused:?}"
            );
        }
        assert_eq!(full(&buffer).refused, 2);
        until("the patient one waits", || full(&buffer).waiting == 1);
        while !flush(&buffer) {}
    });
    assert!(buffer.get(b"impatient", SequenceNumber::MAX).is_none());
    assert!(buffer.get(b"larger", SequenceNumber::MAX).is_some());
}

#[test]
fn freezing_waits_as_writing_does() {
    for buffer in both(&small()) {
        buffer.put(b"key", b"").unwrap();
        assert_eq!(buffer.freeze(Wait::Never).unwrap(), Some(1));
        buffer.put(b"key", b"").unwrap();
        let oldest = StallCause::BuffersFull { oldest: 1 };
        let refused = buffer.freeze(Wait::Never);
        assert!(matches!(refused, Err(WriteError::WouldBlock(cause)) if cause == oldest));
        let refused = buffer.freeze(soon(20));
        assert!(matches!(refused, Err(WriteError::TimedOut(cause)) if cause == oldest));
        assert_eq!((full(&buffer).waits, full(&buffer).waiting), (1, 0));
        thread::scope(|scope| {
            let freezer = scope.spawn(|| buffer.freeze(Wait::Forever));
            until("it waits", || full(&buffer).waiting == 1);
            assert!(flush(&buffer));
            assert_eq!(freezer.join().unwrap().unwrap(), Some(2));
        });
        assert_eq!(numbers(&buffer), [3, 2]);
        assert_eq!((full(&buffer).waiting, full(&buffer).refused), (0, 0));
    }
}

#[test]
fn a_write_behind_a_freeze_that_waits_goes_on_with_it() {
    for buffer in both(&small()) {
        buffer.put(b"key", b"").unwrap();
        buffer.freeze(Wait::Never).unwrap();
        buffer.put(b"key", b"").unwrap();
        thread::scope(|scope| {
            scope.spawn(|| buffer.freeze(Wait::Forever).unwrap());
            until("it waits", || full(&buffer).waiting == 1);
            scope.spawn(|| buffer.put(b"behind", b"").unwrap());
            assert!(flush(&buffer));
        });
        assert_eq!(
            (buffer.last_sequence().get(), full(&buffer).waiting),
            (3, 0)
        );
    }
}

#[test]
fn failing_flushes_and_dropped_jobs_lose_no_order() {
    for buffer in both(&WriteBufferOptions {
        max_write_buffers: 5,
        ..small()
    }) {
        fill_up(&buffer);
        let mut tried = Vec::new();
        let mut done = Vec::new();
        let mut round = 0_u64;
        while buffer.memtables().len() > 1 {
            round += 1;
            if round.is_multiple_of(3) {
                drop(buffer.begin_flush().unwrap());
            }
            let mut sink = Sink(|memtable: &ImmutableMemTable<_>, number| {
                tried.push(number);
                if round % 2 == 1 {
                    return Err("the disk is full".into());
                }
                done.push((number, memtable.smallest_sequence().unwrap()));
                Ok(())
            });
            let flushed = buffer.flush_oldest(&mut sink);
            let counts = buffer.flushes();
            match flushed {
                Ok(flushed) => {
                    assert_eq!(flushed.unwrap().logs_before, *tried.last().unwrap() + 1);
                    assert_eq!(counts.last_error, None);
                }
                Err(_) => assert_eq!(counts.last_error.as_deref(), Some("the disk is full")),
            }
            assert_eq!((counts.done, counts.failed), (round / 2, round.div_ceil(2)));
        }
        assert_eq!(tried, [1, 1, 2, 2, 3, 3, 4, 4]);
        assert!(done.is_sorted() && done.len() == 4, "{done:?}");
        assert!(buffer.begin_flush().is_none());
    }
}

#[test]
fn of_two_flushers_at_once_one_has_the_oldest_and_the_other_nothing() {
    for buffer in both(&WriteBufferOptions {
        max_write_buffers: 4,
        ..small()
    }) {
        fill_up(&buffer);
        let job = buffer.begin_flush().unwrap();
        assert_eq!(job.log_number(), 1);
        assert!(buffer.begin_flush().is_none());
        job.fail(&"no");
        let job = buffer.begin_flush().unwrap();
        assert_eq!(job.log_number(), 1);
        assert_eq!(job.finish().log_number, 1);
        assert_eq!(buffer.begin_flush().unwrap().log_number(), 2);
    }
}

#[test]
fn two_flushers_and_several_writers_lose_nothing_and_no_order() {
    for buffer in both(&small()) {
        let flushed = Arc::new(Mutex::new((Vec::new(), 0)));
        let flushers = [0, 1].map(|_| {
            let flushed = Arc::clone(&flushed);
            let mut calls = 0;
            let sink = Sink(move |memtable: &ImmutableMemTable<_>, number| {
                calls += 1;
                if calls % 4 == 0 {
                    return Err("now and then".into());
                }
                let mut flushed = flushed.lock();
                flushed.0.push(number);
                flushed.1 += memtable.len();
                Ok(())
            });
            Flusher::spawn(buffer.clone(), sink).unwrap()
        });
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for writer in 0..3_u8 {
                let (buffer, start) = (&buffer, &start);
                scope.spawn(move || {
                    start.wait();
                    for i in 0..400_u32 {
                        let mut key = vec![writer];
                        key.extend(i.to_be_bytes());
                        buffer.write(&batch(&key, 1000)).unwrap();
                    }
                });
            }
        });
        buffer.freeze(Wait::Forever).unwrap();
        until("all is flushed", || buffer.memtables().len() == 1);
        drop(flushers);
        let flushed = flushed.lock();
        assert_eq!(flushed.1, 1200);
        assert!(flushed.0.is_sorted_by(|a, b| a < b), "{:?}", flushed.0);
        assert!(flushed.0.len() >= 10, "{:?}", flushed.0);
    }
}

/// A panic of the sink is a flush that failed: it is counted, the memtable stays, and the flusher
/// tries again. Otherwise writers would wait for ever for a thread that is gone.
#[test]
fn a_sink_that_panics_stops_nobody() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        let (sender, tries) = channel();
        let mut panics = 2;
        let sink = Sink(move |_: &_, number| {
            sender.send(number)?;
            if panics > 0 {
                panics -= 1;
                panic!("scripted");
            }
            Ok(())
        });
        let flusher = Flusher::spawn(buffer.clone(), sink).unwrap();
        buffer.put(b"key", b"goes on").unwrap();
        assert_eq!([(); 3].map(|()| tries.recv().unwrap()), [1, 1, 1]);
        assert!(format!("{flusher:?}").contains("is_running: true"));
        drop(flusher);
        assert_eq!(buffer.flushes().failed, 2);
        assert!(buffer.flushes().done >= 1);
    }
}

#[test]
fn a_job_that_a_panic_drops_is_counted_and_given_back() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        let panicked = thread::scope(|scope| {
            let flush = || {
                buffer
                    .flush_oldest(&mut Sink(|_: &_, _| panic!("scripted")))
                    .map(drop)
            };
            scope.spawn(flush).join()
        });
        assert!(panicked.is_err());
        let counts = buffer.flushes();
        assert_eq!((counts.done, counts.failed), (0, 1));
        assert!(counts.last_error.is_some());
        assert_eq!(numbers(&buffer), [2, 1]);
        assert_eq!(buffer.begin_flush().unwrap().log_number(), 1);
    }
}

/// At the key `bad` it waits, and panics.
#[derive(Clone, Debug)]
struct Fragile(Arc<Barrier>);

impl Comparator for Fragile {
    fn name(&self) -> &str {
        "test.Fragile"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        if a == b"bad" || b == b"bad" {
            self.0.wait();
            self.0.wait();
            panic!("scripted");
        }
        BytewiseComparator.compare(a, b)
    }

    fn find_shortest_separator(&self, _: &mut Vec<u8>, _: &[u8]) {}

    fn find_short_successor(&self, _: &mut Vec<u8>) {}
}

/// A single put, and so a panic while its place is looked for, has no sequence number yet.
#[test]
fn a_put_that_panics_before_it_has_a_number_stops_nobody() {
    let barrier = Arc::new(Barrier::new(2));
    let buffer = WriteBuffer::new(Fragile(Arc::clone(&barrier)), small());
    buffer.put(b"good", b"").unwrap();
    thread::scope(|scope| {
        let dying = scope.spawn(|| buffer.put(b"bad", b"").map(drop));
        barrier.wait();
        assert_eq!(buffer.put(b"meanwhile", b"").unwrap().get(), 2);
        barrier.wait();
        assert!(dying.join().is_err());
    });
    assert_eq!(buffer.put(b"next", b"").unwrap().get(), 3);
    buffer.freeze(Wait::Never).unwrap();
    assert_eq!(buffer.begin_flush().unwrap().finish().entries, 3);
}

/// What a writer that died had begun can't be flushed, and so there will never be room.
#[test]
fn who_waits_for_a_memtable_that_a_writer_died_in_is_told() {
    let barrier = Arc::new(Barrier::new(2));
    let buffer = WriteBuffer::new(Fragile(Arc::clone(&barrier)), small());
    buffer.put(b"good", b"").unwrap();
    thread::scope(|scope| {
        // A batch has its sequence numbers before its keys are compared.
        let mut bad = WriteBatch::new();
        bad.put(b"bad", b"").unwrap();
        let buffer = &buffer;
        let dying = scope.spawn(move || buffer.write(&bad).map(drop));
        barrier.wait();
        assert_eq!(buffer.freeze(Wait::Never).unwrap(), Some(1));
        // It can only be visible after the one that dies.
        let after = scope.spawn(|| buffer.put(b"after", b""));
        until("it is there", || buffer.memtables()[0].entries == 1);
        let freezing = scope.spawn(|| buffer.freeze(Wait::Forever));
        until("it waits", || buffer.stalls().buffers_full.waiting == 1);
        let flusher = Flusher::spawn(buffer.clone(), Nowhere).unwrap();
        barrier.wait();
        assert!(dying.join().is_err());
        assert!(matches!(after.join().unwrap(), Err(WriteError::Poisoned)));
        assert!(matches!(
            freezing.join().unwrap(),
            Err(WriteError::Poisoned)
        ));
        drop(flusher);
    });
    assert!(buffer.begin_flush().is_none());
    assert!(matches!(
        buffer.put(b"next", b""),
        Err(WriteError::Poisoned)
    ));
    assert!(buffer.get(b"good", SequenceNumber::MAX).is_some());
    assert_eq!(buffer.flushes().done, 0);
}

struct Nowhere;

impl Flush<Fragile> for Nowhere {
    fn flush(&mut self, _: &ImmutableMemTable<Fragile>, _: u64) -> Result<(), FlushError> {
        Ok(())
    }
}

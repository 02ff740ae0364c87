//! A writer that panics in the middle of a write, beside others.

use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, yield_now};

use parking_lot::{Condvar, Mutex};
use strata_dbformat::{Comparator, SequenceNumber};
use strata_memtable::Lookup;
use strata_write_batch::WriteBatch;
use strata_write_buffer::{InternalCursor, Wait, WriteBuffer, WriteBufferOptions, WriteError};

use crate::concurrent::{KEYS, WRITERS, batch, check_moment, index, key, must_end, read, small};
use crate::cursors::number;
use crate::memory_logs::MemoryLogs;

/// An order that panics at one key, perhaps not at once.
#[derive(Clone, Debug, Default)]
struct Touchy(Arc<(Mutex<Fuse>, Condvar)>);

#[derive(Debug, Default)]
struct Fuse {
    waits: bool,
    is_lit: bool,
}

const TOUCHED: &[u8] = b"zzz";

impl Comparator for Touchy {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        if a == TOUCHED || b == TOUCHED {
            let mut fuse = self.0.0.lock();
            fuse.is_lit = true;
            self.0.1.notify_all();
            while fuse.waits {
                self.0.1.wait(&mut fuse);
            }
            panic!("touched");
        }
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "test.Touchy"
    }
}

impl Touchy {
    fn hold(&self) {
        self.0.0.lock().waits = true;
    }

    fn wait_until_lit(&self) {
        let mut fuse = self.0.0.lock();
        while !fuse.is_lit {
            self.0.1.wait(&mut fuse);
        }
    }

    fn go_off(&self) {
        self.0.0.lock().waits = false;
        self.0.1.notify_all();
    }
}

fn touched() -> WriteBatch {
    let mut batch = batch(0, 1_000_000, 0);
    batch.put(TOUCHED, b"").unwrap();
    batch
}

fn a_writer_dies_beside_others(buffer: &WriteBuffer<Touchy>) {
    let ends = thread::scope(|scope| {
        let writers = (0..WRITERS).map(|writer| {
            scope.spawn(move || {
                for round in 1.. {
                    if writer == 0 && round == 300 {
                        let died = AssertUnwindSafe(|| buffer.write(&touched()));
                        assert!(catch_unwind(died).is_err());
                    }
                    if let Err(error) = buffer.write(&batch(writer, round, 0)) {
                        return (round - 1, error);
                    }
                }
                unreachable!("it was to end");
            })
        });
        let writers: Vec<_> = writers.collect();
        let ends = writers.into_iter().map(|writer| writer.join().unwrap());
        ends.collect::<Vec<_>>()
    });
    let view = buffer.view();
    for (writer, (written, error)) in ends.into_iter().enumerate() {
        assert!(matches!(error, WriteError::Poisoned), "{error:?}");
        let get = |what: &&str| view.get(&key(what, writer)).value().map(read);
        let found: Vec<_> = KEYS.iter().map(get).collect();
        assert_eq!(check_moment(&found, 0), written, "what was acknowledged");
    }
    let mut cursor = view.internal_cursor(..);
    let Ok(()) = cursor.seek_to_last();
    let mut entries = 0;
    while cursor.entry().is_some() {
        entries += 1;
        let Ok(()) = cursor.prev();
    }
    assert_eq!(entries, index(view.snapshot()));
    assert!(matches!(buffer.put(b"", b""), Err(WriteError::Poisoned)));
    // What is not visible can't be flushed.
    assert!(buffer.freeze(Wait::Never).is_err() || buffer.begin_flush().is_none());
}

fn patient() -> WriteBufferOptions {
    WriteBufferOptions {
        write_buffer_size: 64 << 20,
        ..WriteBufferOptions::default()
    }
}

#[test]
fn a_writer_that_dies_leaves_what_is_visible_sound() {
    must_end(|| {
        a_writer_dies_beside_others(&WriteBuffer::new(Touchy::default(), patient()));
    });
}

#[test]
fn a_writer_that_dies_after_logging_leaves_what_is_visible_sound() {
    let logs = Box::new(MemoryLogs::default());
    let zero = SequenceNumber::ZERO;
    let buffer = WriteBuffer::with_logs(Touchy::default(), patient(), logs, zero);
    must_end(|| a_writer_dies_beside_others(&buffer.unwrap()));
}

/// One dies in the memtable that is to be flushed next, while others wait: for its number, for
/// room, and to flush it.
#[test]
fn whoever_waits_for_a_writer_that_dies_is_told() {
    must_end(|| [false, true].into_iter().for_each(others_wait));
}

fn others_wait(with_log: bool) {
    let order = Touchy::default();
    let logs = Box::new(MemoryLogs::default());
    let buffer = match with_log {
        false => WriteBuffer::new(order.clone(), small_pair()),
        true => WriteBuffer::with_logs(order.clone(), small_pair(), logs, number(9)).unwrap(),
    };
    let before = buffer.put(b"before", b"").unwrap();
    order.hold();
    thread::scope(|scope| {
        let buffer = &buffer;
        let dies = scope.spawn(|| buffer.write(&touched()));
        order.wait_until_lit();
        buffer.freeze(Wait::Never).unwrap().unwrap();
        // In the next memtable, which is full with it, and behind in numbers.
        let behind = scope.spawn(|| buffer.put(b"behind", &[0; 70_000]));
        while buffer.memtables()[0].entries == 0 {
            yield_now();
        }
        let waits = [
            scope.spawn(|| buffer.put(b"wants room", b"").map(|_| ())),
            scope.spawn(|| buffer.freeze(Wait::Forever).map(|_| ())),
        ];
        while buffer.stalls().buffers_full.waiting == 0 {
            yield_now();
        }
        let flushes = scope.spawn(|| buffer.begin_flush().is_none());
        order.go_off();
        assert!(dies.join().is_err());
        assert!(matches!(behind.join().unwrap(), Err(WriteError::Poisoned)));
        assert!(
            flushes.join().unwrap(),
            "half of a batch must not be flushed"
        );
        for waits in waits {
            let refused = waits.join().unwrap();
            assert!(matches!(refused, Err(WriteError::Poisoned)), "{refused:?}");
        }
    });
    assert_eq!(buffer.last_sequence(), before);
    assert_eq!(buffer.view().get(b"behind"), Lookup::Absent);
    assert_eq!(buffer.view().get(b"before"), Lookup::Value(b""));
}

fn small_pair() -> WriteBufferOptions {
    WriteBufferOptions {
        max_write_buffers: 2,
        ..small()
    }
}

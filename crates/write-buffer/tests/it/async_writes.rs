//! Writes that wait for room without a thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    MemoryBudget, StallTime, Wait, WriteBuffer, WriteBufferOptions, WriteError, WriteOptions,
};

use crate::scripted::{
    Buffer, Event, SYNC, Script, batch, both, fill_up, flush, logged, numbers, small, soon, until,
    wait,
};

type Outcome = Result<SequenceNumber, WriteError>;

/// A task, polled by whoever wakes it, on that thread and at once: what of all that an executor may
/// do is hardest on who wakes.
struct Task {
    future: Mutex<Option<Pin<Box<dyn Future<Output = Outcome> + Send>>>>,
    outcome: Mutex<Option<Outcome>>,
    woken: AtomicUsize,
    is_polled_at_once: bool,
}

impl Task {
    fn start(
        buffer: &Buffer,
        batch: WriteBatch,
        options: WriteOptions,
        at_once: bool,
    ) -> Arc<Self> {
        let buffer = buffer.clone();
        let task = Arc::new(Self {
            future: Mutex::new(Some(Box::pin(async move {
                buffer.write_async(&batch, options).await
            }))),
            outcome: Mutex::new(None),
            woken: AtomicUsize::new(0),
            is_polled_at_once: at_once,
        });
        task.poll();
        task
    }

    fn spawn(buffer: &Buffer, key: &[u8]) -> Arc<Self> {
        Self::start(buffer, batch(key, 10), WriteOptions::default(), false)
    }

    fn poll(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        // It may be woken while it is polled.
        let Some(mut future) = self.future.lock().take() else {
            return;
        };
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => *self.outcome.lock() = Some(outcome),
            Poll::Pending => *self.future.lock() = Some(future),
        }
    }

    fn is_done(&self) -> bool {
        self.outcome.lock().is_some()
    }

    fn was_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire) > 0
    }

    fn cancel(&self) {
        *self.future.lock() = None;
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::Release);
        if self.is_polled_at_once {
            self.poll();
        }
    }
}

fn full(buffer: &Buffer) -> StallTime {
    buffer.stalls().buffers_full
}

#[test]
fn with_room_it_is_done_at_once() {
    for buffer in both(&small()) {
        let task = Task::spawn(&buffer, b"key");
        assert_eq!(task.outcome.lock().take().unwrap().unwrap().get(), 1);
        assert_eq!(buffer.stalls(), Default::default());
    }
}

#[test]
fn it_is_pending_until_a_flush_wakes_it() {
    for buffer in both(&small()) {
        let (_, written) = fill_up(&buffer);
        let task = Task::spawn(&buffer, b"key");
        assert!(!task.is_done() && !task.was_woken());
        task.poll();
        assert!(
            !task.is_done() && !task.was_woken(),
            "nobody wakes who need not look"
        );
        assert_eq!(buffer.last_sequence().get(), written);
        let job = buffer.begin_flush().unwrap();
        job.fail(&"no");
        assert!(!task.was_woken());
        assert!(flush(&buffer));
        assert!(task.was_woken());
        task.poll();
        assert_eq!(
            task.outcome.lock().take().unwrap().unwrap().get(),
            written + 1
        );
    }
}

#[test]
fn its_wait_is_counted_and_no_refusal() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        let task = Task::spawn(&buffer, b"key");
        let early = full(&buffer);
        assert_eq!(
            (early.waits, early.waiting, early.refused),
            (1, 1, 1),
            "the one of filling up"
        );
        for _ in 0..5 {
            task.poll();
        }
        until("time passes", || {
            full(&buffer).total > early.total + Duration::from_millis(2)
        });
        assert_eq!(
            (
                full(&buffer).waits,
                full(&buffer).waiting,
                full(&buffer).refused
            ),
            (1, 1, 1)
        );
        assert!(flush(&buffer));
        task.poll();
        let over = full(&buffer);
        assert_eq!((over.waits, over.waiting, over.refused), (1, 0, 1));
        assert!(over.longest == over.total && over.total >= Duration::from_millis(2));
    }
}

#[test]
fn dropped_while_it_is_pending_it_has_written_nothing() {
    for buffer in both(&small()) {
        let (_, written) = fill_up(&buffer);
        let tasks = [b"a", b"b"].map(|key| Task::spawn(&buffer, key));
        assert_eq!(full(&buffer).waiting, 2);
        tasks[0].cancel();
        assert_eq!(full(&buffer).waiting, 1);
        assert!(flush(&buffer));
        tasks.iter().for_each(Task::poll);
        assert!(buffer.get(b"a", SequenceNumber::MAX).is_none());
        assert!(buffer.get(b"b", SequenceNumber::MAX).is_some());
        assert_eq!(buffer.last_sequence().get(), written + 1);
        assert_eq!((full(&buffer).waits, full(&buffer).waiting), (2, 0));
    }
}

#[test]
fn many_tasks_on_one_thread_are_all_woken() {
    for buffer in both(&small()) {
        let (_, written) = fill_up(&buffer);
        let tasks: Vec<_> = (0..50_u8).map(|i| Task::spawn(&buffer, &[i])).collect();
        assert_eq!(full(&buffer).waiting, 50);
        assert!(flush(&buffer));
        for task in &tasks {
            assert!(task.was_woken());
            task.poll();
            assert!(task.is_done());
        }
        assert_eq!(buffer.last_sequence().get(), written + 50);
        assert_eq!(full(&buffer).waiting, 0);
    }
}

#[test]
fn tasks_that_fill_it_again_wait_for_the_next_flush() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        let large = |i: u8| {
            Task::start(
                &buffer,
                batch(&[i], 40 << 10),
                WriteOptions::default(),
                false,
            )
        };
        let tasks: Vec<_> = (0..12).map(large).collect();
        let mut flushes = 0;
        while !tasks.iter().all(|task| task.is_done()) {
            assert!(flush(&buffer), "who waits has something to wait for");
            flushes += 1;
            tasks.iter().for_each(Task::poll);
        }
        assert!((5..=12).contains(&flushes), "{flushes}");
    }
}

/// It is woken without a lock: executors may poll at once, and who is polled asks the buffer.
#[test]
fn who_is_woken_may_run_on_the_thread_that_flushes() {
    for buffer in both(&small()) {
        fill_up(&buffer);
        let task = Task::start(&buffer, batch(b"key", 10), WriteOptions::default(), true);
        assert!(flush(&buffer));
        assert!(task.is_done());
    }
}

/// While a thread waits at the front, a task is sent away behind it though there is room by then;
/// so it must be told when that thread has gone on, too.
#[test]
fn a_task_behind_a_thread_that_waits_is_not_forgotten() {
    for round in 0..20 {
        for buffer in both(&small()) {
            fill_up(&buffer);
            thread::scope(|scope| {
                let writer = scope.spawn(|| match round % 2 {
                    0 => buffer.write(&batch(b"thread", 10)).map(drop),
                    _ => buffer.freeze(Wait::Forever).map(drop),
                });
                until("it waits", || full(&buffer).waiting == 1);
                let task = Task::start(&buffer, batch(b"task", 10), WriteOptions::default(), true);
                assert!(!task.is_done());
                assert!(flush(&buffer));
                if round % 2 == 1 {
                    // The task may have taken the place that the freeze waits for.
                    until("it is frozen", || {
                        writer.is_finished() || (flush(&buffer), false).1
                    });
                }
                writer.join().unwrap().unwrap();
                until("the task is done", || task.is_done());
            });
        }
    }
}

/// One that gives up leaves the place to a task that waits for less.
#[test]
fn a_task_behind_a_thread_that_gives_up_is_told() {
    let budget = MemoryBudget::new(256 << 10);
    let options = WriteBufferOptions {
        budget: Some(budget),
        ..WriteBufferOptions::default()
    };
    let buffer = logged(options, &Script::default());
    buffer.put(b"small", b"").unwrap();
    thread::scope(|scope| {
        let buffer = &buffer;
        let large = batch(b"large", 400 << 10);
        let large = scope.spawn(move || buffer.write_with(&large, wait(soon(200))));
        until("it waits", || buffer.stalls().budget.waiting == 1);
        let task = Task::start(buffer, batch(b"task", 10), WriteOptions::default(), true);
        assert!(matches!(
            large.join().unwrap(),
            Err(WriteError::TimedOut(_))
        ));
        until("the task is done", || task.is_done());
    });
}

#[test]
fn it_waits_for_a_budget_that_another_buffer_gives_back() {
    let budget = MemoryBudget::new(1 << 20);
    let options = || WriteBufferOptions {
        budget: Some(budget.clone()),
        ..WriteBufferOptions::default()
    };
    for busy in both(&options()) {
        for is_pinned in [false, true] {
            let idle = WriteBuffer::new(BytewiseComparator, options());
            idle.write(&batch(b"key", 800 << 10)).unwrap();
            let view = is_pinned.then(|| idle.view());
            let task = Task::start(
                &busy,
                batch(b"key", 250 << 10),
                WriteOptions::default(),
                false,
            );
            assert!(!task.is_done() && !task.was_woken());
            let stalls = busy.stalls().budget;
            assert_eq!((stalls.waiting, stalls.refused), (1, 0));
            assert_eq!(idle.memtables().len(), 2, "it was asked");
            assert!(flush(&idle));
            assert!(task.was_woken());
            drop(view);
            task.poll();
            assert!(task.is_done());
            busy.freeze(Wait::Never).unwrap();
            assert!(flush(&busy));
        }
    }
}

/// Somebody who is polled for other reasons is woken once for each change all the same.
#[test]
fn polls_do_not_pile_up_wakers() {
    let budget = MemoryBudget::new(64 << 10);
    for options in [
        small(),
        WriteBufferOptions {
            budget: Some(budget.clone()),
            ..small()
        },
    ] {
        let buffer = WriteBuffer::new(BytewiseComparator, options);
        fill_up(&buffer);
        let task = Task::start(
            &buffer,
            batch(b"key", 40 << 10),
            WriteOptions::default(),
            false,
        );
        for _ in 0..100 {
            task.poll();
        }
        assert!(!task.is_done());
        let before = task.woken.load(Ordering::Acquire);
        while flush(&buffer) {}
        let after = task.woken.load(Ordering::Acquire);
        assert!((1..20).contains(&(after - before)), "{before} {after}");
    }
}

#[test]
fn what_it_is_refused_for_is_said_at_once() {
    let script = Script::default();
    let buffer = logged(small(), &script);
    let task = Task::start(&buffer, batch(b"key", 10), SYNC, false);
    assert!(task.is_done());
    assert_eq!(
        script.events(),
        [Event::Created(1), Event::Appended(1), Event::Synced(1)]
    );
    script.fail(strata_write_buffer::LogAction::Append, 1);
    let task = Task::spawn(&buffer, b"key");
    assert!(matches!(
        task.outcome.lock().take(),
        Some(Err(WriteError::Log { .. }))
    ));
    assert_eq!(numbers(&buffer), [1]);
}

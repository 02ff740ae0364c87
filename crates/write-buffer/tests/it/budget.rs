//! Memory that several write buffers share. The cases with a number are stalls that other stores
//! have had.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::ImmutableMemTable;
use strata_write_buffer::{
    Flusher, LogAction, MemoryBudget, StallCause, Wait, WriteBuffer, WriteBufferOptions, WriteError,
};

use crate::scripted::{
    Buffer, NEVER, Script, Sink, batch, fill_up, flush, logged, numbers, soon, until, wait,
};

fn options(name: &str, budget: &MemoryBudget) -> WriteBufferOptions {
    WriteBufferOptions {
        name: name.to_owned(),
        budget: Some(budget.clone()),
        ..WriteBufferOptions::default()
    }
}

fn sharing(name: &str, budget: &MemoryBudget) -> Buffer {
    WriteBuffer::new(BytewiseComparator, options(name, budget))
}

/// One without logs and one with.
fn kinds(name: &str, budget: &MemoryBudget) -> [Box<dyn Fn() -> Buffer>; 2] {
    let (unlogged, with_logs) = (options(name, budget), options(name, budget));
    [
        Box::new(move || WriteBuffer::new(BytewiseComparator, unlogged.clone())),
        Box::new(move || logged(with_logs.clone(), &Script::default())),
    ]
}

/// Flushes to nowhere, and keeps how large the memtables were.
fn flusher(buffer: &Buffer) -> (Flusher, Arc<Mutex<Vec<usize>>>) {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sizes);
    let sink = Sink(move |memtable: &ImmutableMemTable<_>, _| {
        kept.lock().push(memtable.approximate_memory_usage());
        Ok(())
    });
    (Flusher::spawn(buffer.clone(), sink).unwrap(), sizes)
}

/// Writes entries of about a kilobyte, waiting for room.
fn write(buffer: &Buffer, entries: u32) {
    for i in 0..entries {
        buffer.write(&batch(&i.to_be_bytes(), 1000)).unwrap();
    }
}

fn held(budget: &MemoryBudget) -> usize {
    let holders = budget.holders();
    let bytes = holders
        .iter()
        .map(|of| of.active_bytes + of.immutable_bytes + of.pinned_bytes);
    bytes.sum()
}

#[test]
fn writers_stay_within_a_budget() {
    const LIMIT: usize = 1 << 20;
    const BATCH: usize = 24 << 10;
    let budget = MemoryBudget::new(LIMIT);
    let mut buffers = vec![sharing("a", &budget), sharing("b", &budget)];
    buffers.push(logged(options("c", &budget), &Script::default()));
    let flushers: Vec<_> = buffers.iter().map(|buffer| flusher(buffer).0).collect();
    let is_over = AtomicBool::new(false);
    let most = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(budget.used_bytes(), Ordering::Relaxed);
                thread::yield_now();
            }
        });
        let writers: Vec<_> = (0..6_usize)
            .map(|writer| {
                let buffer = &buffers[writer % 3];
                scope.spawn(move || {
                    for i in 0..200_usize {
                        let bytes = (i * 7919 + writer * 104_729) % BATCH;
                        buffer
                            .write(&batch(
                                &[writer.to_le_bytes(), i.to_le_bytes()].concat(),
                                bytes,
                            ))
                            .unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let most = most.into_inner();
    assert!(most <= LIMIT + BATCH, "{most}");
    assert!(most > LIMIT / 2, "{most}: the budget was never used");
    let flushed: u64 = buffers.iter().map(|buffer| buffer.flushes().done).sum();
    assert!(flushed >= 12, "{flushed}: the budget was not in the way");
    let reserved = |buffer: &Buffer| buffer.memory().reserved_bytes + buffer.pinned_bytes();
    until("what is flushed is given back", || {
        budget.used_bytes() == buffers.iter().map(reserved).sum::<usize>()
    });
    assert_eq!(held(&budget), budget.used_bytes());
    drop(flushers);
    drop(buffers);
    assert_eq!((budget.used_bytes(), budget.holders().len()), (0, 0));
}

/// rocksdb#7898: a budget that only asks for flushes is passed by as far as flushes are slow.
#[test]
fn while_nothing_is_flushed_no_more_is_used() {
    let budget = MemoryBudget::new(1 << 20);
    for make in kinds("one", &budget) {
        let buffer = make();
        let (cause, written) = fill_up(&buffer);
        assert_eq!(cause, StallCause::Budget);
        assert!(budget.used_bytes() <= 1 << 20, "{budget:?}");
        assert!(written > 700, "{written}: most of it can be used");
        assert_eq!(buffer.stalls().budget.refused, 1);
        let refused = buffer.write_with(&batch(b"late", 1000), wait(soon(10)));
        assert!(
            matches!(refused, Err(WriteError::TimedOut(StallCause::Budget))),
            "{refused:?}"
        );
        assert_eq!(buffer.stalls().budget.waits, 1);
        assert!(budget.used_bytes() <= 1 << 20, "{budget:?}");
        // It was asked for.
        assert_eq!(buffer.memtables().len(), 2);
        assert!(flush(&buffer));
        assert!(budget.used_bytes() < 1 << 18, "{budget:?}");
        buffer.write_with(&batch(b"in time", 1000), NEVER).unwrap();
    }
}

/// rocksdb#6364: near-empty memtables of all write buffers were flushed again and again.
#[test]
fn the_largest_memtable_goes_and_small_ones_stay() {
    const LIMIT: usize = 1 << 20;
    let budget = MemoryBudget::new(LIMIT);
    for make in kinds("busy", &budget) {
        let busy = make();
        let quiet: Vec<_> = (0..8).map(|_| sharing("quiet", &budget)).collect();
        let flushers: Vec<_> = quiet.iter().map(flusher).collect();
        for buffer in &quiet {
            write(buffer, 4);
        }
        let (of_busy, sizes) = flusher(&busy);
        write(&busy, 10_000);
        drop(of_busy);
        for (_, sizes) in &flushers {
            assert_eq!(*sizes.lock(), [], "a small one was flushed");
        }
        let sizes = sizes.lock();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((10..40).contains(&sizes.len()), "{sizes:?}");
        assert!(mean > LIMIT / 3, "{sizes:?}");
    }
}

/// rocksdb#6364 once more: what readers keep can't be given back by flushing, however often.
#[test]
fn memory_that_readers_keep_makes_no_small_memtables() {
    const LIMIT: usize = 1 << 20;
    let budget = MemoryBudget::new(LIMIT);
    for make in kinds("one", &budget) {
        let buffer = make();
        let mut views = Vec::new();
        while buffer.pinned_bytes() < LIMIT * 15 / 16 {
            write(&buffer, 100);
            views.push(buffer.view());
            buffer.freeze(Wait::Never).unwrap();
            assert!(flush(&buffer));
        }
        let (of_buffer, sizes) = flusher(&buffer);
        write(&buffer, 3000);
        drop(of_buffer);
        let sizes = sizes.lock();
        assert!(
            !sizes.is_empty() && sizes.iter().all(|&size| size > LIMIT / 8),
            "{sizes:?}"
        );
        drop(views);
    }
    assert_eq!(budget.used_bytes(), 0);
}

/// harper#2490, rocksdb-js#822: one idle write buffer held all of the memory, all writers stood
/// still, and every counter read zero.
#[test]
fn an_idle_buffer_is_frozen_for_others_and_who_waits_is_counted() {
    let budget = MemoryBudget::new(1 << 20);
    for make in kinds("busy", &budget) {
        let idle = sharing("idle", &budget);
        write(&idle, 750);
        assert_eq!(idle.memtables().len(), 1);
        let busy = make();
        thread::scope(|scope| {
            scope.spawn(|| write(&busy, 500));
            until("it waits", || busy.stalls().budget.waiting == 1);
            until("the idle one is frozen", || idle.memtables().len() == 2);
            let total = busy.stalls().budget.total;
            until("time passes", || busy.stalls().budget.total > total);
            assert_eq!(idle.stalls().budget.waits, 0);
            let holders = budget.holders();
            let of_idle = holders.iter().find(|holder| holder.name == "idle").unwrap();
            assert_eq!(of_idle.active_bytes, 0);
            assert!(of_idle.immutable_bytes > 700 << 10, "{holders:?}");
            assert!(flush(&idle));
        });
        assert_eq!(busy.stalls().budget.waiting, 0);
        assert_eq!(busy.last_sequence().get(), 500);
    }
}

/// greptimedb#7322: a flush was only asked for while half of the memory or more was mutable, so
/// with much of it being flushed nobody was asked, and nobody went on.
#[test]
fn something_is_frozen_however_little_of_the_memory_is_active() {
    let budget = MemoryBudget::new(1 << 20);
    for make in kinds("new", &budget) {
        let buffers: Vec<_> = (0..12).map(|_| sharing("small", &budget)).collect();
        for buffer in &buffers {
            write(buffer, 50);
        }
        for buffer in &buffers[..8] {
            buffer.freeze(Wait::Never).unwrap();
        }
        let new = make();
        let batch = batch(b"key", 900 << 10);
        let flushers: Vec<_> = thread::scope(|scope| {
            scope.spawn(|| new.write(&batch).unwrap());
            // What waits to be flushed is not enough for this one.
            let frozen = || {
                buffers
                    .iter()
                    .filter(|buffer| numbers(buffer).len() == 2)
                    .count()
            };
            until("more are frozen", || frozen() > 8);
            buffers.iter().map(flusher).collect()
        });
        drop(flushers);
        assert_eq!(new.stalls().budget.waits, 1);
    }
}

/// horaedb#1397: before there is nothing left and all must wait, a flush should have begun.
#[test]
fn beyond_a_soft_limit_a_memtable_is_frozen_and_nobody_waits() {
    const LIMIT: usize = 1 << 20;
    let budget = MemoryBudget::new(LIMIT);
    for make in kinds("one", &budget) {
        let buffer = make();
        while buffer.memtables().len() == 1 {
            assert!(
                budget.used_bytes() <= LIMIT / 8 * 7 + (64 << 10),
                "{budget:?}"
            );
            buffer.write_with(&batch(b"key", 1000), NEVER).unwrap();
        }
        assert!(budget.used_bytes() > LIMIT / 8 * 7, "{budget:?}");
        buffer.write_with(&batch(b"key", 1000), NEVER).unwrap();
        assert_eq!(buffer.stalls(), Default::default());
    }
}

/// aptos-core#19884: one cap over many write buffers, not one for each.
#[test]
fn many_buffers_are_bounded_by_their_sum() {
    const LIMIT: usize = 1 << 20;
    let budget = MemoryBudget::new(LIMIT);
    let buffers: Vec<_> = (0..40).map(|i| sharing(&format!("{i}"), &budget)).collect();
    let flushers: Vec<_> = buffers.iter().map(flusher).collect();
    for i in 0..6000_u32 {
        let buffer = &buffers[i as usize * 7 % 40];
        buffer.write(&batch(&i.to_be_bytes(), 1000)).unwrap();
        assert!(budget.used_bytes() <= LIMIT, "{budget:?}");
    }
    assert_eq!(budget.holders().len(), 40);
    drop(flushers);
    assert_eq!(held(&budget), budget.used_bytes());
}

/// rocksdb#12771: a flush by hand hung, because it waited for writers who waited for it.
#[test]
fn who_freezes_and_flushes_by_hand_waits_for_no_writer() {
    let budget = MemoryBudget::new(1 << 20);
    for make in kinds("by hand", &budget) {
        let buffer = make();
        let large = sharing("large", &budget);
        write(&buffer, 100);
        write(&large, 600);
        thread::scope(|scope| {
            // The larger one is frozen for this, and nobody flushes it yet.
            scope.spawn(|| buffer.write(&batch(b"key", 500 << 10)).unwrap());
            until("it waits", || buffer.stalls().budget.waiting == 1);
            until("the other one is frozen", || large.memtables().len() == 2);
            assert_eq!(buffer.freeze(Wait::Forever).unwrap(), Some(1));
            assert!(flush(&buffer));
            assert!(flush(&large));
        });
        assert_eq!(buffer.last_sequence().get(), 101);
    }
}

#[test]
fn a_batch_larger_than_the_budget_waits_until_nothing_is_left_and_is_written() {
    let budget = MemoryBudget::new(256 << 10);
    for make in kinds("one", &budget) {
        let buffer = make();
        buffer.write_with(&batch(b"first", 1 << 20), NEVER).unwrap();
        assert!(budget.used_bytes() > 1 << 20);
        let refused = buffer.write_with(&batch(b"second", 1 << 20), NEVER);
        assert!(
            matches!(refused, Err(WriteError::WouldBlock(StallCause::Budget))),
            "{refused:?}"
        );
        assert!(flush(&buffer), "it was frozen");
        buffer
            .write_with(&batch(b"second", 1 << 20), NEVER)
            .unwrap();
        let (of_buffer, _) = flusher(&buffer);
        for i in 0..5 {
            buffer.write(&batch(&[i], 300 << 10)).unwrap();
            assert!(budget.used_bytes() < 2 << 20, "one at a time: {budget:?}");
        }
        drop(of_buffer);
    }
}

#[test]
fn a_budget_smaller_than_any_memtable_lets_one_write_through_at_a_time() {
    for limit in [0, 1, 100] {
        let budget = MemoryBudget::new(limit);
        for make in kinds("one", &budget) {
            let buffer = make();
            buffer.write_with(&batch(b"first", 10), NEVER).unwrap();
            let refused = buffer.write_with(&batch(b"second", 1000), NEVER);
            assert!(
                matches!(refused, Err(WriteError::WouldBlock(StallCause::Budget))),
                "{refused:?}"
            );
            let (of_buffer, _) = flusher(&buffer);
            write(&buffer, 20);
            drop(of_buffer);
            assert_eq!(buffer.last_sequence().get(), 21);
        }
    }
}

#[test]
fn readers_who_keep_more_than_the_budget_leave_writers_a_fourth_of_it() {
    const LIMIT: usize = 1 << 20;
    let budget = MemoryBudget::new(LIMIT);
    for make in kinds("one", &budget) {
        let buffer = make();
        let (of_buffer, _) = flusher(&buffer);
        let mut views = Vec::new();
        while buffer.pinned_bytes() < 2 * LIMIT {
            write(&buffer, 50);
            views.push(buffer.view());
            let most = buffer.pinned_bytes().max(LIMIT * 3 / 4) + LIMIT / 4;
            assert!(budget.used_bytes() <= most + (64 << 10), "{budget:?}");
        }
        drop(of_buffer);
        fill_up(&buffer);
        let own = buffer.memory().reserved_bytes;
        assert!(own <= LIMIT / 4 && own > LIMIT / 8, "{own}");
        drop(views);
        until("it is given back", || budget.used_bytes() == own);
        buffer.write_with(&batch(b"key", 1000), NEVER).unwrap();
    }
}

#[test]
fn the_thread_that_holds_an_iterator_may_write() {
    let budget = MemoryBudget::new(512 << 10);
    for make in kinds("one", &budget) {
        let buffer = make();
        let (of_buffer, _) = flusher(&buffer);
        write(&buffer, 300);
        let mut cursor = buffer.cursor(..);
        cursor.seek_to_first().unwrap();
        let first = cursor.entry().unwrap().user_key.to_vec();
        // Each goes on from an iterator over what was written with the one before.
        let mut cursors = vec![cursor];
        for _ in 0..10 {
            write(&buffer, 300);
            cursors.push(buffer.cursor(..));
        }
        assert_eq!(cursors[0].entry().unwrap().user_key, first);
        drop(of_buffer);
    }
}

#[test]
fn the_limit_may_be_changed_while_somebody_waits() {
    let budget = MemoryBudget::new(256 << 10);
    for make in kinds("one", &budget) {
        budget.set_limit_bytes(256 << 10);
        let buffer = make();
        fill_up(&buffer);
        thread::scope(|scope| {
            scope.spawn(|| buffer.write(&batch(b"key", 1000)).unwrap());
            until("it waits", || buffer.stalls().budget.waiting == 1);
            budget.set_limit_bytes(1 << 20);
        });
        assert_eq!(budget.limit_bytes(), 1 << 20);
        write(&buffer, 100);
        let used = budget.used_bytes();
        budget.set_limit_bytes(used / 2);
        let refused = buffer.write_with(&batch(b"key", 1000), NEVER);
        assert!(
            matches!(refused, Err(WriteError::WouldBlock(StallCause::Budget))),
            "{refused:?}"
        );
        assert_eq!(budget.used_bytes(), used);
    }
}

/// Who can't be frozen, because there can be no log for what comes after, is passed over; and
/// those who wait do not keep asking.
#[test]
fn a_victim_that_can_have_no_log_is_passed_over() {
    let budget = MemoryBudget::new(1 << 20);
    for make in kinds("busy", &budget) {
        let script = Script::default();
        let victim = logged(options("victim", &budget), &script);
        let next = sharing("next", &budget);
        write(&victim, 400);
        write(&next, 250);
        script.fail(LogAction::Create, u32::MAX);
        let busy = make();
        let before = script.creations();
        thread::scope(|scope| {
            let busy = &busy;
            for i in 0..3_u8 {
                scope.spawn(move || busy.write(&batch(&[i], 400 << 10)).unwrap());
            }
            until("the next is frozen", || next.memtables().len() == 2);
            thread::sleep(Duration::from_millis(150));
            let asked = script.creations() - before;
            assert!((1..50).contains(&asked), "{asked}");
            assert_eq!(victim.memtables().len(), 1);
            assert!(flush(&next));
            until("the first is there", || {
                busy.memtables()[0].entries >= 1 || busy.memtables().len() > 1
            });
            script.fail(LogAction::Create, 0);
            let (of_victim, _) = flusher(&victim);
            let (of_busy, _) = flusher(busy);
            until("all are there", || busy.last_sequence().get() == 3);
            drop((of_victim, of_busy));
        });
        assert!(
            victim
                .get(&1_u32.to_be_bytes(), SequenceNumber::MAX)
                .is_none(),
            "it was flushed"
        );
    }
}

#[test]
fn who_waits_goes_on_when_a_buffer_that_holds_the_memory_is_dropped() {
    let budget = MemoryBudget::new(1 << 20);
    for make in kinds("busy", &budget) {
        let dropped = sharing("dropped", &budget);
        write(&dropped, 750);
        let busy = make();
        thread::scope(|scope| {
            scope.spawn(|| busy.write(&batch(b"key", 500 << 10)).unwrap());
            until("it waits", || busy.stalls().budget.waiting == 1);
            drop(dropped);
        });
        assert_eq!(budget.holders().len(), 1);
        assert_eq!(budget.used_bytes(), busy.memory().reserved_bytes);
    }
}

/// What readers keep of a write buffer that is gone is what readers keep.
#[test]
fn views_of_a_buffer_that_is_gone_leave_writers_a_fourth() {
    const LIMIT: usize = 1 << 20;
    let budget = MemoryBudget::new(LIMIT);
    for make in kinds("busy", &budget) {
        let gone = sharing("gone", &budget);
        write(&gone, 750);
        let view = gone.view();
        drop(gone);
        budget.set_limit_bytes(budget.used_bytes());
        let busy = make();
        fill_up(&busy);
        let own = busy.memory().reserved_bytes;
        assert!(own > LIMIT / 16 && own <= LIMIT / 4, "{own}");
        drop(view);
        busy.write_with(&batch(b"key", 1000), NEVER).unwrap();
        budget.set_limit_bytes(LIMIT);
    }
}

//! Leases: a lane is one thread's at a time, and the meter is told when it holds none.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock, Weak};
use std::thread;

use strata_arena::{AllocError, Arena, ArenaOptions, Meter};

use crate::pattern::{Filled, bytes};

/// More threads than lanes, so that some wait, each with a lease within its lease. Numbers kept for
/// each lane, changed by a load and a store, come out right.
#[test]
fn a_lane_is_one_threads_however_many_there_are() {
    const THREADS: usize = 3 * Arena::LANES;
    const ROUNDS: usize = 300;
    let arena = Arena::new();
    let counts: Vec<_> = (0..Arena::LANES).map(|_| AtomicUsize::new(0)).collect();
    let start = Barrier::new(THREADS);
    let count = |lane: usize| {
        let before = counts[lane].load(Ordering::Relaxed);
        thread::yield_now();
        counts[lane].store(before + 1, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        for thread in 1..=THREADS {
            let (arena, start, count) = (&arena, &start, &count);
            scope.spawn(move || {
                start.wait();
                let mut filled = Vec::new();
                for i in 0..ROUNDS {
                    let lease = arena.lease();
                    count(lease.lane());
                    let nested = arena.lease();
                    count(nested.lane());
                    let byte = u8::try_from(thread * 7 + i % 7).unwrap();
                    for lease in [&lease, &nested] {
                        let memory = lease.allocate(bytes(10)).unwrap().bytes;
                        filled.push(Filled::new(memory, byte));
                    }
                }
                assert!(filled.iter().all(Filled::is_intact));
            });
        }
    });
    let counted: usize = counts.into_iter().map(AtomicUsize::into_inner).sum();
    assert_eq!(counted, THREADS * ROUNDS * 2);
    assert_eq!(arena.used_bytes(), THREADS * ROUNDS * 2 * 10);
}

/// Takes a lease in each of so many threads, at the same time, and says which lanes they have.
fn lanes_of_threads(arena: &Arena, threads: usize) -> Vec<usize> {
    let all = Barrier::new(threads);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let lease = arena.lease();
                    all.wait();
                    lease.lane()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn leases_of_one_thread_end_in_any_order() {
    let arena = Arena::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut leases = [(); 3].map(|()| Some(arena.lease()));
        let own = leases[0].as_ref().unwrap().lane();
        for last in order {
            let mut lanes = lanes_of_threads(&arena, Arena::LANES - 1);
            lanes.push(own);
            lanes.sort_unstable();
            assert!(lanes.into_iter().eq(0..Arena::LANES));
            drop(leases[last].take());
        }
        let mut lanes = lanes_of_threads(&arena, Arena::LANES);
        lanes.sort_unstable();
        assert!(lanes.into_iter().eq(0..Arena::LANES), "it is given back");
    }
}

/// A thread that has a lease gets another though other threads have all other lanes.
#[test]
fn a_thread_does_not_wait_for_its_own_lease() {
    let arena = Arena::new();
    let lease = arena.lease();
    let (taken, done) = (Barrier::new(Arena::LANES), Barrier::new(Arena::LANES));
    thread::scope(|scope| {
        for _ in 1..Arena::LANES {
            scope.spawn(|| {
                let _lease = arena.lease();
                taken.wait();
                done.wait();
            });
        }
        taken.wait();
        assert_eq!(arena.lease().lane(), lease.lane());
        arena.allocate(bytes(10)).unwrap();
        done.wait();
    });
}

/// Remembers what it is told, and does with the arena what a meter may do.
#[derive(Debug, Default)]
struct Busy {
    bytes: AtomicUsize,
    calls: AtomicUsize,
    arena: OnceLock<Weak<Arena>>,
}

impl Busy {
    fn metered() -> (Arc<Self>, Arc<Arena>) {
        let busy = Arc::new(Self::default());
        let arena = Arc::new(Arena::with_options(ArenaOptions {
            meter: Some(Arc::clone(&busy) as Arc<dyn Meter>),
            ..ArenaOptions::default()
        }));
        busy.arena.set(Arc::downgrade(&arena)).unwrap();
        (busy, arena)
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Meter for Busy {
    fn reserved(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(arena) = self.arena.get().and_then(Weak::upgrade) {
            if self.calls.fetch_add(1, Ordering::Relaxed) < 100 {
                arena.allocate(crate::pattern::bytes(100)).unwrap();
            }
            // It holds no lane, and neither does any other thread while it is here.
            arena.wait_for_leases();
            assert!(arena.used_bytes() <= arena.reserved_bytes());
        }
    }

    fn released(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[test]
fn a_meter_may_allocate_and_wait_for_leases() {
    let (busy, arena) = Busy::metered();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    arena.allocate(bytes(200)).unwrap();
                    arena.allocate_node(bytes(20)).unwrap();
                }
            });
        }
    });
    assert_eq!(busy.bytes(), arena.reserved_bytes());
    assert!(busy.calls.load(Ordering::Relaxed) > 20);
    drop(arena);
    assert_eq!(busy.bytes(), 0);
}

#[test]
fn a_meter_is_told_when_the_thread_has_no_lease_left() {
    let (busy, arena) = Busy::metered();
    let lease = arena.lease();
    lease.allocate(bytes(10)).unwrap();
    lease.allocate_node(bytes(10)).unwrap();
    arena.allocate(bytes(50_000)).unwrap();
    let nested = arena.lease();
    nested.allocate(bytes(5000)).unwrap();
    assert_eq!(busy.bytes(), 0);
    assert!(arena.reserved_bytes() > 55_000);
    drop(lease);
    assert_eq!(busy.bytes(), 0);
    drop(nested);
    assert_eq!(busy.bytes(), arena.reserved_bytes());
}

/// A thread whose usual lane is held has another. When it is free again, the thread takes it, too:
/// what is reserved under it is told when the first is given back.
#[test]
fn a_meter_is_told_when_the_thread_has_no_other_lane() {
    let (busy, arena) = Busy::metered();
    let usual = arena.lease().lane();
    let (is_taken, may_go) = (Barrier::new(2), Barrier::new(2));
    let first = thread::scope(|scope| {
        // Threads are dealt lanes in turn; other tests' threads are, too.
        for _ in 0..1000 {
            let (arena, is_taken, may_go) = (&arena, &is_taken, &may_go);
            let holder = scope.spawn(move || {
                let lease = arena.lease();
                let is_usual = lease.lane() == usual;
                if is_usual {
                    is_taken.wait();
                    may_go.wait();
                }
                is_usual
            });
            while !holder.is_finished() && arena.lease().lane() == usual {}
            if !holder.is_finished() {
                is_taken.wait();
                let first = arena.lease();
                may_go.wait();
                assert!(holder.join().unwrap());
                return first;
            }
        }
        unreachable!("one of so many threads has the same usual lane")
    });
    assert_ne!(first.lane(), usual);
    first.allocate(bytes(10)).unwrap();
    let second = arena.lease();
    assert_eq!(second.lane(), usual);
    second.allocate(bytes(1000)).unwrap();
    drop(second);
    assert_eq!(busy.bytes(), 0);
    drop(first);
    assert_eq!(busy.bytes(), arena.reserved_bytes());
}

/// The thread that waits sees what was done under leases; its own are not waited for.
#[test]
fn leases_of_other_threads_are_waited_for() {
    let arena = Arena::new();
    let (taken, is_done) = (Barrier::new(2), AtomicBool::new(false));
    let _own = arena.lease();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _lease = arena.lease();
            taken.wait();
            thread::sleep(std::time::Duration::from_millis(20));
            is_done.store(true, Ordering::Relaxed);
        });
        taken.wait();
        arena.wait_for_leases();
        assert!(is_done.load(Ordering::Relaxed));
    });
}

/// Threads that have leases and wait for each other's go on.
#[test]
fn threads_with_leases_wait_at_once() {
    const THREADS: usize = Arena::LANES;
    let arena = Arena::new();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..50 {
                    let lease = arena.lease();
                    start.wait();
                    arena.wait_for_leases();
                    drop(lease);
                    // A lease taken before the others have waited is waited for, too.
                    start.wait();
                }
            });
        }
    });
}

/// A lease that is never dropped takes a lane from other threads, and nothing else. What was
/// reserved under it is never told of, nor released.
#[test]
fn a_forgotten_lease_costs_a_lane() {
    let (busy, arena) = Busy::metered();
    arena.allocate(bytes(10)).unwrap();
    let told = busy.bytes();
    thread::scope(|scope| {
        scope.spawn(|| {
            let lease = arena.lease();
            lease.allocate(bytes(100_000)).unwrap();
            mem::forget(lease);
        });
    });
    assert_eq!(busy.bytes(), told);
    assert_eq!(
        lanes_of_threads(&arena, Arena::LANES - 1).len(),
        Arena::LANES - 1
    );
    drop(arena);
    assert_eq!(busy.bytes(), 0);
}

/// At the limit, what is left in a lane is found by other threads unless one has it.
#[test]
fn lanes_that_threads_hold_are_not_taken_from() {
    let arena = Arena::with_limit(2000);
    let (taken, done) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let lease = arena.lease();
            lease.allocate(bytes(10)).unwrap();
            taken.wait();
            done.wait();
        });
        taken.wait();
        while arena.allocate(bytes(100)).is_ok() {}
        let refused = arena.allocate(bytes(100)).unwrap_err();
        assert!(matches!(refused, AllocError::LimitReached { .. }));
        assert!(arena.unused_bytes() > 800, "{}", arena.unused_bytes());
        done.wait();
    });
    arena.allocate(bytes(100)).unwrap();
}

//! The arena under loom: every interleaving of two threads (of three, with two or three
//! preemptions), and every result a relaxed or an acquiring load may give.
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`.
//!
//! In the models there are two lanes, and all threads try the first one first.
#![cfg(loom)]

use std::alloc::Layout;
use std::ops::Range;
use std::sync::atomic::AtomicUsize as Plain;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread;
use strata_arena::{Allocation, Arena, Location};

fn bytes(size: usize) -> Layout {
    Layout::from_size_align(size, 1).unwrap()
}

/// Fills an allocation, and checks that its location leads to it.
fn fill(arena: &Arena, allocation: Allocation<'_>, byte: u8) -> Range<usize> {
    let Allocation { location, bytes } = allocation;
    let length = bytes.len();
    let filled = bytes.write_copy_of_slice(&vec![byte; length]);
    assert!(filled.iter().all(|&found| found == byte));
    let start = filled.as_ptr().addr();
    // SAFETY: the arena gave this location, to this thread.
    assert_eq!(unsafe { arena.resolve(location) }.addr().get(), start);
    start..start + length
}

fn allocate(arena: &Arena, size: usize, byte: u8) -> Range<usize> {
    fill(arena, arena.allocate(bytes(size)).unwrap(), byte)
}

fn assert_disjoint(ranges: &[Range<usize>]) {
    for (i, a) in ranges.iter().enumerate() {
        for b in &ranges[i + 1..] {
            assert!(
                a.end <= b.start || b.end <= a.start,
                "{a:?} and {b:?} overlap"
            );
        }
    }
}

/// Makes allocations of these sizes, all even, and returns their sum.
fn allocate_all(arena: &Arena, sizes: &[usize]) -> usize {
    for &size in sizes {
        allocate(arena, size, 0);
    }
    sizes.iter().sum()
}

/// Which of the outcomes that a model may have it had.
struct Outcomes(Plain);

impl Outcomes {
    const fn none() -> Self {
        Self(Plain::new(0))
    }

    fn add(&self, outcome: usize) {
        self.0
            .fetch_or(1 << outcome, std::sync::atomic::Ordering::Relaxed);
    }

    /// Checks that there were all of the first `count`.
    fn assert_all(&self, count: usize) {
        let seen = self.0.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(seen, (1 << count) - 1, "outcomes, one a bit");
    }
}

/// Explores interleavings in which threads are interrupted so many times.
fn bounded(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Two threads allocate at once, in one lane after the other or in two.
#[test]
fn allocations_are_disjoint() {
    static LANES: Outcomes = Outcomes::none();
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = allocate_all(&arena, &[2]);
        let other = arena.clone();
        let thread = thread::spawn(move || [allocate(&other, 4, 1), allocate(&other, 6, 2)]);
        let lease = arena.lease();
        LANES.add(lease.lane());
        let mine = [8, 12].map(|size| fill(&arena, lease.allocate(bytes(size)).unwrap(), 3));
        drop(lease);
        let theirs = thread.join().unwrap();
        assert_disjoint(&[mine, theirs].concat());
        assert_eq!(arena.used_bytes(), before + 4 + 6 + 8 + 12);
    });
    LANES.assert_all(2);
}

/// A thread that takes a lane which another has given back goes on where that one stopped, and
/// knows the block.
#[test]
fn a_lane_is_passed_on_whole() {
    static LANES: Outcomes = Outcomes::none();
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let other = arena.clone();
        let thread = thread::spawn(move || {
            let lease = other.lease();
            [100, 20].map(|size| fill(&other, lease.allocate(bytes(size)).unwrap(), 1))
        });
        let lease = arena.lease();
        let mine = fill(&arena, lease.allocate(bytes(100)).unwrap(), 2);
        let lane = lease.lane();
        drop(lease);
        let [first, second] = thread.join().unwrap();
        LANES.add(if mine.start == second.end { 2 } else { lane });
        assert_disjoint(&[mine, first, second]);
        assert_eq!(arena.used_bytes(), 220);
    });
    LANES.assert_all(3);
}

/// Three threads, two lanes: one may have to wait.
#[test]
fn threads_wait_for_a_lane() {
    bounded(2, || {
        let arena = Arc::new(Arena::new());
        let threads = [1, 2].map(|byte| {
            let arena = arena.clone();
            thread::spawn(move || allocate(&arena, 10, byte))
        });
        let mine = allocate(&arena, 10, 3);
        let [first, second] = threads.map(|thread| thread.join().unwrap());
        assert_disjoint(&[mine, first, second]);
        assert_eq!(arena.used_bytes(), 30);
    });
}

/// One thread counts under leases unless a flag is up; another raises the flag and waits: then
/// nothing is counted any more.
#[test]
fn nothing_is_done_after_the_wait_by_threads_that_look_at_a_flag() {
    static COUNTED: Outcomes = Outcomes::none();
    bounded(3, || {
        let arena = Arc::new(Arena::new());
        let over_and_counts = Arc::new((
            AtomicBool::new(false),
            [AtomicU32::new(0), AtomicU32::new(0)],
        ));
        let count = |index: usize| {
            let (arena, shared) = (arena.clone(), over_and_counts.clone());
            move || {
                for round in 1..=2 {
                    let lease = arena.lease();
                    if shared.0.load(Ordering::Relaxed) {
                        return;
                    }
                    shared.1[index].store(round, Ordering::Relaxed);
                    drop(lease);
                }
            }
        };
        let threads = [0, 1].map(|index| thread::spawn(count(index)));
        let counts = || {
            over_and_counts
                .1
                .each_ref()
                .map(|count| count.load(Ordering::Relaxed))
        };
        over_and_counts.0.store(true, Ordering::Relaxed);
        arena.wait_for_leases();
        let counted = counts();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(counts(), counted);
        COUNTED.add((counted[0] + counted[1]) as usize);
    });
    COUNTED.assert_all(5);
}

/// Two threads that have a lease each wait at once: neither waits for the other, and of two that
/// do, one at least sees what the other did before.
#[test]
fn threads_that_wait_for_each_other_go_on() {
    static SEEN: Outcomes = Outcomes::none();
    bounded(2, || {
        let shared = Arc::new((Arena::new(), [AtomicU32::new(0), AtomicU32::new(0)]));
        let wait = |shared: Arc<(Arena, [AtomicU32; 2])>, own: usize| {
            let (arena, done) = &*shared;
            let lease = arena.lease();
            done[own].store(1, Ordering::Relaxed);
            arena.wait_for_leases();
            let seen = done[1 - own].load(Ordering::Relaxed);
            drop(lease);
            seen
        };
        let other = shared.clone();
        let thread = thread::spawn(move || wait(other, 1));
        let seen = wait(shared, 0) + 2 * thread.join().unwrap();
        assert!(seen > 0, "one of them was the later one");
        SEEN.add(seen as usize - 1);
    });
    SEEN.assert_all(3);
}

/// A thread resolves a location that another handed over, while a third makes the table grow: it
/// may find either table, and both say the same of it.
#[test]
fn a_location_outlives_the_table_it_was_made_with() {
    const NONE: u32 = u32::MAX;
    bounded(3, || {
        let arena = Arc::new(Arena::new());
        // Windows 0 to 6 of the eight that the first table has room for; each of these nodes has
        // a block of its own.
        allocate_all(&arena, &[2]);
        let large = bytes(100_000);
        for _ in 1..7 {
            arena.allocate_node(large).unwrap();
        }
        let handed_over = Arc::new((AtomicU32::new(NONE), AtomicU32::new(0)));
        // Of the lane that has a block.
        let lease = arena.lease();

        let (reader_arena, read) = (arena.clone(), handed_over.clone());
        let reader = thread::spawn(move || {
            let bits = read.0.load(Ordering::Acquire);
            if bits == NONE {
                return;
            }
            // SAFETY: the arena gave this location, and the flag came with it.
            let address = unsafe { reader_arena.resolve(Location::from_bits(bits)) };
            // SAFETY: it was written before it was handed over, and is not written again.
            assert_eq!(unsafe { address.read() }, 7);
        });
        let grower_arena = arena.clone();
        let grower = thread::spawn(move || {
            grower_arena.allocate_node(large).unwrap();
            let ninth = grower_arena.allocate_node(large).unwrap().location;
            assert_eq!(ninth, Location::from_bits(8 << 21), "in the second table");
        });
        let allocation = lease.allocate(bytes(10)).unwrap();
        allocation.bytes.write_copy_of_slice(&[7; 10]);
        handed_over
            .0
            .store(allocation.location.to_bits(), Ordering::Release);
        drop(lease);
        reader.join().unwrap();
        grower.join().unwrap();
    });
}

/// One thread makes a block, by which its lane's old one is given up, while the other allocates
/// from either lane.
#[test]
fn used_bytes_are_exact_while_a_block_is_changed() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = allocate_all(&arena, &[300, 300, 300]);
        let reserved = arena.reserved_bytes();
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 20, 1));
        let mine = allocate(&arena, 200, 2);
        let used = arena.used_bytes();
        assert!(used == before + 200 || used == before + 220, "{used}");
        assert!(arena.reserved_bytes() > reserved, "a new block was made");
        assert_disjoint(&[mine, thread.join().unwrap()]);
        assert_eq!(arena.used_bytes(), before + 20 + 200);
    });
}

/// One thread makes a block for a large request, of which less is left than of the lane's own: the
/// lane goes on with its own.
#[test]
fn used_bytes_are_exact_while_a_block_is_kept() {
    static OTHER: Outcomes = Outcomes::none();
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let first = allocate(&arena, 300, 0);
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 20, 1));
        let mine = allocate(&arena, 4000, 2);
        let theirs = thread.join().unwrap();
        assert_disjoint(&[first.clone(), mine, theirs.clone()]);
        assert_eq!(arena.used_bytes(), 300 + 4000 + 20);
        let next = allocate(&arena, 20, 3);
        assert_eq!(arena.used_bytes(), 300 + 4000 + 20 + 20);
        // The other thread had the same lane, or the second one.
        let is_same_lane = theirs.start == first.end;
        OTHER.add(is_same_lane.into());
        let end = if is_same_lane { theirs.end } else { first.end };
        assert_eq!(next.start, end, "what was left of the first block");
    });
    OTHER.assert_all(2);
}

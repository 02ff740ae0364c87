//! The arena under loom: every interleaving of two threads (of three, with three preemptions), and
//! every result a relaxed or an acquiring load may give.
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`.
#![cfg(loom)]

use std::alloc::Layout;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use strata_arena::{Arena, Location};

/// In the models all threads share one lane for entries.
fn allocate(arena: &Arena, bytes: usize, byte: u8) -> std::ops::Range<usize> {
    let layout = Layout::from_size_align(bytes, 1).unwrap();
    let allocation = arena.allocate(layout).unwrap();
    let filled = allocation.bytes.write_copy_of_slice(&vec![byte; bytes]);
    assert!(filled.iter().all(|&found| found == byte));
    let start = filled.as_ptr().addr();
    start..start + bytes
}

fn assert_disjoint(ranges: &[std::ops::Range<usize>]) {
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
fn fill(arena: &Arena, sizes: &[usize]) -> usize {
    for &size in sizes {
        allocate(arena, size, 0);
    }
    sizes.iter().sum()
}

/// Two threads allocate from one block: the compare-and-swap gives each a range of its own.
#[test]
fn allocations_are_disjoint() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = fill(&arena, &[2]);
        let other = arena.clone();
        let thread = thread::spawn(move || [allocate(&other, 4, 1), allocate(&other, 6, 2)]);
        let mine = [allocate(&arena, 8, 3), allocate(&arena, 12, 4)];
        let theirs = thread.join().unwrap();
        assert_disjoint(&[mine, theirs].concat());
        assert_eq!(arena.used_bytes(), before + 4 + 6 + 8 + 12);
    });
}

/// Two threads need the first block at once: one makes it, and the other, which finds it without
/// taking the lock, sees the table and the block's entry in it.
#[test]
fn a_published_block_is_whole() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 100, 1));
        let mine = allocate(&arena, 100, 2);
        assert_disjoint(&[mine, thread.join().unwrap()]);
        assert_eq!(arena.used_bytes(), 200);
    });
}

/// One thread makes a second block while the other allocates: whichever compare-and-swap finds the
/// second sees its entry in the table, even if it had begun with the first.
#[test]
fn a_block_found_by_a_lost_race_is_whole() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = fill(&arena, &[300, 300, 300]);
        let other = arena.clone();
        let thread = thread::spawn(move || [allocate(&other, 20, 1), allocate(&other, 20, 2)]);
        let mine = allocate(&arena, 200, 3);
        let [first, second] = thread.join().unwrap();
        assert_disjoint(&[mine, first, second]);
        assert_eq!(arena.used_bytes(), before + 200 + 40);
    });
}

/// A thread resolves a location that another handed over, while a third makes the table grow: it
/// may find either table, and both say the same of it.
#[test]
fn a_location_outlives_the_table_it_was_made_with() {
    const NONE: u32 = u32::MAX;
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let arena = Arc::new(Arena::new());
        // Windows 0 to 6 of the eight that the first table has room for; each of these nodes has
        // a block of its own.
        fill(&arena, &[2]);
        let large = Layout::from_size_align(100_000, 1).unwrap();
        for _ in 1..7 {
            arena.allocate_node(large).unwrap();
        }
        let handed_over = Arc::new((AtomicU32::new(NONE), AtomicU32::new(0)));

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
        let layout = Layout::from_size_align(10, 1).unwrap();
        let allocation = arena.allocate(layout).unwrap();
        allocation.bytes.write_copy_of_slice(&[7; 10]);
        handed_over
            .0
            .store(allocation.location.to_bits(), Ordering::Release);
        reader.join().unwrap();
        grower.join().unwrap();
    });
}

/// One thread makes a block, by which the lane's old one is given up, while the other allocates
/// from either: what is used stays exact, because the swap that ends the old block's sharing is
/// what counts the rest of it.
#[test]
fn used_bytes_are_exact_while_a_block_is_changed() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = fill(&arena, &[300, 300, 300]);
        let reserved = arena.reserved_bytes();
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 20, 1));
        let mine = allocate(&arena, 200, 2);
        assert!(arena.reserved_bytes() > reserved, "a new block was made");
        assert_disjoint(&[mine, thread.join().unwrap()]);
        assert_eq!(arena.used_bytes(), before + 20 + 200);
    });
}

/// One thread makes a block for a large request, of which less is left than of the lane's own.
#[test]
fn used_bytes_are_exact_while_a_block_is_kept() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = fill(&arena, &[300]);
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 20, 1));
        let mine = allocate(&arena, 4000, 2);
        assert_disjoint(&[mine, thread.join().unwrap()]);
        assert_eq!(arena.used_bytes(), before + 20 + 4000);
        let next = allocate(&arena, 20, 3);
        assert!(arena.used_bytes() == before + 20 + 4000 + 20 && !next.is_empty());
    });
}

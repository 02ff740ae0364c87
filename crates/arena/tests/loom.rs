//! The arena under loom: every interleaving of two threads, and every result a relaxed or an
//! acquiring load may give. Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use strata_arena::Arena;

/// Fills an allocation and says which addresses it covers.
fn allocate(arena: &Arena, bytes: usize, byte: u8) -> std::ops::Range<usize> {
    let allocation = arena.allocate(bytes).unwrap();
    let filled = allocation.write_copy_of_slice(&vec![byte; bytes]);
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

/// Two threads allocate from one block: the compare-and-swap gives each a range of its own.
#[test]
fn allocations_are_disjoint() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        arena.allocate(1).unwrap();
        let other = arena.clone();
        let thread = thread::spawn(move || [allocate(&other, 3, 1), allocate(&other, 5, 2)]);
        let mine = [allocate(&arena, 7, 3), allocate(&arena, 11, 4)];
        let theirs = thread.join().unwrap();
        assert_disjoint(&[mine, theirs].concat());
        assert_eq!(arena.used_bytes(), 1 + 3 + 5 + 7 + 11);
    });
}

/// Two threads need the first block at once: one makes it, and the other, which finds it without
/// taking the lock, sees its header whole.
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

/// One thread fills a block and makes the next while the other allocates from either: what is
/// used stays exact, because the old block is sealed by the swap that counts it.
#[test]
fn used_bytes_are_exact_while_blocks_change() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        arena.allocate(900).unwrap();
        arena.allocate(900).unwrap();
        arena.allocate(900).unwrap();
        arena.allocate(900).unwrap();
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 500, 1));
        let mine = [allocate(&arena, 10, 2), allocate(&arena, 700, 3)];
        let theirs = thread.join().unwrap();
        assert_disjoint(&[&mine[..], &[theirs]].concat());
        assert_eq!(arena.used_bytes(), 4 * 900 + 500 + 10 + 700);
    });
}

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

/// One thread makes a new block while the other allocates from either.
#[test]
fn used_bytes_are_exact_while_blocks_change() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        let before = fill(&arena, &[900, 900, 900, 900]);
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 500, 1));
        let mine = [allocate(&arena, 10, 2), allocate(&arena, 700, 3)];
        let theirs = thread.join().unwrap();
        assert_disjoint(&[&mine[..], &[theirs]].concat());
        assert_eq!(arena.used_bytes(), before + 500 + 10 + 700);
    });
}

/// One thread makes a block that is roomier than the current one while there is a spare that is
/// roomier, too, so that the current one is sealed, while the other allocates from it: what is
/// used stays exact, because the swap that seals the block is what counts it.
#[test]
fn used_bytes_are_exact_while_a_block_is_sealed() {
    loom::model(|| {
        let arena = Arc::new(Arena::new());
        // A block that is left as the spare with a thousand bytes, and one of which all but a
        // hundred bytes are used.
        let before = fill(&arena, &[3000, 2000, 900, 900, 100]);
        let blocks = arena.reserved_bytes();
        let other = arena.clone();
        let thread = thread::spawn(move || allocate(&other, 20, 1));
        let mine = allocate(&arena, 1500, 2);
        assert!(arena.reserved_bytes() > blocks, "a new block was made");
        let theirs = thread.join().unwrap();
        assert_disjoint(&[mine, theirs]);
        assert_eq!(arena.used_bytes(), before + 20 + 1500);
    });
}

/// Makes allocations of these sizes and returns their sum.
fn fill(arena: &Arena, sizes: &[usize]) -> usize {
    for &size in sizes {
        arena.allocate(size).unwrap();
    }
    sizes.iter().sum()
}

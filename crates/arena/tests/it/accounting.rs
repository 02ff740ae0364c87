//! What the arena says it owns against what a counting allocator saw.

use std::alloc::Layout;
use std::thread;

use allocation_counter::measure;
use strata_arena::{Allocation, Arena, BlockPool, Location};

use crate::pattern::bytes;

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn arenas_pools_and_allocations_go_between_threads() {
    is_send_and_sync::<Arena>();
    is_send_and_sync::<BlockPool>();
    is_send_and_sync::<Location>();
    is_send_and_sync::<Allocation<'_>>();
}

#[test]
fn reserved_bytes_are_what_the_allocator_gave() {
    for sizes in [
        vec![1],
        vec![100; 1000],
        vec![5000; 50],
        vec![20, 2000, 200_000, 3, 40_000, 1],
        // The table grows by more than twice at once.
        vec![1, 150 << 20, 1, 5 << 20, 4 << 20],
    ] {
        let mut arena = None;
        let info = measure(|| {
            let new = Arena::new();
            for &size in &sizes {
                new.allocate(bytes(size)).unwrap();
                new.allocate_node(bytes(40)).unwrap();
            }
            arena = Some(new);
        });
        let arena = arena.unwrap();
        assert_eq!(
            arena.reserved_bytes() as i64,
            info.bytes_current,
            "{sizes:?}"
        );
        let even = |size: &usize| size.next_multiple_of(2) + 40;
        assert_eq!(arena.used_bytes(), sizes.iter().map(even).sum::<usize>());
        let freed = measure(|| drop(arena));
        assert_eq!(
            freed.bytes_current, -info.bytes_current,
            "all of it is given back"
        );
    }
}

#[test]
fn used_bytes_count_the_padding_before_an_aligned_allocation() {
    let arena = Arena::new();
    arena.allocate(bytes(2)).unwrap();
    let layout = Layout::from_size_align(16, 8).unwrap();
    arena.allocate(layout).unwrap();
    assert_eq!(arena.used_bytes(), 2 + 6 + 16);
}

#[test]
fn an_allocation_takes_whole_granules() {
    let arena = Arena::new();
    for (size, used) in [(1, 2), (3, 4), (4, 4), (0, 2)] {
        let before = arena.used_bytes();
        arena.allocate(bytes(size)).unwrap();
        assert_eq!(arena.used_bytes() - before, used, "{size} bytes");
    }
}

#[test]
fn allocating_from_a_block_allocates_nothing_else() {
    let arena = Arena::new();
    arena.allocate(bytes(1)).unwrap();
    let info = measure(|| {
        for _ in 0..30 {
            arena.allocate(bytes(30)).unwrap();
        }
    });
    assert_eq!(info.count_total, 0);
}

/// Each thread of eight has its own block, what a ninth and on have is shared.
#[test]
fn threads_have_lanes_and_lanes_are_few() {
    let arena = Arena::new();
    let mut reserved = Vec::new();
    for _ in 0..30 {
        thread::scope(|scope| {
            scope.spawn(|| arena.allocate(bytes(8)).unwrap());
        });
        reserved.push(arena.reserved_bytes());
    }
    reserved.dedup();
    assert!(
        reserved.len() > 4,
        "threads one after the other: {reserved:?}"
    );
    assert!(reserved.len() <= 8, "{reserved:?}");
    assert_eq!(arena.used_bytes(), 30 * 8);
}

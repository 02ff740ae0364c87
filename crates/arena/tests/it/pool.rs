//! Blocks that go from one arena to the next.

use std::sync::Arc;

use allocation_counter::measure;
use strata_arena::{Arena, ArenaOptions, BlockPool};

use crate::pattern::{Filled, Random, bytes};

/// An arena without limit over `pool`.
fn pooled(pool: &Arc<BlockPool>) -> Arena {
    Arena::with_options(ArenaOptions {
        pool: Some(Arc::clone(pool)),
        ..ArenaOptions::default()
    })
}

/// Fills an arena with entries of many sizes and a few nodes, and checks what it holds.
fn fill(arena: &Arena, seed: u64) {
    let mut random = Random(seed);
    let mut filled = Vec::new();
    for i in 0..2000u16 {
        let layout = bytes(random.below(400));
        let allocation = match random.one_in(20) {
            true => arena.allocate_node(layout),
            false => arena.allocate(layout),
        };
        filled.push(Filled::new(allocation.unwrap().bytes, (i % 251) as u8));
    }
    assert!(filled.iter().all(Filled::is_intact));
}

#[test]
fn the_next_arena_takes_the_blocks_of_the_last() {
    let pool = Arc::new(BlockPool::default());
    let mut reserved = 0;
    let mut allocate_and_drop = || {
        let arena = pooled(&pool);
        for i in 0..5000 {
            arena.allocate(bytes(i % 400)).unwrap();
            if i % 40 == 0 {
                arena.allocate_node(bytes(576)).unwrap();
            }
        }
        reserved = arena.reserved_bytes();
    };
    let first = measure(&mut allocate_and_drop);
    let second = measure(&mut allocate_and_drop);
    let retained = pool.retained_bytes();
    assert!(retained > reserved * 9 / 10, "{retained} of {reserved}");
    // The arenas' lists and tables, and the pool's lists.
    let beside = first.bytes_current - i64::try_from(retained).unwrap();
    assert!(
        (0..4096).contains(&beside),
        "{beside} bytes beside the blocks"
    );
    assert_eq!(second.bytes_current, 0);
    assert!(second.bytes_total < 8192, "{}", second.bytes_total);
}

#[test]
fn a_pool_keeps_no_more_than_it_may() {
    for max_bytes in [0, 1000, 1008, 5000, 100_000, 1 << 20] {
        let pool = Arc::new(BlockPool::new(max_bytes));
        let arenas: Vec<_> = (1..5)
            .map(|seed| {
                let arena = pooled(&pool);
                fill(&arena, seed);
                arena
            })
            .collect();
        for arena in arenas {
            drop(arena);
            assert!(pool.retained_bytes() <= max_bytes);
        }
        if max_bytes >= 1008 {
            assert!(pool.retained_bytes() > max_bytes / 2, "{max_bytes}");
        }
    }
}

#[test]
fn a_dropped_pool_frees_its_blocks() {
    let info = measure(|| {
        let pool = Arc::new(BlockPool::default());
        for seed in 1..4 {
            fill(&pooled(&pool), seed);
        }
    });
    assert_eq!(info.bytes_current, 0);
}

#[test]
fn a_block_of_an_unusual_size_is_freed() {
    let pool = Arc::new(BlockPool::default());
    let arena = pooled(&pool);
    arena.allocate(bytes(100_000)).unwrap();
    arena.allocate(bytes(5 << 20)).unwrap();
    drop(arena);
    assert_eq!(pool.retained_bytes(), 0);
}

#[test]
fn a_limit_holds_for_blocks_from_a_pool() {
    let pool = Arc::new(BlockPool::default());
    fill(&pooled(&pool), 1);
    let arena = Arena::with_options(ArenaOptions {
        limit_bytes: 10_000,
        pool: Some(Arc::clone(&pool)),
        ..ArenaOptions::default()
    });
    while arena.allocate(bytes(50)).is_ok() {}
    let reserved = arena.reserved_bytes();
    assert!(reserved > 8000 && reserved <= 10_000, "{reserved}");
}

#[test]
fn threads_take_and_leave_blocks_at_once() {
    let pool = Arc::new(BlockPool::new(200_000));
    std::thread::scope(|scope| {
        for seed in 1..5 {
            let pool = &pool;
            scope.spawn(move || {
                for _ in 0..10 {
                    fill(&pooled(pool), seed);
                }
            });
        }
    });
    let retained = pool.retained_bytes();
    assert!(retained > 100_000 && retained <= 200_000, "{retained}");
}

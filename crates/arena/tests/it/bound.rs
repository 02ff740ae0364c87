//! How much an arena grows against how much it was said to grow at most.

use std::alloc::Layout;

use quickcheck::{Gen, QuickCheck};
use strata_arena::Arena;

use crate::pattern::{Random, bytes};

/// A node of an index: nine cache lines.
fn node() -> Layout {
    Layout::from_size_align(576, 64).unwrap()
}

/// The bytes that so many nodes take, with those that their alignment may cost.
fn node_bytes(nodes: usize) -> usize {
    nodes * (node().size() + node().align() - 1)
}

/// The sizes that waste most: those that just pass a third of a block, or one size of chunk.
const AWKWARD: [usize; 12] = [
    319, 320, 321, 447, 448, 449, 2709, 4031, 4032, 4033, 8128, 21_825,
];

/// An arena in some state, in which the calling thread's lane is neither fresh nor, mostly, full.
fn filled(random: &mut Random, limit: usize) -> Arena {
    let arena = Arena::with_limit(limit);
    let largest = [20, 300, 5000, 60_000][random.below(4)];
    for _ in 0..random.below(400) {
        match random.one_in(12) {
            true => drop(arena.allocate_node(node())),
            false => drop(arena.allocate(bytes(1 + random.below(largest)))),
        }
    }
    arena
}

fn size(random: &mut Random, kind: usize) -> usize {
    match kind {
        0 => random.below(60),
        1 => random.below(1500),
        2 => AWKWARD[random.below(AWKWARD.len())],
        3 => random.below(50_000),
        4 => random.below(3 << 20),
        // All but a few are small.
        _ if random.one_in(10) => random.below(200_000),
        _ => random.below(100),
    }
}

#[test]
fn no_sequence_of_allocations_grows_an_arena_by_more_than_the_bound() {
    fn holds(seed: u32, count: u8, kind: u8, nodes: u8, limited: bool) -> bool {
        let mut random = Random(u64::from(seed % 2_147_483_646) + 1);
        let limit = match limited {
            true => 1000 + random.below(1 << 20),
            false => usize::MAX,
        };
        let arena = filled(&mut random, limit);
        let nodes = usize::from(nodes % 40);
        // Of some sizes only, or one only: what wastes most is the same over and over.
        let one = size(&mut random, usize::from(kind % 6));
        let sizes: Vec<usize> = (0..count)
            .map(|_| match kind % 3 {
                0 => one,
                _ => size(&mut random, usize::from(kind % 6)),
            })
            .collect();
        let bound = arena.growth_bound(sizes.len(), sizes.iter().sum(), node_bytes(nodes));
        let before = arena.reserved_bytes();
        let every = sizes.len() / nodes.max(1) + 1;
        let mut left = nodes;
        // One by one, or several in one allocation.
        let at_once = 1 + random.below(9);
        let mut allocate_nodes = || {
            let some = at_once.min(left);
            let several = Layout::from_size_align(node().size() * some, node().align()).unwrap();
            if some > 0 {
                arena.allocate_node(several).unwrap();
                left -= some;
            }
            some > 0
        };
        for (i, &size) in sizes.iter().enumerate() {
            drop(arena.allocate(bytes(size)));
            if i % every == 0 {
                allocate_nodes();
            }
        }
        while allocate_nodes() {}
        let growth = arena.reserved_bytes() - before;
        assert!(
            growth <= bound,
            "{growth} of {bound}: {sizes:?}, {nodes} nodes"
        );
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(250, 11))
        .tests(3000)
        .quickcheck(holds as fn(_, _, _, _, _) -> _);
}

/// What is left in a lane when an allocation does not fit it is as much as can be.
#[test]
fn the_worst_order_of_sizes_stays_within_the_bound() {
    for rounds in [1, 5, 40, 300] {
        let arena = Arena::new();
        let mut sizes = Vec::new();
        let probe = Arena::new();
        for _ in 0..rounds {
            // Take all but a little less than a third of a block, then a little more than is left.
            let block = probe.reserved_bytes();
            for size in [300, 1024, 2709, 5439, 10_901]
                .into_iter()
                .filter(|size| *size < block.max(301))
            {
                sizes.extend([size, size, size - 2]);
                probe.allocate(bytes(size)).unwrap();
            }
        }
        let bound = arena.growth_bound(sizes.len(), sizes.iter().sum(), 0);
        for &size in &sizes {
            arena.allocate(bytes(size)).unwrap();
        }
        assert!(arena.reserved_bytes() <= bound);
    }
}

#[test]
fn what_fits_is_not_expected_to_grow_anything() {
    let arena = Arena::new();
    for _ in 0..2000 {
        arena.allocate(bytes(100)).unwrap();
        arena.allocate_node(node()).unwrap();
    }
    // The lanes of other threads have nothing left: a block of the least size is for those.
    let one = arena.growth_bound(1, 10, node_bytes(1));
    assert!(one <= 3 << 10, "{one}");
    assert_eq!(arena.growth_bound(0, 0, 0), 0);
}

#[test]
fn the_bound_is_not_far_from_the_growth() {
    let arena = Arena::new();
    while arena.reserved_bytes() < 2 << 20 {
        arena.allocate(bytes(100)).unwrap();
    }
    for (count, size) in [(1000, 100), (100, 5000), (10_000, 20), (10, 100_000)] {
        let bound = arena.growth_bound(count, count * size, 0);
        let demanded = count * size;
        assert!(
            bound <= demanded * 4 + (192 << 10),
            "{count} of {size}: {bound}"
        );
    }
    let nodes = arena.growth_bound(0, 0, node_bytes(1000));
    assert!(nodes <= 576 * 1000 * 3, "{nodes}");
}

#[test]
fn no_demand_is_too_large_to_ask_about() {
    let arena = Arena::new();
    arena.allocate(bytes(10)).unwrap();
    let all = usize::MAX;
    assert_eq!(arena.growth_bound(all, all, all), all);
    assert!(arena.growth_bound(1, all, 0) > isize::MAX as usize / 4);
    let limited = Arena::with_limit(10_000);
    assert!(limited.growth_bound(all, all, 0) < 20_000);
}

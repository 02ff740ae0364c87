//! How much an arena grows against how much it was said to grow at most.

use std::alloc::Layout;

use quickcheck::{Gen, QuickCheck};
use strata_arena::{Arena, Demand};

use crate::pattern::{Random, bytes};

/// A node of an index: nine cache lines.
fn node() -> Layout {
    Layout::from_size_align(576, 64).unwrap()
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
        let demand = Demand::of_bytes(sizes.len(), sizes.iter().sum());
        let bound = arena.growth_bound(demand, Demand::of_layout(nodes, node()));
        let before = arena.reserved_bytes();
        let every = sizes.len() / nodes.max(1) + 1;
        let mut made = 0;
        for (i, &size) in sizes.iter().enumerate() {
            drop(arena.allocate(bytes(size)));
            if i % every == 0 && made < nodes {
                arena.allocate_node(node()).unwrap();
                made += 1;
            }
        }
        for _ in made..nodes {
            arena.allocate_node(node()).unwrap();
        }
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
        let bound = arena.growth_bound(
            Demand::of_bytes(sizes.len(), sizes.iter().sum()),
            Demand::NOTHING,
        );
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
    let one = arena.growth_bound(Demand::of_bytes(1, 10), Demand::of_layout(1, node()));
    assert!(one <= 3 << 10, "{one}");
    assert_eq!(arena.growth_bound(Demand::NOTHING, Demand::NOTHING), 0);
    assert_eq!(
        arena.growth_bound(Demand::of_bytes(0, 0), Demand::of_layout(0, node())),
        0
    );
}

#[test]
fn the_bound_is_not_far_from_the_growth() {
    let arena = Arena::new();
    while arena.reserved_bytes() < 2 << 20 {
        arena.allocate(bytes(100)).unwrap();
    }
    for (count, size) in [(1000, 100), (100, 5000), (10_000, 20), (10, 100_000)] {
        let bound = arena.growth_bound(Demand::of_bytes(count, count * size), Demand::NOTHING);
        let demanded = count * size;
        assert!(
            bound <= demanded * 3 + (192 << 10),
            "{count} of {size}: {bound}"
        );
    }
    let nodes = arena.growth_bound(Demand::NOTHING, Demand::of_layout(1000, node()));
    assert!(nodes <= 576 * 1000 * 2, "{nodes}");
}

#[test]
fn no_demand_is_too_large_to_ask_about() {
    let arena = Arena::new();
    arena.allocate(bytes(10)).unwrap();
    let all = Demand::of_bytes(usize::MAX, usize::MAX);
    assert_eq!(arena.growth_bound(all, all), usize::MAX);
    let one = Demand::of_bytes(1, usize::MAX);
    assert!(arena.growth_bound(one, Demand::NOTHING) > isize::MAX as usize / 4);
    let limited = Arena::with_limit(10_000);
    assert!(limited.growth_bound(all, Demand::NOTHING) < 20_000);
}

//! How much is reserved for what is used.

use std::alloc::Layout;

use strata_arena::{AllocError, Arena};

use crate::pattern::bytes;

/// A node of a tree over the entries: nine cache lines.
fn node() -> Layout {
    Layout::from_size_align(576, 64).unwrap()
}

#[test]
fn an_arena_with_an_entry_and_a_node_is_under_three_kibibytes() {
    let arena = Arena::new();
    arena.allocate(bytes(130)).unwrap();
    arena.allocate_node(node()).unwrap();
    let reserved = arena.reserved_bytes();
    assert!(reserved < 3 << 10, "{reserved}");
    assert!(size_of::<Arena>() <= 1664, "{}", size_of::<Arena>());
}

/// The most that is reserved over what is used, from `target` bytes until a sixteenth more: entries
/// of one size, with or without a node for forty of them.
fn over_allocation(size: usize, with_nodes: bool, target: usize) -> f64 {
    let arena = Arena::new();
    let mut worst = 0.0f64;
    for i in 0.. {
        arena.allocate(bytes(size)).unwrap();
        if with_nodes && i % 40 == 0 {
            arena.allocate_node(node()).unwrap();
        }
        let used = arena.used_bytes();
        if used >= target {
            worst = worst.max(arena.reserved_bytes() as f64 / used as f64);
        }
        if used >= target + target / 16 {
            break;
        }
    }
    worst
}

#[test]
fn over_allocation_is_under_five_percent_at_four_megabytes() {
    for size in (16..=1000)
        .step_by(41)
        .chain([130, 682, 910, 962, 964, 1000])
    {
        for with_nodes in [false, true] {
            let ratio = over_allocation(size, with_nodes, 4 << 20);
            assert!(
                ratio < 1.05,
                "{size} bytes each, nodes {with_nodes}: {ratio}"
            );
        }
    }
}

/// The worst that was found is just over four pages.
#[test]
fn over_allocation_of_large_entries_is_bounded() {
    for size in (1001..70_000).step_by(1717).chain([4132, 8273, 16_400]) {
        let ratio = over_allocation(size, true, 4 << 20);
        assert!(ratio < 1.33, "{size} bytes each: {ratio}");
    }
}

#[test]
fn over_allocation_shrinks_as_the_arena_grows() {
    for size in [100, 696, 822, 1000] {
        let ratio = over_allocation(size, true, 32 << 20);
        assert!(ratio < 1.03, "{size} bytes each: {ratio}");
    }
}

/// The sizes that use up the indices fastest: each entry has a block of its own, and with it an
/// index. Only the last page of each is ever touched.
#[test]
fn an_arena_reaches_over_a_gibibyte_whatever_the_sizes() {
    let arena = Arena::new();
    arena.allocate(bytes(100)).unwrap();
    let large = bytes((4 << 20) / 3);
    let error = loop {
        if let Err(error) = arena.allocate(large) {
            break error;
        }
    };
    assert_eq!(
        error,
        AllocError::OutOfLocations {
            requested: large.size()
        }
    );
    assert_eq!(
        error.to_string(),
        "the arena has no locations left for 1398101 bytes"
    );
    let reserved = arena.reserved_bytes();
    assert!(reserved > 1 << 30, "{reserved}");
    // What is left of the blocks is still handed out, and counts.
    let used = arena.used_bytes();
    arena.allocate(bytes(100)).unwrap();
    assert_eq!(arena.used_bytes(), used + 100);
    arena.allocate_node(bytes(100)).unwrap_err();
    assert_eq!(
        (arena.reserved_bytes(), arena.used_bytes()),
        (reserved, used + 100)
    );
}

/// Eight threads with little each, so that the blocks stay small for longest.
#[test]
fn many_lanes_do_not_use_up_the_indices() {
    let arena = Arena::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..16_000 {
                    arena.allocate(bytes(1000)).unwrap();
                }
            });
        }
    });
    let ratio = arena.reserved_bytes() as f64 / arena.used_bytes() as f64;
    assert!(ratio < 1.1, "{ratio}");
}

//! The limit, and what no allocator could give.

use strata_arena::{AllocError, Arena};

use crate::pattern::bytes;

#[test]
fn a_limit_is_never_passed_and_refusals_consume_nothing() {
    for limit in [
        0, 1, 100, 1000, 4095, 4096, 8192, 10_000, 100_000, 1_000_000,
    ] {
        let arena = Arena::with_limit(limit);
        assert_eq!(arena.limit_bytes(), limit);
        let mut refused = 0;
        for size in [10, 1000, 50_000, 3, 7000, 300]
            .into_iter()
            .cycle()
            .take(3000)
        {
            let before = (arena.reserved_bytes(), arena.used_bytes());
            match arena.allocate(bytes(size)) {
                Ok(allocation) => assert_eq!(allocation.bytes.len(), size),
                Err(error) => {
                    refused += 1;
                    assert_eq!(
                        error,
                        AllocError::LimitReached {
                            requested: size,
                            reserved: before.0,
                            limit
                        }
                    );
                    assert_eq!((arena.reserved_bytes(), arena.used_bytes()), before);
                }
            }
            assert!(
                arena.reserved_bytes() <= limit,
                "{} of {limit}",
                arena.reserved_bytes()
            );
        }
        assert!(refused > 0, "{limit}");
    }
}

/// What it takes to list blocks counts, too: some of these limits have room for a block, but not
/// for its place in a list that has to grow.
#[test]
fn any_limit_is_used_and_never_passed() {
    for limit in (0..20_000).step_by(8) {
        let arena = Arena::with_limit(limit);
        while arena.allocate(bytes(60)).is_ok() {}
        let reserved = arena.reserved_bytes();
        assert!(reserved <= limit, "{reserved} of {limit}");
        // The smallest block, and a longer list and table.
        assert!(reserved + 512 + 1024 > limit, "{reserved} of {limit}");
    }
}

/// A large request that is refused must not spoil the arena for small ones.
#[test]
fn a_refused_request_leaves_room_for_smaller_ones() {
    let arena = Arena::with_limit(16 << 10);
    arena.allocate(bytes(10)).unwrap();
    for _ in 0..1000 {
        arena.allocate(bytes(1 << 20)).unwrap_err();
    }
    let mut served = 0;
    while arena.allocate(bytes(100)).is_ok() {
        served += 100;
    }
    assert!(served > 12_000, "{served} of 16384 bytes could be used");
}

/// What other threads' lanes have left is found before an entry is refused.
#[test]
fn at_the_limit_threads_share_their_lanes() {
    let arena = Arena::with_limit(16 << 10);
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| arena.allocate(bytes(10)).unwrap());
        }
    });
    while arena.allocate(bytes(10)).is_ok() {}
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| arena.allocate(bytes(10)).unwrap_err());
        }
    });
}

#[test]
fn a_node_is_not_refused_for_the_limit() {
    let arena = Arena::with_limit(2000);
    while arena.allocate(bytes(100)).is_ok() {}
    for _ in 0..100 {
        let node = arena.allocate_node(bytes(576)).unwrap();
        assert_eq!(node.bytes.len(), 576);
    }
    let reserved = arena.reserved_bytes();
    assert!(reserved > 57_600, "nodes count: {reserved}");
    assert_eq!(
        arena.allocate(bytes(100)).unwrap_err(),
        AllocError::LimitReached {
            requested: 100,
            reserved,
            limit: 2000
        },
        "and leave nothing to entries"
    );
}

#[test]
fn sizes_no_allocator_could_serve_are_refused() {
    let arena = Arena::new();
    for requested in [isize::MAX as usize, isize::MAX as usize / 2] {
        for result in [
            arena.allocate(bytes(requested)),
            arena.allocate_node(bytes(requested)),
        ] {
            assert_eq!(result.unwrap_err(), AllocError::OutOfMemory { requested });
        }
    }
    assert_eq!((arena.reserved_bytes(), arena.used_bytes()), (0, 0));
}

#[test]
fn sizes_past_what_locations_reach_are_refused() {
    let arena = Arena::new();
    let requested = (2047 << 22) + 1;
    assert_eq!(
        arena.allocate(bytes(requested)).unwrap_err(),
        AllocError::OutOfLocations { requested }
    );
    assert_eq!((arena.reserved_bytes(), arena.used_bytes()), (0, 0));
}

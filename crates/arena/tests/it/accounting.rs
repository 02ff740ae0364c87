//! What the arena says it owns against what a counting allocator saw, and its limit.

use std::alloc::Layout;

use allocation_counter::measure;
use strata_arena::{AllocError, Arena};

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn an_arena_goes_between_threads() {
    is_send_and_sync::<Arena>();
}

#[test]
fn reserved_bytes_are_what_the_allocator_gave() {
    for sizes in [
        vec![1],
        vec![100; 1000],
        vec![5000; 50],
        vec![20, 2000, 200_000, 3, 40_000, 1],
    ] {
        let mut arena = None;
        let info = measure(|| {
            let new = Arena::new();
            for &size in &sizes {
                new.allocate(size).unwrap();
            }
            arena = Some(new);
        });
        let arena = arena.unwrap();
        assert_eq!(
            arena.reserved_bytes() as i64,
            info.bytes_current,
            "{sizes:?}"
        );
        assert_eq!(arena.used_bytes(), sizes.iter().sum::<usize>());
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
    arena.allocate(1).unwrap();
    arena
        .allocate_layout(Layout::from_size_align(16, 8).unwrap())
        .unwrap();
    assert_eq!(arena.used_bytes(), 1 + 7 + 16);
}

#[test]
fn allocating_from_a_block_allocates_nothing_else() {
    let arena = Arena::new();
    arena.allocate(1).unwrap();
    let info = measure(|| {
        for _ in 0..100 {
            arena.allocate(30).unwrap();
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn an_arena_with_little_in_it_is_little() {
    let arena = Arena::new();
    arena.allocate(100).unwrap();
    assert!(
        arena.reserved_bytes() <= 4096 + 128,
        "{}",
        arena.reserved_bytes()
    );
}

#[test]
fn over_allocation_is_small_at_four_megabytes() {
    for (sizes, bound) in [
        (&[24, 130, 500, 1000][..], 1.05),
        (&[1100, 4100, 9000, 20_000], 1.15),
    ] {
        for &size in sizes {
            let arena = Arena::new();
            while arena.used_bytes() < 4 << 20 {
                arena.allocate(size).unwrap();
            }
            let ratio = arena.reserved_bytes() as f64 / arena.used_bytes() as f64;
            assert!(ratio < bound, "{size} bytes each: {ratio}");
        }
    }
}

#[test]
fn a_limit_is_never_passed_and_refusals_consume_nothing() {
    for limit in [0, 100, 4095, 4096, 8192, 10_000, 100_000, 1_000_000] {
        let arena = Arena::with_limit(limit);
        let mut refused = 0;
        for size in [10, 1000, 50_000, 3, 7000, 300]
            .into_iter()
            .cycle()
            .take(3000)
        {
            let before = (arena.reserved_bytes(), arena.used_bytes());
            match arena.allocate(size) {
                Ok(bytes) => assert_eq!(bytes.len(), size),
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

/// A large request that is refused must not spoil the arena for small ones.
#[test]
fn a_refused_request_leaves_room_for_smaller_ones() {
    let arena = Arena::with_limit(16 << 10);
    arena.allocate(10).unwrap();
    for _ in 0..1000 {
        arena.allocate(1 << 20).unwrap_err();
    }
    let mut served = 0;
    while arena.allocate(100).is_ok() {
        served += 100;
    }
    assert!(served > 12_000, "{served} of 16384 bytes could be used");
}

#[test]
fn sizes_no_allocator_could_serve_are_refused() {
    let arena = Arena::new();
    for requested in [
        usize::MAX,
        isize::MAX as usize,
        isize::MAX as usize / 2,
        usize::MAX / 2 + 1,
    ] {
        assert_eq!(
            arena.allocate(requested).unwrap_err(),
            AllocError::OutOfMemory { requested }
        );
    }
    assert_eq!((arena.reserved_bytes(), arena.used_bytes()), (0, 0));
}

//! Blocks of huge pages: what they take, where they are, and whether the kernel was told.

use std::sync::Arc;

use allocation_counter::measure;
use strata_arena::{AllocError, Arena, ArenaOptions, BlockPool};

use crate::pattern::{Filled, Random, bytes};

const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Whether the option has an effect.
const HAS_EFFECT: bool = cfg!(all(feature = "huge-pages", target_os = "linux", not(miri)));

fn options(limit_bytes: usize) -> ArenaOptions {
    ArenaOptions {
        limit_bytes,
        huge_pages: true,
        ..ArenaOptions::default()
    }
}

/// Allocates 18 MiB of entries and 3 MiB of nodes.
fn fill(arena: &Arena) {
    for i in 0..30_000 {
        arena.allocate(bytes(i % 1280)).unwrap();
        if i % 6 == 0 {
            arena.allocate_node(bytes(576)).unwrap();
        }
    }
}

/// The addresses at which an allocation begins a huge page.
fn page_starts(arena: &Arena, count: usize, size: usize) -> Vec<usize> {
    (0..count)
        .map(|_| arena.allocate(bytes(size)).unwrap().bytes.as_ptr().addr())
        .filter(|address| address.is_multiple_of(HUGE_PAGE_BYTES))
        .collect()
}

#[test]
fn reserved_bytes_are_what_the_allocator_gave() {
    let mut arena = None;
    let info = measure(|| {
        let new = Arena::with_options(options(usize::MAX));
        for i in 0..40_000 {
            new.allocate(bytes(i % 900)).unwrap();
        }
        for size in [700_000, 3 << 20, (4 << 20) - 64, 9 << 20] {
            new.allocate(bytes(size)).unwrap();
            new.allocate_node(bytes(size)).unwrap();
        }
        arena = Some(new);
    });
    let arena = arena.unwrap();
    assert_eq!(arena.reserved_bytes() as i64, info.bytes_current);
    let freed = measure(|| drop(arena));
    assert_eq!(freed.bytes_current, -info.bytes_current);
}

/// A lane that has reserved little takes no huge page, and one that has takes nothing else.
#[test]
fn a_lane_goes_on_in_whole_huge_pages_when_it_has_filled_one() {
    let (arena, plain) = (Arena::with_options(options(usize::MAX)), Arena::new());
    let mut larger_steps = 0;
    for _ in 0..200_000 {
        let before = arena.reserved_bytes();
        arena.allocate(bytes(100)).unwrap();
        plain.allocate(bytes(100)).unwrap();
        let step = arena.reserved_bytes() - before;
        let is_small = before < HUGE_PAGE_BYTES;
        match step {
            0 => {}
            // The list of blocks or the table may have grown, too.
            _ if HAS_EFFECT && !is_small => {
                assert!(
                    (HUGE_PAGE_BYTES..HUGE_PAGE_BYTES + 65_536).contains(&step),
                    "{step}"
                );
                larger_steps += 1;
            }
            _ => assert!(step < 300_000, "{step}"),
        }
        if is_small || !HAS_EFFECT {
            assert_eq!(arena.reserved_bytes(), plain.reserved_bytes());
        }
    }
    assert_eq!(larger_steps, if HAS_EFFECT { 9 } else { 0 });
}

#[test]
fn huge_pages_begin_where_the_kernel_can_put_them() {
    let count = |options| page_starts(&Arena::with_options(options), 200_000, 100).len();
    assert_eq!(count(options(usize::MAX)) >= 9, HAS_EFFECT);
}

/// The flags of the mapping that an address is in: their line in `smaps`.
#[cfg(target_os = "linux")]
fn flags_at(address: usize) -> String {
    let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_here = false;
    for line in smaps.lines() {
        let range = line
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'));
        let bound = |bound| usize::from_str_radix(bound, 16);
        if let Some((Ok(start), Ok(end))) = range.map(|(start, end)| (bound(start), bound(end))) {
            is_here = (start..end).contains(&address);
        } else if is_here && line.starts_with("VmFlags:") {
            return format!("{line} ");
        }
    }
    panic!("no mapping has {address:#x}");
}

/// `hg` is set by the hint, whatever the kernel then does.
#[test]
#[cfg(target_os = "linux")]
fn the_kernel_is_told_of_each_huge_page() {
    if !std::fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap() {
        eprintln!("this kernel has no huge pages to hint at");
        return;
    }
    let arena = Arena::with_options(options(usize::MAX));
    let starts = page_starts(&arena, 100_000, 100);
    assert_eq!(starts.len() >= 4, HAS_EFFECT);
    for start in starts {
        for address in [start, start + HUGE_PAGE_BYTES - 1] {
            let flags = flags_at(address);
            assert_eq!(flags.contains(" hg "), HAS_EFFECT, "{flags}");
        }
    }
}

/// Where two MiB more would pass the limit, small blocks take the rest of it; a refusal changes
/// nothing.
#[test]
fn a_limit_is_used_and_never_passed() {
    for limit in (0..14 << 20).step_by(700_001) {
        let arena = Arena::with_options(options(limit));
        let refusal = loop {
            let before = (arena.reserved_bytes(), arena.used_bytes());
            if let Err(error) = arena.allocate(bytes(700)) {
                assert_eq!((arena.reserved_bytes(), arena.used_bytes()), before);
                break error;
            }
        };
        let reserved = arena.reserved_bytes();
        assert_eq!(
            refusal,
            AllocError::LimitReached {
                requested: 700,
                reserved,
                limit
            }
        );
        // A small block, and a longer list and table.
        assert!(
            reserved <= limit && reserved + 16_384 > limit,
            "{reserved} of {limit}"
        );
        assert!(
            arena.used_bytes() + 16_384 >= limit / 10 * 9,
            "{} of {limit}",
            arena.used_bytes()
        );
    }
}

#[test]
fn nothing_grows_an_arena_by_more_than_the_bound() {
    for (seed, limit) in [
        (1, usize::MAX),
        (2, usize::MAX),
        (3, 9 << 20),
        (4, 30 << 20),
    ] {
        let mut random = Random(seed);
        let arena = Arena::with_options(options(limit));
        for largest in [100, 3000, 60_000, 700_000, 699_050, 2 << 20] {
            let sizes: Vec<usize> = (0..40_000_000 / largest.max(20_000))
                .map(|_| random.below(largest))
                .collect();
            let bound = arena.growth_bound(sizes.len(), sizes.iter().sum(), 576 * sizes.len());
            let before = arena.reserved_bytes();
            for &size in &sizes {
                let _ = arena.allocate(bytes(size));
                arena.allocate_node(bytes(576)).unwrap();
            }
            let growth = arena.reserved_bytes() - before;
            assert!(growth <= bound, "{growth} of {bound}, up to {largest}");
        }
    }
}

#[test]
fn a_pool_keeps_huge_pages_for_any_arena() {
    let pool = Arc::new(BlockPool::new(usize::MAX));
    let pooled = |huge_pages| {
        Arena::with_options(ArenaOptions {
            pool: Some(Arc::clone(&pool)),
            huge_pages,
            ..ArenaOptions::default()
        })
    };
    let mut reserved = 0;
    let mut fill_and_drop = || {
        let arena = pooled(true);
        fill(&arena);
        reserved = arena.reserved_bytes();
    };
    fill_and_drop();
    let again = measure(fill_and_drop);
    // Lists and tables, and no block.
    let beside = usize::try_from(again.bytes_total).unwrap();
    assert!(beside < reserved / 500, "{beside}");
    assert!(pool.retained_bytes() > reserved * 9 / 10);
    // One without the option finds whatever has the size it asks for.
    let plain = pooled(false);
    fill(&plain);
    let retained = pool.retained_bytes();
    plain.allocate(bytes(HUGE_PAGE_BYTES)).unwrap();
    let was_there = retained - pool.retained_bytes() > HUGE_PAGE_BYTES;
    assert_eq!(was_there, HAS_EFFECT);
    drop(plain);
    let freed = measure(|| drop(pool));
    assert!(freed.bytes_current < -(reserved as i64) * 9 / 10);
}

#[test]
fn threads_fill_huge_pages_at_once() {
    let arena = Arena::with_options(options(usize::MAX));
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let arena = &arena;
            scope.spawn(move || {
                let filled: Vec<_> = (0..40_000u32)
                    .map(|_| Filled::new(arena.allocate(bytes(100)).unwrap().bytes, thread))
                    .collect();
                assert!(filled.iter().all(Filled::is_intact));
            });
        }
    });
    assert_eq!(arena.used_bytes(), 16_000_000);
}

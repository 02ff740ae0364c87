//! What a meter is told against what the arena and a counting allocator say.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use allocation_counter::measure;
use strata_arena::{Arena, ArenaOptions, BlockPool, Meter};

use crate::pattern::{Random, bytes};

/// A sum, and how often it was told of.
#[derive(Debug, Default)]
struct Tally {
    bytes: AtomicUsize,
    reservations: AtomicUsize,
    releases: AtomicUsize,
    /// If there is a pool, what it has when an arena's memory is said to be gone.
    pool: Option<Arc<BlockPool>>,
    retained_at_release: AtomicUsize,
}

impl Meter for Tally {
    fn reserved(&self, bytes: usize) {
        assert!(bytes > 0);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.reservations.fetch_add(1, Ordering::Relaxed);
    }

    fn released(&self, bytes: usize) {
        assert!(bytes > 0);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.releases.fetch_add(1, Ordering::Relaxed);
        if let Some(pool) = &self.pool {
            let retained = pool.retained_bytes();
            self.retained_at_release.store(retained, Ordering::Relaxed);
        }
    }
}

impl Tally {
    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn releases(&self) -> usize {
        self.releases.load(Ordering::Relaxed)
    }

    fn metered(self: &Arc<Self>, limit_bytes: usize) -> Arena {
        Arena::with_options(ArenaOptions {
            limit_bytes,
            pool: self.pool.clone(),
            meter: Some(Arc::clone(self) as Arc<dyn Meter>),
            ..ArenaOptions::default()
        })
    }
}

#[test]
fn the_sum_is_what_is_reserved_at_every_step_and_nothing_in_the_end() {
    for (limit, largest) in [(usize::MAX, 300), (usize::MAX, 20_000), (200_000, 3000)] {
        let tally = Arc::new(Tally::default());
        let mut random = Random(7);
        let mut arena = None;
        let info = measure(|| {
            let new = tally.metered(limit);
            for _ in 0..2000 {
                let before = new.reserved_bytes();
                let layout = bytes(random.below(largest));
                let refused = match random.one_in(30) {
                    true => new.allocate_node(layout).is_err(),
                    false => new.allocate(layout).is_err(),
                };
                assert_eq!(tally.bytes(), new.reserved_bytes());
                assert!(!refused || new.reserved_bytes() == before);
            }
            arena = Some(new);
        });
        assert_eq!(i64::try_from(tally.bytes()), Ok(info.bytes_current));
        let blocks = tally.reservations.load(Ordering::Relaxed);
        assert!(blocks > 10 && blocks < 1000, "told of blocks: {blocks}");
        assert_eq!(tally.releases(), 0);
        drop(arena);
        assert_eq!((tally.bytes(), tally.releases()), (0, 1));
    }
}

#[test]
fn an_arena_that_reserved_nothing_releases_nothing() {
    let tally = Arc::new(Tally::default());
    let arena = tally.metered(0);
    assert!(arena.allocate(bytes(1)).is_err());
    drop(arena);
    assert_eq!((tally.bytes(), tally.releases()), (0, 0));
}

/// A table of windows may have grown for a block that there was then no memory for.
#[test]
fn what_no_allocator_gives_is_not_told_of() {
    let tally = Arc::new(Tally::default());
    let arena = tally.metered(usize::MAX);
    arena.allocate(bytes(10)).unwrap();
    assert!(arena.allocate(bytes(isize::MAX as usize / 8)).is_err());
    assert_eq!(tally.bytes(), arena.reserved_bytes());
}

#[test]
fn memory_is_released_after_it_was_left_to_the_pool() {
    let tally = Arc::new(Tally {
        pool: Some(Arc::new(BlockPool::default())),
        ..Tally::default()
    });
    for _ in 0..2 {
        let arena = tally.metered(usize::MAX);
        for _ in 0..100 {
            arena.allocate(bytes(100)).unwrap();
        }
        assert_eq!(tally.bytes(), arena.reserved_bytes());
        drop(arena);
        let retained = tally.retained_at_release.load(Ordering::Relaxed);
        assert!(retained > 10_000, "{retained}");
        assert_eq!(tally.bytes(), 0);
    }
}

#[test]
fn several_arenas_and_threads_share_a_meter() {
    let tally = Arc::new(Tally::default());
    let arenas = [tally.metered(usize::MAX), tally.metered(usize::MAX)];
    thread::scope(|scope| {
        for seed in 1..5 {
            let arenas = &arenas;
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..3000 {
                    let arena = &arenas[random.below(2)];
                    arena.allocate(bytes(random.below(500))).unwrap();
                }
            });
        }
    });
    let [a, b] = arenas;
    assert_eq!(tally.bytes(), a.reserved_bytes() + b.reserved_bytes());
    drop(a);
    assert_eq!(tally.bytes(), b.reserved_bytes());
    drop(b);
    assert_eq!(tally.bytes(), 0);
}

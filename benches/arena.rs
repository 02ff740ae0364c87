//! The arena: allocations of an entry's size, filling an arena from nothing
//! or from a pool, and giving it back.

use std::alloc::Layout;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::Arc;

use benches::{SplitMix64, criterion};
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, SamplingMode, Throughput, measurement};
use strata_arena::{Arena, ArenaOptions, BlockPool, Location};

const COUNT: u64 = 100_000;

fn main() {
    let mut criterion = criterion();
    let mut group = criterion.benchmark_group("arena");
    group
        .throughput(Throughput::Elements(COUNT))
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat);
    for bytes in [16, 128, 1024] {
        let sizes = vec![bytes; usize::try_from(COUNT).unwrap()];
        allocations(&mut group, &format!("count=100k/bytes={bytes}"), &sizes);
    }
    allocations(&mut group, "count=100k/bytes=1..1024", &mixed_sizes());
    group.finish();
    criterion.final_summary();
}

/// Sizes of 1 to 1024 bytes, all as likely.
fn mixed_sizes() -> Vec<usize> {
    let mut rng = SplitMix64::new(1);
    (0..COUNT)
        .map(|_| 1 + usize::try_from(rng.below(1024)).unwrap())
        .collect()
}

fn allocations(
    group: &mut BenchmarkGroup<'_, measurement::WallTime>,
    parameters: &str,
    sizes: &[usize],
) {
    let with_align = |align| {
        let layout = move |&size: &usize| Layout::from_size_align(size, align).unwrap();
        sizes.iter().map(layout).collect::<Vec<_>>()
    };
    let any_address = with_align(1);
    let allocate = |arena: &Arena, layouts: &[Layout]| {
        for &layout in layouts {
            black_box(arena.allocate(layout).unwrap());
        }
    };
    let arena = Arena::new();
    allocate(&arena, &any_address);
    let granules = |size: &usize| size.next_multiple_of(Location::GRANULE);
    assert_eq!(
        arena.used_bytes(),
        sizes.iter().map(granules).sum::<usize>()
    );

    // The bytes are not written to, so that what is timed is handing them out.
    for (suffix, layouts) in [("", &any_address), ("/align=8", &with_align(8))] {
        let id = BenchmarkId::new("allocate", format!("{parameters}{suffix}"));
        group.bench_function(id, |bencher| {
            bencher.iter_batched_ref(
                Arena::new,
                |arena| allocate(arena, layouts),
                BatchSize::PerIteration,
            );
        });
    }
    let filled = |arena: Arena| {
        allocate(&arena, &any_address);
        arena
    };
    group.bench_function(BenchmarkId::new("drop", parameters), |bencher| {
        bencher.iter_batched(|| filled(Arena::new()), drop, BatchSize::PerIteration);
    });

    // The bytes are written to: touching them for the first time is what a pool saves.
    let write = |arena: &Arena| {
        for &layout in &any_address {
            let bytes = arena.allocate(layout).unwrap().bytes;
            black_box(bytes).fill(MaybeUninit::new(1));
        }
    };
    group.bench_function(BenchmarkId::new("write", parameters), |bencher| {
        bencher.iter_batched_ref(Arena::new, |arena| write(arena), BatchSize::PerIteration);
    });
    let pool = Arc::new(BlockPool::new(usize::MAX));
    let options = ArenaOptions {
        pool: Some(Arc::clone(&pool)),
        ..ArenaOptions::default()
    };
    let pooled = || Arena::with_options(options.clone());
    drop(filled(pooled()));
    let id = BenchmarkId::new("write", format!("{parameters}/pooled"));
    group.bench_function(id, |bencher| {
        bencher.iter_batched_ref(pooled, |arena| write(arena), BatchSize::PerIteration);
    });
}

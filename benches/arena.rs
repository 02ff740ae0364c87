//! The arena: allocations of an entry's size, filling an arena from nothing, and giving it back.

use std::alloc::Layout;
use std::hint::black_box;

use benches::{SplitMix64, criterion};
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, SamplingMode, Throughput, measurement};
use strata_arena::Arena;

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
    let aligned = |&size: &usize| Layout::from_size_align(size, align_of::<u64>()).unwrap();
    let layouts: Vec<Layout> = sizes.iter().map(aligned).collect();
    let allocate = |arena: &Arena| {
        for &size in sizes {
            black_box(arena.allocate(size).unwrap());
        }
    };
    let arena = Arena::new();
    allocate(&arena);
    assert_eq!(arena.used_bytes(), sizes.iter().sum::<usize>());

    // The bytes are not written to, so that what is timed is handing them out.
    group.bench_function(BenchmarkId::new("allocate", parameters), |bencher| {
        bencher.iter_batched_ref(Arena::new, |arena| allocate(arena), BatchSize::PerIteration);
    });
    let id = BenchmarkId::new("allocate_layout", format!("{parameters}/align=8"));
    group.bench_function(id, |bencher| {
        bencher.iter_batched_ref(
            Arena::new,
            |arena| {
                for &layout in &layouts {
                    black_box(arena.allocate_layout(layout).unwrap());
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::new("drop", parameters), |bencher| {
        let filled = || {
            let arena = Arena::new();
            allocate(&arena);
            arena
        };
        bencher.iter_batched(filled, drop, BatchSize::PerIteration);
    });
}

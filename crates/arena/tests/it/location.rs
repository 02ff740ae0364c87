//! Locations lead to the addresses that were handed out.

use std::alloc::Layout;

use strata_arena::{Arena, Location};

use crate::pattern::{Random, bytes};

/// Where an allocation is, by both names.
struct Place {
    location: Location,
    address: usize,
    bytes: usize,
}

fn allocate(arena: &Arena, layout: Layout, node: bool) -> Place {
    let allocation = match node {
        true => arena.allocate_node(layout),
        false => arena.allocate(layout),
    };
    let allocation = allocation.unwrap();
    Place {
        location: allocation.location,
        address: allocation.bytes.as_ptr().addr(),
        bytes: layout.size(),
    }
}

fn address(arena: &Arena, location: Location) -> usize {
    // SAFETY: every caller passes a location of this arena.
    unsafe { arena.resolve(location) }.addr().get()
}

/// At the beginning, in the middle, at the last granule.
fn assert_resolves(arena: &Arena, place: &Place) {
    for offset in [
        0,
        place.bytes / 4 * 2,
        place.bytes.saturating_sub(1) / 2 * 2,
    ] {
        let location = Location::from_bits(place.location.to_bits()).plus(offset);
        assert_eq!(
            address(arena, location),
            place.address + offset,
            "{location:?}, {offset} of {} bytes",
            place.bytes
        );
        assert_ne!(location.to_bits(), u32::MAX);
    }
}

#[test]
fn every_location_resolves_to_what_was_handed_out() {
    let arena = Arena::new();
    let mut random = Random(17);
    let places: Vec<Place> = (0..20_000)
        .map(|i| {
            let bound = if random.one_in(200) { 100_000 } else { 200 };
            let align = 1 << random.below(8);
            let layout = Layout::from_size_align(random.below(bound), align).unwrap();
            let place = allocate(&arena, layout, random.one_in(20));
            assert_eq!(place.address % align, 0, "allocation {i}");
            place
        })
        .collect();
    places
        .iter()
        .for_each(|place| assert_resolves(&arena, place));
    let mut locations: Vec<Location> = places.iter().map(|place| place.location).collect();
    locations.sort_unstable();
    locations.dedup();
    assert_eq!(locations.len(), places.len(), "also of those without bytes");
}

#[test]
fn locations_within_a_huge_allocation_are_consecutive() {
    let arena = Arena::new();
    let window = 4 << 20;
    let mut places = Vec::new();
    for size in [
        window - 1,
        window,
        window + 1,
        3 * window - 4096,
        40 * window + 77,
    ] {
        places.push(allocate(&arena, bytes(10), false));
        let place = allocate(&arena, bytes(size), false);
        for offset in (0..size).step_by(window / 4) {
            assert_eq!(
                address(&arena, place.location.plus(offset)),
                place.address + offset
            );
        }
        places.push(place);
        places.push(allocate(
            &arena,
            Layout::from_size_align(576, 64).unwrap(),
            true,
        ));
    }
    places
        .iter()
        .for_each(|place| assert_resolves(&arena, place));
}

/// The chunk for a request that fills its windows is larger than these. The rest of it is not used:
/// it would take one more, which the table may have no room for.
#[test]
fn a_block_has_no_more_windows_than_its_request() {
    for small in 0..20 {
        let arena = Arena::new();
        for _ in 0..small {
            allocate(&arena, bytes(700), false);
        }
        for windows in 1..4 {
            let place = allocate(&arena, bytes(windows << 22), false);
            assert_resolves(&arena, &place);
            let next = allocate(&arena, bytes(1 << 22), true);
            let distance = next.location.to_bits() - place.location.to_bits();
            assert_eq!(distance as usize, windows << 21, "{small} blocks before");
        }
    }
}

/// An alignment larger than a window: the padding is in the block, too.
#[test]
fn locations_hold_for_large_alignments() {
    let arena = Arena::new();
    let places: Vec<Place> = (4..=23)
        .map(|bits| {
            let layout = Layout::from_size_align(100, 1 << bits).unwrap();
            let place = allocate(&arena, layout, false);
            assert_eq!(place.address % layout.align(), 0);
            place
        })
        .collect();
    places
        .iter()
        .for_each(|place| assert_resolves(&arena, place));
}

/// Other threads resolve what they are handed while the table grows.
#[test]
fn locations_are_passed_between_threads() {
    let arena = Arena::new();
    let (sender, receiver) = std::sync::mpsc::channel::<Place>();
    std::thread::scope(|scope| {
        for seed in 1..4 {
            let (arena, sender) = (&arena, sender.clone());
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..5000 {
                    let layout = bytes(random.below(3000));
                    sender.send(allocate(arena, layout, false)).unwrap();
                }
            });
        }
        drop(sender);
        for place in receiver {
            assert_resolves(&arena, &place);
        }
    });
}

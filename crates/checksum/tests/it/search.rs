//! The search for sealed blocks.

use std::time::{Duration, Instant};

use strata_checksum::{Sealed, SealedSearch};

use crate::support::{Random, block, naive, reading, search};

fn any(_: [u8; 4], _: u8) -> bool {
    true
}

#[test]
fn finds_what_a_quadratic_search_finds() {
    let mut random = Random::new(1);
    let mut total = 0;
    for round in 0..300 {
        let mut file = Vec::new();
        while file.len() < 300 {
            let length = random.below(60);
            let bytes = random.bytes(length, 3);
            match random.below(4) {
                0 => file.extend(bytes),
                1 => file.extend(block(&bytes, 1)),
                // A block that is the end of another, and one that holds another.
                2 => file.extend(block(&block(&bytes, 2), 0)),
                _ => {
                    let kind = u8::try_from(random.below(3)).unwrap();
                    file.extend(block(&bytes, kind));
                    let at = random.below(file.len());
                    file[at] ^= 1 << random.below(8);
                }
            }
        }
        let kinds = u8::try_from(random.below(3)).unwrap();
        let plausible = |last: [u8; 4], kind: u8| kind <= kinds && last[3] < 3;
        let longest = 1 + random.below(80);
        let expected = naive(&file, longest, plausible);
        let (found, exhaustive) = search(&file, u32::try_from(longest).unwrap(), plausible);
        assert_eq!(found, expected, "round {round}");
        assert!(exhaustive);
        total += found.len();
    }
    assert!(total > 300, "{total}");
}

#[test]
fn finds_blocks_of_every_length_and_none_that_is_longer() {
    for length in (0..70).chain([255, 256, 257, 4096, 65_535, 300_000]) {
        let contents = Random::new(7).bytes(length, 255);
        let file = [&b"before"[..], &block(&contents, 4), b"behind"].concat();
        let expected: &[_] = if length < 4 { &[] } else { &[(6, 6 + length)] };
        let is_four = |_: [u8; 4], kind| kind == 4;
        let longest = u32::try_from(length).unwrap();
        for longest in [longest, u32::MAX] {
            assert_eq!(
                search(&file, longest, is_four).0,
                expected,
                "{length} bytes"
            );
        }
        if length > 0 {
            assert_eq!(search(&file, longest - 1, is_four).0, [], "{length} bytes");
        }
    }
}

/// Blocks on both sides of where windows meet, one longer than several windows, and a large file.
#[test]
fn finds_all_blocks_of_a_large_file_and_hardly_anything_else() {
    let mut random = Random::new(3);
    let mut file = Vec::new();
    let mut expected = Vec::new();
    for i in 0..600 {
        let length = if i == 300 {
            1 << 20
        } else {
            4 + random.below(8000)
        };
        let kind = u8::try_from(i % 3).unwrap();
        expected.push((file.len(), file.len() + length));
        file.extend(block(&random.bytes(length, 255), kind));
    }
    assert!(file.len() > 3 << 20);
    let begun = Instant::now();
    let (found, exhaustive) = search(&file, 32 << 20, |_, kind| kind < 5);
    let taken = begun.elapsed();
    assert!(exhaustive);
    let accidents = found.iter().filter(|one| !expected.contains(one)).count();
    assert_eq!(found.len() - accidents, expected.len());
    assert!(accidents < 200, "{accidents}");
    assert!(found.is_sorted_by_key(|&(start, end)| (end, start)));
    assert!(taken < Duration::from_secs(5), "{taken:?}");
}

#[test]
fn what_begins_before_a_floor_is_left_out() {
    let file: Vec<u8> = (0..20).flat_map(|i| block(&[i; 20], 1)).collect();
    let mut search = SealedSearch::new(file.len() as u64, 1000, |_, kind| kind == 1);
    let mut starts = Vec::new();
    while let Ok(Some(Sealed { start, .. })) = search.next(&mut reading(&file)) {
        starts.push(start);
        search.leave_out_before(start + 30);
    }
    let expected: Vec<u64> = (0..10).map(|i| i * 50).collect();
    assert_eq!(starts, expected);
    search.leave_out_before(u64::MAX);
    assert_eq!(search.next(&mut reading(&file)), Ok(None));
}

#[test]
fn a_floor_ahead_of_the_first_batch_leaves_the_rest() {
    let file: Vec<u8> = (0..20).flat_map(|i| block(&[i; 20], 1)).collect();
    for floor in 0..=file.len() + 10 {
        let mut search = SealedSearch::new(file.len() as u64, 1000, any);
        search.leave_out_before(floor as u64);
        let first = search.next(&mut reading(&file)).unwrap();
        let next = floor.next_multiple_of(25);
        let expected = (next < file.len()).then_some(next as u64);
        assert_eq!(first.map(|sealed| sealed.start), expected, "{floor}");
    }
}

#[test]
fn a_failed_read_can_be_tried_again() {
    let file: Vec<u8> = (0..2000)
        .flat_map(|i: u32| block(&i.to_le_bytes().repeat(50), 1))
        .collect();
    let expected = search(&file, 1000, any);
    for failing in 0..6 {
        let mut calls = 0;
        let mut failed = 0;
        let mut read = |offset: u64, buffer: &mut [u8]| {
            calls += 1;
            if calls == failing + 1 {
                return Err(());
            }
            let offset = usize::try_from(offset).unwrap();
            buffer.copy_from_slice(&file[offset..offset + buffer.len()]);
            Ok(())
        };
        let mut search = SealedSearch::new(file.len() as u64, 1000, any);
        let mut found = Vec::new();
        loop {
            match search.next(&mut read) {
                Ok(Some(Sealed { start, end })) => {
                    found.push((
                        usize::try_from(start).unwrap(),
                        usize::try_from(end).unwrap(),
                    ));
                }
                Ok(None) => break,
                Err(()) => failed += 1,
            }
        }
        assert_eq!(found, expected.0, "call {failing}");
        assert!(failed <= 1);
    }
}

#[test]
fn files_too_short_for_a_block_hold_none() {
    for length in 0..9 {
        assert_eq!(search(&vec![1; length], 100, any), (vec![], true));
    }
}

/// Space that was never written, however much.
#[test]
fn zeros_are_skipped() {
    let mut asked = 0u64;
    let length = 200 << 20;
    let mut search = SealedSearch::new(length, 32 << 20, any);
    let mut read = |_: u64, buffer: &mut [u8]| {
        asked += buffer.len() as u64;
        buffer.fill(0);
        Ok::<(), ()>(())
    };
    assert_eq!(search.next(&mut read), Ok(None));
    assert!(asked < length + length / 100, "{asked}");
}

/// More plausible ends than a batch takes: what is found does not depend on it.
#[test]
fn ends_of_several_batches_are_searched_one_after_the_other() {
    let mut random = Random::new(5);
    let mut file = random.bytes(700_000, 255);
    let contents = random.bytes(600_000, 255);
    let expected = (file.len(), file.len() + contents.len());
    file.extend(block(&contents, 9));
    file.extend(random.bytes(100_000, 255));
    let (found, exhaustive) = search(&file, 32 << 20, any);
    assert!(found.contains(&expected) && exhaustive);
    assert!(found.is_sorted_by_key(|&(start, end)| (end, start)));
}

/// A file in which each of many starts makes a block with each of many ends.
#[test]
fn a_file_that_is_made_to_hold_too_many_blocks_is_still_done_with() {
    // These four bytes take a register of ones back to ones, and so does the whole period.
    let back_to_ones = |from: &[u8]| {
        let mut register = from.iter().fold(!0u32, |r, &b| {
            (0..8).fold(r ^ u32::from(b), |r: u32, _| {
                (r >> 1) ^ (0x82f6_3b78 * (r & 1))
            })
        });
        let mut target = !0u32;
        // Run backwards, four bytes before ones there must be this; take the difference.
        for _ in 0..32 {
            target = if target >> 31 == 1 {
                ((target ^ 0x82f6_3b78) << 1) | 1
            } else {
                target << 1
            };
        }
        std::mem::swap(&mut register, &mut target);
        (register ^ target).to_le_bytes()
    };
    let stored = strata_checksum::mask(0).to_le_bytes();
    let filler = back_to_ones(&stored);
    let period = [&stored[..], &filler].concat();
    assert_eq!(strata_checksum::crc32c(&period), 0, "ones come out as zero");
    let file: Vec<u8> = period.repeat(100_000);
    let begun = Instant::now();
    let (found, exhaustive) = search(&file, 32 << 20, any);
    assert!(!exhaustive);
    assert!(
        (1 << 20..=2 << 20).contains(&found.len()),
        "{}",
        found.len()
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
    for &(start, end) in found.iter().step_by(9973) {
        assert_eq!(block(&file[start..end], file[end]), file[start..end + 5]);
    }
}

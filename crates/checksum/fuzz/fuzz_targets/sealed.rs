//! The search for sealed blocks against one that tries every pair of a start and an end: blocks,
//! noise, blocks in blocks and damaged ones, any bound on the length, any idea of what may be an
//! end, sources that fail, and blocks left out on the way.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_checksum::{Prefixes, Sealed, SealedSearch, crc32c, mask};

/// The other search is quadratic.
const LONGEST_FILE: usize = 1500;

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Bytes(&'a [u8]),
    Block(&'a [u8], u8),
    /// What is before it from some byte on, and these bytes: so a block holds others, or ends as
    /// they do.
    Around(u16, &'a [u8], u8),
    Repeated(u8, u8),
    Flip(u16, u8),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    parts: Vec<Part<'a>>,
    /// Shifted by a multiple of the other; without it, as long as the block that was put in last.
    longest: Option<(u8, u8)>,
    /// A block's kind, and the last byte of its contents, are below these.
    kinds: u8,
    lasts: u8,
    /// After so many blocks those are left out that begin before this offset.
    leave_out: Option<(u8, u16)>,
    /// If more than 1: of the calls of the source, each whose number is a multiple of this fails.
    failing: u8,
}

fn seal(file: &mut Vec<u8>, from: usize, kind: u8) {
    file.push(kind);
    let checksum = mask(crc32c(&file[from..]));
    file.extend_from_slice(&checksum.to_le_bytes());
}

/// The file, and how long the contents of the last block are.
fn build(parts: &[Part<'_>]) -> (Vec<u8>, usize) {
    let (mut file, mut length) = (Vec::new(), 0);
    for part in parts {
        match *part {
            Part::Bytes(bytes) => file.extend_from_slice(bytes),
            Part::Block(contents, kind) => {
                let from = file.len();
                file.extend_from_slice(contents);
                length = file.len() - from;
                seal(&mut file, from, kind);
            }
            Part::Around(from, contents, kind) => {
                let from = usize::from(from) % (file.len() + 1);
                file.extend_from_slice(contents);
                length = file.len() - from;
                seal(&mut file, from, kind);
            }
            Part::Repeated(byte, times) => file.extend(vec![byte; times.into()]),
            Part::Flip(at, mask) => {
                let at = usize::from(at) % file.len().max(1);
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= mask;
                }
            }
        }
        if file.len() > LONGEST_FILE {
            break;
        }
    }
    file.truncate(LONGEST_FILE);
    (file, length)
}

/// By the definition.
fn naive(file: &[u8], longest: usize, plausible: impl Fn([u8; 4], u8) -> bool) -> Vec<Sealed> {
    let prefixes = Prefixes::new(file);
    let mut found = Vec::new();
    for end in 4..file.len().saturating_sub(4) {
        let stored: [u8; 4] = file[end + 1..end + 5].try_into().unwrap();
        if stored == [0; 4] || !plausible(file[end - 4..end].try_into().unwrap(), file[end]) {
            continue;
        }
        for start in end.saturating_sub(longest)..=end - 4 {
            if mask(prefixes.checksum(start..end + 1)).to_le_bytes() == stored {
                assert_eq!(
                    crc32c(&file[start..=end]),
                    prefixes.checksum(start..end + 1)
                );
                found.push(Sealed {
                    start: start as u64,
                    end: end as u64,
                });
            }
        }
    }
    found
}

fuzz_target!(|input: Input<'_>| {
    let (file, length) = build(&input.parts);
    let plausible = |last: [u8; 4], kind: u8| kind <= input.kinds && last[3] <= input.lasts;
    let longest = match input.longest {
        Some((longest, shift)) => usize::from(longest) << (shift % 4),
        None => length,
    };
    let all = naive(&file, longest, plausible);

    let mut calls = 0_u32;
    let mut read = |offset: u64, buffer: &mut [u8]| {
        calls += 1;
        if input.failing > 1 && calls.is_multiple_of(input.failing.into()) {
            return Err("the source fails");
        }
        let offset = usize::try_from(offset).unwrap();
        // Panics past the end.
        buffer.copy_from_slice(&file[offset..offset + buffer.len()]);
        Ok(())
    };
    let mut search = SealedSearch::new(file.len() as u64, longest.try_into().unwrap(), plausible);
    let mut found = Vec::new();
    let mut failures = 0;
    let mut expected = all.clone();
    loop {
        if let Some((count, floor)) = input.leave_out
            && found.len() == usize::from(count)
        {
            search.leave_out_before(floor.into());
            let given = expected.len().min(found.len());
            let rest = expected.split_off(given);
            expected.extend(
                rest.into_iter()
                    .filter(|sealed| sealed.start >= floor.into()),
            );
        }
        match search.next(&mut read) {
            Ok(Some(sealed)) => found.push(sealed),
            Ok(None) => break,
            Err(_) => {
                failures += 1;
                if failures > 20 {
                    return;
                }
            }
        }
    }
    if search.is_exhaustive() {
        assert_eq!(found, expected);
    } else {
        // Left out is only what one start has more of than 16.
        let mut expected = expected.iter();
        assert!(
            found
                .iter()
                .all(|sealed| expected.any(|other| other == sealed))
        );
        assert!(
            found
                .iter()
                .any(|one| { all.iter().filter(|other| other.start == one.start).count() > 16 })
        );
    }
    assert_eq!(search.next(&mut read).ok().flatten(), None);
});

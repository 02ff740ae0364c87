//! Any records, any bytes, any source.

use quickcheck::{Gen, QuickCheck, Testable};
use strata_wal::{BLOCK_SIZE, Writer};

use crate::naive;
use crate::source::{Failing, Step};
use crate::support::{
    Options, SALVAGE, account, fragment, is_subsequence, log_of, noise, read_from,
};

fn check<P: Testable>(size: usize, tests: u64, property: P) {
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(size, 11))
        .tests(tests)
        .quickcheck(property);
}

/// A length that is often just about what a block has left.
fn length(seed: u16, left: usize) -> usize {
    let fine = usize::from(seed >> 3);
    match seed % 8 {
        0 => 0,
        1..=3 => fine % 200,
        4 | 5 => (left + 4).saturating_sub(7 + fine % 12),
        6 => fine,
        _ => fine * 16,
    }
}

fn left_in_block(log: &[u8]) -> usize {
    BLOCK_SIZE - log.len() % BLOCK_SIZE
}

/// Log-like bytes: fragments of any type in any order, some damaged, among noise and zeros.
fn soup(seeds: &[(u8, u8, u16)]) -> Vec<u8> {
    let mut log = Vec::new();
    for (i, &(what, kind, seed)) in (1..).zip(seeds) {
        let left = left_in_block(&log);
        let most = length(seed, left).min(left.max(7) - 7);
        match what % 16 {
            0 => log.extend(noise(i, most)),
            1 => log.resize(log.len() + most, 0),
            2 => log.resize(log.len() + left, 0),
            3..=5 if left >= 7 => {
                let mut fragment = fragment(1 + kind % 4, &noise(i, most));
                let at = usize::from(seed) % fragment.len().min(20);
                fragment[at] ^= 1 << (kind % 8);
                log.extend(fragment);
            }
            6 if left >= 7 => log.extend(fragment(kind % 9, &noise(i, most))),
            _ if left >= 7 => {
                let kinds = [1, 1, 1, 2, 2, 3, 4, 4];
                log.extend(fragment(kinds[usize::from(kind) % 8], &noise(i, most)));
            }
            _ => log.resize(log.len() + left, 0),
        }
    }
    log
}

/// What holds of any bytes whatever.
fn holds(log: &[u8], initial_offset: u64, no_checksums: bool) {
    let options = Options {
        no_checksums,
        initial_offset,
        salvage: false,
    };
    let outcome = read_from(log, options);
    let naive = naive::read(log, options);
    assert_eq!(outcome.records, naive.records);
    assert_eq!(outcome.drops(), naive.drops);

    let plain = read_from(
        log,
        Options {
            initial_offset: 0,
            ..options
        },
    );
    let salvaged = read_from(
        log,
        Options {
            no_checksums,
            ..SALVAGE
        },
    );
    account(&plain, log.len(), "plain");
    account(&salvaged, log.len(), "salvage");
    assert!(is_subsequence(&plain.records, &salvaged.records));
    let from_there = Options {
        salvage: true,
        ..options
    };
    for (offset, _) in read_from(log, from_there).records {
        assert!(offset >= initial_offset);
    }
}

#[test]
fn arbitrary_bytes_are_read_as_the_naive_reader_reads_them() {
    fn any_bytes(bytes: Vec<u8>, initial_offset: u16) {
        holds(&bytes, u64::from(initial_offset) % 300, false);
        holds(&bytes, 0, true);
    }
    check(300, 2_000, any_bytes as fn(_, _));
}

#[test]
fn log_like_bytes_are_read_as_the_naive_reader_reads_them() {
    fn any_soup(seeds: Vec<(u8, u8, u16)>, initial_offset: u32) {
        let log = soup(&seeds);
        holds(
            &log,
            u64::from(initial_offset) % (log.len() as u64 + 10),
            false,
        );
        holds(&log, u64::from(initial_offset) % 40_000, true);
    }
    check(40, 2_000, any_soup as fn(_, _));
}

#[test]
fn of_a_log_with_a_few_wrong_bytes_salvage_gives_only_what_was_written() {
    fn any_damage(seeds: Vec<u16>, hits: Vec<(u32, u8)>) {
        let mut writer = Writer::new(Vec::new());
        let mut records = Vec::new();
        for (i, seed) in (1..).zip(seeds) {
            let left = left_in_block(writer.get_ref());
            records.push(noise(i, length(seed, left)));
            writer.add_record(&records[records.len() - 1]).unwrap();
        }
        let mut log = writer.into_inner();
        if log.is_empty() {
            return;
        }
        for (at, byte) in hits.into_iter().take(6) {
            let at = at as usize % log.len();
            log[at] = byte;
        }
        let salvaged = read_from(&log[..], SALVAGE);
        assert!(is_subsequence(
            &salvaged.data(),
            &records.iter().map(|r| &r[..]).collect::<Vec<_>>()
        ));
        holds(&log, 0, false);
    }
    check(30, 1_000, any_damage as fn(_, _));
}

#[test]
fn what_is_written_is_read_whoever_continues_it_and_however_it_comes() {
    fn any_records(seeds: Vec<(u16, bool)>, steps: Vec<u16>) {
        let mut log = Vec::new();
        let mut records = Vec::new();
        let mut offset = 0;
        for (i, (seed, reopens)) in (1..).zip(seeds) {
            let mut writer = Writer::continuing(&mut log, offset);
            for number in 0..if reopens { 1 } else { 3 } {
                let left = BLOCK_SIZE - usize::try_from(writer.offset()).unwrap() % BLOCK_SIZE;
                records.push(noise(i + number, length(seed, left)));
                writer.add_record(&records[records.len() - 1]).unwrap();
            }
            offset = writer.offset();
            assert_eq!(offset, log.len() as u64);
        }
        let steps: Vec<Step> = steps
            .iter()
            .map(|&step| match step % 4 {
                0 => Step::Interrupt,
                _ => Step::Give(usize::from(step)),
            })
            .chain([Step::Give(9_999)])
            .collect();
        for options in [Options::default(), SALVAGE] {
            let outcome = read_from(Failing::new(&log, &steps), options);
            assert_eq!(outcome.data(), records);
            assert_eq!((outcome.dropped.len(), outcome.passed_over.len()), (0, 0));
            account(&outcome, log.len(), "");
        }
    }
    check(40, 500, any_records as fn(_, _));
}

/// A writer goes on from any offset as the one that got there would have.
#[test]
fn a_log_can_be_continued_at_every_offset_of_a_block() {
    let record = noise(1, 20);
    for length in (7..BLOCK_SIZE)
        .step_by(97)
        .chain(BLOCK_SIZE - 40..=BLOCK_SIZE)
    {
        let first = noise(2, length - 7);
        let mut log = log_of(&[&first]);
        for _ in 0..2 {
            let offset = log.len() as u64;
            Writer::continuing(&mut log, offset)
                .add_record(&record)
                .unwrap();
        }
        assert_eq!(log, log_of(&[&first, &record, &record]), "{length}");
    }
}

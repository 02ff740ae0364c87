//! Every truncation and every flipped bit, against the naive reader and against what was written.

use std::collections::BTreeSet;

use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Writer};

use crate::naive;
use crate::support::{
    Options, Outcome, account, is_subsequence, layout, log_of, noise, read, salvage,
};

/// Reads a damaged log both ways, and holds both to what can be said of any damage: by default it
/// is what LevelDB makes of it; salvage gives that and more, and nothing that was not written;
/// and no byte goes missing without a report.
fn check(log: &[u8], written: &[Vec<u8>], context: &str) -> (Outcome, Outcome) {
    let plain = read(log);
    let naive = naive::read(log, Options::default());
    assert_eq!(plain.records, naive.records, "{context}");
    assert_eq!(plain.drops(), naive.drops, "{context}");
    account(&plain, log.len(), context);

    let salvaged = salvage(log);
    account(&salvaged, log.len(), context);
    assert!(
        is_subsequence(&plain.records, &salvaged.records),
        "{context}: less than by default"
    );
    let written: Vec<&[u8]> = written.iter().map(|record| &record[..]).collect();
    assert!(
        is_subsequence(&salvaged.data(), &written),
        "{context}: not what was written"
    );
    (plain, salvaged)
}

/// One flipped bit costs salvage at most the record it is in, and nothing if it is in a length.
fn check_flip(log: &mut [u8], written: &[Vec<u8>], byte: usize, bit: usize, in_length: bool) {
    let context = format!("bit {bit} of byte {byte}");
    log[byte] ^= 1 << bit;
    let (_, salvaged) = check(log, written, &context);
    log[byte] ^= 1 << bit;
    let lost = written.len() - salvaged.records.len();
    if in_length {
        assert_eq!(
            (lost, salvaged.mended.len()),
            (0, 1),
            "{context}: {:?}",
            salvaged.dropped
        );
    } else {
        assert!(lost <= 1, "{context}: {:?}", salvaged.dropped);
        assert_eq!(salvaged.mended, [], "{context}");
    }
}

/// The offsets and payload lengths of all fragments.
fn fragments(log: &[u8]) -> Vec<(usize, usize)> {
    let records = read(log).records;
    let layouts = records
        .iter()
        .map(|(offset, data)| layout(*offset, data.len()));
    layouts.flatten().collect()
}

/// Whether each byte of the log is in the length of a header.
fn in_length(fragments: &[(usize, usize)], byte: usize) -> bool {
    fragments
        .iter()
        .any(|(offset, _)| (offset + 4..offset + 6).contains(&byte))
}

/// A dozen records, several of one length: a damaged length then leads to another record.
fn small() -> (Vec<Vec<u8>>, Vec<u8>) {
    let lengths = [10, 0, 57, 57, 57, 1, 100, 3, 200, 57, 25, 80];
    let records: Vec<Vec<u8>> = (1..)
        .zip(lengths)
        .map(|(i, length)| noise(i, length))
        .collect();
    let log = log_of(&records);
    assert!(log.len() < 1024);
    (records, log)
}

/// Fragments of every type, a first fragment of no bytes, and a trailer.
fn large() -> (Vec<Vec<u8>>, Vec<u8>) {
    /// A record that leaves so many bytes of its block.
    const LEAVING: usize = 1 << 20;
    let lengths = [
        20_000,
        50_000,
        9,
        0,
        100,
        LEAVING + 7,
        40,
        70_000,
        300,
        300,
        LEAVING + 3,
        500,
        12,
        LEAVING,
        33_000,
        1,
    ];
    let mut writer = Writer::new(Vec::new());
    let mut records = Vec::new();
    for (i, length) in (1..).zip(lengths) {
        let room = BLOCK_SIZE - writer.get_ref().len() % BLOCK_SIZE;
        let length = match length.checked_sub(LEAVING) {
            Some(leaves) => room - HEADER_SIZE - leaves,
            None => length,
        };
        records.push(noise(i, length));
        writer.add_record(&noise(i, length)).unwrap();
    }
    (records, writer.into_inner())
}

#[test]
fn every_truncation_of_a_small_log_loses_the_records_it_cuts_and_no_more() {
    let (records, log) = small();
    for length in 0..=log.len() {
        let context = format!("{length} bytes");
        let (plain, salvaged) = check(&log[..length], &records, &context);
        assert_eq!(plain, salvaged, "{context}: a torn tail is no damage");
        let whole = plain.ends.iter().all(|&end| end <= length as u64);
        let next = layout(plain.ends.last().copied().unwrap_or(0), 0)[0].0;
        assert!(whole && next <= length, "{context}");
        assert_eq!(plain.dropped, [], "{context}");
        let expected = fragments(&log)
            .iter()
            .filter(|(at, n)| at + 7 + n <= length)
            .count();
        assert_eq!(plain.records.len(), expected, "{context}");
    }
}

#[test]
fn every_flipped_bit_of_a_small_log_costs_salvage_the_record_it_is_in_and_no_more() {
    let (records, mut log) = small();
    let fragments = fragments(&log);
    for byte in 0..log.len() {
        for bit in 0..8 {
            let in_length = in_length(&fragments, byte);
            check_flip(&mut log, &records, byte, bit, in_length);
        }
    }
}

#[test]
fn truncations_of_a_large_log_lose_the_records_they_cut_and_no_more() {
    let (records, log) = large();
    let boundaries: BTreeSet<usize> = fragments(&log)
        .iter()
        .flat_map(|&(offset, payload)| {
            [offset, offset + HEADER_SIZE, offset + HEADER_SIZE + payload]
        })
        .flat_map(|boundary| boundary.saturating_sub(8)..=boundary + 8)
        .filter(|&length| length <= log.len())
        .collect();
    assert!(boundaries.len() > 400);
    let ends = read(&log).ends;
    for length in boundaries {
        let context = format!("{length} bytes");
        let (plain, salvaged) = check(&log[..length], &records, &context);
        assert_eq!(plain, salvaged, "{context}: a torn tail is no damage");
        assert_eq!(plain.dropped, [], "{context}");
        let expected = ends.iter().filter(|&&end| end <= length as u64).count();
        assert_eq!(plain.records.len(), expected, "{context}");
    }
}

#[test]
fn flipped_bits_of_a_large_log_cost_salvage_the_record_they_are_in_and_no_more() {
    let (records, mut log) = large();
    assert_eq!(read(&log).data(), records);
    let fragments = fragments(&log);
    for &(offset, payload) in &fragments {
        for byte in offset..offset + HEADER_SIZE {
            for bit in 0..8 {
                check_flip(&mut log, &records, byte, bit, in_length(&fragments, byte));
            }
        }
        let first = offset + HEADER_SIZE;
        for byte in (first..first + payload).step_by(payload / 5 + 1) {
            check_flip(&mut log, &records, byte, byte % 8, false);
        }
    }
}

#[test]
fn the_large_log_has_every_kind_of_fragment() {
    let (_, log) = large();
    let fragments = fragments(&log);
    let kinds: BTreeSet<u8> = fragments
        .iter()
        .map(|(offset, _)| log[offset + 6])
        .collect();
    assert_eq!(kinds, BTreeSet::from([1, 2, 3, 4]));
    assert!(
        fragments
            .iter()
            .any(|&(offset, n)| n == 0 && log[offset + 6] == 2),
        "empty first"
    );
    let ends = fragments
        .iter()
        .map(|(offset, n)| (offset + HEADER_SIZE + n) % BLOCK_SIZE);
    assert!(
        ends.clone().any(|end| end > BLOCK_SIZE - HEADER_SIZE),
        "a trailer"
    );
    assert!(log.len() > 5 * BLOCK_SIZE);
}

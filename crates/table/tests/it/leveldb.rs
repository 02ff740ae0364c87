//! The cases LevelDB's `table_test` holds for tables under its harness, in our words: each with
//! both orders and restart points after every 1, 16 and 1024 entries, listed forwards and backwards
//! and walked at random.

use std::collections::BTreeSet;

use strata_dbformat::{BytewiseComparator, Comparator, ReverseBytewiseComparator, SequenceNumber};
use strata_table::{Compression, Entry, TableOptions};

use crate::support::{Random, entry, expected, list, open, options, sort, write};
use crate::walk::{Step, walk};

fn harness(data: &[(&[u8], &[u8])], random: &mut Random) {
    let bytewise: &dyn Comparator = &BytewiseComparator;
    for comparator in [bytewise, &ReverseBytewiseComparator] {
        for restart_interval in [1, 16, 1024] {
            let options = TableOptions {
                restart_interval,
                // Short blocks, so that there are many boundaries.
                ..options(Compression::Snappy, None, 256)
            };
            test(data, comparator, &options, random);
        }
    }
}

fn test(
    data: &[(&[u8], &[u8])],
    comparator: &dyn Comparator,
    options: &TableOptions,
    random: &mut Random,
) {
    // One version of each key; the harness uses none.
    let mut seen = BTreeSet::new();
    let mut entries: Vec<Entry> = data
        .iter()
        .filter(|(key, _)| seen.insert(*key))
        .map(|(key, value)| entry(key, 100, Some(value)))
        .collect();
    sort(&mut entries, comparator);
    let (bytes, summary) = write(&entries, comparator, options);

    let table = open(&bytes, comparator).unwrap();
    assert_eq!(list(&table).unwrap(), entries);
    assert_eq!(table.verify().unwrap(), summary);
    for _ in 0..40 {
        let key = pick_key(&entries, random);
        let found = table.get(&key, SequenceNumber::MAX).unwrap();
        assert_eq!(found, expected(&entries, &key, u64::MAX), "{key:?}");
        assert_eq!(
            table.get(&key, SequenceNumber::ZERO).unwrap(),
            expected(&entries, &key, 0),
        );
    }
    walk(&bytes, &comparator, &entries, end_to_end(&entries));
    walk(&bytes, &comparator, &entries, at_random(&entries, random));
}

/// From the first to the last and beyond, then back.
fn end_to_end(entries: &[Entry]) -> Vec<Step> {
    let mut steps = vec![Step::First];
    steps.extend(entries.iter().map(|_| Step::Next));
    steps.push(Step::Last);
    steps.extend(entries.iter().map(|_| Step::Prev));
    steps
}

fn at_random(entries: &[Entry], random: &mut Random) -> Vec<Step> {
    let mut step = |_| match random.uniform(5) {
        0 => Step::Next,
        1 => Step::First,
        2 => Step::Seek(pick_key(entries, random), SequenceNumber::MAX.get()),
        3 => Step::Prev,
        _ => Step::Last,
    };
    (0..200).map(&mut step).collect()
}

/// A key of the table, one that is a little smaller, or one that is a little larger.
fn pick_key(entries: &[Entry], random: &mut Random) -> Vec<u8> {
    if entries.is_empty() {
        return b"foo".to_vec();
    }
    let entry = &entries[random.uniform(entries.len())];
    let mut key = entry.internal_key.user_key().unwrap().to_vec();
    match random.uniform(3) {
        0 => {}
        1 => {
            if let Some(last) = key.last_mut() {
                *last = last.saturating_sub(1);
            }
        }
        _ => key.push(0),
    }
    key
}

#[test]
fn empty() {
    harness(&[], &mut Random::new(1));
}

#[test]
fn simple_empty_key() {
    harness(&[(b"", b"v")], &mut Random::new(1));
}

#[test]
fn simple_single() {
    harness(&[(b"abc", b"v")], &mut Random::new(2));
}

#[test]
fn simple_multi() {
    harness(
        &[(b"abc", b"v"), (b"abcd", b"v"), (b"ac", b"v2")],
        &mut Random::new(3),
    );
}

#[test]
fn simple_special_key() {
    harness(&[(b"\xff\xff", b"v3")], &mut Random::new(4));
}

#[test]
fn randomized() {
    /// So that the shortenings of keys meet all their conditions.
    const LETTERS: &[u8] = b"\x00\x01abcde\xfd\xfe\xff";
    let mut random = Random::new(301);
    let mut count = 0;
    while count < 2000 {
        let mut string = |max_log, letters: &[u8]| -> Vec<u8> {
            let length = random.skewed(max_log);
            (0..length)
                .map(|_| letters[random.uniform(letters.len())])
                .collect()
        };
        let printable: Vec<u8> = (b' '..=b'~').collect();
        let data: Vec<(Vec<u8>, Vec<u8>)> = (0..count)
            .map(|_| (string(4, LETTERS), string(5, &printable)))
            .collect();
        let data: Vec<(&[u8], &[u8])> = data.iter().map(|(k, v)| (&k[..], &v[..])).collect();
        harness(&data, &mut random);
        count += if count < 50 { 1 } else { 200 };
    }
}

/// LevelDB tests the same through `ApproximateOffsetOf`: which block an entry is in.
#[test]
fn a_block_ends_with_the_entry_that_fills_it() {
    let sizes = [5, 6, 10_000, 200_000, 300_000, 6, 100_000];
    let entries: Vec<Entry> = (1..)
        .zip(sizes)
        .map(|(i, size)| entry(format!("k{i:02}").as_bytes(), 100, Some(&vec![b'x'; size])))
        .collect();
    let raw = options(Compression::None, None, 1024);
    let (bytes, summary) = write(&entries, BytewiseComparator, &raw);
    // k01 to k03, k04, k05, k06 and k07.
    assert_eq!(summary.data_blocks, 4);
    assert!(
        (610_000..611_000).contains(&bytes.len()),
        "{} bytes",
        bytes.len()
    );
}

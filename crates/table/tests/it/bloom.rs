//! The bloom filter: known answers, and the cases of LevelDB's `bloom_test` in our words.

use strata_table::{BloomFilter, TableError};

fn filter(keys: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut filter = Vec::new();
    BloomFilter::new(10)
        .unwrap()
        .append_filter(keys, &mut filter);
    filter
}

fn number(i: u32) -> [u8; 4] {
    i.to_le_bytes()
}

/// How many of 10000 keys that are not in the filter seem to be.
fn false_positives(filter: &[u8]) -> usize {
    (0..10_000)
        .filter(|i| BloomFilter::may_contain(filter, &number(i + 1_000_000_000)))
        .count()
}

#[test]
fn a_filter_of_nothing_contains_nothing() {
    let none: [&[u8]; 0] = [];
    let filter = filter(&none);
    assert_eq!(filter, [0, 0, 0, 0, 0, 0, 0, 0, 6]);
    for key in [&b"hello"[..], b"world", b""] {
        assert!(!BloomFilter::may_contain(&filter, key));
        assert!(!BloomFilter::may_contain(b"", key));
    }
}

#[test]
fn a_small_filter_contains_its_keys() {
    let filter = filter(&["hello", "world"]);
    assert!(BloomFilter::may_contain(&filter, b"hello"));
    assert!(BloomFilter::may_contain(&filter, b"world"));
    assert!(!BloomFilter::may_contain(&filter, b"x"));
    assert!(!BloomFilter::may_contain(&filter, b"foo"));
}

/// The filter in the table that LevelDB wrote of these user keys: `tests/data/tiny_bloom.ldb`.
#[test]
fn a_filter_is_the_one_leveldb_makes() {
    let expected = [0x40, 0x05, 0x00, 0x00, 0xa0, 0x02, 0xc0, 0x0f, 0x06];
    assert_eq!(filter(&["apple", "apple", "apricot"]), expected);
}

#[test]
fn a_filter_of_any_length_misses_none_and_errs_rarely() {
    let (mut good, mut mediocre) = (0, 0);
    let mut length = 1;
    while length <= 10_000 {
        let keys: Vec<[u8; 4]> = (0..length).map(number).collect();
        let filter = filter(&keys);
        assert!(filter.len() <= keys.len() * 10 / 8 + 40, "{length} keys");
        for key in &keys {
            assert!(BloomFilter::may_contain(&filter, key), "{length} keys");
        }
        match false_positives(&filter) {
            0..=125 => good += 1,
            126..=200 => mediocre += 1,
            many => panic!("{many} of 10000 are false positives with {length} keys"),
        }
        length += match length {
            0..10 => 1,
            10..100 => 10,
            100..1000 => 100,
            _ => 1000,
        };
    }
    assert!(mediocre <= good / 5, "{mediocre} mediocre, {good} good");
}

#[test]
fn probes_follow_from_the_bits_and_are_1_to_30() {
    for (bits, probes) in [
        (1, 1),
        (2, 1),
        (3, 2),
        (10, 6),
        (16, 11),
        (43, 29),
        (44, 30),
        (100, 30),
    ] {
        let mut filter = Vec::new();
        BloomFilter::new(bits)
            .unwrap()
            .append_filter(&["a", "b"], &mut filter);
        assert_eq!(filter.pop(), Some(probes), "{bits} bits");
        assert_eq!(
            u32::try_from(filter.len()).unwrap(),
            (2 * bits).max(64).div_ceil(8),
            "{bits} bits"
        );
    }
    for bits in [0, 101, u32::MAX] {
        let error = BloomFilter::new(bits).unwrap_err();
        assert!(matches!(
            error,
            TableError::OptionOutOfBounds { most: 100, .. }
        ));
    }
}

#[test]
fn a_reserved_number_of_probes_may_contain_anything() {
    let mut filter = vec![0; 9];
    for (probes, contains) in [(0, true), (1, false), (30, false), (31, true), (255, true)] {
        filter[8] = probes;
        assert_eq!(
            BloomFilter::may_contain(&filter, b"key"),
            contains,
            "{probes} probes"
        );
    }
    assert!(!BloomFilter::may_contain(&[31], b"key"), "no bits at all");
}

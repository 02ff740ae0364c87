//! The orders: known answers, the laws of a total order, and what the shortenings promise.

use std::cmp::Ordering;

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{
    BytewiseComparator, Comparator, IndexedDbComparator, InternalKey, InternalKeyComparator,
    ReverseBytewiseComparator, SequenceNumber, ValueType,
};

fn comparators() -> Vec<Box<dyn Comparator>> {
    vec![
        Box::new(BytewiseComparator),
        Box::new(ReverseBytewiseComparator),
        Box::new(IndexedDbComparator),
        Box::new(InternalKeyComparator::new(BytewiseComparator)),
        Box::new(InternalKeyComparator::new(ReverseBytewiseComparator)),
    ]
}

/// Few letters and short, so that prefixes, ties and 0xff bytes are common.
fn key(seed: &[u8]) -> Vec<u8> {
    seed.iter()
        .map(|byte| [0x00, b'a', b'b', 0xfe, 0xff][usize::from(byte % 5)])
        .collect()
}

fn check(property: fn(Vec<u8>, Vec<u8>, Vec<u8>) -> bool) {
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(14, 7))
        .tests(50_000)
        .quickcheck(property);
}

#[test]
fn versions_of_a_key_are_newest_first() {
    use ValueType::{Deletion, Value};
    let order = InternalKeyComparator::new(BytewiseComparator);
    let key = |user_key: &str, sequence, value_type| {
        InternalKey::new(
            user_key.as_bytes(),
            SequenceNumber::new(sequence).unwrap(),
            value_type,
        )
    };
    let sorted = [
        key("", 1, Value),
        key("a", 3, Value),
        key("a", 3, Deletion),
        key("a", 2, Value),
        key("a", 1, Deletion),
        key("a\0", 9, Value),
        key("b", 4, Value),
        key("c", 7, Value),
        key("c", 6, Value),
    ];
    for (i, a) in sorted.iter().enumerate() {
        for (j, b) in sorted.iter().enumerate() {
            assert_eq!(order.compare_keys(a, b), i.cmp(&j), "{a} against {b}");
            let (a, b) = (a.parsed().unwrap(), b.parsed().unwrap());
            let parts = order.compare_parts(a.user_key, a.tag(), b.user_key, b.tag());
            assert_eq!(parts, i.cmp(&j), "{a} against {b}");
        }
    }
}

#[test]
fn names_are_leveldbs_where_the_order_is() {
    assert_eq!(BytewiseComparator.name(), "leveldb.BytewiseComparator");
    assert_eq!(
        InternalKeyComparator::new(ReverseBytewiseComparator).name(),
        "leveldb.InternalKeyComparator"
    );
    assert_eq!(
        ReverseBytewiseComparator.name(),
        "strata.ReverseBytewiseComparator"
    );
}

#[test]
fn every_comparator_is_a_total_order_of_any_bytes() {
    check(|a, b, c| {
        let (a, b, c) = (key(&a), key(&b), key(&c));
        comparators().iter().all(|order| {
            let (ab, bc) = (order.compare(&a, &b), order.compare(&b, &c));
            let antisymmetric = order.compare(&b, &a) == ab.reverse();
            let transitive = ab != bc || order.compare(&a, &c) == ab;
            antisymmetric && transitive && order.compare(&a, &a) == Ordering::Equal
        })
    });
}

#[test]
fn a_separator_is_at_or_after_start_and_before_limit_and_no_longer() {
    check(|a, b, _| {
        let (a, b) = (key(&a), key(&b));
        comparators().iter().all(|order| {
            let mut separator = a.clone();
            order.find_shortest_separator(&mut separator, &b);
            let within = order.compare(&a, &separator) != Ordering::Greater
                && order.compare(&separator, &b) == Ordering::Less;
            separator == a || (within && separator.len() <= a.len())
        })
    });
}

#[test]
fn a_successor_is_at_or_after_the_key_and_no_longer() {
    check(|a, _, _| {
        let a = key(&a);
        comparators().iter().all(|order| {
            let mut successor = a.clone();
            order.find_short_successor(&mut successor);
            order.compare(&a, &successor) != Ordering::Greater && successor.len() <= a.len()
        })
    });
}

#[test]
fn bytewise_shortenings_give_known_answers() {
    let separator = |start: &[u8], limit: &[u8]| {
        let mut key = start.to_vec();
        BytewiseComparator.find_shortest_separator(&mut key, limit);
        key
    };
    assert_eq!(separator(b"abc1xyz", b"abc3"), b"abc2");
    assert_eq!(
        separator(b"abc1xyz", b"abc2"),
        b"abc1xyz",
        "no byte between"
    );
    assert_eq!(separator(b"abc\xff", b"abd"), b"abc\xff");
    assert_eq!(separator(b"1\xff1", b"1\xff3"), b"1\xff2");
    assert_eq!(separator(b"b", b"a"), b"b", "misordered");

    let successor = |key: &[u8]| {
        let mut key = key.to_vec();
        BytewiseComparator.find_short_successor(&mut key);
        key
    };
    assert_eq!(successor(b"abc"), b"b");
    assert_eq!(successor(b"\xff\xffab"), b"\xff\xffb");
    assert_eq!(successor(b"\xff\xff"), b"\xff\xff");
    assert_eq!(successor(b""), b"");
}

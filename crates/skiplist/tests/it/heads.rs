//! Keys that make it hard to order them by a few of their bytes: whatever heads say of them, the
//! list does what a sorted set does.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Debug;

use strata_skiplist::{
    Bytewise, Compare, InsertError, Natural, Numeric, Prefix, Reversed, SkipList,
};

use crate::concurrent::Random;

/// The same numbers in another order, each once: a step through them that has no factor in common
/// with how many there are.
fn shuffled(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |i| i * 7919 % count)
}

/// Byte strings close to `key`: it, what comes just before and after it, and parts of it.
fn around(key: &[u8]) -> Vec<Vec<u8>> {
    let mut near = vec![key.to_vec(), [key, b"\0"].concat(), [key, b"\xff"].concat()];
    if let Some((&last, rest)) = key.split_last() {
        near.push(rest.to_vec());
        near.push([rest, &[last.wrapping_add(1)]].concat());
        near.push([rest, &[last.wrapping_sub(1)]].concat());
        near.push(key[..key.len() / 2].to_vec());
    }
    near
}

/// Inserts the keys in the order they come in, and holds everything that can be asked of the list
/// against the sorted keys.
fn check<C: Compare<[u8]> + Default>(keys: impl IntoIterator<Item = Vec<u8>>) {
    let list = SkipList::<[u8], C>::default();
    let order = C::default();
    let mut sorted: Vec<Vec<u8>> = Vec::new();
    for key in keys {
        assert_eq!(list.insert_bytes(&key), Ok(&key[..]));
        sorted.push(key);
    }
    sorted.sort_unstable_by(|a, b| order.compare(a, b));
    assert_eq!(list.len(), sorted.len() as u64);
    assert!(list.iter().eq(sorted.iter().map(Vec::as_slice)));
    assert!(list.iter().rev().eq(sorted.iter().rev().map(Vec::as_slice)));
    let every = sorted.len().div_ceil(2000);
    for key in sorted.iter().step_by(every) {
        assert_eq!(list.insert_bytes(key), Err(InsertError::Duplicate));
        for target in around(key) {
            check_target(&list, &sorted, &target);
        }
    }
}

fn check_target<C: Compare<[u8]>>(list: &SkipList<[u8], C>, sorted: &[Vec<u8>], target: &[u8]) {
    let order = list.comparator();
    let at = sorted.partition_point(|key| order.compare(key, target) == Ordering::Less);
    let bound = sorted.get(at).map(Vec::as_slice);
    let equal = bound.filter(|key| order.compare(key, target) == Ordering::Equal);
    assert_eq!(list.lower_bound(target), bound);
    assert_eq!(list.get(target), equal);
    assert_eq!(list.first_version(target), equal);
    let before = at.checked_sub(1).map(|before| &sorted[before][..]);
    let mut cursor = list.cursor();
    cursor.seek_for_prev(target);
    assert_eq!(cursor.key(), equal.or(before));
    cursor.seek(target);
    cursor.prev();
    assert_eq!(cursor.key(), bound.and(before));
}

/// In every order of bytes there is: with heads, with heads turned round, with coarse ones, with
/// none.
fn check_all(keys: &[Vec<u8>]) {
    check::<Bytewise>(keys.iter().cloned());
    check::<Reversed<Bytewise>>(keys.iter().cloned());
    check::<Coarse>(keys.iter().cloned());
    check::<Natural>(keys.iter().cloned());
}

/// The order of bytes, with a prefix that tells only some keys apart.
#[derive(Default)]
struct Coarse;

impl Compare<[u8]> for Coarse {
    fn compare(&self, key: &[u8], target: &[u8]) -> Ordering {
        key.cmp(target)
    }

    fn prefix(&self, target: &[u8]) -> Option<Prefix> {
        let first = target.first().map_or(0, |byte| byte / 16);
        Some(Prefix::of_bytes(&[first]))
    }
}

#[test]
fn keys_may_have_more_in_common_than_a_node_can_keep() {
    for common in [1, 39, 40, 41, 44, 47, 48, 49, 100] {
        let key = |i: u64| [&vec![b'x'; common][..], &i.to_be_bytes()].concat();
        check_all(&shuffled(600).map(key).collect::<Vec<_>>());
    }
}

#[test]
fn keys_may_come_in_any_order() {
    let key = |i: u64| format!("user/{:04}/order/{:06}", i / 50, i % 50).into_bytes();
    check_all(&(0..2000).map(key).collect::<Vec<_>>());
    check_all(&(0..2000).rev().map(key).collect::<Vec<_>>());
    check_all(&shuffled(2000).map(key).collect::<Vec<_>>());
    // All users' first orders, then their second ones, ...
    let by_order = (0..2000).map(|i| key(i % 40 * 50 + i / 40));
    check_all(&by_order.collect::<Vec<_>>());
}

#[test]
fn zero_bytes_are_not_the_end_of_a_key() {
    // Every string of up to eight bytes that are zero or one: many are the start of others, and
    // with zeros behind the shorter ones many look alike.
    let mut keys = vec![vec![]];
    for length in 1..=8 {
        let of_length = |bits: u32| (0..length).map(move |i| (bits >> i & 1) as u8).collect();
        keys.extend((0..1 << length).map(of_length));
    }
    let count = keys.len() as u64;
    let keys: Vec<Vec<u8>> = shuffled(count)
        .map(|i| keys[usize::try_from(i).unwrap()].clone())
        .collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    check_all(&keys);
    let zeros: Vec<Vec<u8>> = (0..300).map(|length| vec![0; length]).collect();
    check_all(&zeros);
    let ends: Vec<Vec<u8>> = (0..300).rev().map(|length| vec![0xff; length]).collect();
    check_all(&ends);
}

#[test]
fn versions_of_a_key_are_alike_in_all_that_heads_see() {
    let version = |i: u64| {
        let key = format!("a/rather/long/user/key/that/fills/the/prefix/{:03}", i % 7);
        [key.as_bytes(), &i.to_be_bytes()].concat()
    };
    check_all(&shuffled(1500).map(version).collect::<Vec<_>>());
}

#[test]
fn keys_before_and_after_what_seemed_common_find_their_place() {
    let inside = |i: u64| format!("tenant/0042/table/users/row/{i:010}").into_bytes();
    let outliers: [&[u8]; 7] = [
        b"",
        b"\0",
        b"tenant/0042/table/users/",
        b"tenant/0041/table/users/row/0000000000",
        b"tenant/0043",
        b"zebra",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ];
    for outlier in outliers {
        check::<Bytewise>(shuffled(2000).map(inside).chain([outlier.to_vec()]));
    }
    let both = [b"aardvark".to_vec(), b"zebra".to_vec()];
    check::<Bytewise>(shuffled(10_000).map(inside).chain(both));
    // And with more of them, before, between and after.
    let mixed = shuffled(3000).map(|i| match i % 100 {
        0 => format!("a{i}").into_bytes(),
        50 => format!("z{i}").into_bytes(),
        _ => inside(i),
    });
    check_all(&mixed.collect::<Vec<_>>());
}

#[test]
fn clusters_far_apart_are_kept_apart() {
    let mut random = Random::new(77);
    let mut keys = BTreeSet::new();
    while keys.len() < 3000 {
        let cluster = random.below(20);
        let depth = usize::try_from(cluster).unwrap() * 3;
        let mut key = vec![u8::try_from(cluster).unwrap(); depth];
        key.extend(random.below(1 << 20).to_be_bytes());
        keys.insert(key);
    }
    let mut keys: Vec<Vec<u8>> = keys.into_iter().collect();
    keys.sort_by_key(|key| key.iter().rev().copied().collect::<Vec<u8>>());
    check_all(&keys);
}

/// Holds a list of numbers against a sorted set.
fn check_numbers<K>(numbers: impl IntoIterator<Item = K>)
where
    K: Ord + Copy + Debug,
    Numeric: Compare<K>,
{
    let list = SkipList::<K, Numeric>::default();
    let reversed = SkipList::<K, Reversed<Numeric>>::default();
    let mut set = BTreeSet::new();
    for number in numbers {
        let is_new = set.insert(number);
        assert_eq!(list.insert(number).is_ok(), is_new);
        assert_eq!(reversed.insert(number).is_ok(), is_new);
    }
    assert!(list.iter().eq(&set) && list.iter().rev().eq(set.iter().rev()));
    assert!(reversed.iter().eq(set.iter().rev()) && reversed.iter().rev().eq(&set));
    for number in &set {
        assert_eq!(list.get(number), Some(number));
        assert_eq!(list.lower_bound(number), Some(number));
        assert_eq!(reversed.lower_bound(number), Some(number));
        assert!(list.range(number..).eq(set.range(number..).take(set.len())));
    }
}

/// Numbers of a type at both ends of it, around zero, and at every power of two.
macro_rules! numbers {
    ($($type:ty)*) => {$({
        let powers = (0..<$type>::BITS).map(|bit| 1 << bit);
        let near = powers.flat_map(|power: $type| {
            [power.wrapping_sub(1), power, power.wrapping_add(1), power.wrapping_neg()]
        });
        check_numbers([0, <$type>::MAX, <$type>::MIN].into_iter().chain(near));
    })*};
}

#[test]
fn integers_of_every_width_are_in_the_order_of_numbers() {
    numbers!(u8 i8 u16 i16 u32 i32 u64 i64 u128 i128 usize isize);
    check_numbers(i8::MIN..=i8::MAX);
    check_numbers((0..=u8::MAX).rev());
    check_numbers(shuffled(2000).map(|i| i64::try_from(i).unwrap() * 1_000_003 - 900_000_000));
}

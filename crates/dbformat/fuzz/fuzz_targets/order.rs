//! Over any three byte strings, internal keys or not, both comparators of user keys and the
//! internal order over each are total orders in which only equal bytes are equal, and the internal
//! order is: user key, then tag from high to low. A separator lies in `[start, limit)`, a successor
//! not before its key, neither is longer than what it replaces, and of an internal key both are
//! internal keys. IndexedDB's is a total order, too, in which other bytes can be equal. Where heads
//! differ, they are in the order of their keys.

#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use strata_dbformat::{
    BytewiseComparator, Comparator, IndexedDbComparator, InternalKeyComparator,
    ReverseBytewiseComparator, Tag, split_internal_key,
};

fn check_equality(order: &impl Comparator, keys: [&[u8]; 3]) {
    for a in keys {
        for b in keys {
            assert_eq!(order.compare(a, b) == Ordering::Equal, a == b);
        }
    }
}

/// Heads may say nothing; where they differ, they say what comparing does.
fn check_heads(order: &impl Comparator, keys: [&[u8]; 3]) {
    for a in keys {
        for b in keys {
            let heads = order.prefix(a).cmp(&order.prefix(b));
            assert!(
                heads.is_eq() || heads == order.compare(a, b),
                "{a:?}, {b:?}"
            );
        }
    }
}

fn check_order(order: &impl Comparator, keys: [&[u8]; 3]) {
    for a in keys {
        for b in keys {
            assert_eq!(order.compare(a, b), order.compare(b, a).reverse());
            for c in keys {
                if order.compare(a, b).is_le() && order.compare(b, c).is_le() {
                    assert!(order.compare(a, c).is_le(), "{a:?}, {b:?}, {c:?}");
                }
            }
        }
    }
}

/// What is promised of any comparator's shortenings; says whether they changed anything.
fn check_shortenings(order: &impl Comparator, start: &[u8], limit: &[u8]) -> [Option<Vec<u8>>; 2] {
    let mut separator = start.to_vec();
    order.find_shortest_separator(&mut separator, limit);
    assert!(separator.len() <= start.len());
    if order.compare(start, limit) == Ordering::Less {
        assert!(order.compare(start, &separator).is_le());
        assert!(order.compare(&separator, limit).is_lt());
    } else {
        assert_eq!(separator, start);
    }

    let mut successor = start.to_vec();
    order.find_short_successor(&mut successor);
    assert!(successor.len() <= start.len());
    assert!(order.compare(start, &successor).is_le());
    [separator, successor].map(|key| (key != start).then_some(key))
}

fn check_internal<C: Comparator>(user_comparator: C, keys: [&[u8]; 3]) {
    let order = InternalKeyComparator::new(user_comparator);
    check_order(&order, keys);
    check_equality(&order, keys);
    for a in keys {
        for b in keys {
            if let (Some((a_user, a_tag)), Some((b_user, b_tag))) =
                (a.split_last_chunk::<8>(), b.split_last_chunk::<8>())
            {
                let tags = u64::from_le_bytes(*b_tag).cmp(&u64::from_le_bytes(*a_tag));
                let expected = order.user_comparator().compare(a_user, b_user).then(tags);
                assert_eq!(order.compare(a, b), expected);
            }
            if let (Ok((a_user, a_tag)), Ok((b_user, b_tag))) =
                (split_internal_key(a), split_internal_key(b))
            {
                let parts = order.compare_parts(a_user, a_tag, b_user, b_tag);
                assert_eq!(order.compare(a, b), parts);
            }
            for changed in check_shortenings(&order, a, b).into_iter().flatten() {
                assert!(changed.len() < a.len());
                let (user_key, tag) = split_internal_key(&changed).unwrap();
                assert_eq!(tag, Tag::MAX);
                let from = &a[..a.len() - Tag::LENGTH];
                assert!(order.user_comparator().compare(from, user_key).is_lt());
            }
        }
    }
}

fn check_all<C: Comparator + Copy>(comparator: C, keys: [&[u8]; 3]) {
    check_order(&comparator, keys);
    check_equality(&comparator, keys);
    check_heads(&comparator, keys);
    for a in keys {
        for b in keys {
            check_shortenings(&comparator, a, b);
        }
    }
    check_internal(comparator, keys);
}

/// The first two bytes say where to cut; the first also whether the second key begins as the first
/// does, which bytes drawn one by one seldom do.
fn three_keys(data: &[u8]) -> Option<[Vec<u8>; 3]> {
    let (&[first, second], rest) = data.split_first_chunk()?;
    let (a, rest) = rest.split_at(usize::from(first >> 1).min(rest.len()));
    let (b, c) = rest.split_at(usize::from(second).min(rest.len()));
    let b = if first & 1 == 0 {
        b.to_vec()
    } else {
        [&a[..a.len().min(b.len())], b].concat()
    };
    Some([a.to_vec(), b, c.to_vec()])
}

fuzz_target!(|data: &[u8]| {
    let Some(keys) = three_keys(data) else {
        return;
    };
    let keys = keys.each_ref().map(|key| &key[..]);
    check_all(BytewiseComparator, keys);
    check_all(ReverseBytewiseComparator, keys);
    check_order(&IndexedDbComparator, keys);
    check_heads(&IndexedDbComparator, keys);
});

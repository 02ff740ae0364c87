//! Arbitrary programs of insertions, seeks and steps against a sorted set.

use std::collections::BTreeSet;
use std::ops::Bound;

use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_skiplist::{Bytewise, Compare, InsertError, Natural, SkipList};

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<u8>),
    Contains(Vec<u8>),
    Seek(Vec<u8>),
    SeekForPrev(Vec<u8>),
    SeekToFirst,
    SeekToLast,
    Next,
    Prev,
    Range(Bound<Vec<u8>>, Bound<Vec<u8>>, Vec<bool>),
}

/// Short keys of few letters, so that programs meet the keys they inserted.
fn key(g: &mut Gen) -> Vec<u8> {
    (0..u8::arbitrary(g) % 4)
        .map(|_| *g.choose(b"\0ab\xff").unwrap())
        .collect()
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 14 {
            0..4 => Self::Insert(key(g)),
            4 => Self::Contains(key(g)),
            5 => Self::Seek(key(g)),
            6 => Self::SeekForPrev(key(g)),
            7 => Self::SeekToFirst,
            8 => Self::SeekToLast,
            9..11 => Self::Next,
            11..13 => Self::Prev,
            _ => {
                let mut bound = || match u8::arbitrary(g) % 3 {
                    0 => Bound::Included(key(g)),
                    1 => Bound::Excluded(key(g)),
                    _ => Bound::Unbounded,
                };
                Self::Range(bound(), bound(), Vec::arbitrary(g))
            }
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Insert(key) => Box::new(key.shrink().map(Self::Insert)),
            _ => quickcheck::empty_shrinker(),
        }
    }
}

fn as_ref(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// The bounds of a range that `BTreeSet` panics for.
fn are_reversed(start: Bound<&[u8]>, end: Bound<&[u8]>) -> bool {
    match (start, end) {
        (Bound::Excluded(start), Bound::Excluded(end)) => start >= end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end))
        | (Bound::Included(start), Bound::Excluded(end)) => start > end,
        _ => false,
    }
}

fn run<C: Compare<[u8]> + Default>(steps: &[Step]) {
    let list = SkipList::<[u8], C>::default();
    let mut model: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut cursor = list.cursor();
    let mut at: Option<Vec<u8>> = None;
    for step in steps {
        match step {
            Step::Insert(key) => {
                let expected = if model.insert(key.clone()) {
                    Ok(&key[..])
                } else {
                    Err(InsertError::Duplicate)
                };
                assert_eq!(list.insert_bytes(key), expected);
            }
            Step::Contains(key) => {
                assert_eq!(list.contains(&key[..]), model.contains(key));
                assert_eq!(list.get(&key[..]), model.get(key).map(Vec::as_slice));
            }
            Step::Seek(key) => {
                cursor.seek(&key[..]);
                at = model.range(key.clone()..).next().cloned();
            }
            Step::SeekForPrev(key) => {
                cursor.seek_for_prev(&key[..]);
                at = model.range(..=key.clone()).next_back().cloned();
            }
            Step::SeekToFirst => {
                cursor.seek_to_first();
                at = model.first().cloned();
            }
            Step::SeekToLast => {
                cursor.seek_to_last();
                at = model.last().cloned();
            }
            Step::Next => {
                cursor.next();
                at = at.and_then(|at| {
                    model
                        .range((Bound::Excluded(at), Bound::Unbounded))
                        .next()
                        .cloned()
                });
            }
            Step::Prev => {
                cursor.prev();
                at = at.and_then(|at| model.range(..at).next_back().cloned());
            }
            Step::Range(start, end, from_front) => {
                check_range(&list, &model, as_ref(start), as_ref(end), from_front);
            }
        }
        assert_eq!(cursor.key(), at.as_deref(), "after {step:?}");
        assert_eq!(cursor.valid(), at.is_some());
        assert_eq!(list.len(), model.len() as u64);
        assert_eq!(list.first(), model.first().map(Vec::as_slice));
        assert_eq!(list.last(), model.last().map(Vec::as_slice));
    }
    assert!(list.iter().eq(model.iter().map(Vec::as_slice)));
    assert!(list.iter().rev().eq(model.iter().rev().map(Vec::as_slice)));
}

/// Takes keys from both ends, as `from_front` says and then from the front.
fn check_range<C: Compare<[u8]>>(
    list: &SkipList<[u8], C>,
    model: &BTreeSet<Vec<u8>>,
    start: Bound<&[u8]>,
    end: Bound<&[u8]>,
    from_front: &[bool],
) {
    let mut found = list.range((start, end));
    let mut expected = match are_reversed(start, end) {
        true => Vec::new(),
        false => model
            .range::<[u8], _>((start, end))
            .map(Vec::as_slice)
            .collect::<Vec<_>>(),
    }
    .into_iter();
    for &front in from_front
        .iter()
        .chain(std::iter::repeat_n(&true, expected.len() + 1))
    {
        if front {
            assert_eq!(found.next(), expected.next());
        } else {
            assert_eq!(found.next_back(), expected.next_back());
        }
    }
    assert_eq!((found.next(), found.next_back()), (None, None), "fused");
}

#[test]
fn any_program_does_what_a_sorted_set_does() {
    fn holds(steps: Vec<Step>) -> bool {
        run::<Bytewise>(&steps);
        run::<Natural>(&steps);
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(120, 11))
        .tests(3000)
        .quickcheck(holds as fn(_) -> _);
}

/// Orders words backward, and finds them by their last byte alone.
#[derive(Default)]
struct Backward;

impl Compare<[u8]> for Backward {
    fn compare(&self, key: &[u8], target: &[u8]) -> std::cmp::Ordering {
        target.cmp(key)
    }
}

#[test]
fn the_comparator_decides_the_order() {
    let list = SkipList::<[u8], Backward>::default();
    for key in [&b"a"[..], b"c", b"b", b""] {
        list.insert_bytes(key).unwrap();
    }
    assert!(list.iter().eq([&b"c"[..], b"b", b"a", b""]));
    assert_eq!(list.lower_bound(&b"bb"[..]), Some(&b"b"[..]));
}

/// An iterator gives what is inserted ahead of it, from either end, and never revives.
#[test]
fn an_iterator_goes_on_while_keys_are_inserted() {
    let list = SkipList::<u32, Natural>::default();
    for key in [10, 20, 30] {
        list.insert(key).unwrap();
    }
    let mut keys = list.range(..35);
    assert_eq!(keys.next(), Some(&10));
    list.insert(5).unwrap();
    list.insert(15).unwrap();
    list.insert(40).unwrap();
    assert_eq!(keys.next_back(), Some(&30));
    list.insert(25).unwrap();
    list.insert(32).unwrap();
    assert_eq!(keys.next_back(), Some(&25));
    assert_eq!(
        (keys.next(), keys.next(), keys.next()),
        (Some(&15), Some(&20), None)
    );
    list.insert(22).unwrap();
    assert_eq!((keys.next(), keys.next_back()), (None, None));
}

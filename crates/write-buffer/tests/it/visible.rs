//! What a snapshot sees, every version and only the newest values, against a sorted map.

use std::cell::Cell;
use std::cmp::Ordering;
use std::convert::Infallible;
use std::ops::{Bound, RangeBounds};
use std::rc::Rc;
use std::sync::Arc;

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber, ValueType};
use strata_memtable::MemTable;
use strata_write_buffer::{InternalCursor, MergingCursor, Skipped, SnapshotCursor, VisibleCursor};

use crate::cursors::{
    Bounds, Counted, Failed, Failing, Growing, MemTableCursor, Move, Owned, Shelf, Walk, borrowed,
    check_internal, memtable, number, owned,
};

fn make<S: InternalCursor, C: Comparator>(
    step: &Move,
    cursor: &mut VisibleCursor<S, C>,
) -> Result<(), S::Error> {
    match step {
        Move::SeekToFirst => cursor.seek_to_first(),
        Move::SeekToLast => cursor.seek_to_last(),
        Move::Seek(user_key, _) => cursor.seek(user_key),
        Move::SeekForPrev(user_key) => cursor.seek_for_prev(user_key),
        Move::Next => cursor.next(),
        Move::Prev => cursor.prev(),
    }
}

fn check_visible<S: InternalCursor<Error = Infallible>>(
    cursor: &mut VisibleCursor<S, BytewiseComparator>,
    visible: &[Owned],
    moves: &[Move],
) {
    let mut at = None;
    assert_eq!(cursor.entry(), None, "a new cursor is at none");
    for step in moves {
        let Ok(()) = make(step, cursor);
        at = match step {
            // There is one entry a user key, whatever its sequence number.
            Move::Seek(key, _) => Move::Seek(key.clone(), SequenceNumber::MAX.get()),
            step => step.clone(),
        }
        .model(visible, at);
        assert_eq!(
            owned(cursor.entry()),
            at.map(|at| visible[at].clone()),
            "after {step:?}"
        );
    }
}

#[test]
fn any_walk_over_what_is_visible_is_that_over_a_sorted_map() {
    fn property(shelf: Shelf, walk: Walk) {
        let source = MergingCursor::new(BytewiseComparator, shelf.cursors());
        let bounds = borrowed(&walk.bounds);
        let snapshot = number(walk.snapshot);
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, snapshot, bounds);
        let visible = shelf.visible(walk.snapshot, &walk.bounds);
        check_visible(&mut cursor, &visible, &walk.moves);

        let expected = visible.iter().map(|(user_key, _, value)| {
            (
                user_key.clone().into_boxed_slice(),
                value.clone().into_boxed_slice(),
            )
        });
        let pairs = cursor.into_pairs().map(|Ok(pair)| pair);
        assert!(pairs.eq(expected.clone()));
        let source = MergingCursor::new(BytewiseComparator, shelf.cursors());
        let cursor = VisibleCursor::new(BytewiseComparator, source, snapshot, bounds);
        let pairs = cursor.into_pairs_backward().map(|Ok(pair)| pair);
        assert!(pairs.eq(expected.rev()));
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(200, 32))
        .tests(1500)
        .quickcheck(property as fn(Shelf, Walk));
}

#[test]
fn any_walk_over_every_version_a_snapshot_sees_is_that_over_a_sorted_map() {
    fn property(shelf: Shelf, walk: Walk) {
        let source = MergingCursor::new(BytewiseComparator, shelf.cursors());
        let (snapshot, bounds) = (number(walk.snapshot), borrowed(&walk.bounds));
        let mut cursor = SnapshotCursor::new(BytewiseComparator, source, snapshot, bounds);
        let seen = shelf.seen(walk.snapshot, &walk.bounds);
        check_internal(&mut cursor, &seen, &walk.moves);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(200, 33))
        .tests(1500)
        .quickcheck(property as fn(Shelf, Walk));
}

/// The sources merged, while entries are added to the first, next to where it is, before each move.
fn growing(shelf: &Shelf, seed: u64) -> impl InternalCursor<Error = Infallible> + use<> {
    type Source = Box<dyn InternalCursor<Error = Infallible>>;
    let mut growing_seed = Some(seed);
    let source = |memtable: Arc<MemTable<_>>| -> Source {
        match growing_seed.take() {
            Some(seed) => Box::new(Growing::new(memtable, seed)),
            None => Box::new(memtable.reader().owned_cursor()),
        }
    };
    let sources = shelf.memtables().into_iter().map(source).collect();
    MergingCursor::new(BytewiseComparator, sources)
}

/// What threads may do between any two steps, done by one.
#[test]
fn what_is_added_between_two_steps_of_a_source_changes_nothing() {
    fn property(shelf: Shelf, walk: Walk, seed: u64) {
        let (snapshot, bounds) = (number(walk.snapshot), borrowed(&walk.bounds));
        let source = growing(&shelf, seed);
        let mut cursor = SnapshotCursor::new(BytewiseComparator, source, snapshot, bounds);
        let seen = shelf.seen(walk.snapshot, &walk.bounds);
        check_internal(&mut cursor, &seen, &walk.moves);

        let source = growing(&shelf, seed);
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, snapshot, bounds);
        let visible = shelf.visible(walk.snapshot, &walk.bounds);
        check_visible(&mut cursor, &visible, &walk.moves);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(100, 34))
        .tests(200)
        .quickcheck(property as fn(Shelf, Walk, u64));
}

/// There is no telling what is seen then, but it is in order, within the bounds, and not given twice.
#[test]
fn a_snapshot_that_sees_what_is_added_still_goes_one_way() {
    fn check(step: &Move, before: Option<Owned>, after: Option<Owned>, bounds: &Bounds) {
        if let Some((user_key, ..)) = &after {
            assert!(borrowed(bounds).contains(&&user_key[..]), "after {step:?}");
        }
        if let (Some(before), Some(after)) = (before, after) {
            let order = after.0.cmp(&before.0).then(before.1.cmp(&after.1));
            match step {
                Move::Next => assert!(order.is_gt(), "{before:?} {after:?}"),
                Move::Prev => assert!(order.is_lt(), "{before:?} {after:?}"),
                _ => {}
            }
        }
    }
    fn property(shelf: Shelf, walk: Walk, seed: u64) {
        let bounds = borrowed(&walk.bounds);
        let source = growing(&shelf, seed);
        let snapshot = SequenceNumber::MAX;
        let mut cursor = SnapshotCursor::new(BytewiseComparator, source, snapshot, bounds);
        for step in &walk.moves {
            if !matches!(step, Move::SeekForPrev(_)) {
                let before = owned(cursor.entry());
                let Ok(()) = step.make(&mut cursor);
                check(step, before, owned(cursor.entry()), &walk.bounds);
            }
        }

        let source = growing(&shelf, seed);
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, snapshot, bounds);
        for step in &walk.moves {
            let before = owned(cursor.entry());
            let Ok(()) = make(step, &mut cursor);
            let after = owned(cursor.entry());
            // One version of a user key, whichever it is.
            let is_step = matches!(step, Move::Next | Move::Prev);
            assert!(!is_step || before.is_none() || key_of(&before) != key_of(&after));
            check(step, before, after, &walk.bounds);
        }
    }
    fn key_of(entry: &Option<Owned>) -> Option<&[u8]> {
        entry.as_ref().map(|entry| &entry.0[..])
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(100, 35))
        .tests(200)
        .quickcheck(property as fn(Shelf, Walk, u64));
}

fn visible(
    entries: &[(&str, u64)],
    snapshot: u64,
) -> VisibleCursor<MemTableCursor, BytewiseComparator> {
    let source = memtable(entries).reader().owned_cursor();
    VisibleCursor::new(BytewiseComparator, source, number(snapshot), ..)
}

/// The user keys and sequence numbers shown, in one direction.
fn shown(mut cursor: VisibleCursor<MemTableCursor, BytewiseComparator>, back: bool) -> Vec<String> {
    let mut texts = Vec::new();
    let (seek, step) = match back {
        false => (Move::SeekToFirst, Move::Next),
        true => (Move::SeekToLast, Move::Prev),
    };
    let Ok(()) = make(&seek, &mut cursor);
    while let Some(entry) = cursor.entry() {
        let key = String::from_utf8_lossy(entry.user_key);
        texts.push(format!("{key}{}", entry.sequence()));
        let Ok(()) = make(&step, &mut cursor);
    }
    texts
}

#[test]
fn each_snapshot_sees_its_newest_versions_and_no_tombstones() {
    let entries = [
        ("a", 1),
        ("b", 2),
        ("a!", 3),
        ("c", 4),
        ("b", 5),
        ("a", 6),
        ("c!", 7),
    ];
    let expected: [&[&str]; 8] = [
        &[],
        &["a1"],
        &["a1", "b2"],
        &["b2"],
        &["b2", "c4"],
        &["b5", "c4"],
        &["a6", "b5", "c4"],
        &["a6", "b5"],
    ];
    for (snapshot, expected) in (0..).zip(expected) {
        assert_eq!(
            shown(visible(&entries, snapshot), false),
            expected,
            "@ {snapshot}"
        );
        let mut backward = shown(visible(&entries, snapshot), true);
        backward.reverse();
        assert_eq!(backward, expected, "@ {snapshot}, backward");
    }
}

/// LevelDB's iterator tests over one key, whose direction changes at an edge lose it.
#[test]
fn turning_round_at_either_end_finds_the_way_back() {
    let mut cursor = visible(&[("a", 1), ("b", 2), ("b", 5), ("c", 3)], 4);
    let key = |cursor: &VisibleCursor<_, _>| cursor.entry().map(|entry| entry.user_key[0]);
    let Ok(()) = cursor.seek_to_last();
    assert_eq!(key(&cursor), Some(b'c'));
    let Ok(()) = cursor.prev();
    let Ok(()) = cursor.prev();
    assert_eq!(key(&cursor), Some(b'a'));
    // The source is before its first entry here.
    let Ok(()) = cursor.next();
    assert_eq!(key(&cursor), Some(b'b'));
    assert_eq!(cursor.entry().unwrap().sequence(), number(2));
    let Ok(()) = cursor.next();
    let Ok(()) = cursor.prev();
    assert_eq!(key(&cursor), Some(b'b'));
    let Ok(()) = cursor.next();
    let Ok(()) = cursor.next();
    assert_eq!(key(&cursor), None);
    let Ok(()) = cursor.prev();
    assert_eq!(key(&cursor), None, "only a seek brings it back");
}

#[test]
fn bounds_hold_and_inverted_ones_are_empty() {
    let keys = |bounds: (Bound<&[u8]>, Bound<&[u8]>)| {
        let entries = [("a", 1), ("b", 2), ("b", 9), ("c", 3), ("d", 4)];
        let source = memtable(&entries).reader().owned_cursor();
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, number(5), bounds);
        // Seeks beyond a bound lead to it.
        let Ok(()) = cursor.seek(b"");
        let first = cursor.entry().map(|entry| entry.user_key.to_vec());
        let Ok(()) = cursor.seek_for_prev(b"z");
        let last = cursor.entry().map(|entry| entry.user_key.to_vec());
        let pairs: Vec<u8> = cursor.into_pairs().map(|Ok((key, _))| key[0]).collect();
        assert_eq!(first, pairs.first().map(|&key| vec![key]));
        assert_eq!(last, pairs.last().map(|&key| vec![key]));
        String::from_utf8(pairs).unwrap()
    };
    use Bound::{Excluded, Included, Unbounded};
    let (b, c) = (&b"b"[..], &b"c"[..]);
    assert_eq!(keys((Unbounded, Unbounded)), "abcd");
    assert_eq!(keys((Included(b), Included(c))), "bc");
    assert_eq!(keys((Included(b), Excluded(c))), "b");
    assert_eq!(keys((Excluded(b), Included(c))), "c");
    assert_eq!(keys((Excluded(b), Excluded(c))), "");
    assert_eq!(keys((Excluded(b), Unbounded)), "cd");
    assert_eq!(keys((Unbounded, Excluded(b))), "a");
    assert_eq!(keys((Included(b), Included(b))), "b");
    assert_eq!(keys((Excluded(b), Excluded(b))), "");
    assert_eq!(keys((Included(c), Included(b))), "");
    assert_eq!(keys((Excluded(c), Excluded(b))), "");
    assert_eq!(keys((Included(b"bb"), Excluded(b"bc"))), "");
}

#[test]
fn user_keys_that_compare_as_equal_are_one() {
    #[derive(Clone, Copy, Debug)]
    struct CaseInsensitive;

    impl Comparator for CaseInsensitive {
        fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
            a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase())
        }
        fn name(&self) -> &str {
            "test.CaseInsensitive"
        }
    }

    let memtable = MemTable::new(CaseInsensitive);
    for (sequence, key) in [(1, b"a"), (2, b"B"), (3, b"A"), (4, b"b"), (5, b"C")] {
        memtable
            .add(number(sequence), ValueType::Value, key, b"")
            .unwrap();
    }
    let keys = |snapshot, back| -> Vec<u8> {
        let source = memtable.reader().owned_cursor();
        let bounds = &b"A"[..]..&b"c"[..];
        let cursor = VisibleCursor::new(CaseInsensitive, source, number(snapshot), bounds);
        let pairs = match back {
            false => cursor.into_pairs(),
            true => cursor.into_pairs_backward(),
        };
        pairs.map(|Ok((key, _))| key[0]).collect()
    };
    assert_eq!(
        (keys(5, false), keys(5, true)),
        (b"Ab".to_vec(), b"bA".to_vec())
    );
    assert_eq!(
        (keys(2, false), keys(2, true)),
        (b"aB".to_vec(), b"Ba".to_vec())
    );
}

/// The calls each move may take, however many versions there are.
const A_FEW: u64 = 50;

#[test]
fn a_key_with_a_million_versions_costs_a_few_calls_either_way() {
    const VERSIONS: u64 = 1_000_000;
    let memtable = memtable(&[("a", 1), ("z", 2)]);
    for sequence in 3..VERSIONS {
        memtable
            .add(number(sequence), ValueType::Value, b"hot", b"")
            .unwrap();
    }
    for snapshot in [2, 3, 10, VERSIONS / 2, VERSIONS - 10, VERSIONS - 1] {
        let (source, calls) = Counted::new(memtable.reader().owned_cursor());
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, number(snapshot), ..);
        let keys: &[&[u8]] = match snapshot {
            2 => &[b"a", b"z"],
            _ => &[b"a", b"hot", b"z"],
        };
        let hidden = |cursor: &VisibleCursor<_, _>| cursor.skipped().hidden;
        let made = |cursor: &mut VisibleCursor<_, _>, step: Move| {
            let before = (calls.get(), hidden(cursor));
            let Ok(()) = make(&step, cursor);
            let after = (calls.get(), hidden(cursor));
            assert!(after.0 - before.0 <= A_FEW, "{step:?} @ {snapshot}");
            assert!(after.1 - before.1 <= A_FEW, "{step:?} @ {snapshot}");
        };
        made(&mut cursor, Move::SeekToFirst);
        for key in keys {
            assert_eq!(cursor.entry().unwrap().user_key, *key);
            made(&mut cursor, Move::Next);
        }
        made(&mut cursor, Move::SeekToLast);
        for key in keys.iter().rev() {
            assert_eq!(cursor.entry().unwrap().user_key, *key);
            made(&mut cursor, Move::Prev);
        }
        made(&mut cursor, Move::Seek(b"b".to_vec(), 0));
        made(&mut cursor, Move::Prev);
        assert_eq!(cursor.entry().unwrap().user_key, b"a");
        made(&mut cursor, Move::SeekForPrev(b"y".to_vec()));
        made(&mut cursor, Move::Next);
        assert_eq!(cursor.entry().unwrap().user_key, b"z");
    }
}

/// Every version the snapshot sees is given; those it does not are passed by a seek.
#[test]
fn hidden_versions_are_passed_by_a_seek_in_the_internal_form_too() {
    let memtable = memtable(&[("a", 1), ("z", 2)]);
    for sequence in 3..10_000 {
        memtable
            .add(number(sequence), ValueType::Value, b"hot", b"")
            .unwrap();
    }
    let (source, calls) = Counted::new(memtable.reader().owned_cursor());
    let mut cursor = SnapshotCursor::new(BytewiseComparator, source, number(5), ..);
    let Ok(()) = cursor.seek_to_first();
    for sequence in [1, 5, 4, 3, 2] {
        assert_eq!(cursor.entry().unwrap().sequence(), number(sequence));
        let Ok(()) = cursor.next();
    }
    assert!(calls.get() <= A_FEW);
    let Ok(()) = cursor.seek_to_last();
    for sequence in [2, 3, 4, 5, 1] {
        assert_eq!(cursor.entry().unwrap().sequence(), number(sequence));
        let Ok(()) = cursor.prev();
    }
    assert!(calls.get() <= 2 * A_FEW);
    assert!(cursor.hidden() <= 2 * A_FEW);
    // A newer snapshot to seek at sees no more than the cursor's own.
    let Ok(()) = cursor.seek(b"hot", number(7));
    assert_eq!(cursor.entry().unwrap().sequence(), number(5));
    let Ok(()) = cursor.seek(b"hot", number(4));
    assert_eq!(cursor.entry().unwrap().sequence(), number(4));
}

#[test]
fn what_is_passed_is_counted() {
    // By user key: nothing to pass; a tombstone over a value; two hidden versions; one shadowed.
    let entries = [
        ("a", 1),
        ("b", 2),
        ("b!", 3),
        ("c", 4),
        ("d", 5),
        ("d", 6),
        ("c", 11),
        ("c!", 12),
    ];
    let skipped = Skipped {
        hidden: 4,
        tombstones: 1,
    };
    let mut cursor = visible(&entries, 10);
    let Ok(()) = cursor.seek_to_first();
    assert_eq!(cursor.skipped(), Skipped::default());
    while cursor.entry().is_some() {
        let Ok(()) = cursor.next();
    }
    assert_eq!(cursor.skipped(), skipped);
    let mut cursor = visible(&entries, 10);
    let Ok(()) = cursor.seek_to_last();
    while cursor.entry().is_some() {
        let Ok(()) = cursor.prev();
    }
    assert_eq!(cursor.skipped(), skipped);
}

#[test]
fn a_bound_is_not_looked_past() {
    let memtable = memtable(&[("m", 1)]);
    for sequence in 2..1000 {
        for side in ["a", "z"] {
            let key = format!("{side}{sequence}");
            memtable
                .add(number(sequence), ValueType::Deletion, key.as_bytes(), b"")
                .unwrap();
        }
    }
    let (source, calls) = Counted::new(memtable.reader().owned_cursor());
    let bounds = &b"b"[..]..=&b"n"[..];
    let mut cursor = VisibleCursor::new(BytewiseComparator, source, SequenceNumber::MAX, bounds);
    for step in [
        Move::SeekToFirst,
        Move::Next,
        Move::SeekToLast,
        Move::Prev,
        Move::Seek(b"a".to_vec(), 0),
        Move::Prev,
        Move::SeekForPrev(b"z".to_vec()),
        Move::Next,
    ] {
        let Ok(()) = make(&step, &mut cursor);
    }
    assert!(calls.get() <= 12, "{}", calls.get());
    assert_eq!(cursor.skipped(), Skipped::default());
}

#[test]
fn steps_allocate_nothing() {
    let memtable = MemTable::new(BytewiseComparator);
    for sequence in 0..2000u64 {
        let key = (sequence % 300).to_be_bytes();
        memtable
            .add(number(sequence), ValueType::Value, &key, b"value")
            .unwrap();
    }
    let sources = (0..3).map(|_| memtable.reader().owned_cursor()).collect();
    let source = MergingCursor::new(BytewiseComparator, sources);
    let mut cursor = VisibleCursor::new(BytewiseComparator, source, number(900), ..);
    let mut walk = || {
        let mut count = 0;
        let Ok(()) = cursor.seek_to_first();
        while cursor.entry().is_some() {
            count += 1;
            let Ok(()) = cursor.next();
        }
        let Ok(()) = cursor.seek_to_last();
        while cursor.entry().is_some() {
            count += 1;
            let Ok(()) = cursor.prev();
            let Ok(()) = cursor.next();
            let Ok(()) = cursor.prev();
        }
        count
    };
    walk();
    let allocated = allocation_counter::measure(|| assert_eq!(walk(), 600));
    assert_eq!(allocated.count_total, 0);
}

/// The moves of a walk that goes everywhere both ways.
fn turning_walk() -> Vec<Move> {
    let mut moves = vec![Move::SeekToFirst];
    for _ in 0..3 {
        moves.extend([Move::Next, Move::Next, Move::Prev]);
    }
    moves.extend([Move::Seek(b"b".to_vec(), 0), Move::Prev, Move::Next]);
    moves.extend([Move::SeekForPrev(b"c".to_vec()), Move::Next, Move::Prev]);
    moves.push(Move::SeekToLast);
    for _ in 0..3 {
        moves.extend([Move::Prev, Move::Prev, Move::Next]);
    }
    moves
}

#[test]
fn an_error_is_returned_and_the_next_seek_begins_afresh() {
    let mut first = vec![("a", 1), ("b!", 2), ("c", 3), ("e", 4)];
    first.extend((20..60).map(|sequence| ("d", sequence)));
    let second = [("a", 1), ("b", 1), ("d", 5), ("e", 3), ("f", 7)];
    let calls_left = Rc::new(Cell::new(None));
    let mut failures = 0;
    for fail_at in 0.. {
        let sources = [&first[..], &second]
            .map(|entries| Failing::new(memtable(entries).reader().owned_cursor(), &calls_left));
        let source = MergingCursor::new(BytewiseComparator, Vec::from(sources));
        let bounds = &b"a"[..]..=&b"e"[..];
        let mut cursor = VisibleCursor::new(BytewiseComparator, source, number(40), bounds);
        calls_left.set(Some(fail_at));
        let failed = turning_walk()
            .iter()
            .find_map(|step| make(step, &mut cursor).err());
        if failed.is_none() {
            break;
        }
        failures += 1;
        assert_eq!(failed, Some(Failed));
        assert_eq!(cursor.entry(), None, "after call {fail_at} failed");
        assert_eq!((cursor.next(), cursor.entry()), (Ok(()), None));
        assert_eq!((cursor.prev(), cursor.entry()), (Ok(()), None));

        let mut keys = Vec::new();
        assert_eq!(cursor.seek_to_last(), Ok(()));
        while let Some(entry) = cursor.entry() {
            keys.push(entry.user_key[0]);
            assert_eq!(cursor.prev(), Ok(()));
        }
        assert_eq!(keys, b"edca");
    }
    assert!(failures > 100, "{failures}");
}

#[test]
fn an_iterator_gives_an_error_once_and_ends() {
    let calls_left = Rc::new(Cell::new(Some(2)));
    let source = memtable(&[("a", 1), ("b", 2), ("c", 3)])
        .reader()
        .owned_cursor();
    let source = Failing::new(source, &calls_left);
    let cursor = VisibleCursor::new(BytewiseComparator, source, number(9), ..);
    let mut pairs = cursor.into_pairs();
    let pair = |key: &[u8], value: &[u8]| Some(Ok((key.into(), value.into())));
    assert_eq!(pairs.next(), pair(b"a", b"1"));
    assert_eq!(pairs.next(), pair(b"b", b"2"));
    assert_eq!(pairs.next(), Some(Err(Failed)));
    assert_eq!(pairs.next(), None);
    let mut cursor = pairs.into_cursor();
    assert_eq!(cursor.seek(b"c"), Ok(()));
    assert_eq!(cursor.entry().unwrap().value, b"3");
}

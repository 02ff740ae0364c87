//! The merging cursor against a sorted map, and what it asks of its sources.

use std::cell::Cell;
use std::cmp::Ordering;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber, Tag, ValueType};
use strata_memtable::MemTable;
use strata_write_buffer::{
    InternalCursor, MapErr, MergingCursor, Pairs, SnapshotCursor, VisibleCursor,
};

use crate::cursors::{
    Counted, Failed, Failing, MemTableCursor, Move, Shelf, Walk, check_internal, memtable, number,
    owned, value_tag,
};

/// The entries from where the cursor is, by `step`, as text.
fn walk<S: InternalCursor>(
    cursor: &mut S,
    step: fn(&mut S) -> Result<(), S::Error>,
) -> Result<Vec<String>, S::Error> {
    let mut texts = Vec::new();
    while let Some(entry) = cursor.entry() {
        let key = String::from_utf8_lossy(entry.user_key);
        texts.push(format!("{key}{}", entry.sequence()));
        step(cursor)?;
    }
    Ok(texts)
}

fn merged(sources: &[&[(&str, u64)]]) -> MergingCursor<MemTableCursor, BytewiseComparator> {
    let sources = sources
        .iter()
        .map(|entries| memtable(entries).reader().owned_cursor());
    MergingCursor::new(BytewiseComparator, sources.collect())
}

#[test]
fn any_walk_over_any_sources_is_that_over_one_sorted_map() {
    fn property(shelf: Shelf, walk: Walk) {
        let mut cursor = MergingCursor::new(BytewiseComparator, shelf.cursors());
        check_internal(&mut cursor, &shelf.merged(), &walk.moves);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(120, 31))
        .tests(1500)
        .quickcheck(property as fn(Shelf, Walk));
}

#[test]
fn no_sources_and_empty_sources_have_nothing() {
    for sources in [&[][..], &[&[][..], &[]]] {
        let mut cursor = merged(sources);
        for step in [
            Move::SeekToFirst,
            Move::Next,
            Move::SeekToLast,
            Move::Prev,
            Move::Seek(b"a".to_vec(), 1),
            Move::Prev,
        ] {
            let Ok(()) = step.make(&mut cursor);
            assert_eq!(cursor.entry(), None, "after {step:?}");
        }
    }
}

#[test]
fn a_new_cursor_is_at_none_and_steps_leave_it_there() {
    let mut cursor = merged(&[&[("a", 1)]]);
    assert_eq!(cursor.entry(), None);
    let Ok(()) = cursor.next();
    assert_eq!(cursor.entry(), None);
    let Ok(()) = cursor.prev();
    assert_eq!(cursor.entry(), None);
}

#[test]
fn versions_of_a_key_are_merged_newest_first() {
    let mut cursor = merged(&[&[("a", 5), ("b", 4)], &[("a", 3), ("c", 1)], &[("a", 2)]]);
    let Ok(()) = cursor.seek_to_first();
    let Ok(forward) = walk(&mut cursor, |cursor| cursor.next());
    assert_eq!(forward, ["a5", "a3", "a2", "b4", "c1"]);
    let Ok(()) = cursor.seek_to_last();
    let Ok(backward) = walk(&mut cursor, |cursor| cursor.prev());
    assert_eq!(backward, ["c1", "b4", "a2", "a3", "a5"]);
}

/// As when a memtable has been flushed and both it and the table are read.
#[test]
fn an_entry_of_several_sources_is_given_once_and_from_the_first() {
    let with_value = |value: &[u8]| {
        let memtable = MemTable::new(BytewiseComparator);
        for (sequence, key) in [(1, b"a"), (2, b"b"), (3, b"c")] {
            memtable
                .add(number(sequence), ValueType::Value, key, value)
                .unwrap();
        }
        memtable.reader().owned_cursor()
    };
    let sources = vec![
        with_value(b"first"),
        with_value(b"second"),
        with_value(b"third"),
    ];
    let mut cursor = MergingCursor::new(BytewiseComparator, sources);
    let there_and_back = [
        Move::SeekToFirst,
        Move::Next,
        Move::Next,
        Move::Prev,
        Move::Prev,
        Move::Next,
        Move::SeekToLast,
        Move::Prev,
        Move::Next,
        Move::Seek(b"b".to_vec(), 9),
    ];
    for (step, key) in there_and_back.iter().zip(*b"abcbabcbcb") {
        let Ok(()) = step.make(&mut cursor);
        let sequence = u64::from(key - b'a' + 1);
        let expected = (vec![key], value_tag(sequence), b"first".to_vec());
        assert_eq!(owned(cursor.entry()), Some(expected), "after {step:?}");
    }
}

/// Sequence numbers are given out once; should one be used twice, nothing is lost.
#[test]
fn a_value_and_a_tombstone_with_one_sequence_number_are_two_entries() {
    let mut cursor = merged(&[&[("a!", 5)], &[("a", 5)]]);
    let types = |cursor: &MergingCursor<_, _>| cursor.entry().unwrap().tag;
    let Ok(()) = cursor.seek_to_first();
    assert_eq!(types(&cursor), value_tag(5));
    let Ok(()) = cursor.next();
    assert_eq!(types(&cursor), Tag::new(number(5), ValueType::Deletion));
    let Ok(()) = cursor.prev();
    assert_eq!(types(&cursor), value_tag(5));
}

#[test]
fn one_source_is_asked_for_nothing_but_the_moves() {
    let entries: Vec<(String, u64)> = (0..100).map(|i| (format!("{i:02}"), i)).collect();
    let entries: Vec<(&str, u64)> = entries.iter().map(|(key, i)| (&key[..], *i)).collect();
    let (source, calls) = Counted::new(memtable(&entries).reader().owned_cursor());
    let mut cursor = MergingCursor::new(BytewiseComparator, vec![source]);
    let Ok(()) = cursor.seek_to_first();
    for _ in 0..50 {
        let Ok(()) = cursor.next();
        let Ok(()) = cursor.next();
        let Ok(()) = cursor.prev();
    }
    assert_eq!(cursor.entry().unwrap().user_key, b"50");
    assert_eq!(calls.get(), 151);
}

/// Counts comparisons.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<Mutex<u64>>);

impl Comparator for Counting {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        *self.0.lock().unwrap() += 1;
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "test.Counting"
    }
}

#[test]
fn a_step_takes_one_comparison_in_a_run_and_few_between() {
    const SOURCES: u64 = 16;
    const EACH: u64 = 500;
    let sources = |key: fn(u64, u64) -> u64| {
        let source = |source| {
            let memtable = MemTable::new(BytewiseComparator);
            for i in 0..EACH {
                let key = key(source, i).to_be_bytes();
                memtable
                    .add(number(i), ValueType::Value, &key, b"")
                    .unwrap();
            }
            memtable.reader().owned_cursor()
        };
        (0..SOURCES).map(source).collect::<Vec<_>>()
    };
    let comparisons = |sources| {
        let counting = Counting::default();
        let mut cursor = MergingCursor::new(counting.clone(), sources);
        let Ok(()) = cursor.seek_to_first();
        *counting.0.lock().unwrap() = 0;
        let Ok(steps) = walk(&mut cursor, |cursor| cursor.next());
        assert_eq!(steps.len() as u64, SOURCES * EACH);
        let compared = *counting.0.lock().unwrap();
        compared / (SOURCES * EACH)
    };
    assert_eq!(
        comparisons(sources(|source, i| source * EACH + i)),
        0,
        "below one in a run"
    );
    // One with the second, and log2 of the other fourteen.
    assert!(comparisons(sources(|source, i| i * SOURCES + source)) <= 5);
}

/// The moves of a walk that turns round within runs and between them.
fn turning_walk() -> Vec<Move> {
    let mut moves = vec![Move::SeekToFirst];
    for _ in 0..4 {
        moves.extend([Move::Next, Move::Next, Move::Prev, Move::Next]);
    }
    moves.push(Move::Seek(b"b".to_vec(), 3));
    moves.extend([Move::Prev, Move::Prev, Move::Next]);
    moves.push(Move::SeekToLast);
    for _ in 0..4 {
        moves.extend([Move::Prev, Move::Prev, Move::Next, Move::Prev]);
    }
    moves
}

#[test]
fn an_error_is_returned_and_the_next_seek_begins_afresh() {
    let contents: [&[(&str, u64)]; 3] = [
        &[("a", 9), ("b", 8), ("d", 7)],
        &[("b", 8), ("c", 4), ("d", 6)],
        &[("a", 1), ("b", 3), ("e", 2)],
    ];
    let calls_left = Rc::new(Cell::new(None));
    let mut failures = 0;
    for fail_at in 0.. {
        let sources = contents
            .map(|entries| Failing::new(memtable(entries).reader().owned_cursor(), &calls_left));
        let mut cursor = MergingCursor::new(BytewiseComparator, Vec::from(sources));
        calls_left.set(Some(fail_at));
        let failed = turning_walk()
            .iter()
            .find_map(|step| step.make(&mut cursor).err());
        if failed.is_none() {
            break;
        }
        failures += 1;
        assert_eq!(failed, Some(Failed));
        assert_eq!(cursor.entry(), None, "after call {fail_at} failed");
        assert_eq!((cursor.next(), cursor.entry()), (Ok(()), None));
        assert_eq!((cursor.prev(), cursor.entry()), (Ok(()), None));

        assert_eq!(cursor.seek(b"b", number(8)), Ok(()));
        let rest = walk(&mut cursor, |cursor| cursor.next()).unwrap();
        assert_eq!(rest, ["b8", "b3", "c4", "d7", "d6", "e2"]);
    }
    assert!(failures > 50, "{failures}");
}

#[test]
fn cursors_are_owned_and_go_to_other_threads() {
    fn is_owned<T: Send + 'static>(_: &T) {}
    type Source = Box<dyn InternalCursor<Error = io::Error> + Send>;

    let reader = memtable(&[("a", 1)]).reader();
    let mapped: MapErr<_, _> = reader.owned_cursor().map_err(|never| match never {});
    is_owned(&mapped);
    let boxed: Source = Box::new(mapped);
    let merging = MergingCursor::new(BytewiseComparator, vec![boxed]);
    is_owned(&merging);
    let snapshot = SnapshotCursor::new(BytewiseComparator, merging, number(1), ..);
    is_owned(&snapshot);
    let visible = VisibleCursor::new(BytewiseComparator, snapshot, number(1), ..);
    is_owned(&visible);
    let pairs: Pairs<_, _> = visible.into_pairs();
    is_owned(&pairs);
    let count = std::thread::spawn(move || pairs.map(Result::unwrap).count());
    assert_eq!(count.join().unwrap(), 1);
}

#[test]
fn debug_shows_where_a_cursor_is() {
    let mut cursor = merged(&[&[("a", 1)], &[]]);
    let Ok(()) = cursor.seek(b"a", SequenceNumber::MAX);
    assert_eq!(
        format!("{cursor:?}"),
        "MergingCursor { sources: 2, entry: Some(EntryRef('a' @ 1 : 1 => '1')), .. }"
    );
}

//! What is easily got wrong in a list of nodes that many read while some write, a test each. Some
//! can't happen as this list is made; what they would have broken is tested all the same.
//!
//! One thread plays them all: what a reader holds (a cursor) stays as it is while the list changes,
//! as if the reader had been stopped between two of its steps. Stops within a step are the models'.

use strata_skiplist::{Bytewise, Cursor, Natural, Numeric, SkipList};

/// More keys than a node has slots, so that whoever inserts as many after a key splits its leaf.
const MANY: u64 = 200;

/// Even numbers, so that there is room for others between them.
fn even_numbers() -> SkipList<u64, Numeric> {
    let list = SkipList::default();
    for i in 0..MANY {
        list.insert(2 * (i * 7919 % MANY)).unwrap();
    }
    list
}

type Position<'a> = Cursor<&'a SkipList<u64, Numeric>>;

/// A cursor at each of the even numbers.
fn everywhere(list: &SkipList<u64, Numeric>) -> Vec<(u64, Position<'_>)> {
    let at = |i| {
        let mut cursor = list.cursor();
        cursor.seek(&(2 * i));
        (2 * i, cursor)
    };
    (0..MANY).map(at).collect()
}

/// Numbers whose insertion shifts, splits and replaces the leaf of every even number, in several
/// orders.
fn odd_numbers() -> [Vec<u64>; 3] {
    let ascending: Vec<u64> = (0..MANY).map(|i| 2 * i + 1).collect();
    let descending = ascending.iter().rev().copied().collect();
    let mixed = (0..MANY).map(|i| 2 * (i * 77 % MANY) + 1);
    let mixed: Vec<u64> = mixed.collect();
    [ascending, descending, mixed]
}

/// Trap 1: a slot that was found is read again, and a split has emptied it. A key's slot is empty
/// then, or another's; the cursor still is at its key.
#[test]
fn a_slot_that_a_split_emptied_is_not_read_as_a_key() {
    for others in odd_numbers() {
        let list = even_numbers();
        let cursors = everywhere(&list);
        for &other in &others {
            list.insert(other).unwrap();
            for (key, cursor) in &cursors {
                assert_eq!(cursor.key(), Some(key));
            }
        }
    }
}

/// Trap 2: a leaf that leads back to a node from which it can't be reached yet, so that a walk back
/// goes past it for ever.
#[test]
fn a_walk_back_ends_and_meets_all_whatever_was_split_under_it() {
    for others in odd_numbers() {
        let list = even_numbers();
        let mut cursors = everywhere(&list);
        for (done, &other) in others.iter().enumerate() {
            list.insert(other).unwrap();
            let (key, cursor) = &mut cursors[done * 31 % 200];
            let mut expected: Vec<u64> = others[..=done].to_vec();
            expected.extend((0..MANY).map(|i| 2 * i));
            expected.retain(|other| other < key);
            expected.sort_unstable_by(|a, b| b.cmp(a));
            cursor.seek(key);
            for expected in expected {
                cursor.prev();
                assert_eq!(cursor.key(), Some(&expected));
            }
            cursor.prev();
            assert_eq!(cursor.key(), None);
            cursor.seek(key);
        }
    }
}

/// Trap 3: an iterator's copy of a leaf, taken while its slots are shifted, split or given other
/// heads: keys twice, out of order, or beyond the leaf's end. There are no copies here; a step from
/// where a cursor was left is to the next key that there is now, either way.
#[test]
fn a_step_is_to_the_neighbour_that_there_is_now() {
    for others in odd_numbers() {
        let list = even_numbers();
        let cursors = everywhere(&list);
        for (done, &other) in others.iter().enumerate() {
            list.insert(other).unwrap();
            if done % 7 != 0 && done + 1 != others.len() {
                continue;
            }
            let inserted = &others[..=done];
            let is_there =
                |key: &u64| *key < 2 * MANY && (key.is_multiple_of(2) || inserted.contains(key));
            for (key, cursor) in &cursors {
                let mut next = cursor.clone();
                next.next();
                assert_eq!(next.key().copied(), (key + 1..2 * MANY).find(is_there));
                let mut before = cursor.clone();
                before.prev();
                assert_eq!(before.key().copied(), (0..*key).rev().find(is_there));
            }
        }
    }
}

/// Trap 4: a key that is taken to have what is common to a node because it was led there.
/// Trap 5: the last node has no end, and what its keys have in common is a guess that the next key
/// may not fit.
#[test]
fn a_key_that_is_unlike_all_others_is_not_mistaken_for_one_of_them() {
    let list = SkipList::<[u8], Bytewise>::default();
    for i in 0..MANY {
        list.insert_bytes(format!("some/long/way/{i:08}").as_bytes())
            .unwrap();
    }
    // With the same four bytes where the others' heads are, and something else before them.
    let unlike: [&[u8]; 4] = [
        b"same/long/way/00000007",
        b"some/long/wax/00000007",
        b"some/long/way0/0000007",
        b"tome/long/way/00000007",
    ];
    for key in unlike {
        assert!(!list.contains(key));
    }
    for key in unlike {
        list.insert_bytes(key).unwrap();
        assert_eq!(list.get(key), Some(key));
        assert!(list.iter().is_sorted());
    }
    assert_eq!(list.len(), MANY + 4);
    assert_eq!(list.first(), Some(unlike[0]));
    assert_eq!(list.last(), Some(unlike[3]));
}

/// Trap 5, the other half: when keys come in order, a node is full before it has an end, and what
/// was guessed for it must not stay for ever. What can be told from outside is what a lookup costs:
/// it compares few keys.
#[test]
fn keys_that_come_in_order_are_told_apart_by_their_heads() {
    use std::cell::Cell;
    use strata_skiplist::{Compare, Prefix};

    /// The order of bytes, counting comparisons.
    #[derive(Default)]
    struct Counting(Cell<u64>);

    impl Compare<[u8]> for Counting {
        fn compare(&self, key: &[u8], target: &[u8]) -> std::cmp::Ordering {
            self.0.set(self.0.get() + 1);
            key.cmp(target)
        }

        fn prefix(&self, target: &[u8]) -> Option<Prefix> {
            Some(Prefix::of_bytes(target))
        }
    }

    const KEYS: u64 = 20_000;
    let key = |i: u64| format!("user/000000/order/{i:010}").into_bytes();
    let list = SkipList::<[u8], Counting>::default();
    for i in 0..KEYS {
        list.insert_bytes(&key(i)).unwrap();
    }
    list.comparator().0.set(0);
    for i in 0..KEYS {
        assert!(list.contains(&key(i)[..]));
    }
    let each = list.comparator().0.get() as f64 / KEYS as f64;
    assert!(each < 6.0, "{each} comparisons a lookup");
}

/// Trap 6: heads and what is common are filled up with zeros, so that a shorter key looks like a
/// longer one that ends in zeros. Comparing the keys decides.
#[test]
fn a_shorter_key_is_before_the_same_with_zeros_behind() {
    let list = SkipList::<[u8], Bytewise>::default();
    let plain = SkipList::<[u8], Natural>::default();
    let longest = [b"key".to_vec(), vec![0; 100]].concat();
    for length in (0..=longest.len()).rev() {
        list.insert_bytes(&longest[..length]).unwrap();
        plain.insert_bytes(&longest[..length]).unwrap();
    }
    let expected = || (0..=longest.len()).map(|length| &longest[..length]);
    assert!(list.iter().eq(expected()) && plain.iter().eq(expected()));
    for key in expected() {
        assert_eq!(list.get(key), Some(key));
    }
}

// Traps 7 (the arena's cursor on a line with what readers read), 8 (an entry lies on three lines,
// and one was fetched) and 9 (threads pinned to one core) cost time and no answer. Their tests are
// where the fault would be: `lanes_share_no_pair_of_cache_lines` in arena, and
// `two_threads_are_kept_on_two_cores` in the contest. How many lines are fetched is computed from
// the entry's size in store.rs.

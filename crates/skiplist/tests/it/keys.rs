//! Keys of every kind: owned memory, odd alignments, bytes of any length; and what they cost.

use std::cell::{Cell, OnceCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use allocation_counter::measure;
use strata_arena::{AllocError, Arena};
use strata_skiplist::{
    Bytewise, Compare, InsertError, Natural, OwnedCursor, OwnedIter, SharedKey, SkipList,
};

fn is_send_and_sync<T: Send + Sync + 'static>() {}

#[test]
fn lists_cursors_and_iterators_go_between_threads() {
    is_send_and_sync::<SkipList<[u8], Natural>>();
    is_send_and_sync::<OwnedCursor<String, Natural>>();
    is_send_and_sync::<OwnedIter<[u8], Natural>>();
    is_send_and_sync::<SharedKey<[u8], Natural>>();
}

/// A key that counts how often one of its kind was dropped.
struct Counted {
    key: u32,
    dropped: Rc<Cell<u32>>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
    }
}

#[derive(Default)]
struct ByKey;

impl Compare<Counted> for ByKey {
    fn compare(&self, a: &Counted, b: &Counted) -> std::cmp::Ordering {
        a.key.cmp(&b.key)
    }
}

#[test]
fn every_key_is_dropped_once() {
    let dropped = Rc::new(Cell::new(0));
    let counted = |key| Counted {
        key,
        dropped: Rc::clone(&dropped),
    };
    let list = SkipList::<Counted, ByKey>::default();
    for key in 0..1000 {
        list.insert(counted(key * 7 % 1000)).map(|_| ()).unwrap();
    }
    assert_eq!(dropped.get(), 0);
    let refused = list.insert(counted(500)).map(|_| ());
    assert_eq!((refused, dropped.get()), (Err(InsertError::Duplicate), 1));
    drop(list);
    assert_eq!(dropped.get(), 1001);

    let full = SkipList::<Counted, ByKey>::new(ByKey, Arena::with_limit(0));
    assert!(matches!(full.insert(counted(1)), Err(InsertError::Full(_))));
    assert_eq!(dropped.get(), 1002);
}

/// Orders counted keys, and the first time it is told to, inserts the key it is asked for itself:
/// as another inserter would that is quicker.
#[derive(Default)]
struct Quicker {
    list: OnceCell<Weak<SkipList<Counted, Quicker>>>,
    next: Cell<Option<Counted>>,
}

impl Compare<Counted> for Quicker {
    fn compare(&self, a: &Counted, b: &Counted) -> std::cmp::Ordering {
        if let Some(key) = self.next.take() {
            let list = self.list.get().and_then(Weak::upgrade).unwrap();
            list.insert(key).map(|_| ()).unwrap();
        }
        a.key.cmp(&b.key)
    }
}

#[test]
fn a_key_that_loses_its_place_to_an_equal_one_is_dropped_once() {
    let dropped = Rc::new(Cell::new(0));
    let counted = |key| Counted {
        key,
        dropped: Rc::clone(&dropped),
    };
    let list = Rc::new_cyclic(|weak| {
        let order = Quicker::default();
        order.list.set(weak.clone()).map_err(drop).unwrap();
        SkipList::new(order, Arena::new())
    });
    list.insert(counted(9)).map(|_| ()).unwrap();
    list.comparator().next.set(Some(counted(5)));
    let refused = list.insert(counted(5)).map(|_| ());
    assert_eq!(refused, Err(InsertError::Duplicate));
    assert_eq!((dropped.get(), list.len()), (1, 2));
    drop(list);
    assert_eq!(dropped.get(), 3);
}

#[test]
fn an_absurd_reservation_leaves_the_list_usable() {
    let list = SkipList::<[u8], Bytewise>::default();
    let absurd = std::iter::repeat_n(usize::MAX, usize::MAX);
    assert!(matches!(
        list.writer().reserve(absurd),
        Err(InsertError::Full(_))
    ));
    let mut writer = list.writer();
    writer.reserve([3, 5].into_iter()).unwrap();
    assert_eq!(writer.insert_parts(&b"abc"[..], &[b"abc"]), Ok(&b"abc"[..]));
    assert_eq!(list.insert_bytes(b"abcde"), Ok(&b"abcde"[..]));
}

#[test]
fn keys_of_any_alignment_are_stored_aligned() {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    #[repr(align(64))]
    struct Wide(u8);

    let wide = SkipList::<Wide, Natural>::default();
    let words = SkipList::<u128, Natural>::default();
    let units = SkipList::<(), Natural>::default();
    for i in 0..200 {
        let key = wide.insert(Wide(i)).unwrap();
        assert_eq!(std::ptr::from_ref(key).addr() % 64, 0);
        let key = words.insert(u128::from(i) << 100).unwrap();
        assert_eq!(std::ptr::from_ref(key).addr() % align_of::<u128>(), 0);
    }
    assert!(wide.iter().map(|key| key.0).eq(0..200));
    assert!(words.iter().map(|key| key >> 100).eq(0..200));
    assert_eq!(units.insert(()), Ok(&()));
    assert_eq!(units.insert(()), Err(InsertError::Duplicate));
}

#[test]
fn keys_that_own_memory_are_looked_up_by_what_they_borrow_as() {
    let list = SkipList::<String, Natural>::default();
    for word in ["delta", "alpha", "charlie", "bravo"] {
        list.insert(word.to_owned()).unwrap();
    }
    assert!(list.contains("charlie"));
    assert_eq!(list.lower_bound("b").map(String::as_str), Some("bravo"));
    assert!(
        list.iter()
            .map(String::as_str)
            .eq(["alpha", "bravo", "charlie", "delta"])
    );
}

#[test]
fn bytes_of_any_length_are_put_together_from_parts() {
    let list = SkipList::<[u8], Bytewise>::default();
    assert_eq!(list.insert_bytes(b""), Ok(&b""[..]));
    assert_eq!(
        list.insert_parts(&b"abc"[..], &[b"", b"a", b"", b"bc"]),
        Ok(&b"abc"[..])
    );
    let long = vec![b'x'; 300_000];
    assert_eq!(
        list.insert_parts(&long[..], &[&long[..1], &long[1..]]),
        Ok(&long[..])
    );
    assert_eq!(
        list.insert_parts(&b"abc"[..], &[b"abc"]),
        Err(InsertError::Duplicate)
    );
    assert!(list.iter().eq([&b""[..], b"abc", &long]));
}

#[test]
fn a_duplicate_takes_no_memory() {
    let list = SkipList::<[u8], Bytewise>::default();
    list.insert_bytes(b"key").unwrap();
    let used = list.arena().used_bytes();
    for _ in 0..100 {
        assert_eq!(list.insert_bytes(b"key"), Err(InsertError::Duplicate));
    }
    assert_eq!((list.arena().used_bytes(), list.len()), (used, 1));
}

#[test]
fn a_full_arena_refuses_and_keeps_what_it_has() {
    let list = SkipList::<[u8], Bytewise>::new(Bytewise, Arena::with_limit(8 << 10));
    let mut stored = 0u64;
    let error = loop {
        match list.insert_bytes(&stored.to_be_bytes()) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(
        error,
        InsertError::Full(AllocError::LimitReached { limit: 8192, .. })
    ));
    assert_eq!(list.len(), stored);
    assert!(
        list.iter()
            .eq((0..stored).map(u64::to_be_bytes).collect::<Vec<_>>().iter())
    );
}

#[test]
fn reserved_keys_fit_whatever_the_limit() {
    let keys: Vec<Vec<u8>> = (0..100u8).map(|i| vec![i; usize::from(i) * 3]).collect();
    let lengths = keys.iter().map(Vec::len);
    // Enough for all of them at once, and little more.
    let arena = Arena::with_limit(24 << 10);
    let list = SkipList::<[u8], Bytewise>::new(Bytewise, arena);
    let mut writer = list.writer();
    writer.reserve(lengths.clone()).unwrap();
    while list.insert_bytes(&list.len().to_be_bytes()).is_ok() {}
    let others = list.len();
    for key in &keys {
        assert_eq!(writer.insert_parts(&key[..], &[key]), Ok(&key[..]));
    }
    assert_eq!(list.len(), others + 100);
    // The same heights as without a reservation, and so the same memory but for padding.
    assert!(list.iter().is_sorted());

    let used = list.arena().used_bytes();
    assert!(matches!(
        list.writer().reserve(lengths),
        Err(InsertError::Full(_))
    ));
    assert_eq!(
        list.arena().used_bytes(),
        used,
        "a refused reservation takes nothing"
    );
    assert!(matches!(
        list.writer().reserve([usize::MAX].into_iter()),
        Err(InsertError::Full(_))
    ));
}

#[test]
fn an_insertion_that_does_not_fit_its_reservation_is_allocated_anew() {
    let list = SkipList::<[u8], Bytewise>::default();
    let mut writer = list.writer();
    writer.reserve([4, 4].into_iter()).unwrap();
    let long = vec![7; 1000];
    assert_eq!(writer.insert_parts(&long[..], &[&long]), Ok(&long[..]));
    for key in [b"1", b"2", b"3"] {
        assert_eq!(writer.insert_parts(&key[..], &[key]), Ok(&key[..]));
    }
    assert_eq!(list.len(), 4);
}

#[test]
fn reading_allocates_nothing() {
    let list = SkipList::<[u8], Bytewise>::default();
    for key in 0..1000u32 {
        list.insert_bytes(&key.to_be_bytes()).unwrap();
    }
    let info = measure(|| {
        for key in (0..990u32).step_by(37) {
            let key = key.to_be_bytes();
            assert!(list.contains(&key[..]));
            let mut cursor = list.cursor();
            cursor.seek(&key[..]);
            cursor.next();
            cursor.prev();
            assert_eq!(cursor.key(), Some(&key[..]));
        }
        assert_eq!(list.iter().count() + list.iter().rev().count(), 2000);
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn an_owned_key_outlives_everything_else() {
    let list = Arc::new(SkipList::<[u8], Bytewise>::default());
    list.insert_bytes(b"key").unwrap();
    let key = list.owned_iter().next().unwrap();
    let mut cursor = list.owned_cursor();
    cursor.seek_to_first();
    drop(list);
    assert_eq!(&*key, b"key");
    assert_eq!(cursor.item().as_deref(), Some(&b"key"[..]));
    drop(cursor);
    assert_eq!(&*key.clone(), b"key");
}

//! Positions that go both ways: beside a model, in odd tables, and how much they read.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, Comparator, SequenceNumber};
use strata_table::{
    BlockFault, Compression, Entry, Fault, Lookup, ReadAt, Table, TableCursor, TableOptions,
};

use crate::craft::{block, fault, ikey, raw_entry, table, with_restarts};
use crate::support::{entry, list, open, options, small, small_tables, sort, write};
use crate::walk::{BytesCursor, Step, cursor, everywhere, here, walk};

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 12 {
            0 => Self::First,
            1 => Self::Last,
            2..5 => Self::Next,
            5..9 => Self::Prev,
            _ => Self::Seek(user_key(&Vec::arbitrary(g)), u64::arbitrary(g) % 8),
        }
    }
}

/// Few letters and none often, so that keys meet.
fn user_key(bytes: &[u8]) -> Vec<u8> {
    let letter = |byte: &u8| b"\0ab\xff"[usize::from(byte % 4)];
    bytes.iter().take(4).map(letter).collect()
}

/// Each in its place, each once.
fn entries(versions: Vec<(Vec<u8>, u64, Option<Vec<u8>>)>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = versions
        .into_iter()
        .map(|(key, number, value)| entry(&user_key(&key), number % 8, value.as_deref()))
        .collect();
    sort(&mut entries, BytewiseComparator);
    let number = |entry: &Entry| entry.internal_key.parsed().unwrap().sequence;
    entries.dedup_by(|b, a| {
        a.internal_key.user_key() == b.internal_key.user_key() && number(a) == number(b)
    });
    entries
}

#[test]
fn any_walk_through_any_table_is_the_models() {
    type Versions = Vec<(Vec<u8>, u64, Option<Vec<u8>>)>;
    fn property(versions: Versions, steps: Vec<Step>, shape: (u8, u8, bool, bool)) -> bool {
        let (restart_interval, block_size, snappy, filtered) = shape;
        let compression = if snappy {
            Compression::Snappy
        } else {
            Compression::None
        };
        let options = TableOptions {
            restart_interval: usize::from(restart_interval % 16) + 1,
            ..options(
                compression,
                filtered.then_some(10),
                usize::from(block_size) + 1,
            )
        };
        let entries = entries(versions);
        let (bytes, _) = write(&entries, BytewiseComparator, &options);
        walk(&bytes, &BytewiseComparator, &entries, steps);
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(60, 11))
        .tests(3_000)
        .quickcheck(property as fn(Versions, Vec<Step>, (u8, u8, bool, bool)) -> bool);
}

#[test]
fn every_restart_interval_is_walked_both_ways() {
    let entries: Vec<Entry> = (0..40)
        .map(|i| entry(format!("key{i:03}").as_bytes(), 5, Some(&[b'v'; 7])))
        .collect();
    for restart_interval in 1..=16 {
        for block_size in [1, 60, 200, 4096] {
            let options = TableOptions {
                restart_interval,
                ..options(Compression::None, None, block_size)
            };
            let (bytes, _) = write(&entries, BytewiseComparator, &options);
            walk(&bytes, &BytewiseComparator, &entries, everywhere(&entries));
        }
    }
}

#[test]
fn seeking_agrees_with_get() {
    for bytes in small_tables() {
        for user_key in [&b""[..], b"a", b"apple", b"apricot", b"banana", b"d"] {
            for number in 0..10 {
                let snapshot = SequenceNumber::new(number).unwrap();
                let mut cursor = cursor(&bytes, BytewiseComparator);
                cursor.seek(user_key, snapshot).unwrap();
                let found = cursor.entry().map(|entry| {
                    let (found, tag) =
                        strata_dbformat::split_internal_key(entry.internal_key).unwrap();
                    match tag.value_type().is_tombstone() {
                        _ if found != user_key => Lookup::Absent,
                        true => Lookup::Tombstone,
                        false => Lookup::Value(entry.value.to_vec()),
                    }
                });
                let table = cursor.table();
                assert_eq!(
                    found.unwrap_or(Lookup::Absent),
                    table.get(user_key, snapshot).unwrap(),
                    "{user_key:?} at {number}"
                );
            }
        }
    }
}

#[test]
fn blocks_without_entries_are_passed_over_both_ways() {
    let empty = block(&[]);
    let (a, c) = (
        block(&[(&ikey("a", 1), b"1")]),
        block(&[(&ikey("c", 1), b"2")]),
    );
    let bytes = table(&[
        (&empty, &ikey("A", 1)),
        (&a, &ikey("a", 1)),
        (&empty, &ikey("b", 2)),
        (&[0; 4], &ikey("b", 1)),
        (&c, &ikey("d", 1)),
        (&empty, &ikey("e", 1)),
    ]);
    let entries = [entry(b"a", 1, Some(b"1")), entry(b"c", 1, Some(b"2"))];
    let mut steps = everywhere(&entries);
    for user_key in ["", "A", "b", "d", "e", "f"] {
        steps.extend([Step::Seek(user_key.into(), 1), Step::Prev, Step::Next]);
    }
    walk(&bytes, &BytewiseComparator, &entries, steps);

    // And where there is nothing else, and no block at all.
    for bytes in [
        table(&[(&empty, &ikey("a", 1)), (&empty, &ikey("b", 1))]),
        table(&[]),
    ] {
        walk(&bytes, &BytewiseComparator, &[], everywhere(&[]));
    }
}

/// As [`crate::crafted_blocks`] has it for `get`.
#[test]
fn a_version_in_the_next_block_is_sought() {
    let bytes = table(&[
        (&block(&[(&ikey("k", 12), b"new")]), &ikey("k", 10)),
        (&block(&[(&ikey("k", 7), b"old")]), &ikey("m", 1)),
    ]);
    let entries = [entry(b"k", 12, Some(b"new")), entry(b"k", 7, Some(b"old"))];
    let mut steps = Vec::new();
    for number in [13, 12, 11, 10, 9, 7, 6] {
        steps.extend([Step::Seek(b"k".to_vec(), number), Step::Prev, Step::Next]);
    }
    walk(&bytes, &BytewiseComparator, &entries, steps);
}

/// Going forwards notices this at the end of the entry, going backwards before it.
#[test]
fn an_entry_beyond_the_next_restart_point_is_an_error_backwards() {
    // A whole entry "c" within the value of "a", and said to be a restart point.
    let inner = raw_entry(0, &ikey("c", 1), b"");
    let a = raw_entry(0, &ikey("a", 1), &inner);
    let inside = u32::try_from(a.len() - inner.len()).unwrap();
    let contents = with_restarts(&a, &[0, inside]);
    let bytes = table(&[(&contents, &ikey("z", 1))]);
    let mut cursor = cursor(&bytes, BytewiseComparator);
    cursor.seek_to_last().unwrap();
    assert_eq!(cursor.entry().unwrap().internal_key, ikey("c", 1));
    let error = cursor.prev().unwrap_err();
    assert!(matches!(
        fault(error),
        Fault::Block(BlockFault::Entry { .. })
    ));
    assert_eq!(here(&cursor), None);
}

#[test]
fn a_malformed_key_is_an_error_wherever_one_comes_from() {
    let good = block(&[(&ikey("b", 1), b"")]);
    for bad in [&b""[..], b"1234567", b"a\x02\0\0\0\0\0\0\0"] {
        let data = table(&[(&block(&[(bad, b"value")]), &ikey("z", 1))]);
        let index = table(&[(&good, bad)]);
        for bytes in [data, index] {
            let mut cursor = cursor(&bytes, BytewiseComparator);
            for step in [Step::First, Step::Last] {
                let error = step.take(&mut cursor).unwrap_err();
                assert!(matches!(fault(error), Fault::Key { .. }), "{bad:?}");
                assert_eq!(here(&cursor), None);
            }
        }
    }
}

#[test]
fn after_an_error_only_a_seek_brings_the_cursor_back() {
    let one = |name| block(&[(&ikey(name, 1), b"value")]);
    let mut bytes = table(&[
        (&one("a"), &ikey("a", 1)),
        (&one("b"), &ikey("b", 1)),
        (&one("c"), &ikey("c", 1)),
    ]);
    // A bit of the block in the middle.
    bytes[one("a").len() + 5] ^= 1;
    let mut cursor = cursor(&bytes, BytewiseComparator);
    let to_error = |cursor: &mut BytesCursor<_>, step: Step| {
        let error = step.take(cursor).unwrap_err();
        assert!(matches!(
            fault(error),
            Fault::Block(BlockFault::Checksum { .. })
        ));
        assert_eq!(here(cursor), None);
        for step in [Step::Next, Step::Prev, Step::Next] {
            step.take(cursor).unwrap();
            assert_eq!(here(cursor), None);
        }
    };
    let at = |cursor: &BytesCursor<_>, name| {
        assert_eq!(cursor.entry().unwrap().internal_key, ikey(name, 1));
    };
    cursor.seek_to_first().unwrap();
    at(&cursor, "a");
    to_error(&mut cursor, Step::Next);
    to_error(&mut cursor, Step::Seek(b"b".to_vec(), 1));
    cursor.seek_to_last().unwrap();
    at(&cursor, "c");
    to_error(&mut cursor, Step::Prev);
    cursor.seek(b"c", SequenceNumber::MAX).unwrap();
    at(&cursor, "c");
    cursor.seek(b"", SequenceNumber::MAX).unwrap();
    at(&cursor, "a");
}

/// Counts how often it is read, which is once a block.
#[derive(Debug)]
struct Counting {
    bytes: Vec<u8>,
    blocks: Rc<Cell<usize>>,
    fails: Rc<Cell<bool>>,
}

impl ReadAt for Counting {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.blocks.set(self.blocks.get() + 1);
        if self.fails.get() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.bytes.read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.bytes.length()
    }
}

#[test]
fn a_block_in_memory_is_not_read_again_and_one_that_failed_is() {
    let entries = small();
    let (bytes, summary) = write(
        &entries,
        BytewiseComparator,
        &options(Compression::None, None, 100),
    );
    assert!(summary.data_blocks > 1);
    let (blocks, fails) = (Rc::default(), Rc::default());
    let source = Counting {
        bytes,
        blocks: Rc::clone(&blocks),
        fails: Rc::clone(&fails),
    };
    let table = Table::open(source, BytewiseComparator).unwrap();
    let mut cursor = table.cursor();
    blocks.set(0);

    cursor.seek_to_first().unwrap();
    assert_eq!(blocks.get(), 1);
    for entry in &entries {
        assert_eq!(
            cursor.entry().unwrap().internal_key,
            entry.internal_key.encode()
        );
        cursor.next().unwrap();
    }
    assert_eq!(blocks.replace(0) as u64, summary.data_blocks);

    // The last block is in memory still.
    cursor.seek_to_last().unwrap();
    cursor.seek(b"cherry", SequenceNumber::MAX).unwrap();
    assert_eq!((blocks.get(), cursor.entry().is_some()), (0, true));

    fails.set(true);
    for _ in 0..2 {
        cursor.seek_to_first().unwrap_err();
        assert!(cursor.entry().is_none());
    }
    fails.set(false);
    blocks.set(0);
    cursor.seek_to_first().unwrap();
    assert_eq!(cursor.entry().unwrap().value, entries[0].value);
    cursor.seek_to_last().unwrap();
    assert_eq!(cursor.entry().unwrap().value, entries[5].value);
    assert_eq!(blocks.get(), 2);
}

#[test]
fn any_number_of_cursors_and_lookups_share_one_table() {
    let entries = small();
    for bytes in small_tables() {
        let table = Arc::new(open(&bytes, BytewiseComparator).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut cursors: Vec<_> = entries.iter().map(|_| table.cursor()).collect();
                    for (entry, cursor) in entries.iter().zip(&mut cursors) {
                        let key = entry.internal_key.parsed().unwrap();
                        cursor.seek(key.user_key, key.sequence).unwrap();
                        let found = table.get_entry(key.user_key, key.sequence).unwrap();
                        assert_eq!(found.as_ref(), Some(entry));
                    }
                    for (entry, cursor) in entries.iter().zip(&cursors) {
                        assert_eq!(cursor.entry().unwrap().value, entry.value);
                    }
                });
            }
        });
        assert_eq!(list(&table).unwrap(), entries);
    }
}

/// The offset is the one that the index has.
#[test]
fn a_cursor_says_which_block_its_entry_is_in() {
    let (a, b) = (ikey("a", 1), ikey("b", 1));
    let (first, second) = (block(&[(&a, b"1")]), block(&[(&b, b"2")]));
    let bytes = table(&[(&first, &a), (&second, &b)]);
    let table = open(&bytes, BytewiseComparator).unwrap();
    let mut cursor = table.cursor();
    assert_eq!(cursor.block_offset(), None);
    cursor.seek_to_first().unwrap();
    assert_eq!(cursor.block_offset(), Some(0));
    cursor.next().unwrap();
    assert_eq!(cursor.block_offset(), Some(first.len() as u64 + 5));
    cursor.next().unwrap();
    assert_eq!(cursor.block_offset(), None);
}

#[test]
fn a_cursor_can_be_sent_and_owns_all_it_needs() {
    fn check<T: Send + Sync + 'static>(_: &T) {}
    fn of<R: ReadAt + Send + Sync + 'static, C: Comparator + 'static>(
        cursor: &TableCursor<Arc<Table<R, C>>>,
    ) {
        check(cursor);
        check(cursor.table());
    }
    of(&cursor(&small_tables()[0], BytewiseComparator));
    let file: Option<&TableCursor<Arc<Table<std::fs::File, BytewiseComparator>>>> = None;
    assert!(file.map(of).is_none());
}

//! The cases LevelDB's `write_batch_test` holds, in our words. As there, a batch is shown by
//! inserting it into a real memtable and listing what is in it, and then what was wrong; unlike
//! there, a faulty batch inserts nothing, which is shown beside what LevelDB's handler would see.

use strata_dbformat::BytewiseComparator;
use strata_memtable::MemTable;
use strata_write_batch::{Handler, InsertError, WriteBatch};

use crate::sequence;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn print_contents(batch: &WriteBatch) -> String {
    let memtable = MemTable::new(BytewiseComparator);
    let result = batch.insert_into(&memtable);
    let mut shown = String::new();
    for entry in &memtable {
        let user_key = text(entry.user_key());
        shown += &if entry.is_tombstone() {
            format!("Delete({user_key})")
        } else {
            format!("Put({user_key}, {})", text(entry.value()))
        };
        shown += &format!("@{}", entry.sequence());
    }
    match result {
        Ok(()) => assert_eq!(memtable.len(), u64::from(batch.count())),
        Err(InsertError::Malformed(_)) => shown += "ParseError()",
        Err(error) => panic!("{error}"),
    }
    shown
}

#[derive(Default)]
struct Shown(String);

impl Handler for Shown {
    fn put(&mut self, user_key: &[u8], value: &[u8]) {
        self.0 += &format!("Put({}, {})", text(user_key), text(value));
    }

    fn delete(&mut self, user_key: &[u8]) {
        self.0 += &format!("Delete({})", text(user_key));
    }
}

#[test]
fn an_empty_batch_inserts_nothing() {
    let batch = WriteBatch::new();
    assert_eq!(print_contents(&batch), "");
    assert_eq!(batch.count(), 0);
}

#[test]
fn several_records_are_numbered_in_order() {
    let mut batch = WriteBatch::new();
    batch.put(b"foo", b"bar").unwrap();
    batch.delete(b"box").unwrap();
    batch.put(b"baz", b"boo").unwrap();
    batch.set_sequence(sequence(100));
    assert_eq!((batch.sequence(), batch.count()), (Ok(sequence(100)), 3));
    assert_eq!(
        print_contents(&batch),
        "Put(baz, boo)@102Delete(box)@101Put(foo, bar)@100"
    );
}

/// LevelDB ends up with "Put(foo, bar)@200ParseError()": the part before the fault, applied.
#[test]
fn a_corrupt_batch_is_a_parse_error_and_inserts_nothing() {
    let mut batch = WriteBatch::new();
    batch.put(b"foo", b"bar").unwrap();
    batch.delete(b"box").unwrap();
    batch.set_sequence(sequence(200));
    let contents = batch.contents();
    let corrupt = WriteBatch::from_contents(contents[..contents.len() - 1].to_vec()).unwrap();
    assert_eq!(print_contents(&corrupt), "ParseError()");
    let mut shown = Shown::default();
    let error = corrupt.view().iterate(&mut shown).unwrap_err();
    assert_eq!(shown.0, "Put(foo, bar)");
    assert_eq!(
        error.to_string(),
        "bad WriteBatch Delete at byte 21 of the batch"
    );
}

#[test]
fn appended_records_follow_and_the_sequence_stays() {
    let (mut first, mut second) = (WriteBatch::new(), WriteBatch::new());
    first.set_sequence(sequence(200));
    second.set_sequence(sequence(300));
    first.append(&second).unwrap();
    assert_eq!(print_contents(&first), "");
    second.put(b"a", b"va").unwrap();
    first.append(&second).unwrap();
    assert_eq!(print_contents(&first), "Put(a, va)@200");
    second.clear();
    second.put(b"b", b"vb").unwrap();
    first.append(&second).unwrap();
    assert_eq!(print_contents(&first), "Put(a, va)@200Put(b, vb)@201");
    second.delete(b"foo").unwrap();
    first.append(&second).unwrap();
    assert_eq!(
        print_contents(&first),
        "Put(a, va)@200Put(b, vb)@202Put(b, vb)@201Delete(foo)@203"
    );
}

#[test]
fn the_approximate_size_grows_with_every_record() {
    let mut batch = WriteBatch::new();
    let empty = batch.approximate_size();
    batch.put(b"foo", b"bar").unwrap();
    let one_key = batch.approximate_size();
    assert!(empty < one_key);
    batch.put(b"baz", b"boo").unwrap();
    let two_keys = batch.approximate_size();
    assert!(one_key < two_keys);
    batch.delete(b"box").unwrap();
    assert!(two_keys < batch.approximate_size());
}

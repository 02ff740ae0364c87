//! Arbitrary operations there and back, and arbitrary bytes against a reader that goes byte by
//! byte.

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::BytewiseComparator;
use strata_memtable::MemTable;
use strata_write_batch::{Operation, WriteBatch, WriteBatchView};

#[test]
fn operations_are_read_back_as_they_were_written() {
    fn holds(operations: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> bool {
        let mut batch = WriteBatch::new();
        for (key, value) in &operations {
            match value {
                Some(value) => batch.put(key, value).unwrap(),
                None => batch.delete(key).unwrap(),
            }
        }
        let memtable = MemTable::new(BytewiseComparator);
        batch.insert_into(&memtable).unwrap();
        let expected = operations.iter().map(|(user_key, value)| {
            Ok(match value {
                Some(value) => Operation::Put { user_key, value },
                None => Operation::Delete { user_key },
            })
        });
        batch.operations().eq(expected) && memtable.len() == operations.len() as u64
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(40, 2))
        .tests(2000)
        .quickcheck(holds as fn(_) -> _);
}

/// How many whole records there are at the front, each checked by hand, and whether that is all.
/// Lengths here are below 128.
fn naive(mut records: &[u8]) -> (usize, bool) {
    let mut count = 0;
    loop {
        let slices = match records.first() {
            None => return (count, true),
            Some(1) => 2,
            Some(0) => 1,
            Some(_) => return (count, false),
        };
        let mut rest = &records[1..];
        for _ in 0..slices {
            match rest.first() {
                Some(&length) if rest.len() > usize::from(length) => {
                    rest = &rest[1 + usize::from(length)..];
                }
                _ => return (count, false),
            }
        }
        records = rest;
        count += 1;
    }
}

#[test]
fn arbitrary_bytes_are_records_up_to_a_fault() {
    fn agrees(seed: Vec<u8>, announced: u8) -> bool {
        // Mostly tags and short lengths, so that records come about.
        let records: Vec<u8> = seed.iter().map(|byte| byte % 5).collect();
        let mut contents = vec![0; 8];
        contents.extend_from_slice(&[announced % 8, 0, 0, 0]);
        contents.extend_from_slice(&records);
        let batch = WriteBatchView::new(&contents).unwrap();
        let (count, whole) = naive(&records);
        let is_right = whole && count == usize::from(announced % 8);
        batch.operations().filter(Result::is_ok).count() == count
            && batch.check().is_ok() == is_right
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(30, 4))
        .tests(50_000)
        .quickcheck(agrees as fn(_, _) -> _);
}

#[test]
fn no_bytes_make_the_reader_panic() {
    fn holds(bytes: Vec<u8>) -> bool {
        match WriteBatchView::new(&bytes) {
            Ok(batch) => batch.operations().count() <= bytes.len(),
            Err(error) => bytes.len() < 12 && error.offset == bytes.len(),
        }
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(60, 6))
        .tests(20_000)
        .quickcheck(holds as fn(_) -> _);
}

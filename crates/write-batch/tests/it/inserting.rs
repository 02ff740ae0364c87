//! All of a batch or none of it.

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, Lookup, MemTable, MemTableOptions};
use strata_write_batch::{InsertError, PutError, WriteBatch};

use crate::sequence;

fn batch(first: u64, keys: &[&str]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.set_sequence(sequence(first));
    for key in keys {
        batch.put(key.as_bytes(), b"value").unwrap();
    }
    batch
}

#[test]
fn every_fault_leaves_the_memtable_as_it_was() {
    let options = MemTableOptions {
        memory_limit_bytes: 8 << 10,
        ..MemTableOptions::default()
    };
    let memtable = MemTable::with_options(BytewiseComparator, options);
    batch(1, &["a"]).insert_into(&memtable).unwrap();
    let used = memtable.used_bytes();

    let contents = batch(2, &["b", "c"]).contents().to_vec();
    for length in 12..contents.len() {
        let cut = WriteBatch::from_contents(contents[..length].to_vec()).unwrap();
        assert!(
            matches!(cut.insert_into(&memtable), Err(InsertError::Malformed(_))),
            "{length}"
        );
    }
    let mut large = batch(2, &["b"]);
    large.put(b"c", &[0; 10_000]).unwrap();
    let refused = large.insert_into(&memtable);
    assert!(
        matches!(refused, Err(InsertError::Refused(AddError::Full(_)))),
        "{refused:?}"
    );
    let refused = batch(0, &["x", "a"]).insert_into(&memtable);
    let duplicate = AddError::Duplicate {
        sequence: sequence(1),
        value_type: ValueType::Value,
    };
    assert_eq!(refused, Err(InsertError::Refused(duplicate)));
    let refused = batch(SequenceNumber::MAX.get(), &["x", "y"]).insert_into(&memtable);
    assert!(matches!(
        refused,
        Err(InsertError::Refused(AddError::SequenceOutOfRange(_)))
    ));
    let mut contents = batch(1, &["x"]).contents().to_vec();
    contents[..8].fill(0xff);
    let refused = WriteBatch::from_contents(contents)
        .unwrap()
        .insert_into(&memtable);
    assert!(matches!(refused, Err(InsertError::SequenceOutOfRange(_))));

    assert_eq!((memtable.len(), memtable.used_bytes()), (1, used));
    memtable.freeze();
    let refused = batch(2, &["b"]).insert_into(&memtable);
    assert_eq!(refused, Err(InsertError::Refused(AddError::Frozen)));
    assert_eq!(
        memtable.get_at(b"a", SequenceNumber::MAX),
        Lookup::Value(b"value")
    );
}

#[test]
fn a_record_that_can_not_be_encoded_is_refused_and_the_batch_is_as_it_was() {
    // Never touched, so never more than address space.
    let huge = vec![0; 1 << 32];
    let mut batch = batch(1, &["a"]);
    let before = batch.clone();
    assert!(matches!(
        batch.put(b"key", &huge),
        Err(PutError::TooLong(_))
    ));
    assert!(matches!(
        batch.put(&huge, b"value"),
        Err(PutError::TooLong(_))
    ));
    assert!(matches!(batch.delete(&huge), Err(PutError::TooLong(_))));
    assert_eq!(batch, before);

    let mut contents = batch.contents().to_vec();
    contents[8..12].fill(0xff);
    let mut full = WriteBatch::from_contents(contents).unwrap();
    let before = full.clone();
    assert_eq!(full.put(b"b", b""), Err(PutError::TooMany));
    assert_eq!(full.append(&batch), Err(PutError::TooMany));
    assert_eq!(full, before);
}

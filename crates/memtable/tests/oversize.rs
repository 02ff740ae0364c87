//! Keys and values too long for their lengths. A test program of its own, because it needs 4 GiB
//! of zeroed memory: the system's allocator gives that as address space and no page is touched,
//! while the counting allocator of the other tests would fill it.

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, MemTable};

#[test]
fn keys_and_values_longer_than_their_lengths_are_refused() {
    let sequence = SequenceNumber::new(1).unwrap();
    let huge = vec![0; 1 << 32];
    let memtable = MemTable::new(BytewiseComparator);
    let key = &huge[..(1 << 32) - 8];
    let error = memtable
        .add(sequence, ValueType::Value, key, b"")
        .unwrap_err();
    assert!(matches!(error, AddError::UserKeyTooLong(error) if error.length == (1 << 32) - 8));
    assert_eq!(
        error.to_string(),
        "a user key of 4294967288 bytes is longer than the longest, 4294967287 bytes"
    );
    let error = memtable
        .add(sequence, ValueType::Value, b"key", &huge)
        .unwrap_err();
    assert_eq!(error, AddError::ValueTooLong { length: 1 << 32 });
    let batch: [(_, &[u8], &[u8]); 2] = [
        (ValueType::Value, b"key", b"value"),
        (ValueType::Value, b"key", &huge),
    ];
    let error = memtable.add_batch(sequence, batch.into_iter()).unwrap_err();
    assert_eq!(error, AddError::ValueTooLong { length: 1 << 32 });
    assert_eq!(
        (
            memtable.len(),
            memtable.used_bytes(),
            memtable.iter().count()
        ),
        (0, 0, 0)
    );
}

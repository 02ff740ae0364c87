//! Literal bytes, and the texts of faults.

use strata_write_batch::{BatchFault, MalformedBatch, Operation, WriteBatch, WriteBatchView};

use crate::sequence;

const BATCH: &[u8] = b"\x64\0\0\0\0\0\0\0\x03\0\0\0\
    \x01\x03foo\x03bar\
    \x00\x03box\
    \x01\x00\x00";

#[test]
fn a_batch_is_leveldbs_byte_for_byte() {
    let mut batch = WriteBatch::new();
    assert_eq!(batch.contents(), [0; 12]);
    batch.put(b"foo", b"bar").unwrap();
    batch.delete(b"box").unwrap();
    batch.put(b"", b"").unwrap();
    batch.set_sequence(sequence(100));
    assert_eq!(batch.contents(), BATCH);
    assert_eq!(
        (batch.count(), batch.sequence(), batch.approximate_size()),
        (3, Ok(sequence(100)), BATCH.len())
    );

    let mut long = WriteBatch::new();
    long.put(&[b'k'; 200], &[b'v'; 300]).unwrap();
    assert_eq!(long.contents()[12..15], [0x01, 0xc8, 0x01]);
    assert_eq!(long.contents()[215..217], [0xac, 0x02]);
}

#[test]
fn bytes_are_read_back_as_operations() {
    let batch = WriteBatchView::new(BATCH).unwrap();
    assert_eq!(
        (batch.count(), batch.sequence(), batch.contents()),
        (3, Ok(sequence(100)), BATCH)
    );
    let operations: Result<Vec<_>, _> = batch.operations().collect();
    assert_eq!(
        operations.unwrap(),
        [
            Operation::Put {
                user_key: b"foo",
                value: b"bar"
            },
            Operation::Delete { user_key: b"box" },
            Operation::Put {
                user_key: b"",
                value: b""
            },
        ]
    );
    let owned = WriteBatch::from_contents(BATCH.to_vec()).unwrap();
    assert_eq!(owned.view(), batch);
}

#[test]
fn faults_have_leveldbs_texts_and_an_offset() {
    let fault = |bytes: &[u8]| match WriteBatchView::new(bytes) {
        Ok(batch) => batch.check().unwrap_err(),
        Err(error) => error,
    };
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = BATCH.to_vec();
        change(&mut bytes);
        fault(&bytes)
    };
    let cases = [
        (
            fault(&BATCH[..11]),
            BatchFault::TooSmall,
            11,
            "malformed WriteBatch (too small)",
        ),
        (
            fault(b""),
            BatchFault::TooSmall,
            0,
            "malformed WriteBatch (too small)",
        ),
        (
            fault(&BATCH[..20]),
            BatchFault::BadPut,
            12,
            "bad WriteBatch Put",
        ),
        (
            fault(&BATCH[..14]),
            BatchFault::BadPut,
            12,
            "bad WriteBatch Put",
        ),
        (
            fault(&BATCH[..23]),
            BatchFault::BadDelete,
            21,
            "bad WriteBatch Delete",
        ),
        (
            with(&|bytes| bytes[21] = 2),
            BatchFault::UnknownTag,
            21,
            "unknown WriteBatch tag",
        ),
        (
            with(&|bytes| bytes[8] = 2),
            BatchFault::WrongCount,
            29,
            "WriteBatch has wrong count",
        ),
        (
            with(&|bytes| bytes[8] = 4),
            BatchFault::WrongCount,
            29,
            "WriteBatch has wrong count",
        ),
        (
            fault(&BATCH[..12]),
            BatchFault::WrongCount,
            12,
            "WriteBatch has wrong count",
        ),
    ];
    for (error, fault, offset, text) in cases {
        assert_eq!(error, MalformedBatch { fault, offset });
        assert_eq!(error.fault.to_string(), text);
    }
}

#[test]
fn operations_end_after_a_fault() {
    let mut bytes = BATCH.to_vec();
    bytes[21] = 9;
    let batch = WriteBatchView::new(&bytes).unwrap();
    let mut operations = batch.operations();
    assert!(operations.next().unwrap().is_ok());
    assert!(operations.next().unwrap().is_err());
    assert_eq!((operations.next(), operations.next()), (None, None));
}

//! Of any bytes as a batch, every way to read them gives what a parser written for plainness gives:
//! the same records and the same fault at the same place. A batch is inserted whole or leaves the
//! memtable as it was, be it malformed, numbered out of range, too large, or a duplicate in any of
//! its records. The records of a sound batch make an equal batch, and the same bytes if its lengths
//! are of the shortest form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, MemTable, MemTableOptions};
use strata_write_batch::{
    BatchFault, Handler, InsertError, MalformedBatch, Operation, WriteBatch, WriteBatchView,
};

/// Value type, user key and value.
type Record = (ValueType, Vec<u8>, Vec<u8>);

/// A batch as the naive parser sees it.
struct Parsed {
    sequence: u64,
    records: Vec<Record>,
    fault: Option<MalformedBatch>,
    /// Every length is of the shortest form.
    canonical: bool,
}

/// A length-prefixed slice at the front of `bytes`, what follows it, and whether the length is of
/// the shortest form.
fn naive_slice(bytes: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let last = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let length = (0..=last).fold(0u32, |length, i| {
        length | u32::from(bytes[i] & 0x7f) << (7 * i)
    });
    let shortest = (1..5).find(|&i| length >> (7 * i) == 0).unwrap_or(5);
    // The fifth byte has room for four bits.
    let canonical = shortest == last + 1 && (last < 4 || bytes[4] < 16);
    let (slice, rest) = bytes[last + 1..].split_at_checked(length as usize)?;
    Some((slice, rest, canonical))
}

fn naive_record(bytes: &[u8]) -> Result<(Record, &[u8], bool), BatchFault> {
    let (tag, rest) = bytes.split_first().unwrap();
    match tag {
        0 => {
            let (key, rest, canonical) = naive_slice(rest).ok_or(BatchFault::BadDelete)?;
            Ok((
                (ValueType::Deletion, key.to_vec(), Vec::new()),
                rest,
                canonical,
            ))
        }
        1 => {
            let (key, rest, key_canonical) = naive_slice(rest).ok_or(BatchFault::BadPut)?;
            let (value, rest, canonical) = naive_slice(rest).ok_or(BatchFault::BadPut)?;
            let record = (ValueType::Value, key.to_vec(), value.to_vec());
            Ok((record, rest, key_canonical && canonical))
        }
        _ => Err(BatchFault::UnknownTag),
    }
}

/// The batch, unless there is no room for its header.
fn naive_parse(bytes: &[u8]) -> Option<Parsed> {
    let (header, mut rest) = bytes.split_first_chunk::<12>()?;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |n, &byte| n << 8 | u64::from(byte))
    };
    let mut parsed = Parsed {
        sequence: number(&header[..8]),
        records: Vec::new(),
        fault: None,
        canonical: true,
    };
    while !rest.is_empty() {
        match naive_record(rest) {
            Ok((record, after, canonical)) => {
                parsed.records.push(record);
                parsed.canonical &= canonical;
                rest = after;
            }
            Err(fault) => {
                let offset = bytes.len() - rest.len();
                parsed.fault = Some(MalformedBatch { fault, offset });
                return Some(parsed);
            }
        }
    }
    if number(&header[8..]) != parsed.records.len() as u64 {
        let (fault, offset) = (BatchFault::WrongCount, bytes.len());
        parsed.fault = Some(MalformedBatch { fault, offset });
    }
    Some(parsed)
}

#[derive(Default)]
struct Told(Vec<Record>);

impl Handler for Told {
    fn put(&mut self, user_key: &[u8], value: &[u8]) {
        self.0
            .push((ValueType::Value, user_key.to_vec(), value.to_vec()));
    }

    fn delete(&mut self, user_key: &[u8]) {
        self.0
            .push((ValueType::Deletion, user_key.to_vec(), Vec::new()));
    }
}

fn record_of(operation: Operation<'_>) -> Record {
    let (user_key, value) = (operation.user_key(), operation.value());
    (operation.value_type(), user_key.to_vec(), value.to_vec())
}

fn check_reading(view: &WriteBatchView<'_>, parsed: &Parsed) {
    let mut operations = view.operations();
    for record in &parsed.records {
        let operation = operations.next().unwrap().unwrap();
        assert_eq!(record_of(operation), *record);
    }
    assert_eq!(operations.next().map(Result::unwrap_err), parsed.fault);
    assert_eq!(operations.next(), None);

    let expected = parsed.fault.map_or(Ok(()), Err);
    assert_eq!(view.check(), expected);
    let mut told = Told::default();
    assert_eq!(view.iterate(&mut told), expected);
    assert_eq!(told.0, parsed.records);
}

/// Encoded entries, in order.
fn entries(memtable: &MemTable<BytewiseComparator>) -> Vec<Vec<u8>> {
    memtable
        .iter()
        .map(|entry| entry.encoded().to_vec())
        .collect()
}

/// Inserts into a memtable that has one entry already if `before` says so; the batch must be
/// inserted whole or not at all.
fn check_inserting(
    view: &WriteBatchView<'_>,
    parsed: &Parsed,
    memory_limit_bytes: usize,
    before: Option<usize>,
) {
    let options = MemTableOptions {
        memory_limit_bytes,
        ..MemTableOptions::default()
    };
    let memtable = MemTable::with_options(BytewiseComparator, options);
    let sequence_of = |i: usize| {
        view.sequence()
            .and_then(|first| first.checked_add(i as u64))
    };
    let duplicate = before.is_some_and(|i| {
        let (value_type, user_key, _) = &parsed.records[i];
        sequence_of(i).is_ok_and(|sequence| {
            memtable
                .add(sequence, *value_type, user_key, b"before")
                .is_ok()
        })
    });
    let was = entries(&memtable);

    let result = view.insert_into(&memtable);
    let numbers = SequenceNumber::new(parsed.sequence)
        .and_then(|_| sequence_of(parsed.records.len().saturating_sub(1)));
    match (parsed.fault, numbers, result) {
        (Some(fault), _, result) => assert_eq!(result, Err(InsertError::Malformed(fault))),
        (None, Err(_), Err(InsertError::SequenceOutOfRange(error))) => {
            assert_eq!(error.sequence, parsed.sequence);
        }
        (None, Err(_), Err(InsertError::Refused(AddError::SequenceOutOfRange(_)))) => {}
        (None, Ok(_), Err(InsertError::Refused(AddError::Duplicate { .. }))) => assert!(duplicate),
        (None, Ok(_), Err(InsertError::Refused(AddError::Full(_)))) => {
            assert!(memory_limit_bytes < usize::MAX);
        }
        (None, Ok(_), Ok(())) => {
            assert!(!duplicate);
            assert_eq!(memtable.len(), (was.len() + parsed.records.len()) as u64);
            for (i, (value_type, user_key, value)) in parsed.records.iter().enumerate() {
                let entry = memtable
                    .get_entry(user_key, sequence_of(i).unwrap())
                    .unwrap();
                assert_eq!(entry.sequence(), sequence_of(i).unwrap());
                assert_eq!(
                    (entry.value_type(), entry.value()),
                    (*value_type, &value[..])
                );
            }
            return;
        }
        (None, _, result) => panic!("{result:?}"),
    }
    assert_eq!(entries(&memtable), was);
    assert_eq!(memtable.len(), was.len() as u64);
}

fn check_encoding(bytes: &[u8], view: &WriteBatchView<'_>, parsed: &Parsed) {
    let mut batch = WriteBatch::new();
    for (value_type, user_key, value) in &parsed.records {
        match value_type {
            ValueType::Value => batch.put(user_key, value).unwrap(),
            ValueType::Deletion => batch.delete(user_key).unwrap(),
        }
    }
    assert!(batch.operations().eq(view.operations()));
    if let Ok(sequence) = view.sequence() {
        batch.set_sequence(sequence);
        assert_eq!(batch.contents() == bytes, parsed.canonical);
        assert!(batch.approximate_size() <= bytes.len());
    }
    let mut appended = batch.clone();
    appended
        .append(&WriteBatch::from_contents(bytes.to_vec()).unwrap())
        .unwrap();
    let twice = || view.operations().chain(view.operations());
    assert!(appended.operations().eq(twice()));
}

fuzz_target!(|data: &[u8]| {
    // The first two bytes say how much memory a memtable may take and which record it has.
    let Some((&[limit, which], bytes)) = data.split_first_chunk() else {
        return;
    };
    let view = WriteBatchView::new(bytes);
    let Some(parsed) = naive_parse(bytes) else {
        let (fault, offset) = (BatchFault::TooSmall, bytes.len());
        assert_eq!(view, Err(MalformedBatch { fault, offset }));
        return;
    };
    let view = view.unwrap();
    assert_eq!(view.sequence().is_ok(), parsed.sequence < 1 << 56);
    check_reading(&view, &parsed);
    let before = usize::from(which).checked_rem(parsed.records.len());
    check_inserting(&view, &parsed, usize::MAX, None);
    check_inserting(&view, &parsed, usize::MAX, before);
    check_inserting(&view, &parsed, usize::from(limit) * 32, before);
    if parsed.fault.is_none() {
        check_encoding(bytes, &view, &parsed);
    }
});

//! What must hold of any bytes as a table.

use std::cmp::Ordering;
use std::sync::Arc;

use strata_dbformat::{
    BytewiseComparator, InternalKeyComparator, SequenceNumber, split_internal_key,
};
use strata_table::{Entry, Lookup, Table, TableCursor, TableError, TableSummary};

pub type Bytes<'a> = Table<&'a [u8], BytewiseComparator>;

pub type BytesCursor<'a> = TableCursor<Arc<Bytes<'a>>>;

pub const ORDER: InternalKeyComparator<BytewiseComparator> =
    InternalKeyComparator::new(BytewiseComparator);

/// So many entries are looked at in a table that `verify` refuses.
const MOST_ENTRIES: usize = 2_000;

/// So many lookups are made in one table.
const MOST_LOOKUPS: usize = 50;

pub fn open(bytes: &[u8]) -> Result<Bytes<'_>, TableError> {
    Table::open(bytes, BytewiseComparator).inspect_err(said)
}

/// An error of the bytes, never of the source: that one is sound.
pub fn said(error: &TableError) {
    assert!(matches!(error, TableError::Corrupt { .. }), "{error}");
    assert!(!error.to_string().is_empty());
}

/// The answer of somebody who looks at every entry.
pub fn naive_get(entries: &[Entry], user_key: &[u8], snapshot: SequenceNumber) -> Lookup {
    let versions = entries.iter().filter_map(|entry| {
        let parsed = entry.internal_key.parsed().unwrap();
        let seen = parsed.user_key == user_key && parsed.sequence <= snapshot;
        seen.then_some((parsed.tag(), &entry.value))
    });
    match versions.max_by_key(|(tag, _)| *tag) {
        None => Lookup::Absent,
        Some((tag, _)) if tag.value_type().is_tombstone() => Lookup::Tombstone,
        Some((_, value)) => Lookup::Value(value.clone()),
    }
}

/// Reads a table that opens in every way there is; says whether `verify` finds it sound.
pub fn read(table: Bytes<'_>, user_keys: &[&[u8]]) -> bool {
    match table.verify() {
        Ok(summary) => {
            read_sound(table, &summary, user_keys);
            true
        }
        Err(error) => {
            said(&error);
            read_unsound(table, user_keys);
            false
        }
    }
}

fn read_sound(table: Bytes<'_>, summary: &TableSummary, user_keys: &[&[u8]]) {
    let entries: Vec<Entry> = table.entries().collect::<Result<_, _>>().unwrap();
    let keys = || entries.iter().map(|entry| entry.internal_key.encode());
    assert!(keys().is_sorted_by(|a, b| ORDER.compare(a, b) == Ordering::Less));
    assert_eq!(summary.entries, entries.len() as u64);
    assert_eq!(summary.file_bytes, table.file_bytes());
    assert_eq!(summary.smallest.encode(), keys().next().unwrap_or_default());
    assert_eq!(
        summary.largest.encode(),
        keys().next_back().unwrap_or_default()
    );
    let is_tombstone = |key: &[u8]| {
        split_internal_key(key)
            .unwrap()
            .1
            .value_type()
            .is_tombstone()
    };
    assert_eq!(
        summary.tombstones,
        keys().filter(|key| is_tombstone(key)).count() as u64
    );

    let own = entries.iter().map(|entry| {
        let parsed = entry.internal_key.parsed().unwrap();
        (parsed.user_key, parsed.sequence)
    });
    let others = user_keys
        .iter()
        .flat_map(|key| [SequenceNumber::ZERO, SequenceNumber::MAX].map(|at| (*key, at)));
    for (user_key, snapshot) in others.chain(own).take(MOST_LOOKUPS) {
        let expected = naive_get(&entries, user_key, snapshot);
        assert_eq!(table.get(user_key, snapshot).unwrap(), expected);
    }
    go_backwards(TableCursor::new(Arc::new(table)), &entries);
}

/// The entries again, from the last to the first.
fn go_backwards(mut cursor: BytesCursor<'_>, entries: &[Entry]) {
    cursor.seek_to_last().unwrap();
    for expected in entries.iter().rev().take(MOST_ENTRIES) {
        let entry = cursor.entry().unwrap();
        assert_eq!(entry.internal_key, expected.internal_key.encode());
        assert_eq!(entry.value, expected.value);
        cursor.prev().unwrap();
    }
    assert_eq!(cursor.entry().is_some(), entries.len() > MOST_ENTRIES);
}

/// Only that it ends, and says why.
fn read_unsound(table: Bytes<'_>, user_keys: &[&[u8]]) {
    let mut found = Vec::new();
    let mut entries = table.entries();
    for _ in 0..MOST_ENTRIES {
        match entries.next_entry() {
            Ok(Some(entry)) => {
                let (user_key, tag) = split_internal_key(entry.internal_key).unwrap();
                if found.len() < MOST_LOOKUPS {
                    found.push((user_key.to_vec(), tag.sequence()));
                }
            }
            Ok(None) => break,
            Err(error) => {
                said(&error);
                assert_eq!(entries.next_entry().unwrap(), None);
                break;
            }
        }
    }
    let others = user_keys
        .iter()
        .map(|key| (key.to_vec(), SequenceNumber::MAX));
    for (user_key, snapshot) in found.into_iter().chain(others) {
        let _: Result<Lookup, ()> = table.get(&user_key, snapshot).map_err(|error| said(&error));
    }
    let mut cursor = TableCursor::new(Arc::new(table));
    let last = cursor.seek_to_last();
    stroll(&mut cursor, last, BytesCursor::prev);
    for user_key in user_keys {
        for step in [BytesCursor::prev, BytesCursor::next] {
            let sought = cursor.seek(user_key, SequenceNumber::MAX);
            stroll(&mut cursor, sought, step);
        }
    }
}

/// Goes one way from where the cursor came to be, if it did.
fn stroll<'a>(
    cursor: &mut BytesCursor<'a>,
    mut outcome: Result<(), TableError>,
    step: fn(&mut BytesCursor<'a>) -> Result<(), TableError>,
) {
    for _ in 0..MOST_LOOKUPS {
        if let Err(error) = &outcome {
            said(error);
            assert!(cursor.entry().is_none());
        }
        let Some(entry) = cursor.entry() else {
            return;
        };
        split_internal_key(entry.internal_key).unwrap();
        outcome = step(cursor);
    }
}

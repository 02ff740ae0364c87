//! A cursor beside a list and a place in it.

use std::cmp::Ordering;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use strata_dbformat::{InternalKey, SequenceNumber, ValueType};
use strata_table::{Entry, TableError};

use crate::check::{BytesCursor, ORDER, said};

#[derive(Arbitrary, Debug)]
pub enum Step<'a> {
    First,
    Last,
    Next,
    Prev,
    Seek(&'a [u8], u16),
    /// To the key of one of the entries, at its own snapshot.
    SeekTo(u8),
}

/// Takes the steps; what succeeds ends at the entry it must, and what does not, at none. Says whether
/// all succeeded.
pub fn walk(mut cursor: BytesCursor<'_>, entries: &[Entry], steps: &[Step<'_>]) -> bool {
    let mut at = None;
    let mut sound = true;
    for step in steps {
        (at, sound) = match take(&mut cursor, entries, step) {
            Ok(()) => (expected(entries, at, step), sound),
            Err(error) => {
                said(&error);
                (None, false)
            }
        };
        let entry = at.map(|at: usize| &entries[at]);
        let entry = entry.map(|entry| (entry.internal_key.encode(), &entry.value[..]));
        let found = cursor
            .entry()
            .map(|entry| (entry.internal_key, entry.value));
        assert_eq!(found, entry, "{step:?}");
    }
    sound
}

fn take(
    cursor: &mut BytesCursor<'_>,
    entries: &[Entry],
    step: &Step<'_>,
) -> Result<(), TableError> {
    match step {
        Step::First => cursor.seek_to_first(),
        Step::Last => cursor.seek_to_last(),
        Step::Next => cursor.next(),
        Step::Prev => cursor.prev(),
        Step::Seek(..) | Step::SeekTo(_) => {
            let (user_key, snapshot) = target(entries, step);
            cursor.seek(user_key, snapshot)
        }
    }
}

/// Where a step leads from a place in the list.
fn expected(entries: &[Entry], at: Option<usize>, step: &Step<'_>) -> Option<usize> {
    match step {
        Step::First => entries.first().map(|_| 0),
        Step::Last => entries.len().checked_sub(1),
        Step::Next => at.map(|at| at + 1).filter(|at| *at < entries.len()),
        Step::Prev => at.and_then(|at| at.checked_sub(1)),
        Step::Seek(..) | Step::SeekTo(_) => {
            let (user_key, snapshot) = target(entries, step);
            let target = InternalKey::new(user_key, snapshot, ValueType::FOR_SEEK);
            entries.iter().position(|entry| {
                ORDER.compare_keys(&entry.internal_key, &target) != Ordering::Less
            })
        }
    }
}

fn target<'a>(entries: &'a [Entry], step: &Step<'a>) -> (&'a [u8], SequenceNumber) {
    match step {
        Step::Seek(user_key, snapshot) => {
            (user_key, SequenceNumber::new((*snapshot).into()).unwrap())
        }
        Step::SeekTo(number) if !entries.is_empty() => {
            let entry = &entries[usize::from(*number) % entries.len()];
            let parsed = entry.internal_key.parsed().unwrap();
            (parsed.user_key, parsed.sequence)
        }
        _ => (b"", SequenceNumber::MAX),
    }
}

//! Lists of names with versions, the newest version first, as a memtable has them: how they are
//! ordered, inserted into and checked. What a list's interface may change is used here only.

use std::cell::Cell;
use std::cmp::Ordering;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use strata_skiplist::{Compare, InsertError, KeyValue, Prefix, SkipList};

/// How many slots a node has.
pub(crate) const SLOTS: usize = if cfg!(strata_small_nodes) { 4 } else { 64 };

/// How many bytes a version takes behind a name.
const VERSION: usize = 8;

/// Orders keys by their names, and those of one name by their versions, the newest first. Its
/// prefix is of the name, if it has one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NewestFirst<const PREFIXED: bool>;

pub(crate) type Versions<const PREFIXED: bool> = SkipList<KeyValue, NewestFirst<PREFIXED>>;

/// A name, and a number that may be given while the name's place is looked for.
pub(crate) struct Late<'a> {
    name: &'a [u8],
    number: Cell<u64>,
}

fn parts(key: &[u8]) -> (&[u8], &[u8]) {
    key.split_at(key.len() - VERSION)
}

fn version(number: u64) -> [u8; VERSION] {
    (!number).to_be_bytes()
}

/// The key of a version.
pub(crate) fn key(name: &[u8], number: u64) -> Vec<u8> {
    [name, &version(number)].concat()
}

/// The number of a key's version.
pub(crate) fn number(key: &[u8]) -> u64 {
    !u64::from_be_bytes(parts(key).1.try_into().unwrap())
}

/// The order of keys, to sort them by.
pub(crate) fn order(a: &[u8], b: &[u8]) -> Ordering {
    parts(a).cmp(&parts(b))
}

impl<const PREFIXED: bool> Compare<[u8]> for NewestFirst<PREFIXED> {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        order(a, b)
    }

    fn prefix(&self, key: &[u8]) -> Option<Prefix> {
        PREFIXED.then(|| Prefix::of_bytes(parts(key).0))
    }
}

impl<const PREFIXED: bool> Compare<[u8], Late<'_>> for NewestFirst<PREFIXED> {
    fn compare(&self, key: &[u8], late: &Late<'_>) -> Ordering {
        parts(key).cmp(&(late.name, &version(late.number.get())))
    }

    fn prefix(&self, late: &Late<'_>) -> Option<Prefix> {
        PREFIXED.then(|| Prefix::of_bytes(late.name))
    }
}

/// Inserts a key without a value.
pub(crate) fn insert<const PREFIXED: bool>(
    list: &Versions<PREFIXED>,
    key: &[u8],
) -> Result<(), InsertError> {
    list.insert_key_value(key, &[key], b"").map(drop)
}

/// Inserts a version whose number is given when its place was looked for, which is as if it was
/// `sought`. Says whether it was inserted.
pub(crate) fn insert_late<const PREFIXED: bool>(
    list: &Versions<PREFIXED>,
    name: &[u8],
    sought: u64,
    give: impl FnOnce() -> Option<u64>,
) -> Result<bool, InsertError> {
    let late = Late {
        name,
        number: Cell::new(sought),
    };
    let end = |_: &_| {
        late.number.set(give()?);
        Some(version(late.number.get()))
    };
    let inserted = list.writer().insert_version_late(&late, name, b"", end)?;
    Ok(inserted.is_some())
}

/// Whether the list holds these keys, which are in order, by every way of reading it.
pub(crate) fn differs<const PREFIXED: bool>(
    list: &Versions<PREFIXED>,
    keys: &[Vec<u8>],
) -> Option<&'static str> {
    let expected = || keys.iter().map(Vec::as_slice);
    let mut cursor = list.cursor();
    if !list.iter().map(KeyValue::key).eq(expected()) {
        return Some("a walk forward");
    }
    if !list.iter().rev().map(KeyValue::key).eq(expected().rev()) {
        return Some("a walk backward");
    }
    if list.len() != keys.len() as u64 {
        return Some("the length");
    }
    let ends = [list.first(), list.last()].map(|end| end.map(KeyValue::key));
    if ends != [keys.first(), keys.last()].map(|end| end.map(Vec::as_slice)) {
        return Some("the ends");
    }
    for (i, key) in keys.iter().enumerate() {
        if list.get(&key[..]).is_none_or(|found| found.key() != key) {
            return Some("a lookup");
        }
        cursor.seek(&key[..]);
        cursor.prev();
        let before = i.checked_sub(1).map(|before| &keys[before][..]);
        if cursor.key().map(KeyValue::key) != before {
            return Some("a step back");
        }
    }
    None
}

/// Runs `run` on another thread, and fails if it panics, or does not end within `limit`.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    run: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || {
        let given = run();
        // The test may have ended.
        let _ = sender.send(());
        given
    });
    match receiver.recv_timeout(limit) {
        Err(RecvTimeoutError::Timeout) => panic!("not done after {limit:?}"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {}
    }
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

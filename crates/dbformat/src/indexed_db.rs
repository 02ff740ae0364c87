//! The order in which Chromium's IndexedDB sorts its keys: `idb_cmp1`.
//!
//! A key begins with three numbers: a database, an object store in it, an index on that. Their
//! widths are in the first byte, so that the same numbers may be written in several ways. What
//! follows depends on them:
//!
//! | database | store | index | what follows |
//! |---|---|---|---|
//! | 0 | | | a byte that says which of all databases' data this is, and fields |
//! | other | 0 | | a byte that says which of the database's data this is, and fields |
//! | other | other | 1, 2 or 3 | the key of a value: the value, that it exists, its blobs |
//! | other | other | 30 and more | a key in an index, a sequence number, and the value's key |

use std::cmp::Ordering;

use strata_coding::get_varint64;

use crate::Comparator;
use crate::indexed_db_key::{compare_keys, key_words, skip_key, split_string};

/// Chromium's order for IndexedDB, by which Chrome, Edge, Electron and others open what web pages
/// store; named `idb_cmp1` in the manifest.
///
/// It is the order of `content/browser/indexed_db/indexed_db_leveldb_coding.cc` for every key that
/// Chromium writes. As there, keys can be equal whose bytes differ: numbers of another width, zero
/// and minus zero, bytes behind what the key should end with.
///
/// Chromium does not say where a key stands that can't be decoded: it takes it as equal to any
/// other, and that is no order. Here, where order ends, bytes decide, so that any byte strings are
/// in one total order:
///
/// - A key without whole numbers in front is after all that have them.
/// - Of keys with the same numbers and, in metadata, the same kind, first comes the one in which
///   nothing follows, then those that can be decoded in their order, then the others byte by byte.
///   Not decoded is what ends too early, has an unknown type, a number that is none (NaN), or a
///   length or an id above `i64::MAX`.
/// - Metadata of a kind that is unknown is in the order of its bytes; so is all behind numbers that
///   stand for nothing, such as index 7.
///
/// Comparing takes time proportional to the keys' lengths at most, and no stack for arrays in
/// arrays. Nothing is allocated. Keys are not shortened for an index of a table, as in Chromium.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_dbformat::{Comparator, IndexedDbComparator};
///
/// let key = |number: f64| [&b"\0\x01\x01\x01\x03"[..], &number.to_le_bytes()].concat();
/// assert_eq!(IndexedDbComparator.compare(&key(2.0), &key(256.0)), Ordering::Less);
/// assert_eq!(IndexedDbComparator.compare(&key(-1.0), &key(0.0)), Ordering::Less);
/// assert_eq!(key(2.0).cmp(&key(256.0)), Ordering::Less);
/// assert_eq!(key(-1.0).cmp(&key(0.0)), Ordering::Greater, "by their bytes");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IndexedDbComparator;

impl Comparator for IndexedDbComparator {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match (Numbers::split(a), Numbers::split(b)) {
            (Some((numbers, rest_a)), Some((other, rest_b))) => numbers
                .cmp(&other)
                .then_with(|| numbers.compare_rests(rest_a, rest_b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        }
    }

    /// `idb_cmp1`.
    fn name(&self) -> &str {
        "idb_cmp1"
    }

    /// The three numbers, the kind or type of what follows, and how that begins.
    fn prefix(&self, user_key: &[u8]) -> Option<[u64; 6]> {
        Some(match Numbers::split(user_key) {
            Some((numbers, rest)) => numbers.words(rest),
            None => [u64::MAX; 6],
        })
    }
}

/// A database, an object store, an index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Numbers {
    database: u64,
    store: u64,
    index: u32,
}

/// A part of what follows the numbers.
#[derive(Clone, Copy)]
enum Field {
    /// A varint up to `i64::MAX`.
    Number,
    /// One byte.
    Byte,
    /// A string behind its length.
    Text,
}

/// What follows the numbers.
#[derive(Clone, Copy)]
enum Shape {
    /// A byte for its kind, below this number nothing that counts, and else [`fields_of`] it.
    Metadata { simple: u8, is_global: bool },
    /// A key, and nothing that counts.
    Key,
    /// A key, and perhaps a sequence number, and perhaps another key.
    IndexKey,
    /// Bytes.
    Bytes,
}

impl Numbers {
    /// The numbers that `key` begins with, and what follows them.
    ///
    /// The first byte holds, from the highest bit on, the widths less one in 3, 3 and 2 bits.
    fn split(key: &[u8]) -> Option<(Self, &[u8])> {
        let (&widths, rest) = key.split_first()?;
        let number = |bytes: &[u8]| {
            let shift = |number, &byte: &u8| number << 8 | u64::from(byte);
            bytes.iter().rev().fold(0, shift)
        };
        let (database, rest) = rest.split_at_checked(usize::from(widths >> 5) + 1)?;
        let (store, rest) = rest.split_at_checked(usize::from(widths >> 2 & 7) + 1)?;
        let (index, rest) = rest.split_at_checked(usize::from(widths & 3) + 1)?;
        let numbers = Self {
            database: number(database),
            store: number(store),
            // At most four bytes wide.
            index: u32::try_from(number(index)).unwrap_or(u32::MAX),
        };
        Some((numbers, rest))
    }

    fn shape(self) -> Shape {
        match (self.database, self.store, self.index) {
            (0, _, _) => Shape::Metadata {
                simple: 7,
                is_global: true,
            },
            (_, 0, _) => Shape::Metadata {
                simple: 6,
                is_global: false,
            },
            (_, _, 1..=3) => Shape::Key,
            (_, _, 30..) => Shape::IndexKey,
            _ => Shape::Bytes,
        }
    }

    /// Compares what follows these numbers in two keys.
    fn compare_rests(self, a: &[u8], b: &[u8]) -> Ordering {
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        match self.shape() {
            Shape::Metadata { simple, is_global } => compare_metadata(a, b, simple, is_global),
            Shape::Key => decoded_first(a, b, |rest| skip_key(rest).is_some(), compare_keys),
            Shape::IndexKey => {
                let decoded = |rest| IndexKey::parse(rest).is_some();
                decoded_first(a, b, decoded, compare_index_keys)
            }
            Shape::Bytes => a.cmp(b),
        }
    }

    fn words(self, rest: &[u8]) -> [u64; 6] {
        let mut words = [0; 6];
        [words[0], words[1], words[2]] = [self.database, self.store, u64::from(self.index) << 32];
        let Some(&first) = rest.first() else {
            return words;
        };
        match self.shape() {
            Shape::Metadata { .. } => words[2] |= 1 + u64::from(first),
            Shape::Key if skip_key(rest).is_some() => key_words(rest, &mut words),
            Shape::IndexKey if IndexKey::parse(rest).is_some() => key_words(rest, &mut words),
            Shape::Key | Shape::IndexKey => words[2] |= u64::from(u32::MAX),
            Shape::Bytes => {}
        }
        words
    }
}

/// Compares what can be decoded by `compare`, and puts it before what can't.
fn decoded_first<'a>(
    a: &'a [u8],
    b: &'a [u8],
    decoded: impl Fn(&'a [u8]) -> bool,
    compare: impl Fn(&mut &'a [u8], &mut &'a [u8]) -> Ordering,
) -> Ordering {
    match (decoded(a), decoded(b)) {
        (true, true) => compare(&mut { a }, &mut { b }),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

fn compare_metadata(a: &[u8], b: &[u8], simple: u8, is_global: bool) -> Ordering {
    let (Some((&kind, rest_a)), Some((other, rest_b))) = (a.split_first(), b.split_first()) else {
        return a.len().cmp(&b.len());
    };
    if kind != *other {
        return kind.cmp(other);
    }
    if kind < simple {
        return Ordering::Equal;
    }
    let Some(fields) = fields_of(kind, is_global) else {
        return rest_a.cmp(rest_b);
    };
    let decoded = |rest| {
        fields
            .iter()
            .try_fold(rest, |rest, field| field.skip(rest))
            .is_some()
    };
    decoded_first(rest_a, rest_b, decoded, |a, b| {
        let compare = |field: &Field| field.compare(a, b);
        fields
            .iter()
            .map(compare)
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

/// The fields of a kind of metadata, if they are known to be any.
fn fields_of(kind: u8, is_global: bool) -> Option<&'static [Field]> {
    use Field::{Byte, Number, Text};
    Some(match (kind, is_global) {
        // Free ids of databases.
        (100, true) => &[Number],
        // A database's id by origin and name.
        (201, true) => &[Text, Text],
        // About an object store: its id, and what about it.
        (50, false) => &[Number, Byte],
        // About an index: the store's id, its own, and what about it.
        (100, false) => &[Number, Number, Byte],
        // Free ids of object stores, and of indexes by store.
        (150, false) => &[Number],
        (151, false) => &[Number, Number],
        // An object store's id by name, and an index's by store and name.
        (200, false) => &[Text],
        (201, false) => &[Number, Text],
        _ => return None,
    })
}

impl Field {
    /// What follows the field that `rest` begins with.
    fn skip(self, rest: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Number => split_number(rest).map(|(_, rest)| rest),
            Self::Byte => rest.split_first().map(|(_, rest)| rest),
            Self::Text => split_string(rest).map(|(_, rest)| rest),
        }
    }

    /// Compares the fields that `a` and `b` begin with, and goes behind them.
    fn compare<'a>(self, a: &mut &'a [u8], b: &mut &'a [u8]) -> Ordering {
        match self {
            Self::Number => compare_next(a, b, split_number),
            Self::Byte => compare_next(a, b, |rest| rest.split_first()),
            Self::Text => compare_next(a, b, split_string),
        }
    }
}

/// Compares what `split` splits from the front of each. Where one can't be, they are the same: the
/// caller has seen that both can.
fn compare_next<'a, T: Ord>(
    a: &mut &'a [u8],
    b: &mut &'a [u8],
    split: impl Fn(&'a [u8]) -> Option<(T, &'a [u8])>,
) -> Ordering {
    let (Some((value, rest_a)), Some((other, rest_b))) = (split(a), split(b)) else {
        return Ordering::Equal;
    };
    (*a, *b) = (rest_a, rest_b);
    value.cmp(&other)
}

fn split_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    get_varint64(bytes)
        .ok()
        .filter(|&(number, _)| number <= i64::MAX.cast_unsigned())
}

/// What follows an index's number.
struct IndexKey<'a> {
    sequence: u64,
    /// The key of the value. Empty if there is none.
    primary: &'a [u8],
}

impl<'a> IndexKey<'a> {
    /// What follows the key that `rest` begins with, if all of it can be decoded.
    fn parse(rest: &'a [u8]) -> Option<Self> {
        let rest = skip_key(rest)?;
        let (sequence, primary) = match rest {
            [] => (0, rest),
            _ => split_number(rest)?,
        };
        if !primary.is_empty() {
            skip_key(primary)?;
        }
        Some(Self { sequence, primary })
    }
}

/// The index's key, then that of the value, then the sequence number, which counts only where
/// both have the key of a value.
fn compare_index_keys(a: &mut &[u8], b: &mut &[u8]) -> Ordering {
    let (Some(mut key), Some(mut other)) = (IndexKey::parse(a), IndexKey::parse(b)) else {
        return Ordering::Equal;
    };
    compare_keys(a, b).then_with(|| {
        if key.primary.is_empty() || other.primary.is_empty() {
            return key.primary.len().cmp(&other.primary.len());
        }
        compare_keys(&mut key.primary, &mut other.primary).then(key.sequence.cmp(&other.sequence))
    })
}

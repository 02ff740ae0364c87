//! The order of user keys.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use strata_coding::{compare_after, leading_words};

use crate::IndexedDbComparator;

/// A total order over byte strings, and the two shortenings that keep a table's index small.
///
/// Choose one statically where you can; `Box<dyn Comparator>` and `Arc<dyn Comparator>` are
/// comparators too.
///
/// # Contract
///
/// [`compare`](Comparator::compare) is a total order, gives the same answer for the same bytes
/// for ever, does not panic, and may be called from several threads at once. Bytes that compare
/// as equal are one key, even if they differ. A comparator that breaks this can make lookups miss
/// what was written, a batch be applied in part, and a walk not end; no code relies on it for
/// memory safety.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_dbformat::Comparator;
///
/// /// Orders keys without regard to ASCII case.
/// #[derive(Debug)]
/// struct CaseInsensitive;
///
/// impl Comparator for CaseInsensitive {
///     fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
///         a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase())
///     }
///     fn name(&self) -> &str {
///         "example.CaseInsensitive"
///     }
/// }
///
/// assert_eq!(CaseInsensitive.compare(b"Key", b"kEY"), Ordering::Equal);
/// let boxed: Box<dyn Comparator> = Box::new(CaseInsensitive);
/// assert_eq!(boxed.compare(b"a", b"B"), Ordering::Less);
/// ```
pub trait Comparator: Send + Sync + Debug {
    /// Whether `a` is before, the same as or after `b`.
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering;

    /// The order's name, recorded in databases so that none is opened with another order.
    ///
    /// Change it when the order changes. Names that begin with `leveldb.` are LevelDB's.
    fn name(&self) -> &str;

    /// The first 48 bytes of a user key in an order that agrees with this one, as six words, the
    /// most significant first: if those of two keys differ, the keys are in the order of the words.
    ///
    /// A comparator that can should offer it, for every key: a memtable finds and adds entries two
    /// to three times as fast then (`docs/benchmarks.md`: a comparator without a head). Offering
    /// nothing, as by default, is always right.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, Comparator, ReverseBytewiseComparator};
    ///
    /// let word = u64::from_be_bytes(*b"key\0\0\0\0\0");
    /// assert_eq!(BytewiseComparator.prefix(b"key"), Some([word, 0, 0, 0, 0, 0]));
    /// assert!(ReverseBytewiseComparator.prefix(b"key") < ReverseBytewiseComparator.prefix(b"kex"));
    /// ```
    #[inline]
    fn prefix(&self, user_key: &[u8]) -> Option<[u64; 6]> {
        let _ = user_key;
        None
    }

    /// As [`compare`](Comparator::compare), of two keys the first `shared` bytes of whose
    /// [prefixes](Comparator::prefix) are known to be the same. By default all is compared.
    ///
    /// ```
    /// use std::cmp::Ordering;
    /// use strata_dbformat::{BytewiseComparator, Comparator};
    ///
    /// assert_eq!(BytewiseComparator.compare_after(b"key1", b"key2", 3), Ordering::Less);
    /// ```
    #[inline]
    fn compare_after(&self, a: &[u8], b: &[u8], shared: usize) -> Ordering {
        let _ = shared;
        self.compare(a, b)
    }

    /// If `start` is before `limit`, may replace it by a shorter key in `[start, limit)`.
    ///
    /// Doing nothing, as by default, is always right.
    fn find_shortest_separator(&self, start: &mut Vec<u8>, limit: &[u8]) {
        let _ = (start, limit);
    }

    /// May replace `key` by a shorter one that is not before it.
    ///
    /// Doing nothing, as by default, is always right.
    fn find_short_successor(&self, key: &mut Vec<u8>) {
        let _ = key;
    }
}

macro_rules! comparator_by_reference {
    ($($pointer:ty),*) => {$(
        impl<C: Comparator + ?Sized> Comparator for $pointer {
            #[inline]
            fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
                (**self).compare(a, b)
            }
            fn name(&self) -> &str {
                (**self).name()
            }
            #[inline]
            fn prefix(&self, user_key: &[u8]) -> Option<[u64; 6]> {
                (**self).prefix(user_key)
            }
            #[inline]
            fn compare_after(&self, a: &[u8], b: &[u8], shared: usize) -> Ordering {
                (**self).compare_after(a, b, shared)
            }
            fn find_shortest_separator(&self, start: &mut Vec<u8>, limit: &[u8]) {
                (**self).find_shortest_separator(start, limit);
            }
            fn find_short_successor(&self, key: &mut Vec<u8>) {
                (**self).find_short_successor(key);
            }
        }
    )*};
}

comparator_by_reference!(&C, Box<C>, Arc<C>);

/// LevelDB's default order: byte by byte, unsigned, a prefix before what it is a prefix of.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, Comparator};
///
/// let mut start = b"the quick brown fox".to_vec();
/// BytewiseComparator.find_shortest_separator(&mut start, b"the who");
/// assert_eq!(start, b"the r");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BytewiseComparator;

impl Comparator for BytewiseComparator {
    #[inline]
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    /// `leveldb.BytewiseComparator`.
    fn name(&self) -> &str {
        "leveldb.BytewiseComparator"
    }

    /// The key's own first bytes.
    #[inline]
    fn prefix(&self, user_key: &[u8]) -> Option<[u64; 6]> {
        Some(leading_words(user_key))
    }

    #[inline]
    fn compare_after(&self, a: &[u8], b: &[u8], shared: usize) -> Ordering {
        compare_after(a, b, shared)
    }

    /// Where the two first differ, raises `start`'s byte by one and drops the rest, if that is
    /// still before `limit`'s. Nothing if one is a prefix of the other.
    fn find_shortest_separator(&self, start: &mut Vec<u8>, limit: &[u8]) {
        let differs = start.iter().zip(limit).position(|(a, b)| a != b);
        if let Some(i) = differs
            && let Some(raised) = start[i].checked_add(1)
            && raised < limit[i]
        {
            start[i] = raised;
            start.truncate(i + 1);
        }
    }

    /// Raises the first byte that is not 0xff by one and drops the rest. Nothing if all are 0xff.
    fn find_short_successor(&self, key: &mut Vec<u8>) {
        if let Some(i) = key.iter().position(|&byte| byte != 0xff) {
            key[i] += 1;
            key.truncate(i + 1);
        }
    }
}

/// The bytewise order backwards: the greatest key first.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_dbformat::{Comparator, ReverseBytewiseComparator};
///
/// assert_eq!(ReverseBytewiseComparator.compare(b"a", b"b"), Ordering::Greater);
/// let mut start = b"the who".to_vec();
/// ReverseBytewiseComparator.find_shortest_separator(&mut start, b"the quick brown fox");
/// assert_eq!(start, b"the w");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReverseBytewiseComparator;

impl Comparator for ReverseBytewiseComparator {
    #[inline]
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }

    /// `strata.ReverseBytewiseComparator`.
    fn name(&self) -> &str {
        "strata.ReverseBytewiseComparator"
    }

    /// The key's first bytes, every bit turned round.
    #[inline]
    fn prefix(&self, user_key: &[u8]) -> Option<[u64; 6]> {
        Some(leading_words(user_key).map(|word: u64| !word))
    }

    #[inline]
    fn compare_after(&self, a: &[u8], b: &[u8], shared: usize) -> Ordering {
        compare_after(b, a, shared)
    }

    /// Drops what follows the first byte by which `start` differs from `limit`: a prefix is
    /// bytewise smaller, so later in this order.
    fn find_shortest_separator(&self, start: &mut Vec<u8>, limit: &[u8]) {
        let common = start.iter().zip(limit).take_while(|(a, b)| a == b).count();
        // Only if `start` is bytewise after `limit`: then its prefix up to there is, too.
        if start.get(common) > limit.get(common) {
            start.truncate(common + 1);
        }
    }

    /// Drops all but the first byte.
    fn find_short_successor(&self, key: &mut Vec<u8>) {
        key.truncate(1);
    }
}

/// The comparator that a database's manifest names, if it is one of this crate's:
/// `leveldb.BytewiseComparator`, `strata.ReverseBytewiseComparator` or `idb_cmp1`.
///
/// ```
/// use strata_dbformat::{Comparator, comparator_by_name};
///
/// assert_eq!(comparator_by_name(b"idb_cmp1").map(|order| order.name()), Some("idb_cmp1"));
/// assert!(comparator_by_name(b"idb_cmp2").is_none());
/// ```
#[must_use]
pub fn comparator_by_name(name: &[u8]) -> Option<&'static dyn Comparator> {
    let known: [&'static dyn Comparator; 3] = [
        &BytewiseComparator,
        &ReverseBytewiseComparator,
        &IndexedDbComparator,
    ];
    known
        .into_iter()
        .find(|order| order.name().as_bytes() == name)
}

//! The order of keys, and how they compare with what they are looked up by.

use std::borrow::Borrow;
use std::cmp::Ordering;

use crate::Prefix;

/// Orders keys of type `K` against what they are looked up by, `Q`.
///
/// A list needs `Compare<K>` for insertions, and `Compare<K, Q>` for every `Q` it is searched
/// with. All of them must agree on one total order, for ever, and neither panic nor insert into the
/// list: they are called while a node is locked. If they do not agree, lookups may miss keys; memory
/// safety does not depend on it.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_skiplist::{Compare, SkipList};
///
/// /// Orders strings by length, and can look them up by a bare length.
/// #[derive(Default)]
/// struct ByLength;
///
/// impl Compare<String> for ByLength {
///     fn compare(&self, key: &String, target: &String) -> Ordering {
///         key.len().cmp(&target.len())
///     }
/// }
///
/// impl Compare<String, usize> for ByLength {
///     fn compare(&self, key: &String, target: &usize) -> Ordering {
///         key.len().cmp(target)
///     }
/// }
///
/// let list = SkipList::<String, ByLength>::default();
/// list.insert("four".to_owned())?;
/// assert_eq!(list.get(&4usize).map(String::as_str), Some("four"));
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
pub trait Compare<K: ?Sized, Q: ?Sized = K> {
    /// Whether `key` is before, the same as or after `target`.
    fn compare(&self, key: &K, target: &Q) -> Ordering;

    /// The first bytes of `target` in an order that agrees with [`compare`](Compare::compare), if
    /// there is such a thing.
    ///
    /// With it, most comparisons are of two words that lie side by side, and need not touch the
    /// keys. Without, as by default, everything works by comparing keys, which takes two to three
    /// times as long (`docs/benchmarks.md`: a comparator without a head). A comparator must offer it for every key of its list or for none.
    ///
    /// ```
    /// use std::cmp::Ordering;
    /// use strata_skiplist::{Compare, Prefix, SkipList};
    ///
    /// /// Orders points from left to right, those above each other by their height.
    /// #[derive(Default)]
    /// struct LeftToRight;
    ///
    /// impl Compare<(u32, f64)> for LeftToRight {
    ///     fn compare(&self, a: &(u32, f64), b: &(u32, f64)) -> Ordering {
    ///         a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    ///     }
    ///     fn prefix(&self, point: &(u32, f64)) -> Option<Prefix> {
    ///         Some(Prefix::of_bytes(&point.0.to_be_bytes()))
    ///     }
    /// }
    ///
    /// let list = SkipList::<(u32, f64), LeftToRight>::default();
    /// list.insert((2, 0.5))?;
    /// list.insert((1, 0.7))?;
    /// list.insert((1, 0.1))?;
    /// assert!(list.iter().eq(&[(1, 0.1), (1, 0.7), (2, 0.5)]));
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    #[inline]
    fn prefix(&self, target: &Q) -> Option<Prefix> {
        let _ = target;
        None
    }
}

/// The order of [`Ord`], looking keys up by whatever they can be [borrowed](Borrow) as.
///
/// It knows nothing else of its keys, and so offers no prefix: for byte strings and integers,
/// [`Bytewise`] and [`Numeric`] are the same order and faster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Natural;

impl<K: Borrow<Q> + ?Sized, Q: Ord + ?Sized> Compare<K, Q> for Natural {
    #[inline]
    fn compare(&self, key: &K, target: &Q) -> Ordering {
        key.borrow().cmp(target)
    }
}

/// The order of byte strings: of `[u8]`, `Vec<u8>`, `str`, `String` and all else that is made of
/// bytes.
///
/// ```
/// use strata_skiplist::{Bytewise, SkipList};
///
/// let list = SkipList::<String, Bytewise>::default();
/// list.insert("pear".to_owned())?;
/// list.insert("apple".to_owned())?;
/// assert_eq!(list.lower_bound("b").map(String::as_str), Some("pear"));
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bytewise;

impl<K: AsRef<[u8]> + ?Sized, Q: AsRef<[u8]> + ?Sized> Compare<K, Q> for Bytewise {
    #[inline]
    fn compare(&self, key: &K, target: &Q) -> Ordering {
        key.as_ref().cmp(target.as_ref())
    }

    #[inline]
    fn prefix(&self, target: &Q) -> Option<Prefix> {
        Some(Prefix::of_bytes(target.as_ref()))
    }
}

/// The order of integers of a fixed width.
///
/// ```
/// use strata_skiplist::{Numeric, SkipList};
///
/// let list = SkipList::<i32, Numeric>::default();
/// for key in [5, -3, 0] {
///     list.insert(key)?;
/// }
/// assert!(list.iter().eq(&[-3, 0, 5]));
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Numeric;

macro_rules! numeric {
    ($($unsigned:ty, $signed:ty);*) => {$(
        impl Compare<$unsigned> for Numeric {
            #[inline]
            fn compare(&self, key: &$unsigned, target: &$unsigned) -> Ordering {
                key.cmp(target)
            }

            #[inline]
            fn prefix(&self, target: &$unsigned) -> Option<Prefix> {
                Some(Prefix::of_bytes(&target.to_be_bytes()))
            }
        }

        impl Compare<$signed> for Numeric {
            #[inline]
            fn compare(&self, key: &$signed, target: &$signed) -> Ordering {
                key.cmp(target)
            }

            #[inline]
            fn prefix(&self, target: &$signed) -> Option<Prefix> {
                // With its sign turned round, a number's bytes are in the numbers' order.
                Some(Prefix::of_bytes(&(target ^ <$signed>::MIN).to_be_bytes()))
            }
        }
    )*};
}

numeric!(u8, i8; u16, i16; u32, i32; u64, i64; u128, i128; usize, isize);

/// The reverse of an order.
///
/// ```
/// use strata_skiplist::{Bytewise, Reversed, SkipList};
///
/// let list = SkipList::<[u8], Reversed<Bytewise>>::default();
/// list.insert_bytes(b"a")?;
/// list.insert_bytes(b"b")?;
/// assert!(list.iter().eq([b"b", b"a"]));
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reversed<C>(pub C);

impl<K: ?Sized, Q: ?Sized, C: Compare<K, Q>> Compare<K, Q> for Reversed<C> {
    #[inline]
    fn compare(&self, key: &K, target: &Q) -> Ordering {
        self.0.compare(key, target).reverse()
    }

    #[inline]
    fn prefix(&self, target: &Q) -> Option<Prefix> {
        self.0.prefix(target).map(Prefix::reversed)
    }
}

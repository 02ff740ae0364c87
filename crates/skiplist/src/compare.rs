//! The order of keys, and how they compare with what they are looked up by.

use std::borrow::Borrow;
use std::cmp::Ordering;

use strata_coding::compare_after;

use crate::Prefix;

/// Orders keys of type `K` against what they are looked up by, `Q`.
///
/// A list of `K` needs `Compare<K>` for insertions, and `Compare<K, Q>` for every `Q` it is searched
/// with; a list of [`KeyValue`](crate::KeyValue) needs `Compare<[u8]>` and `Compare<[u8], Q>`, of the
/// bytes of keys. All of them must agree on one total order, for ever, and neither panic nor insert
/// into the list: they are called while a node is locked. If they do not agree, lookups may miss keys;
/// memory safety does not depend on it.
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

    /// As [`compare`](Compare::compare), and whether `key` and `target` are versions of the same
    /// thing, as [`SkipList::first_version`](crate::SkipList::first_version) asks. By default two
    /// keys are if they are equal.
    ///
    /// A comparator of versioned keys that overrides it answers both at once, so that the bytes
    /// that all versions share are compared once. Versions must lie side by side in the order and
    /// have the same [prefix](Compare::prefix).
    ///
    /// `shared` is how many first bytes of their prefixes the list knows to be the same: of keys
    /// that are ordered as bytes, those need not be compared again.
    ///
    /// ```
    /// use std::cmp::Ordering;
    /// use strata_skiplist::{Compare, SkipList};
    ///
    /// /// Orders names, and the versions of a name from the newest to the oldest.
    /// #[derive(Default)]
    /// struct NewestFirst;
    ///
    /// impl Compare<(&'static str, u32)> for NewestFirst {
    ///     fn compare(&self, a: &(&str, u32), b: &(&str, u32)) -> Ordering {
    ///         a.0.cmp(b.0).then(b.1.cmp(&a.1))
    ///     }
    ///     fn compare_versions(
    ///         &self,
    ///         a: &(&str, u32),
    ///         b: &(&str, u32),
    ///         _: usize,
    ///     ) -> (Ordering, bool) {
    ///         let names = a.0.cmp(b.0);
    ///         (names.then(b.1.cmp(&a.1)), names.is_eq())
    ///     }
    /// }
    ///
    /// let list = SkipList::<(&str, u32), NewestFirst>::default();
    /// list.insert(("fig", 3))?;
    /// list.insert(("fig", 8))?;
    /// assert_eq!(list.first_version(&("fig", 7)), Some(&("fig", 3)));
    /// assert_eq!(list.first_version(&("fig", 2)), None);
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    #[inline]
    fn compare_versions(&self, key: &K, target: &Q, shared: usize) -> (Ordering, bool) {
        let _ = shared;
        let order = self.compare(key, target);
        (order, order == Ordering::Equal)
    }

    /// The first bytes of `target` in an order that agrees with [`compare`](Compare::compare), if
    /// there is such a thing.
    ///
    /// With it, most comparisons are of two digests that lie side by side, and need not touch the
    /// keys. Without, as by default, everything works by comparing keys, which takes longer
    /// (`docs/benchmarks.md` says how much). A comparator must offer it for every key of its list or
    /// for none.
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
    fn compare_versions(&self, key: &K, target: &Q, shared: usize) -> (Ordering, bool) {
        let order = compare_after(key.as_ref(), target.as_ref(), shared);
        (order, order == Ordering::Equal)
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
    fn compare_versions(&self, key: &K, target: &Q, shared: usize) -> (Ordering, bool) {
        let (order, are_versions) = self.0.compare_versions(key, target, shared);
        (order.reverse(), are_versions)
    }

    #[inline]
    fn prefix(&self, target: &Q) -> Option<Prefix> {
        self.0.prefix(target).map(Prefix::reversed)
    }
}

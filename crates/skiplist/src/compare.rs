//! The order of keys, and how they compare with what they are looked up by.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// Orders keys of type `K` against what they are looked up by, `Q`.
///
/// A list needs `Compare<K>` to move backward, and `Compare<K, Q>` for every `Q` it is searched
/// with. All of them must agree on one total order, for ever, and not panic. If they do not,
/// lookups may miss keys and walks backward may not end; memory safety does not depend on it.
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
}

/// The order of [`Ord`], looking keys up by whatever they can be [borrowed](Borrow) as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Natural;

impl<K: Borrow<Q> + ?Sized, Q: Ord + ?Sized> Compare<K, Q> for Natural {
    #[inline]
    fn compare(&self, key: &K, target: &Q) -> Ordering {
        key.borrow().cmp(target)
    }
}

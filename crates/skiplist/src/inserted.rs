//! What an insertion tells: where the key is, and what it was put between.

use std::fmt;

/// A key that was inserted, and the keys beside it that may have the same
/// [prefix](crate::Compare::prefix).
///
/// For lists in which keys with something in common lie side by side, as versions of a key do: to
/// know what an insertion changes among them takes no search. Neighbours that differ in the bytes
/// which the list compares first are left out, so that looking at those there are costs little.
/// Without prefixes, none is left out.
///
/// The three were side by side when the key was inserted, and whatever is inserted between two of
/// them later is told so: each insertion sees what those before it have left, whichever threads
/// they are made by.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_skiplist::{Compare, KeyValue, Prefix, SkipList};
///
/// #[derive(Default)]
/// struct ByKey;
///
/// impl Compare<[u8]> for ByKey {
///     fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
///         a.cmp(b)
///     }
///     fn prefix(&self, key: &[u8]) -> Option<Prefix> {
///         // Of "name/version", the name.
///         key.split(|&byte| byte == b'/').next().map(Prefix::of_bytes)
///     }
/// }
///
/// let list = SkipList::<KeyValue, ByKey>::default();
/// list.insert_key_value(&b"fig/1"[..], &[b"fig/1"], b"")?;
/// list.insert_key_value(&b"pear/1"[..], &[b"pear/1"], b"")?;
/// let inserted = list.insert_key_value(&b"fig/2"[..], &[b"fig/2"], b"")?;
/// assert_eq!(inserted.key.key(), b"fig/2");
/// assert_eq!(inserted.before.map(KeyValue::key), Some(&b"fig/1"[..]));
/// assert!(inserted.after.is_none(), "pear/1 begins with other bytes");
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
pub struct Inserted<'a, K: ?Sized> {
    /// The key, where it now is.
    pub key: &'a K,
    /// The key just before it, if there is one and it may have the same prefix.
    pub before: Option<&'a K>,
    /// The key just after it, if there is one and it may have the same prefix.
    pub after: Option<&'a K>,
}

impl<K: ?Sized> Clone for Inserted<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: ?Sized> Copy for Inserted<'_, K> {}

impl<K: fmt::Debug + ?Sized> fmt::Debug for Inserted<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inserted")
            .field("key", &self.key)
            .field("before", &self.before)
            .field("after", &self.after)
            .finish()
    }
}

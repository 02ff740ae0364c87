//! The order of entries, and what they are sought by.

use std::cell::Cell;
use std::cmp::Ordering;

use strata_dbformat::{Comparator, InternalKeyComparator, Tag};
use strata_skiplist::{Compare, KeyValue, Prefix, SkipList};

/// The index beneath the memtable.
pub(crate) type Index<C> = SkipList<KeyValue, EntryOrder<C>>;

/// Orders entries by their internal keys.
#[derive(Clone, Debug)]
pub(crate) struct EntryOrder<C>(pub(crate) InternalKeyComparator<C>);

/// A place in the order of internal keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) user_key: &'a [u8],
    pub(crate) tag: Tag,
}

/// A place in the order of internal keys whose tag is not known yet: before all versions of the
/// user key, until it is.
#[derive(Clone, Debug)]
pub(crate) struct LateTarget<'a> {
    pub(crate) user_key: &'a [u8],
    pub(crate) tag: Cell<Tag>,
}

/// A place in the order of internal keys that owns its user key.
#[derive(Clone, Debug)]
pub(crate) struct OwnedTarget {
    pub(crate) user_key: Box<[u8]>,
    pub(crate) tag: Tag,
}

impl<C: Comparator> EntryOrder<C> {
    /// The prefix of every entry of a user key. It says nothing of the tag: versions of a key lie
    /// side by side, and are told apart by comparing them.
    #[inline]
    fn prefix_of(&self, user_key: &[u8]) -> Option<Prefix> {
        self.0
            .user_comparator()
            .prefix(user_key)
            .map(Prefix::of_words)
    }
}

/// The user key of an internal key, and its tag as a number: greater for a newer version.
#[inline(always)]
pub(crate) fn parts(internal_key: &[u8]) -> (&[u8], u64) {
    match internal_key.split_last_chunk() {
        Some((user_key, tag)) => (user_key, u64::from_le_bytes(*tag)),
        None => unreachable!("a memtable's internal keys have a tag"),
    }
}

impl<C: Comparator> Compare<[u8], Target<'_>> for EntryOrder<C> {
    #[inline]
    fn compare(&self, key: &[u8], target: &Target<'_>) -> Ordering {
        self.compare_versions(key, target, 0).0
    }

    #[inline(always)]
    fn compare_versions(&self, key: &[u8], target: &Target<'_>, shared: usize) -> (Ordering, bool) {
        let (user_key, tag) = parts(key);
        let comparator = self.0.user_comparator();
        let order = comparator.compare_after(user_key, target.user_key, shared);
        let newer_first = u64::from_le_bytes(target.tag.to_bytes()).cmp(&tag);
        (order.then(newer_first), order.is_eq())
    }

    #[inline]
    fn prefix(&self, target: &Target<'_>) -> Option<Prefix> {
        self.prefix_of(target.user_key)
    }
}

impl<C: Comparator> Compare<[u8], LateTarget<'_>> for EntryOrder<C> {
    #[inline]
    fn compare(&self, key: &[u8], target: &LateTarget<'_>) -> Ordering {
        self.compare(key, &target.now())
    }

    #[inline]
    fn compare_versions(
        &self,
        key: &[u8],
        target: &LateTarget<'_>,
        shared: usize,
    ) -> (Ordering, bool) {
        self.compare_versions(key, &target.now(), shared)
    }

    #[inline]
    fn prefix(&self, target: &LateTarget<'_>) -> Option<Prefix> {
        self.prefix_of(target.user_key)
    }
}

impl<'a> LateTarget<'a> {
    /// The place as it is known now.
    #[inline]
    pub(crate) fn now(&self) -> Target<'a> {
        Target {
            user_key: self.user_key,
            tag: self.tag.get(),
        }
    }
}

impl<C: Comparator> Compare<[u8], OwnedTarget> for EntryOrder<C> {
    fn compare(&self, key: &[u8], target: &OwnedTarget) -> Ordering {
        let (user_key, tag) = (&*target.user_key, target.tag);
        self.compare(key, &Target { user_key, tag })
    }

    fn prefix(&self, target: &OwnedTarget) -> Option<Prefix> {
        self.prefix_of(&target.user_key)
    }
}

impl<C: Comparator> Compare<[u8]> for EntryOrder<C> {
    #[inline]
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.0.compare(a, b)
    }

    #[inline]
    fn prefix(&self, key: &[u8]) -> Option<Prefix> {
        self.prefix_of(parts(key).0)
    }
}

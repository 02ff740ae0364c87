//! The order of entries, and what they are sought by.

use std::cell::Cell;
use std::cmp::Ordering;

use strata_dbformat::{Comparator, InternalKeyComparator, Tag};
use strata_skiplist::{Compare, KeyValue, Prefix, SkipList};

use crate::entry::user_key_and_tag;

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

impl<C: Comparator> Compare<KeyValue, Target<'_>> for EntryOrder<C> {
    #[inline]
    fn compare(&self, entry: &KeyValue, target: &Target<'_>) -> Ordering {
        let (user_key, tag) = user_key_and_tag(entry);
        self.0
            .compare_parts(user_key, tag, target.user_key, target.tag)
    }

    #[inline]
    fn prefix(&self, target: &Target<'_>) -> Option<Prefix> {
        self.prefix_of(target.user_key)
    }
}

impl<C: Comparator> Compare<KeyValue, LateTarget<'_>> for EntryOrder<C> {
    #[inline]
    fn compare(&self, entry: &KeyValue, target: &LateTarget<'_>) -> Ordering {
        self.compare(entry, &target.now())
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

impl<C: Comparator> Compare<KeyValue, OwnedTarget> for EntryOrder<C> {
    fn compare(&self, entry: &KeyValue, target: &OwnedTarget) -> Ordering {
        self.compare(
            entry,
            &Target {
                user_key: &target.user_key,
                tag: target.tag,
            },
        )
    }

    fn prefix(&self, target: &OwnedTarget) -> Option<Prefix> {
        self.prefix_of(&target.user_key)
    }
}

impl<C: Comparator> Compare<KeyValue> for EntryOrder<C> {
    #[inline]
    fn compare(&self, a: &KeyValue, b: &KeyValue) -> Ordering {
        let (user_key, tag) = user_key_and_tag(b);
        self.compare(a, &Target { user_key, tag })
    }

    #[inline]
    fn prefix(&self, entry: &KeyValue) -> Option<Prefix> {
        self.prefix_of(user_key_and_tag(entry).0)
    }
}

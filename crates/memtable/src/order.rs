//! The order of entries, and what they are sought by.

use std::cmp::Ordering;

use strata_dbformat::{Comparator, InternalKeyComparator, Tag};
use strata_skiplist::{Compare, SkipList};

use crate::entry::decode_user_key_and_tag;

/// The index beneath the memtable.
pub(crate) type Index<C> = SkipList<[u8], EntryOrder<C>>;

/// Orders encoded entries by their internal keys.
#[derive(Clone, Debug)]
pub(crate) struct EntryOrder<C>(pub(crate) InternalKeyComparator<C>);

/// A place in the order of internal keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) user_key: &'a [u8],
    pub(crate) tag: Tag,
}

/// A place in the order of internal keys that owns its user key.
#[derive(Clone, Debug)]
pub(crate) struct OwnedTarget {
    pub(crate) user_key: Box<[u8]>,
    pub(crate) tag: Tag,
}

impl<C: Comparator> Compare<[u8], Target<'_>> for EntryOrder<C> {
    #[inline]
    fn compare(&self, entry: &[u8], target: &Target<'_>) -> Ordering {
        let (user_key, tag) = decode_user_key_and_tag(entry);
        self.0
            .compare_parts(user_key, tag, target.user_key, target.tag)
    }
}

impl<C: Comparator> Compare<[u8], OwnedTarget> for EntryOrder<C> {
    fn compare(&self, entry: &[u8], target: &OwnedTarget) -> Ordering {
        self.compare(
            entry,
            &Target {
                user_key: &target.user_key,
                tag: target.tag,
            },
        )
    }
}

impl<C: Comparator> Compare<[u8]> for EntryOrder<C> {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let (user_key, tag) = decode_user_key_and_tag(b);
        self.compare(a, &Target { user_key, tag })
    }
}

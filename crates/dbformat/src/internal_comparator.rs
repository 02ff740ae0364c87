//! The order of internal keys: the function that must not be wrong.

use std::cmp::Ordering;

use crate::{Comparator, InternalKey, Tag, extract_user_key};

/// Orders internal keys: by user key ascending, in the order of `C`, then by tag descending, so
/// that the newest version of a user key comes first.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_dbformat::{BytewiseComparator, InternalKeyComparator, SequenceNumber, Tag, ValueType};
///
/// let order = InternalKeyComparator::new(BytewiseComparator);
/// let tag = |sequence| Tag::new(SequenceNumber::new(sequence).unwrap(), ValueType::Value);
/// assert_eq!(order.compare_parts(b"a", tag(3), b"a", tag(2)), Ordering::Less);
/// assert_eq!(order.compare_parts(b"a", tag(1), b"b", tag(4)), Ordering::Less);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct InternalKeyComparator<C> {
    user_comparator: C,
}

impl<C: Comparator> InternalKeyComparator<C> {
    /// The order of internal keys whose user keys `user_comparator` orders.
    pub const fn new(user_comparator: C) -> Self {
        Self { user_comparator }
    }

    /// The order of user keys.
    pub const fn user_comparator(&self) -> &C {
        &self.user_comparator
    }

    /// Compares two encoded internal keys.
    ///
    /// Bytes too short to be one come before all that are not, and are bytewise among themselves.
    /// (LevelDB asserts that there are none.) The tag is compared as a number, whatever its type.
    #[must_use]
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match (split(a), split(b)) {
            (Some((a, a_tag)), Some((b, b_tag))) => {
                self.user_comparator.compare(a, b).then(b_tag.cmp(&a_tag))
            }
            (None, None) => a.cmp(b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    /// Compares two internal keys given as user key and tag.
    #[inline]
    #[must_use]
    pub fn compare_parts(&self, a: &[u8], a_tag: Tag, b: &[u8], b_tag: Tag) -> Ordering {
        self.user_comparator.compare(a, b).then(b_tag.cmp(&a_tag))
    }

    /// Compares two internal keys.
    #[must_use]
    pub fn compare_keys(&self, a: &InternalKey, b: &InternalKey) -> Ordering {
        self.compare(a.encode(), b.encode())
    }

    fn replace_if_shorter_and_later(&self, internal_key: &mut Vec<u8>, mut shortened: Vec<u8>) {
        let user_key = &internal_key[..internal_key.len() - Tag::LENGTH];
        if shortened.len() < user_key.len()
            && self.user_comparator.compare(user_key, &shortened) == Ordering::Less
        {
            shortened.extend_from_slice(&Tag::MAX.to_bytes());
            *internal_key = shortened;
        }
    }
}

/// The user key and the tag as a number.
fn split(internal_key: &[u8]) -> Option<(&[u8], u64)> {
    let (user_key, tag) = internal_key.split_last_chunk()?;
    Some((user_key, u64::from_le_bytes(*tag)))
}

impl<C: Comparator> Comparator for InternalKeyComparator<C> {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.compare(a, b)
    }

    /// `leveldb.InternalKeyComparator`.
    fn name(&self) -> &str {
        "leveldb.InternalKeyComparator"
    }

    /// Shortens the user key; if that made it shorter and later, the tag is the largest one, so
    /// that the result is before every entry of the shortened user key. Otherwise nothing.
    fn find_shortest_separator(&self, start: &mut Vec<u8>, limit: &[u8]) {
        if let (Ok(user_start), Ok(user_limit)) = (extract_user_key(start), extract_user_key(limit))
        {
            let mut shortened = user_start.to_vec();
            self.user_comparator
                .find_shortest_separator(&mut shortened, user_limit);
            self.replace_if_shorter_and_later(start, shortened);
        }
    }

    /// Shortens the user key as [`find_shortest_separator`](Comparator::find_shortest_separator)
    /// does, with no limit.
    fn find_short_successor(&self, key: &mut Vec<u8>) {
        if let Ok(user_key) = extract_user_key(key) {
            let mut shortened = user_key.to_vec();
            self.user_comparator.find_short_successor(&mut shortened);
            self.replace_if_shorter_and_later(key, shortened);
        }
    }
}

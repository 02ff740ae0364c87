//! Which user keys a cursor keeps to.

use std::ops::{Bound, RangeBounds};

use strata_dbformat::Comparator;

/// A range of user keys. One that ends before it begins has nothing in it.
pub(super) struct UserKeyBounds {
    pub(super) start: Bound<Box<[u8]>>,
    pub(super) end: Bound<Box<[u8]>>,
}

impl UserKeyBounds {
    pub(super) fn new<'b>(bounds: &impl RangeBounds<&'b [u8]>) -> Self {
        let owned = |bound: Bound<&&[u8]>| bound.map(|&user_key| user_key.into());
        Self {
            start: owned(bounds.start_bound()),
            end: owned(bounds.end_bound()),
        }
    }

    /// Whether `user_key` comes before every key of the range.
    #[inline]
    pub(super) fn are_after(&self, user_key: &[u8], order: &impl Comparator) -> bool {
        match &self.start {
            Bound::Included(start) => order.compare(user_key, start).is_lt(),
            Bound::Excluded(start) => order.compare(user_key, start).is_le(),
            Bound::Unbounded => false,
        }
    }

    /// Whether `user_key` comes after every key of the range.
    #[inline]
    pub(super) fn are_before(&self, user_key: &[u8], order: &impl Comparator) -> bool {
        match &self.end {
            Bound::Included(end) => order.compare(user_key, end).is_gt(),
            Bound::Excluded(end) => order.compare(user_key, end).is_ge(),
            Bound::Unbounded => false,
        }
    }
}

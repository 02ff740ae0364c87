//! Ranges of user keys as ranges of internal keys.

use std::ops::{Bound, RangeBounds};

use strata_dbformat::Tag;

use crate::order::{OwnedTarget, Target};

/// The range of internal keys that holds every version of the user keys within `bounds`.
///
/// Versions sort newest first, so a user key's entries lie between it with the largest tag and it
/// with the smallest.
pub(crate) fn targets<'b>(
    bounds: &impl RangeBounds<&'b [u8]>,
) -> (Bound<Target<'b>>, Bound<Target<'b>>) {
    let first = |user_key| Target {
        user_key,
        tag: Tag::MAX,
    };
    let last = |user_key| Target {
        user_key,
        tag: Tag::MIN,
    };
    let start = match bounds.start_bound() {
        Bound::Included(&user_key) => Bound::Included(first(user_key)),
        Bound::Excluded(&user_key) => Bound::Excluded(last(user_key)),
        Bound::Unbounded => Bound::Unbounded,
    };
    let end = match bounds.end_bound() {
        Bound::Included(&user_key) => Bound::Included(last(user_key)),
        Bound::Excluded(&user_key) => Bound::Excluded(first(user_key)),
        Bound::Unbounded => Bound::Unbounded,
    };
    (start, end)
}

/// As [`targets`], with user keys of their own.
pub(crate) fn owned_targets<'b>(
    bounds: &impl RangeBounds<&'b [u8]>,
) -> (Bound<OwnedTarget>, Bound<OwnedTarget>) {
    let owned = |target: Target<'_>| OwnedTarget {
        user_key: target.user_key.into(),
        tag: target.tag,
    };
    let (start, end) = targets(bounds);
    (start.map(owned), end.map(owned))
}

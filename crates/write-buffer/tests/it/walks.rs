//! Walks of cursors, those that are kept for a while included, against lists.

use std::convert::Infallible;
use std::ops::{Bound, RangeBounds};

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_write_buffer::{Cursor, InternalCursor, InternalView, VisibleCursor};

use crate::cursors::{Bounds, Move, Owned, borrowed, owned};

pub(crate) type Order = BytewiseComparator;

/// A cursor that is kept, what it walks over, and where it is in that.
pub(crate) struct Kept {
    pub(crate) cursor: KeptCursor,
    pub(crate) entries: Vec<Owned>,
    pub(crate) at: Option<usize>,
}

pub(crate) enum KeptCursor {
    Visible(Cursor<Order>),
    Internal(InternalView<Order>),
}

/// Of each user key the newest version, if it is a value.
pub(crate) fn visible(mut seen: Vec<Owned>) -> Vec<Owned> {
    seen.dedup_by(|later, first| later.0 == first.0);
    seen.retain(|(_, tag, _)| tag.value_type() == ValueType::Value);
    seen
}

pub(crate) fn within(mut entries: Vec<Owned>, bounds: &Bounds) -> Vec<Owned> {
    entries.retain(|(user_key, ..)| borrowed(bounds).contains(&&user_key[..]));
    entries
}

pub(crate) const EVERYTHING: Bounds = (Bound::Unbounded, Bound::Unbounded);

pub(crate) fn walk_visible<S: InternalCursor<Error = Infallible>>(
    cursor: &mut VisibleCursor<S, Order>,
    entries: &[Owned],
    at: &mut Option<usize>,
    step: &Move,
) {
    let mut modelled = step.clone();
    let Ok(()) = match step {
        Move::SeekToFirst => cursor.seek_to_first(),
        Move::SeekToLast => cursor.seek_to_last(),
        Move::Seek(user_key, _) => {
            // There is one entry a user key, whatever its sequence number.
            modelled = Move::Seek(user_key.clone(), SequenceNumber::MAX.get());
            cursor.seek(user_key)
        }
        Move::SeekForPrev(user_key) => cursor.seek_for_prev(user_key),
        Move::Next => cursor.next(),
        Move::Prev => cursor.prev(),
    };
    *at = modelled.model(entries, *at);
    assert_eq!(
        owned(cursor.entry()),
        at.map(|at| entries[at].clone()),
        "{step:?}"
    );
}

pub(crate) fn walk_versions<S: InternalCursor<Error = Infallible>>(
    cursor: &mut S,
    entries: &[Owned],
    at: &mut Option<usize>,
    step: &Move,
) {
    if matches!(step, Move::SeekForPrev(_)) {
        return;
    }
    let Ok(()) = step.make(cursor);
    *at = step.model(entries, *at);
    assert_eq!(
        owned(cursor.entry()),
        at.map(|at| entries[at].clone()),
        "{step:?}"
    );
}

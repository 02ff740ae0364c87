//! Insertion: finding a node's neighbours on every level, and linking it between them.

use std::cmp::Ordering::{Equal, Less};
use std::sync::atomic::Ordering;

use strata_dbformat::Comparator;

use super::list::Target;
use super::node::Node;
use super::{InlineList, MAX_HEIGHT};

/// On each level the two nodes that the last insertion found its place between.
///
/// The pair of a level encloses those of the levels below it, once nodes that were inserted since
/// are left out of account.
#[derive(Debug)]
pub(super) struct Splice<'a> {
    /// How many levels have been filled in; 0 if none has.
    height: usize,
    before: [Node<'a>; MAX_HEIGHT + 1],
    after: [Option<Node<'a>>; MAX_HEIGHT + 1],
}

impl<'a> Splice<'a> {
    pub(super) fn new(head: Node<'a>) -> Self {
        Self {
            height: 0,
            before: [head; MAX_HEIGHT + 1],
            after: [None; MAX_HEIGHT + 1],
        }
    }

    /// How many levels, counted from the lowest, have to be searched for this target: none if it
    /// belongs where the splice is.
    fn stale_levels<C: Comparator>(
        &mut self,
        list: &'a InlineList<C>,
        target: Target<'_>,
        height: usize,
    ) -> usize {
        if self.height < height {
            // Above the highest level there is nothing between the head and the end.
            self.before[height] = list.head();
            self.after[height] = None;
            self.height = height;
            return height;
        }
        for level in 0..height {
            let (before, after) = (self.before[level], self.after[level]);
            // SAFETY: `before` was reached at this level (I2).
            if unsafe { before.next(level) } != after {
                // Somebody inserted between the two; a higher level may still enclose the target.
                continue;
            }
            let is_outside = (before != list.head() && !list.is_after(target, Some(before)))
                || list.is_after(target, after);
            return if is_outside { height } else { level };
        }
        height
    }

    /// Finds the neighbours of a target on the lowest `levels` levels.
    fn search<C: Comparator>(
        &mut self,
        list: &'a InlineList<C>,
        target: Target<'_>,
        levels: usize,
    ) {
        for level in (0..levels).rev() {
            let (from, to) = (self.before[level + 1], self.after[level + 1]);
            let found = neighbours(list, target, level, from, to);
            (self.before[level], self.after[level]) = found;
        }
    }
}

/// The neighbours of a target on a level, sought from a node before it; `to` is known to be after.
#[inline]
fn neighbours<'a, C: Comparator>(
    list: &'a InlineList<C>,
    target: Target<'_>,
    level: usize,
    from: Node<'a>,
    to: Option<Node<'a>>,
) -> (Node<'a>, Option<Node<'a>>) {
    let mut before = from;
    loop {
        // SAFETY: `before` was reached at this level or a higher one (I2).
        let next = unsafe { before.next(level) };
        if let Some(next) = next {
            // SAFETY: `next` was reached at this level (I2).
            unsafe { next.prefetch_both(level) };
        }
        match next {
            Some(node) if next != to && list.is_after(target, next) => before = node,
            _ => return (before, next),
        }
    }
}

/// Links a node of this height at its place; `SHARED` if other writers may do the same meanwhile.
///
/// # Panics
///
/// If a node with an equal key is there.
#[inline]
pub(super) fn insert<'a, C: Comparator, const SHARED: bool>(
    list: &'a InlineList<C>,
    splice: &mut Splice<'a>,
    target: Target<'_>,
    node: Node<'a>,
    height: usize,
) {
    let list_height = raise(list, height);
    let stale = splice.stale_levels(list, target, list_height);
    splice.search(list, target, stale);
    let mut is_valid = true;
    for level in 0..height {
        if SHARED {
            is_valid &= link_shared(list, splice, target, node, level);
        } else {
            link_alone(list, splice, target, node, level, stale);
        }
    }
    if is_valid {
        splice.before[..height].fill(node);
    } else {
        splice.height = 0;
    }
}

/// Raises the list to this height if it is lower, and returns its height.
#[inline]
fn raise<C>(list: &InlineList<C>, height: usize) -> usize {
    let list_height = list.height.load(Ordering::Relaxed);
    if height <= list_height {
        return list_height;
    }
    // Relaxed: a reader that sees the new height before the node finds the head's links empty.
    list.height.fetch_max(height, Ordering::Relaxed).max(height)
}

#[inline]
fn link_alone<'a, C: Comparator>(
    list: &'a InlineList<C>,
    splice: &mut Splice<'a>,
    target: Target<'_>,
    node: Node<'a>,
    level: usize,
    stale: usize,
) {
    // A level that was not searched may have been inserted into since it was filled in.
    // SAFETY: `before` was reached at this level (I2).
    if level >= stale && unsafe { splice.before[level].next(level) } != splice.after[level] {
        let found = neighbours(list, target, level, splice.before[level], None);
        (splice.before[level], splice.after[level]) = found;
    }
    if level == 0 {
        assert_is_new(list, target, splice);
    }
    // SAFETY: the node is higher than this level (I2).
    unsafe { node.prepare(level, splice.after[level]) };
    // SAFETY: the same, and `before` was reached at this level.
    unsafe { splice.before[level].publish(level, node) };
}

/// Returns whether the splice is still good for another insertion.
fn link_shared<'a, C: Comparator>(
    list: &'a InlineList<C>,
    splice: &mut Splice<'a>,
    target: Target<'_>,
    node: Node<'a>,
    level: usize,
) -> bool {
    let mut is_valid = true;
    loop {
        if level == 0 {
            assert_is_new(list, target, splice);
        }
        let (before, after) = (splice.before[level], splice.after[level]);
        // SAFETY: the node is higher than this level (I2).
        unsafe { node.prepare(level, after) };
        // SAFETY: the same, and `before` was reached at this level.
        if unsafe { before.exchange(level, after, node) } {
            return is_valid;
        }
        let found = neighbours(list, target, level, before, None);
        (splice.before[level], splice.after[level]) = found;
        // The levels above were not searched again, so they may no longer enclose this one.
        is_valid &= level == 0;
    }
}

/// RocksDB refuses an equal key; the contest has none.
#[inline]
fn assert_is_new<C: Comparator>(list: &InlineList<C>, target: Target<'_>, splice: &Splice<'_>) {
    // SAFETY: a link leads to it, so it is not the head.
    let after = splice.after[0].map(|node| unsafe { node.entry() });
    let order = after.map(|entry| entry.compare(&list.comparator, target.user_key, target.tag));
    debug_assert_ne!(order, Some(Less), "the splice encloses the target");
    assert_ne!(order, Some(Equal), "every version is inserted once");
}

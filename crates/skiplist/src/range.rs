//! Iterators over the keys within bounds, from both ends.

use std::cmp::Ordering;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds, RangeFull};
use std::sync::Arc;

use crate::handle::{ListHandle, Positions};
use crate::{Compare, SkipList};

/// An iterator over the keys of a list within bounds: in order from the front, in reverse from
/// the back, each key at most once.
///
/// Keys inserted while it runs are given if they lie ahead of it, and once it has ended it stays
/// ended. `L` is `&SkipList`, for items that are `&K`, or `Arc<SkipList>`, for items that are
/// [`SharedKey`](crate::SharedKey)s; `R` are the bounds, over what keys are looked up by, `Q`.
///
/// A step from the front takes O(1), from the back O(log n); the first of either O(log n).
pub struct Range<L: ListHandle, R, Q: ?Sized> {
    /// The last keys given from the front and from the back.
    given: Positions<L, 2>,
    bounds: R,
    ended: bool,
    target: PhantomData<fn(&Q)>,
}

/// An iterator over all keys of a list that is borrowed.
pub type Iter<'a, K, C> = Range<&'a SkipList<K, C>, RangeFull, K>;

/// An iterator over all keys of a list, which it keeps alive.
pub type OwnedIter<K, C> = Range<Arc<SkipList<K, C>>, RangeFull, K>;

const FRONT: usize = 0;
const BACK: usize = 1;

impl<L: ListHandle, R: RangeBounds<Q>, Q: ?Sized> Range<L, R, Q> {
    pub(crate) fn new(handle: L, bounds: R) -> Self {
        Self {
            given: Positions::nowhere(handle),
            bounds,
            ended: false,
            target: PhantomData,
        }
    }
}

impl<L, R, Q> Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<L::Key, Q>,
{
    fn is_within(&self, key: &L::Key) -> bool {
        let order = |target| self.given.handle().list().comparator().compare(key, target);
        let after_start = match self.bounds.start_bound() {
            Bound::Included(start) => order(start) != Ordering::Less,
            Bound::Excluded(start) => order(start) == Ordering::Greater,
            Bound::Unbounded => true,
        };
        after_start
            && match self.bounds.end_bound() {
                Bound::Included(end) => order(end) != Ordering::Greater,
                Bound::Excluded(end) => order(end) == Ordering::Less,
                Bound::Unbounded => true,
            }
    }

    /// Gives what `side` has moved to, unless that is beyond the bounds or the other side.
    fn give(&mut self, side: usize) -> Option<L::Item> {
        let nodes = self.given.nodes();
        self.ended = match nodes[side] {
            Some(node) => nodes[1 - side] == Some(node) || !self.is_within(node.key()),
            None => true,
        };
        if self.ended {
            None
        } else {
            self.given.item(side)
        }
    }
}

impl<L, R, Q> Iterator for Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<L::Key, Q>,
{
    type Item = L::Item;

    fn next(&mut self) -> Option<L::Item> {
        if self.ended {
            return None;
        }
        let bounds = &self.bounds;
        self.given.update(FRONT, |list, [front, _]| {
            match (front, bounds.start_bound()) {
                (Some(front), _) => front.next(),
                (None, Bound::Included(start)) => list.lower_bound_node(start),
                (None, Bound::Excluded(start)) => list.upper_bound_node(start),
                (None, Bound::Unbounded) => list.first_node(),
            }
        });
        self.give(FRONT)
    }
}

impl<L, R, Q> DoubleEndedIterator for Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<L::Key, Q> + Compare<L::Key>,
{
    fn next_back(&mut self) -> Option<L::Item> {
        if self.ended {
            return None;
        }
        let bounds = &self.bounds;
        self.given.update(BACK, |list, [_, back]| {
            let order =
                |key: &L::Key, end: &Q| Compare::<L::Key, Q>::compare(list.comparator(), key, end);
            match (back, bounds.end_bound()) {
                (Some(back), _) => list.node_before(back),
                (None, Bound::Included(end)) => {
                    list.last_node_before(|key| order(key, end) != Ordering::Greater)
                }
                (None, Bound::Excluded(end)) => {
                    list.last_node_before(|key| order(key, end) == Ordering::Less)
                }
                (None, Bound::Unbounded) => list.last_node_before(|_| true),
            }
        });
        self.give(BACK)
    }
}

impl<L, R, Q> FusedIterator for Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<L::Key, Q>,
{
}

impl<L: ListHandle, R: Clone, Q: ?Sized> Clone for Range<L, R, Q> {
    fn clone(&self) -> Self {
        Self {
            given: self.given.clone(),
            bounds: self.bounds.clone(),
            ended: self.ended,
            target: PhantomData,
        }
    }
}

impl<L: ListHandle, R, Q: ?Sized> fmt::Debug for Range<L, R, Q>
where
    L::Key: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [front, back] = self.given.nodes();
        f.debug_struct("Range")
            .field("front", &front.map(|node| node.key()))
            .field("back", &back.map(|node| node.key()))
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

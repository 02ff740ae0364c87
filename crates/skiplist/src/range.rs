//! Iterators over the keys within bounds, from both ends.

use std::cmp::Ordering;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::ops::{Bound, ControlFlow, RangeBounds, RangeFull};
use std::sync::Arc;

use crate::handle::{ListHandle, Positions};
use crate::key::Stored;
use crate::position::Position;
use crate::search::Seek;
use crate::{Compare, SkipList};

/// An iterator over the keys of a list within bounds: in order from the front, in reverse from
/// the back, each key at most once.
///
/// Keys inserted while it runs are given if they lie ahead of it, and once it has ended it stays
/// ended. `L` is `&SkipList`, for items that are `&K`, or `Arc<SkipList>`, for items that are
/// [`SharedKey`](crate::SharedKey)s; `R` are the bounds, over what keys are looked up by, `Q`.
///
/// A step from either end takes O(1), the first of either O(log n).
pub struct Range<L: ListHandle, R, Q: ?Sized> {
    /// The last keys given from the front and from the back.
    given: Positions<L, 2>,
    bounds: R,
    ended: bool,
    target: PhantomData<fn(&Q)>,
}

/// An iterator over all keys of a list that is borrowed.
pub type Iter<'a, K, C> = Range<&'a SkipList<K, C>, RangeFull, <K as Stored>::Order>;

/// An iterator over all keys of a list, which it keeps alive.
pub type OwnedIter<K, C> = Range<Arc<SkipList<K, C>>, RangeFull, <K as Stored>::Order>;

/// What a list's keys are compared by.
type Order<L> = <<L as ListHandle>::Key as Stored>::Order;

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
    L::Comparator: Compare<Order<L>, Q>,
{
    /// Moves the front to the next key; says whether that is to be given: not if it is beyond the end,
    /// or what the back gave last. The start was seen to when the front began.
    #[inline(always)]
    fn advance(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let is_there = match self.given.is_somewhere(FRONT) {
            true => self.given.next(FRONT),
            false => self.begin(),
        };
        self.ended = !is_there
            || self.given.are_same(FRONT, BACK)
            || self.has_end()
                && self
                    .given
                    .order(FRONT)
                    .is_none_or(|key| self.is_beyond_end(key));
        !self.ended
    }

    /// As [`advance`](Range::advance), of the back, the start and the front.
    #[inline(always)]
    fn advance_back(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let is_there = match self.given.is_somewhere(BACK) {
            true => self.given.previous(BACK),
            false => self.begin_back(),
        };
        let has_start = !matches!(self.bounds.start_bound(), Bound::Unbounded);
        self.ended = !is_there
            || self.given.are_same(FRONT, BACK)
            || has_start
                && self
                    .given
                    .order(BACK)
                    .is_none_or(|key| self.is_before_start(key));
        !self.ended
    }

    /// Whether keys are to be compared with the end.
    #[inline(always)]
    fn has_end(&self) -> bool {
        !matches!(self.bounds.end_bound(), Bound::Unbounded)
    }

    /// As [`next`](Iterator::next), lending the key: of a list that is owned together with others, no
    /// reference is counted.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use strata_skiplist::{Natural, SkipList};
    ///
    /// let list = Arc::new(SkipList::<u64, Natural>::default());
    /// list.insert(7)?;
    /// let mut keys = list.owned_iter();
    /// assert_eq!(keys.next_key(), Some(&7));
    /// assert_eq!(keys.next_key(), None);
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    #[inline]
    pub fn next_key(&mut self) -> Option<&L::Key> {
        match self.advance() {
            true => self.given.key(FRONT),
            false => None,
        }
    }

    /// As [`next_back`](DoubleEndedIterator::next_back), lending the key.
    #[inline]
    pub fn next_key_back(&mut self) -> Option<&L::Key> {
        match self.advance_back() {
            true => self.given.key(BACK),
            false => None,
        }
    }

    /// Moves the front to the first key within the bounds; says whether there is one.
    #[inline(never)]
    fn begin(&mut self) -> bool {
        let bounds = &self.bounds;
        self.given.seek(FRONT, |list| match bounds.start_bound() {
            Bound::Included(start) => list.first_not_passed(&Seek::before(&list.comparator, start)),
            Bound::Excluded(start) => {
                list.first_not_passed(&Seek::not_after(&list.comparator, start))
            }
            Bound::Unbounded => list.first_position(),
        })
    }

    /// Moves the back to the last key within the bounds; says whether there is one.
    #[inline(never)]
    fn begin_back(&mut self) -> bool {
        let bounds = &self.bounds;
        self.given.seek(BACK, |list| match bounds.end_bound() {
            Bound::Included(end) => list.last_passed(&Seek::not_after(&list.comparator, end)),
            Bound::Excluded(end) => list.last_passed(&Seek::before(&list.comparator, end)),
            Bound::Unbounded => list.last_position(),
        })
    }

    #[inline]
    fn is_beyond_end(&self, key: &Order<L>) -> bool {
        let order = |end| self.given.handle().list().comparator().compare(key, end);
        match self.bounds.end_bound() {
            Bound::Included(end) => order(end) == Ordering::Greater,
            Bound::Excluded(end) => order(end) != Ordering::Less,
            Bound::Unbounded => false,
        }
    }

    #[inline]
    fn is_before_start(&self, key: &Order<L>) -> bool {
        let order = |start| self.given.handle().list().comparator().compare(key, start);
        match self.bounds.start_bound() {
            Bound::Included(start) => order(start) == Ordering::Less,
            Bound::Excluded(start) => order(start) != Ordering::Greater,
            Bound::Unbounded => false,
        }
    }
}

impl<L, R, Q> Iterator for Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<Order<L>, Q>,
{
    type Item = L::Item;

    #[inline]
    fn next(&mut self) -> Option<L::Item> {
        match self.advance() {
            true => self.given.item(FRONT),
            false => None,
        }
    }

    /// Goes through a leaf at a time: nothing is written back between two keys.
    fn fold<B, F: FnMut(B, L::Item) -> B>(mut self, init: B, mut f: F) -> B {
        if !self.advance() {
            return init;
        }
        let Some(first) = self.given.position(FRONT) else {
            return init;
        };
        let back = self.given.position(BACK).map(Position::location);
        let has_end = self.has_end();
        first.walk(init, |folded, at| {
            let is_end = Some(at.location()) == back
                || has_end && self.is_beyond_end(at.leaf.order_of(at.word));
            match is_end {
                true => ControlFlow::Break(folded),
                false => ControlFlow::Continue(f(folded, self.given.item_at(at))),
            }
        })
    }
}

impl<L, R, Q> DoubleEndedIterator for Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<Order<L>, Q>,
{
    #[inline]
    fn next_back(&mut self) -> Option<L::Item> {
        match self.advance_back() {
            true => self.given.item(BACK),
            false => None,
        }
    }
}

impl<L, R, Q> FusedIterator for Range<L, R, Q>
where
    L: ListHandle,
    R: RangeBounds<Q>,
    Q: ?Sized,
    L::Comparator: Compare<Order<L>, Q>,
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
        f.debug_struct("Range")
            .field("front", &self.given.key(FRONT))
            .field("back", &self.given.key(BACK))
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

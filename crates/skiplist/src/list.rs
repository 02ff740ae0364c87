//! The list: what it consists of, and searching it.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Deref, RangeBounds};
use std::sync::Arc;

use strata_arena::Arena;

use crate::atomic::{Link, Tail};
use crate::cursor::{Cursor, OwnedCursor};
use crate::find::{Found, Seek};
use crate::range::{Iter, OwnedIter, Range};
use crate::spot::Spot;
use crate::store::{NodeRef, Store};
use crate::sync::Mutex;
use crate::{Compare, Key};

/// An ordered list of keys of type `K`, ordered by `C`, that several threads read and insert into
/// at once.
///
/// Readers take no lock and never wait. A key is inserted once and stays, at its address, until
/// the list is dropped. A reader sees every key whose insertion returned before the read began,
/// and may see ones inserted meanwhile.
///
/// Searching and inserting take O(log n) comparisons; a step, forward or backward, O(1).
///
/// ```
/// use strata_skiplist::{Numeric, SkipList};
///
/// let list = SkipList::<u64, Numeric>::default();
/// std::thread::scope(|scope| {
///     for residue in 0..4 {
///         let list = &list;
///         scope.spawn(move || {
///             for i in 0..100 {
///                 list.insert(4 * i + residue).unwrap();
///             }
///         });
///     }
/// });
/// assert!(list.iter().copied().eq(0..400));
/// assert!(list.iter().rev().take(3).eq(&[399, 398, 397]));
/// ```
pub struct SkipList<K: Key + ?Sized, C> {
    /// The one node of the highest level, from which every search begins.
    pub(crate) root: Link,
    /// The first leaf, which stays the first.
    pub(crate) first: Link,
    pub(crate) comparator: C,
    pub(crate) store: Store<K>,
    /// Held while the root changes.
    pub(crate) growth: Mutex<()>,
    pub(crate) tail: OwnLine<Tail>,
}

/// What is written often, away from what is read often.
#[repr(align(128))]
#[derive(Debug)]
pub(crate) struct OwnLine<T>(pub(crate) T);

impl<T> Deref for OwnLine<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// An empty list in `comparator`'s order, whose keys and nodes will lie in `arena`.
    #[must_use]
    pub fn new(comparator: C, arena: Arena) -> Self {
        Self {
            root: Link::new(None),
            first: Link::new(None),
            comparator,
            store: Store::new(arena),
            growth: Mutex::new(()),
            tail: OwnLine(Tail::new()),
        }
    }

    /// How many keys there are.
    ///
    /// O(n), but a small one: the leaves are counted up, as a counter would be one more thing that
    /// writers wait for each other at. While keys are inserted it may be off by those being moved
    /// between two leaves.
    #[must_use]
    pub fn len(&self) -> u64 {
        // SAFETY: the link is this list's.
        let first = unsafe { self.store.linked(&self.first) };
        std::iter::successors(first, |leaf| leaf.next())
            .map(|leaf| leaf.count.read() as u64)
            .sum()
    }

    /// Whether there are no keys. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root_node().is_none()
    }

    /// The order of the keys.
    #[must_use]
    pub fn comparator(&self) -> &C {
        &self.comparator
    }

    /// Where the keys and nodes lie: ask it how many bytes that takes.
    #[must_use]
    pub fn arena(&self) -> &Arena {
        &self.store.arena
    }

    /// How many nodes the list has made. O(1).
    pub(crate) fn nodes(&self) -> usize {
        self.store.nodes.get()
    }

    /// The first key. O(1).
    #[must_use]
    pub fn first(&self) -> Option<&K> {
        self.first_spot().map(Spot::key)
    }

    /// The last key. O(1).
    #[must_use]
    pub fn last(&self) -> Option<&K> {
        self.last_spot().map(Spot::key)
    }

    /// A cursor that borrows the list, at no key yet.
    #[must_use]
    pub fn cursor(&self) -> Cursor<&Self> {
        Cursor::new(self)
    }

    /// A cursor that keeps the list alive, at no key yet.
    #[must_use]
    pub fn owned_cursor(self: &Arc<Self>) -> OwnedCursor<K, C> {
        Cursor::new(Arc::clone(self))
    }

    /// Every key, in order; or, from the back, in reverse.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, K, C> {
        Range::new(self, ..)
    }

    /// As [`iter`](SkipList::iter), keeping the list alive.
    #[must_use]
    pub fn owned_iter(self: &Arc<Self>) -> OwnedIter<K, C> {
        Range::new(Arc::clone(self), ..)
    }

    /// The keys within `bounds`, in order; or, from the back, in reverse.
    ///
    /// Unlike `BTreeMap::range` this does not panic for bounds in the wrong order: there are no
    /// keys within them.
    ///
    /// ```
    /// use strata_skiplist::{Numeric, SkipList};
    ///
    /// let list = SkipList::<u64, Numeric>::default();
    /// for key in [10, 20, 30, 40] {
    ///     list.insert(key)?;
    /// }
    /// assert!(list.range(15..=30).eq(&[20, 30]));
    /// assert!(list.range(15..).rev().eq(&[40, 30, 20]));
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    pub fn range<Q: ?Sized, R: RangeBounds<Q>>(&self, bounds: R) -> Range<&Self, R, Q>
    where
        C: Compare<K, Q>,
    {
        Range::new(self, bounds)
    }

    /// As [`range`](SkipList::range), keeping the list alive. The bounds are kept, too.
    pub fn owned_range<Q: ?Sized, R: RangeBounds<Q>>(
        self: &Arc<Self>,
        bounds: R,
    ) -> Range<Arc<Self>, R, Q>
    where
        C: Compare<K, Q>,
    {
        Range::new(Arc::clone(self), bounds)
    }

    /// The key equal to `target`. O(log n) comparisons, no allocation.
    #[must_use]
    #[inline]
    pub fn get<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K, Q>,
    {
        let (leaf, found) = self.descend(&Seek::before(&self.comparator, target))?;
        found.is_equal.then(|| leaf.found_key(found))?
    }

    /// Whether there is a key equal to `target`. O(log n) comparisons, no allocation.
    #[must_use]
    pub fn contains<Q: ?Sized>(&self, target: &Q) -> bool
    where
        C: Compare<K, Q>,
    {
        self.get(target).is_some()
    }

    /// The first key that is not before `target`. O(log n) comparisons, no allocation.
    #[must_use]
    #[inline]
    pub fn lower_bound<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K, Q>,
    {
        let (leaf, found) = self.descend(&Seek::before(&self.comparator, target))?;
        leaf.found_key(found)
    }

    /// As [`lower_bound`](SkipList::lower_bound), but may give none if the key and the target
    /// differ in their [prefixes](Compare::prefix).
    ///
    /// For who looks for keys that have something in common with a target, as versions of a key
    /// do: if there are none, that is mostly known without looking at a key.
    #[must_use]
    #[inline]
    pub fn lower_bound_alike<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K, Q>,
    {
        let (leaf, found) = self.descend(&Seek::before(&self.comparator, target))?;
        found.is_alike.then(|| leaf.found_key(found))?
    }

    /// The first key that is not passed, as a place to go on from.
    #[inline]
    pub(crate) fn first_not_passed<Q: ?Sized>(&self, seek: &Seek<'_, C, Q>) -> Option<Spot<'_, K>>
    where
        C: Compare<K, Q>,
    {
        let (leaf, found) = self.descend(seek)?;
        match found.at_end {
            true => Spot::first_of(leaf.node_of(found.word)?),
            false => Some(Spot::new(leaf, found.index, found.word)),
        }
    }

    /// The last key that is passed.
    pub(crate) fn last_passed<Q: ?Sized>(&self, seek: &Seek<'_, C, Q>) -> Option<Spot<'_, K>>
    where
        C: Compare<K, Q>,
    {
        let mut spot = match self.first_not_passed(seek) {
            Some(spot) => spot.previous(),
            None => self.last_spot(),
        };
        // Not the first step if a key has come in between since.
        while let Some(at) = spot
            && seek.order(at.key()) != Ordering::Less
        {
            spot = at.previous();
        }
        spot
    }

    pub(crate) fn root_node(&self) -> Option<NodeRef<'_, K>> {
        // SAFETY: the link is this list's.
        unsafe { self.store.linked(&self.root) }
    }

    pub(crate) fn first_spot(&self) -> Option<Spot<'_, K>> {
        // SAFETY: the link is this list's.
        let leaf = unsafe { self.store.linked(&self.first) }?;
        Spot::first_of(leaf)
    }

    pub(crate) fn last_spot(&self) -> Option<Spot<'_, K>> {
        Spot::last_from(self.last_leaf()?)
    }

    /// The last leaf, or one that was until just now.
    #[inline]
    pub(crate) fn last_leaf(&self) -> Option<NodeRef<'_, K>> {
        // SAFETY: the link is this list's.
        unsafe { self.store.linked(&self.tail.leaf) }
    }

    /// Goes down from the root to the leaf where the first key that is not passed belongs.
    #[inline]
    pub(crate) fn descend<Q: ?Sized>(
        &self,
        seek: &Seek<'_, C, Q>,
    ) -> Option<(NodeRef<'_, K>, Found)>
    where
        C: Compare<K, Q>,
    {
        Some(self.root_node()?.descend(seek, 0))
    }
}

impl<'a, K: Key + ?Sized> NodeRef<'a, K> {
    /// Goes down from this node to the one of `level` where the first key that is not passed
    /// belongs.
    #[inline]
    pub(crate) fn descend<C: Compare<K, Q>, Q: ?Sized>(
        self,
        seek: &Seek<'_, C, Q>,
        level: u8,
    ) -> (NodeRef<'a, K>, Found) {
        let mut node = self;
        loop {
            let Some(found) = node.find(seek) else {
                // The node was split after a link to it was made.
                node = node.after();
                continue;
            };
            if node.level == level {
                return (node, found);
            }
            // If a split has emptied the slot meanwhile, the position is further right.
            node = match node.child(found.index - 1) {
                Some(child) => child,
                None => node.after(),
            };
            node.prefetch();
        }
    }

    /// The key that was found in this leaf, or at its end.
    #[inline]
    pub(crate) fn found_key(self, found: Found) -> Option<&'a K> {
        match found.at_end {
            false => Some(self.key_of(found.word)),
            true => self.node_of(found.word)?.low_key(),
        }
    }
}

impl<K: Key + ?Sized, C: Default> Default for SkipList<K, C> {
    /// An empty list in an arena without limit.
    fn default() -> Self {
        Self::new(C::default(), Arena::new())
    }
}

impl<K: Key + ?Sized, C> Drop for SkipList<K, C> {
    fn drop(&mut self) {
        if K::NEEDS_DROP {
            let mut next = self.first_spot();
            while let Some(spot) = next {
                next = spot.next();
                // SAFETY: `&mut self`: nobody has access to the list any more, and each key is in
                // it once.
                unsafe { self.store.drop_key(spot.location()) };
            }
        }
    }
}

impl<'a, K: Key + ?Sized, C> IntoIterator for &'a SkipList<K, C>
where
    C: Compare<K>,
{
    type Item = &'a K;
    type IntoIter = Iter<'a, K, C>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Key + ?Sized, C: fmt::Debug> fmt::Debug for SkipList<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkipList")
            .field("len", &self.len())
            .field("comparator", &self.comparator)
            .field("arena", self.arena())
            .finish_non_exhaustive()
    }
}

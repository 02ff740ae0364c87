//! The list: what it consists of, and searching it.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use strata_arena::Arena;

use crate::cursor::{Cursor, OwnedCursor};
use crate::height::{DEFAULT_SEED, Heights};
use crate::link::{Counter, Height};
use crate::node::{Head, NodeRef, OwnsKeys};
use crate::range::{Iter, OwnedIter, Range};
use crate::{Compare, Key};

/// An ordered list of keys of type `K`, ordered by `C`, that several threads read and insert into
/// at once.
///
/// Readers take no lock and never wait. A key is inserted once and stays, at its address, until
/// the list is dropped. A reader sees every key whose insertion returned before the read began,
/// and may see ones inserted meanwhile.
///
/// Searching and inserting take O(log n) comparisons; a step forward O(1), backward O(log n).
///
/// ```
/// use strata_skiplist::{Natural, SkipList};
///
/// let list = SkipList::<u64, Natural>::default();
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
    pub(crate) head: Head<K>,
    /// At least the height of every node.
    pub(crate) height: Height,
    pub(crate) heights: Heights,
    pub(crate) length: Counter,
    pub(crate) comparator: C,
    pub(crate) arena: Arena,
    _keys: OwnsKeys<K>,
}

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// An empty list in `comparator`'s order, whose nodes will lie in `arena`, their heights drawn
    /// from `seed`.
    ///
    /// The same keys inserted in the same order by one thread into lists of the same seed make
    /// the same list, link by link.
    #[must_use]
    pub fn new(comparator: C, arena: Arena, seed: u64) -> Self {
        Self {
            head: Head::new(),
            height: Height::lowest(),
            heights: Heights::new(seed),
            length: Counter::zero(),
            comparator,
            arena,
            _keys: OwnsKeys::new(),
        }
    }

    /// How many keys there are. O(1).
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length.get()
    }

    /// Whether there are no keys. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.tower().first().is_none()
    }

    /// The order of the keys.
    #[must_use]
    pub fn comparator(&self) -> &C {
        &self.comparator
    }

    /// Where the nodes lie: ask it how many bytes that takes.
    #[must_use]
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// The first key. O(1).
    #[must_use]
    pub fn first(&self) -> Option<&K> {
        self.first_node().map(NodeRef::key)
    }

    /// The last key. O(log n).
    #[must_use]
    pub fn last(&self) -> Option<&K> {
        self.last_node_before(|_| true).map(NodeRef::key)
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
    /// use strata_skiplist::{Natural, SkipList};
    ///
    /// let list = SkipList::<u64, Natural>::default();
    /// for key in [10, 20, 30, 40] {
    ///     list.insert(key)?;
    /// }
    /// assert!(list.range(15..=30).eq(&[20, 30]));
    /// assert!(list.range(15..).rev().eq(&[40, 30, 20]));
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    pub fn range<Q: ?Sized, R: std::ops::RangeBounds<Q>>(&self, bounds: R) -> Range<&Self, R, Q>
    where
        C: Compare<K, Q>,
    {
        Range::new(self, bounds)
    }

    /// As [`range`](SkipList::range), keeping the list alive. The bounds are kept, too.
    pub fn owned_range<Q: ?Sized, R: std::ops::RangeBounds<Q>>(
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
    pub fn get<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K, Q>,
    {
        let key = self.lower_bound(target)?;
        (self.comparator.compare(key, target) == Ordering::Equal).then_some(key)
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
    pub fn lower_bound<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K, Q>,
    {
        self.lower_bound_node(target).map(NodeRef::key)
    }

    pub(crate) fn first_node(&self) -> Option<NodeRef<'_, K>> {
        self.head.tower().first()
    }

    pub(crate) fn lower_bound_node<Q: ?Sized>(&self, target: &Q) -> Option<NodeRef<'_, K>>
    where
        C: Compare<K, Q>,
    {
        self.partition(|key| self.comparator.compare(key, target) == Ordering::Less)
            .1
    }

    pub(crate) fn upper_bound_node<Q: ?Sized>(&self, target: &Q) -> Option<NodeRef<'_, K>>
    where
        C: Compare<K, Q>,
    {
        self.partition(|key| self.comparator.compare(key, target) != Ordering::Greater)
            .1
    }

    /// The last node whose key `is_before` holds for.
    pub(crate) fn last_node_before(
        &self,
        is_before: impl FnMut(&K) -> bool,
    ) -> Option<NodeRef<'_, K>> {
        self.partition(is_before).0
    }

    /// The last node that `is_before` holds for and the first it does not hold for; it holds for
    /// the keys before some point and no others.
    fn partition(
        &self,
        mut is_before: impl FnMut(&K) -> bool,
    ) -> (Option<NodeRef<'_, K>>, Option<NodeRef<'_, K>>) {
        let mut last_before = None;
        let mut tower = self.head.tower();
        let mut next = None;
        for level in (0..self.height.get()).rev() {
            let not_before = next;
            loop {
                // SAFETY: S3: the tower is the head's or was reached at this level or above.
                next = unsafe { tower.next(level) };
                match next {
                    // The node found not to be before on the level above needs no second look.
                    Some(node) if next != not_before && is_before(node.key()) => {
                        last_before = next;
                        tower = node.tower();
                    }
                    _ => break,
                }
            }
        }
        (last_before, next)
    }
}

impl<K: Key + ?Sized, C: Default> Default for SkipList<K, C> {
    /// An empty list in an arena without limit, with the [default seed](DEFAULT_SEED).
    fn default() -> Self {
        Self::new(C::default(), Arena::new(), DEFAULT_SEED)
    }
}

impl<K: Key + ?Sized, C> Drop for SkipList<K, C> {
    fn drop(&mut self) {
        if K::NEEDS_DROP {
            let mut next = self.first_node();
            while let Some(node) = next {
                next = node.next();
                // SAFETY: `&mut self`: nobody has access to the list any more, and each node is
                // in it once.
                unsafe { node.drop_key() };
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
            .field("arena", &self.arena)
            .finish_non_exhaustive()
    }
}

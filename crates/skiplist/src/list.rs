//! The list: what it consists of, and searching it.

use std::fmt;
use std::ops::{Deref, RangeBounds};
use std::sync::Arc;

use strata_arena::Arena;

use crate::atomic::{Link, Tail};
use crate::cursor::{Cursor, OwnedCursor};
use crate::node::Node;
use crate::position::Position;
use crate::range::{Iter, OwnedIter, Range};
use crate::search::{Place, Relation, Seek, Sought};
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
            .map(|leaf| leaf.state.count() as u64)
            .sum()
    }

    /// Whether there are no keys. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first_position().is_none()
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

    /// How many bytes are set aside for nodes that are not made yet. O(1), under a lock that is taken
    /// when a node is made.
    #[must_use]
    pub fn spare_bytes(&self) -> usize {
        self.store.spares.count() * size_of::<Node>()
    }

    /// How many nodes the list has made. O(1).
    pub(crate) fn nodes(&self) -> usize {
        self.store.nodes.get()
    }

    /// The first key. O(1).
    #[must_use]
    pub fn first(&self) -> Option<&K> {
        self.first_position().map(Position::key)
    }

    /// The last key. O(1).
    #[must_use]
    pub fn last(&self) -> Option<&K> {
        self.last_position().map(Position::key)
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
        C: Compare<K::Order, Q>,
    {
        Range::new(self, bounds)
    }

    /// As [`range`](SkipList::range), keeping the list alive. The bounds are kept, too.
    pub fn owned_range<Q: ?Sized, R: RangeBounds<Q>>(
        self: &Arc<Self>,
        bounds: R,
    ) -> Range<Arc<Self>, R, Q>
    where
        C: Compare<K::Order, Q>,
    {
        Range::new(Arc::clone(self), bounds)
    }

    /// The key equal to `target`. O(log n) comparisons, no allocation.
    #[must_use]
    #[inline]
    pub fn get<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K::Order, Q>,
    {
        let seek = Seek::before(&self.comparator, target);
        self.look_up(&seek, |place| match place.relation {
            Relation::Equal => place.key(),
            _ => None,
        })
    }

    /// Whether there is a key equal to `target`. O(log n) comparisons, no allocation.
    #[must_use]
    pub fn contains<Q: ?Sized>(&self, target: &Q) -> bool
    where
        C: Compare<K::Order, Q>,
    {
        self.get(target).is_some()
    }

    /// The first key that is not before `target`. O(log n) comparisons, no allocation.
    #[must_use]
    #[inline]
    pub fn lower_bound<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K::Order, Q>,
    {
        let seek = Seek::before(&self.comparator, target);
        self.look_up(&seek, Place::key)
    }

    /// As [`lower_bound`](SkipList::lower_bound), if that is a version of the same thing as `target`,
    /// as [`Compare::compare_versions`] says.
    ///
    /// No key is compared twice; and if no version is there, that is known in most cases without
    /// looking at a key.
    #[must_use]
    #[inline]
    pub fn first_version<Q: ?Sized>(&self, target: &Q) -> Option<&K>
    where
        C: Compare<K::Order, Q>,
    {
        let seek = Seek::before(&self.comparator, target);
        self.look_up(&seek, Place::version)
    }

    /// What `read` makes of the place where the first key is that is not passed.
    #[inline(always)]
    fn look_up<'a>(
        &'a self,
        seek: &impl Sought<K::Order>,
        read: impl Fn(Place<'a, K>) -> Option<&'a K>,
    ) -> Option<&'a K> {
        let leaf = self.root_node()?.descend_to(seek, 0);
        // A place that is found at once is never written to memory.
        if let Ok(place) = leaf.find_quickly(seek) {
            return read(place);
        }
        read(leaf.find_onward(seek))
    }

    /// The first key that is not passed, as a place to go on from.
    #[inline]
    pub(crate) fn first_not_passed(&self, seek: &impl Sought<K::Order>) -> Option<Position<'_, K>> {
        let place = self.descend(seek)?;
        match place.is_at_end {
            true => Position::first_of(place.node.node_of(place.word)?),
            false => Some(Position::new(place.node, place.index, place.word)),
        }
    }

    /// The last key that is passed.
    pub(crate) fn last_passed(&self, seek: &impl Sought<K::Order>) -> Option<Position<'_, K>> {
        let mut position = match self.first_not_passed(seek) {
            Some(position) => position.previous(),
            None => self.last_position(),
        };
        // Not the first step if a key has come in between since.
        while let Some(at) = position
            && seek.relation(at.leaf.order_of(at.word), 0).is_some()
        {
            position = at.previous();
        }
        position
    }

    pub(crate) fn root_node(&self) -> Option<NodeRef<'_, K>> {
        // SAFETY: the link is this list's.
        unsafe { self.store.linked(&self.root) }
    }

    pub(crate) fn first_position(&self) -> Option<Position<'_, K>> {
        // SAFETY: the link is this list's.
        let leaf = unsafe { self.store.linked(&self.first) }?;
        Position::first_of(leaf)
    }

    pub(crate) fn last_position(&self) -> Option<Position<'_, K>> {
        Position::last_from(self.last_leaf()?)
    }

    /// The last leaf, or one that was until just now.
    #[inline]
    pub(crate) fn last_leaf(&self) -> Option<NodeRef<'_, K>> {
        // SAFETY: the link is this list's.
        unsafe { self.store.linked(&self.tail.leaf) }
    }

    /// Goes down from the root to the leaf where the first key that is not passed belongs; none if
    /// there is no leaf.
    #[inline(always)]
    pub(crate) fn descend(&self, seek: &impl Sought<K::Order>) -> Option<Place<'_, K>> {
        let leaf = self.root_node()?.descend_to(seek, 0);
        match leaf.find_quickly(seek) {
            Ok(place) => Some(place),
            Err(_) => Some(leaf.find_onward(seek)),
        }
    }
}

impl<'a, K: Key + ?Sized> NodeRef<'a, K> {
    /// Goes down from this node to one of `level` where the first key that is not passed belongs,
    /// or one before that.
    #[inline(always)]
    pub(crate) fn descend_to(self, seek: &impl Sought<K::Order>, level: u8) -> Self {
        let mut node = self;
        while node.level > level {
            let is_last = node.level == 1;
            node = node.toward(seek);
            // Above the leaves nodes are in the cache.
            if is_last {
                node.prefetch();
            }
        }
        node
    }

    /// The first slot that is not passed, in this node or one further right.
    #[inline(never)]
    pub(crate) fn find_onward(self, seek: &impl Sought<K::Order>) -> Place<'a, K> {
        let mut node = self;
        loop {
            match node.find(seek) {
                Some(place) => return place,
                None => node = node.after(),
            }
        }
    }
}

impl<'a, K: Key + ?Sized> Place<'a, K> {
    /// The key, in a leaf.
    #[inline(always)]
    pub(crate) fn key(self) -> Option<&'a K> {
        self.entry().map(|entry| self.node.key_at(entry))
    }

    /// The key, in a leaf, if it is of the target or a version of the same thing.
    #[inline(always)]
    pub(crate) fn version(self) -> Option<&'a K> {
        match self.is_version() {
            true => self.key(),
            false => None,
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
            let mut next = self.first_position();
            while let Some(position) = next {
                next = position.next();
                // SAFETY: `&mut self`: no other thread has access to the list any more, and each
                // key is in it once.
                unsafe { self.store.drop_key(position.location()) };
            }
        }
    }
}

impl<'a, K: Key + ?Sized, C> IntoIterator for &'a SkipList<K, C>
where
    C: Compare<K::Order>,
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

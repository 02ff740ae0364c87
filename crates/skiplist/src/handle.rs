//! How a cursor or an iterator has its list: borrowed or owned.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::atomic::Word;
use crate::key::Stored;
use crate::node::Node;
use crate::position::Position;
use crate::search::{Place, Seek};
use crate::{Compare, Key, SkipList};

/// A list that is borrowed (`&SkipList`) or owned together with others (`Arc<SkipList>`): what a
/// [`Cursor`](crate::Cursor) or a [`Range`](crate::Range) moves over. Sealed.
pub trait ListHandle: Clone + sealed::Sealed {
    /// The list's keys.
    type Key: Key + ?Sized;
    /// The list's order.
    type Comparator;
    /// What an iterator over the list gives: `&K`, or a [`SharedKey`] that owns the list too.
    type Item: Deref<Target = Self::Key>;

    /// The list. Always the same one.
    fn list(&self) -> &SkipList<Self::Key, Self::Comparator>;

    #[doc(hidden)]
    fn item(self, key: Within<u8>) -> Self::Item;
}

pub(crate) mod sealed {
    use super::{Arc, Key, NonNull, SkipList};

    pub trait Sealed {}
    impl<K: Key + ?Sized, C> Sealed for &SkipList<K, C> {}
    impl<K: Key + ?Sized, C> Sealed for Arc<SkipList<K, C>> {}

    /// A pointer into the list of the handle this is given to, or that is kept with it.
    #[derive(Debug)]
    pub struct Within<T>(pub(super) NonNull<T>);

    impl<T> Clone for Within<T> {
        fn clone(&self) -> Self {
            *self
        }
    }

    impl<T> Copy for Within<T> {}

    // SAFETY: S4: it is followed only together with the handle, which is sent or shared with it
    // and only if the list may be.
    unsafe impl<T> Send for Within<T> {}

    // SAFETY: as above.
    unsafe impl<T> Sync for Within<T> {}
}

use sealed::Within;

impl<'a, K: Key + ?Sized, C> ListHandle for &'a SkipList<K, C> {
    type Key = K;
    type Comparator = C;
    type Item = &'a K;

    #[inline]
    fn list(&self) -> &SkipList<K, C> {
        self
    }

    #[inline]
    fn item(self, key: Within<u8>) -> &'a K {
        // SAFETY: S4: `Positions` gives a key of this list, which is borrowed for `'a`.
        unsafe { self.store.key_from(key.0) }
    }
}

impl<K: Key + ?Sized, C> ListHandle for Arc<SkipList<K, C>> {
    type Key = K;
    type Comparator = C;
    type Item = SharedKey<K, C>;

    #[inline]
    fn list(&self) -> &SkipList<K, C> {
        self
    }

    #[inline]
    fn item(self, key: Within<u8>) -> SharedKey<K, C> {
        SharedKey { list: self, key }
    }
}

/// A key that keeps its list alive: what owned iterators give. It dereferences to the key.
///
/// Making one adds to the list's reference count; nothing is copied. An
/// [`OwnedCursor`](crate::OwnedCursor) lends keys without that.
pub struct SharedKey<K: Key + ?Sized, C> {
    list: Arc<SkipList<K, C>>,
    key: Within<u8>,
}

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// As [`first_version`](SkipList::first_version), keeping the list alive.
    #[must_use]
    pub fn shared_first_version<Q: ?Sized>(self: &Arc<Self>, target: &Q) -> Option<SharedKey<K, C>>
    where
        C: Compare<K::Order, Q>,
    {
        let seek = Seek::before(&self.comparator, target);
        let place = self.descend(&seek).filter(Place::is_version)?;
        Some(SharedKey {
            list: Arc::clone(self),
            key: Within(place.node.start_of(place.entry()?)),
        })
    }
}

impl<K: Key + ?Sized, C> SharedKey<K, C> {
    /// The list that the key is in.
    #[must_use]
    pub fn list(&self) -> &Arc<SkipList<K, C>> {
        &self.list
    }
}

impl<K: Key + ?Sized, C> Deref for SharedKey<K, C> {
    type Target = K;

    #[inline]
    fn deref(&self) -> &K {
        // SAFETY: S4: `Positions` gave a key of this list, which `self` keeps alive.
        unsafe { self.list.store.key_from(self.key.0) }
    }
}

impl<K: Key + ?Sized, C> Clone for SharedKey<K, C> {
    fn clone(&self) -> Self {
        Self {
            list: Arc::clone(&self.list),
            key: self.key,
        }
    }
}

impl<K: Key + fmt::Debug + ?Sized, C> fmt::Debug for SharedKey<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A [`Position`] that something other than a borrow keeps alive (S4), with its key found.
#[derive(Clone, Copy)]
struct Kept {
    leaf: Within<Node>,
    index: usize,
    word: Word,
    key: Within<u8>,
}

impl<K: Key + ?Sized> From<Position<'_, K>> for Kept {
    #[inline(always)]
    fn from(position: Position<'_, K>) -> Self {
        Self {
            leaf: Within(NonNull::from(position.leaf.node())),
            index: position.index,
            word: position.word,
            key: Within(position.leaf.start_of(position.word)),
        }
    }
}

/// A list and `N` positions in it, each at a key or at none.
///
/// Positions change only by steps and through [`Positions::seek`], whose closure can't get hold of
/// another list's position for every lifetime `'l`: that is what upholds S4.
pub(crate) struct Positions<L: ListHandle, const N: usize> {
    handle: L,
    kept: [Option<Kept>; N],
}

impl<L: ListHandle, const N: usize> Positions<L, N> {
    /// `N` positions at no key.
    pub(crate) fn nowhere(handle: L) -> Self {
        Self {
            handle,
            kept: [None; N],
        }
    }

    #[inline(always)]
    pub(crate) fn handle(&self) -> &L {
        &self.handle
    }

    /// The key of position `i`.
    #[inline(always)]
    pub(crate) fn key(&self, i: usize) -> Option<&L::Key> {
        let key = self.kept[i]?.key;
        // SAFETY: S4: the key is of the handle's list, which `self` keeps alive.
        Some(unsafe { self.handle.list().store.key_from(key.0) })
    }

    /// What the key of position `i` is compared by.
    #[inline(always)]
    pub(crate) fn order(&self, i: usize) -> Option<&<L::Key as Stored>::Order> {
        let key = self.kept[i]?.key;
        // SAFETY: S4: the key is of the handle's list, which `self` keeps alive.
        Some(unsafe { self.handle.list().store.order_from(key.0) })
    }

    /// Moves position `i` to the one that `find` finds. Says whether it is at a key then.
    #[inline]
    pub(crate) fn seek(
        &mut self,
        i: usize,
        find: impl for<'l> FnOnce(&'l SkipList<L::Key, L::Comparator>) -> Option<Position<'l, L::Key>>,
    ) -> bool {
        self.kept[i] = find(self.handle.list()).map(Kept::from);
        self.kept[i].is_some()
    }

    /// Moves position `i` to the next key. Says whether it is at a key then.
    #[inline(always)]
    pub(crate) fn next(&mut self, i: usize) -> bool {
        self.step::<true>(i)
    }

    /// Moves position `i` to the key before. Says whether it is at a key then.
    #[inline(always)]
    pub(crate) fn previous(&mut self, i: usize) -> bool {
        self.step::<false>(i)
    }

    /// The position `i` itself.
    #[inline]
    pub(crate) fn position(&self, i: usize) -> Option<Position<'_, L::Key>> {
        let kept = self.kept[i]?;
        // SAFETY: S4: the leaf is of the handle's list, which `self` keeps alive.
        let leaf = unsafe { self.handle.list().store.node_from(kept.leaf.0) };
        Some(Position::new(leaf, kept.index, kept.word))
    }

    /// What an iterator gives for a key of this list.
    #[inline(always)]
    pub(crate) fn item_at(&self, position: Position<'_, L::Key>) -> L::Item {
        let key = Within(position.leaf.start_of(position.word));
        self.handle.clone().item(key)
    }

    /// Whether position `i` is at a key.
    #[inline(always)]
    pub(crate) fn is_somewhere(&self, i: usize) -> bool {
        self.kept[i].is_some()
    }

    /// Steps from position `i`, forward or backward.
    #[inline(always)]
    fn step<const FORWARD: bool>(&mut self, i: usize) -> bool {
        let Some(kept) = self.kept[i] else {
            return false;
        };
        // SAFETY: S4: the leaf is of the handle's list, which `self` keeps alive.
        let leaf = unsafe { self.handle.list().store.node_from(kept.leaf.0) };
        let from = Position::new(leaf, kept.index, kept.word);
        // A step within a leaf does not go through memory.
        let within = match FORWARD {
            true => from.next_in_leaf(),
            false => from.previous_in_leaf(),
        };
        if let Some(to) = within {
            self.kept[i] = Some(Kept::from(to));
            return true;
        }
        let beyond = match FORWARD {
            true => from.next_slowly(),
            false => from.previous_slowly(),
        };
        self.kept[i] = beyond.map(Kept::from);
        self.kept[i].is_some()
    }

    /// What an iterator gives for the key of position `i`.
    #[inline(always)]
    pub(crate) fn item(&self, i: usize) -> Option<L::Item> {
        let key = self.kept[i]?.key;
        Some(self.handle.clone().item(key))
    }

    /// Whether positions `i` and `j` are at the same key, if `i` is at one.
    #[inline(always)]
    pub(crate) fn are_same(&self, i: usize, j: usize) -> bool {
        let key = |i: usize| self.kept[i].map(|kept| kept.key.0);
        key(i) == key(j)
    }
}

impl<L: ListHandle, const N: usize> Clone for Positions<L, N> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            kept: self.kept,
        }
    }
}

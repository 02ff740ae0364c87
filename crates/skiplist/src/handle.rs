//! How a cursor or an iterator has its list: borrowed or owned.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::node::{NodeRef, Place};
use crate::{Key, SkipList};

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
    fn item(&self, place: sealed::Hidden<Self::Key>) -> Self::Item;
}

pub(crate) mod sealed {
    use super::{Arc, Key, Place, SkipList};

    pub trait Sealed {}
    impl<K: Key + ?Sized, C> Sealed for &SkipList<K, C> {}
    impl<K: Key + ?Sized, C> Sealed for Arc<SkipList<K, C>> {}

    /// A node of the list of the handle it is given to.
    #[derive(Debug)]
    pub struct Hidden<K: Key + ?Sized>(pub(super) Place<K>);
}

impl<'a, K: Key + ?Sized, C> ListHandle for &'a SkipList<K, C> {
    type Key = K;
    type Comparator = C;
    type Item = &'a K;

    #[inline]
    fn list(&self) -> &SkipList<K, C> {
        self
    }

    #[inline]
    fn item(&self, place: sealed::Hidden<K>) -> &'a K {
        // SAFETY: S4: `Positions::item` gives a node of this list, which is borrowed for `'a`.
        unsafe { place.0.node::<'a>() }.key()
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
    fn item(&self, place: sealed::Hidden<K>) -> SharedKey<K, C> {
        SharedKey {
            list: Arc::clone(self),
            place: place.0,
        }
    }
}

/// A key that keeps its list alive: what owned iterators give. It dereferences to the key.
///
/// Making one adds to the list's reference count; nothing is copied. An
/// [`OwnedCursor`](crate::OwnedCursor) lends keys without that.
pub struct SharedKey<K: Key + ?Sized, C> {
    list: Arc<SkipList<K, C>>,
    place: Place<K>,
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
        // SAFETY: S4: `Positions::item` gave a node of this list, which `self` keeps alive.
        unsafe { self.place.node() }.key()
    }
}

impl<K: Key + ?Sized, C> Clone for SharedKey<K, C> {
    fn clone(&self) -> Self {
        Self {
            list: Arc::clone(&self.list),
            place: self.place,
        }
    }
}

impl<K: Key + fmt::Debug + ?Sized, C> fmt::Debug for SharedKey<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A list and `N` positions in it, each a node or none.
///
/// Positions change only through [`Positions::update`], whose closure can't get hold of another
/// list's node for every lifetime `'l`: that is what upholds S4.
pub(crate) struct Positions<L: ListHandle, const N: usize> {
    handle: L,
    places: [Option<Place<L::Key>>; N],
}

/// `N` positions as nodes.
type Nodes<'l, L, const N: usize> = [Option<NodeRef<'l, <L as ListHandle>::Key>>; N];

impl<L: ListHandle, const N: usize> Positions<L, N> {
    /// `N` positions at no node.
    pub(crate) fn nowhere(handle: L) -> Self {
        Self {
            handle,
            places: [None; N],
        }
    }

    pub(crate) fn handle(&self) -> &L {
        &self.handle
    }

    /// The positions' nodes.
    #[inline]
    pub(crate) fn nodes(&self) -> Nodes<'_, L, N> {
        // SAFETY: S4: the nodes are of the handle's list, which `self` keeps alive.
        self.places
            .map(|place| place.map(|place| unsafe { place.node() }))
    }

    /// Moves position `i` to the node that `step` finds.
    #[inline]
    pub(crate) fn update(
        &mut self,
        i: usize,
        step: impl for<'l> FnOnce(
            &'l SkipList<L::Key, L::Comparator>,
            Nodes<'l, L, N>,
        ) -> Option<NodeRef<'l, L::Key>>,
    ) {
        self.places[i] = step(self.handle.list(), self.nodes()).map(Place::from);
    }

    /// What an iterator gives for the node at position `i`.
    #[inline]
    pub(crate) fn item(&self, i: usize) -> Option<L::Item> {
        self.places[i].map(|place| self.handle.item(sealed::Hidden(place)))
    }
}

impl<L: ListHandle, const N: usize> Clone for Positions<L, N> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            places: self.places,
        }
    }
}

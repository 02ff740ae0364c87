//! How a cursor or an iterator has its list: borrowed or owned.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use strata_arena::Location;

use crate::atomic::Word;
use crate::key::Stored;
use crate::spot::Spot;
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
    fn item(self, key: sealed::KeyAt) -> Self::Item;
}

pub(crate) mod sealed {
    use super::{Arc, Key, Location, SkipList};

    pub trait Sealed {}
    impl<K: Key + ?Sized, C> Sealed for &SkipList<K, C> {}
    impl<K: Key + ?Sized, C> Sealed for Arc<SkipList<K, C>> {}

    /// Where a key is in the list of the handle this is given to.
    #[derive(Clone, Copy, Debug)]
    pub struct KeyAt(pub(super) Location);
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
    fn item(self, key: sealed::KeyAt) -> &'a K {
        // SAFETY: S4: `Positions` gives a key of this list, which is borrowed for `'a`.
        unsafe { self.store.key(key.0) }
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
    fn item(self, key: sealed::KeyAt) -> SharedKey<K, C> {
        SharedKey { list: self, key }
    }
}

/// A key that keeps its list alive: what owned iterators give. It dereferences to the key.
///
/// Making one adds to the list's reference count; nothing is copied. An
/// [`OwnedCursor`](crate::OwnedCursor) lends keys without that.
pub struct SharedKey<K: Key + ?Sized, C> {
    list: Arc<SkipList<K, C>>,
    key: sealed::KeyAt,
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
        unsafe { self.list.store.key(self.key.0) }
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

/// A [`Spot`] that something other than a borrow keeps alive (S4).
#[derive(Clone, Copy)]
struct Place {
    leaf: Location,
    index: usize,
    word: Word,
}

impl<K: Stored + ?Sized> From<Spot<'_, K>> for Place {
    fn from(spot: Spot<'_, K>) -> Self {
        Self {
            leaf: spot.leaf.location(),
            index: spot.index,
            word: spot.word,
        }
    }
}

/// A list and `N` positions in it, each at a key or at none.
///
/// Positions change only through [`Positions::update`], whose closure can't get hold of another
/// list's spot for every lifetime `'l`: that is what upholds S4.
pub(crate) struct Positions<L: ListHandle, const N: usize> {
    handle: L,
    places: [Option<Place>; N],
}

impl<L: ListHandle, const N: usize> Positions<L, N> {
    /// `N` positions at no key.
    pub(crate) fn nowhere(handle: L) -> Self {
        Self {
            handle,
            places: [None; N],
        }
    }

    pub(crate) fn handle(&self) -> &L {
        &self.handle
    }

    /// The key of position `i`.
    #[inline]
    pub(crate) fn key(&self, i: usize) -> Option<&L::Key> {
        let place = self.places[i]?;
        // SAFETY: S4: the key is of the handle's list, which `self` keeps alive.
        Some(unsafe { self.handle.list().store.key(place.word.location()) })
    }

    /// Moves position `i` to the spot that `step` finds.
    #[inline]
    pub(crate) fn update(
        &mut self,
        i: usize,
        step: impl for<'l> FnOnce(
            &'l SkipList<L::Key, L::Comparator>,
            Option<Spot<'l, L::Key>>,
        ) -> Option<Spot<'l, L::Key>>,
    ) {
        let list = self.handle.list();
        let spot = self.places[i].map(|Place { leaf, index, word }| {
            // SAFETY: S4: the leaf is of the handle's list, which `self` keeps alive.
            Spot::new(unsafe { list.store.node(leaf) }, index, word)
        });
        self.places[i] = step(list, spot).map(Place::from);
    }

    /// What an iterator gives for the key of position `i`.
    #[inline]
    pub(crate) fn item(&self, i: usize) -> Option<L::Item> {
        let place = self.places[i]?;
        let key = sealed::KeyAt(place.word.location());
        Some(self.handle.clone().item(key))
    }

    /// As [`item`](Positions::item), with the handle that is there.
    #[inline]
    pub(crate) fn into_item(self, i: usize) -> Option<L::Item> {
        let place = self.places[i]?;
        let key = sealed::KeyAt(place.word.location());
        Some(self.handle.item(key))
    }

    /// Whether positions `i` and `j` are at the same key, if `i` is at one.
    #[inline]
    pub(crate) fn are_same(&self, i: usize, j: usize) -> bool {
        let location = |i: usize| self.places[i].map(|place| place.word.location());
        location(i) == location(j)
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

//! Iterators over entries, from both ends.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use strata_dbformat::Comparator;
use strata_skiplist::Range;

use crate::bounds::{owned_targets, targets};
use crate::order::{Index, OwnedTarget, Target};
use crate::{Entry, OwnedEntry};

type Bounds<T> = (Bound<T>, Bound<T>);

/// An iterator over the entries of a memtable that is borrowed, within a range of user keys.
///
/// Entries added meanwhile are given if they lie ahead. Once it has ended it stays ended.
pub struct Iter<'a, C>(Range<&'a Index<C>, Bounds<Target<'a>>, Target<'a>>);

impl<'a, C: Comparator> Iter<'a, C> {
    pub(crate) fn new(index: &'a Index<C>, bounds: &impl RangeBounds<&'a [u8]>) -> Self {
        Self(index.range(targets(bounds)))
    }
}

impl<'a, C: Comparator> Iterator for Iter<'a, C> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        self.0.next().map(Entry::new)
    }

    /// Goes through a leaf of the index at a time.
    #[inline]
    fn fold<B, F: FnMut(B, Entry<'a>) -> B>(self, init: B, mut f: F) -> B {
        self.0
            .fold(init, |folded, entry| f(folded, Entry::new(entry)))
    }
}

impl<'a, C: Comparator> DoubleEndedIterator for Iter<'a, C> {
    #[inline]
    fn next_back(&mut self) -> Option<Entry<'a>> {
        self.0.next_back().map(Entry::new)
    }
}

impl<C: Comparator> FusedIterator for Iter<'_, C> {}

impl<C> Clone for Iter<'_, C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for Iter<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(&self.0).finish()
    }
}

/// An iterator over the entries of a memtable that it keeps alive, within a range of user keys:
/// `'static`, and `Send` and `Sync` as every comparator is.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
///
/// let memtable = MemTable::new(BytewiseComparator);
/// memtable.add(SequenceNumber::new(1).unwrap(), ValueType::Value, b"key", b"value")?;
/// let mut entries = memtable.owned_iter();
/// drop(memtable);
/// let thread = std::thread::spawn(move || entries.next().unwrap());
/// assert_eq!(thread.join().unwrap().entry().value(), b"value");
/// # Ok::<(), strata_memtable::AddError>(())
/// ```
pub struct OwnedIter<C>(Range<Arc<Index<C>>, Bounds<OwnedTarget>, OwnedTarget>);

impl<C: Comparator> OwnedIter<C> {
    pub(crate) fn new<'b>(index: &Arc<Index<C>>, bounds: &impl RangeBounds<&'b [u8]>) -> Self {
        Self(index.owned_range(owned_targets(bounds)))
    }

    /// As [`next`](Iterator::next), lending the entry: no reference is counted.
    #[inline]
    pub fn next_entry(&mut self) -> Option<Entry<'_>> {
        self.0.next_key().map(Entry::new)
    }
}

impl<C: Comparator> Iterator for OwnedIter<C> {
    type Item = OwnedEntry<C>;

    #[inline]
    fn next(&mut self) -> Option<OwnedEntry<C>> {
        self.0.next().map(OwnedEntry)
    }
}

impl<C: Comparator> DoubleEndedIterator for OwnedIter<C> {
    #[inline]
    fn next_back(&mut self) -> Option<OwnedEntry<C>> {
        self.0.next_back().map(OwnedEntry)
    }
}

impl<C: Comparator> FusedIterator for OwnedIter<C> {}

impl<C> Clone for OwnedIter<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for OwnedIter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedIter").field(&self.0).finish()
    }
}

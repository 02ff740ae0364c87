//! Searching for several keys at once.
//!
//! A search waits for memory at every level. Several of them that go down together wait together:
//! while one waits for its node, the others ask for theirs.

use std::borrow::Borrow;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use crate::atomic::Word;
use crate::find::{Found, Seek};
use crate::store::NodeRef;
use crate::{Compare, Key, SkipList};

/// How many searches go down together.
const TOGETHER: usize = 16;

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// Looks up the first keys that are not before each of `targets`, several at a time; gives them
    /// in order, each with its target.
    ///
    /// As with [`lower_bound_alike`](SkipList::lower_bound_alike), there may be none for a target
    /// that differs from the key found in its prefix. Nothing is allocated.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, SkipList};
    ///
    /// let list = SkipList::<[u8], Bytewise>::default();
    /// for word in ["fig", "pear", "apple"] {
    ///     list.insert_bytes(word.as_bytes())?;
    /// }
    /// let found = list.lower_bounds_alike::<str, _>(["pear", "fig"]);
    /// let found: Vec<_> = found.map(|(_, key)| key).collect();
    /// assert_eq!(found, [Some(&b"pear"[..]), Some(b"fig")]);
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    pub fn lower_bounds_alike<Q: ?Sized, I>(
        &self,
        targets: I,
    ) -> LowerBounds<'_, K, C, Q, I::IntoIter>
    where
        C: Compare<K, Q>,
        I: IntoIterator<Item: Borrow<Q>>,
    {
        LowerBounds {
            list: self,
            targets: targets.into_iter(),
            found: std::array::from_fn(|_| None),
            next: TOGETHER,
            target: PhantomData,
        }
    }

    /// Brings near what insertions of keys equal to `targets` will read.
    ///
    /// For who is about to insert several keys: a few dozen at most, or the first are gone again
    /// before they are read.
    pub fn prefetch<Q: ?Sized, I>(&self, targets: I)
    where
        C: Compare<K, Q>,
        I: IntoIterator<Item: Borrow<Q>>,
    {
        // Appending reads the last leaf only.
        if !self.tail.is_appending() {
            self.lower_bounds_alike(targets).for_each(drop);
        }
    }

    /// Goes down for all of `seeks` together.
    fn descend_together<'a, 'q, Q: ?Sized + 'q>(
        &'a self,
        seeks: &[Option<Seek<'q, C, Q>>; TOGETHER],
        mut found: impl FnMut(usize, NodeRef<'a, K>, Found),
    ) where
        C: Compare<K, Q> + 'q,
    {
        let Some(root) = self.root_node() else { return };
        let mut nodes = [Some(root); TOGETHER];
        let mut is_going = true;
        while is_going {
            is_going = false;
            for (node, seek) in nodes.iter().zip(seeks) {
                if let (Some(node), Some(seek)) = (node, seek) {
                    node.prefetch_found(seek);
                }
            }
            for (i, seek) in seeks.iter().enumerate() {
                let (Some(node), Some(seek)) = (nodes[i], seek) else {
                    continue;
                };
                nodes[i] = match node.find(seek) {
                    None => node.next(),
                    Some(at) if node.level == 0 => {
                        found(i, node, at);
                        None
                    }
                    Some(at) => node.child(at.index - 1).or(node.next()),
                };
                if let Some(node) = nodes[i] {
                    node.prefetch();
                    is_going = true;
                }
            }
        }
    }
}

impl<K: Key + ?Sized> NodeRef<'_, K> {
    /// In a leaf, fetches the key that is likely to be found there.
    #[inline]
    fn prefetch_found<C: Compare<K, Q>, Q: ?Sized>(self, seek: &Seek<'_, C, Q>) {
        if self.level == 0
            && let Some(head) = seek.prefix.as_ref().and_then(|prefix| self.head(prefix))
        {
            let word = self.word(self.slots_before(Word::least(head)));
            if word.upper() == head {
                self.prefetch_entry(word);
            }
        }
    }
}

/// The first keys not before each of several targets; made by
/// [`SkipList::lower_bounds_alike`].
pub struct LowerBounds<'a, K: Key + ?Sized, C, Q: ?Sized, I: Iterator> {
    list: &'a SkipList<K, C>,
    targets: I,
    /// The targets taken last that are not given yet, from `next` on, and the keys found for them.
    found: [Option<(I::Item, Option<&'a K>)>; TOGETHER],
    next: usize,
    target: PhantomData<fn(&Q)>,
}

impl<K: Key + ?Sized, C: Compare<K, Q>, Q: ?Sized, I> LowerBounds<'_, K, C, Q, I>
where
    I: Iterator<Item: Borrow<Q>>,
{
    /// Takes some more targets and looks for their keys.
    fn take_some(&mut self) {
        let targets: [Option<I::Item>; TOGETHER] = std::array::from_fn(|_| self.targets.next());
        let seeks = std::array::from_fn(|i| {
            let target: &Q = targets[i].as_ref()?.borrow();
            Some(Seek::before(&self.list.comparator, target))
        });
        let mut keys = [None; TOGETHER];
        self.list.descend_together(&seeks, |i, leaf, found| {
            keys[i] = found.is_alike.then(|| leaf.found_key(found)).flatten();
        });
        self.found = targets.map(|target| Some((target?, None)));
        for (found, key) in self.found.iter_mut().flatten().zip(keys) {
            found.1 = key;
        }
        self.next = 0;
    }
}

impl<'a, K: Key + ?Sized, C: Compare<K, Q>, Q: ?Sized, I> Iterator for LowerBounds<'a, K, C, Q, I>
where
    I: Iterator<Item: Borrow<Q>>,
{
    type Item = (I::Item, Option<&'a K>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next == TOGETHER {
            self.take_some();
        }
        let found = self.found[self.next].take();
        // What is not full is the last: then there is nothing to come.
        self.next += usize::from(found.is_some());
        found
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let taken = self.found.iter().flatten().count();
        let (least, most) = self.targets.size_hint();
        (
            least.saturating_add(taken),
            most.and_then(|most| most.checked_add(taken)),
        )
    }
}

impl<K: Key + ?Sized, C: Compare<K, Q>, Q: ?Sized, I> FusedIterator for LowerBounds<'_, K, C, Q, I> where
    I: FusedIterator<Item: Borrow<Q>>
{
}

impl<K: Key + ?Sized, C, Q: ?Sized, I: Iterator> fmt::Debug for LowerBounds<'_, K, C, Q, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.found.iter().flatten().count();
        f.debug_struct("LowerBounds")
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

//! Searching for several keys at once.
//!
//! A search waits for memory at every level. Several of them that go down together wait together:
//! while one waits for its node, the others ask for theirs.

use std::borrow::Borrow;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use crate::atomic::Word;
use crate::key::{Ended, KeyValue, Pair};
use crate::prefetch::PREFETCHES;
use crate::search::{Place, Seek};
use crate::store::NodeRef;
use crate::writer::Writer;
use crate::{Compare, InsertError, Inserted, Key, SkipList};

/// How many searches go down together.
const TOGETHER: usize = 16;

/// Something for each of the searches that go down together.
type Each<T> = [T; TOGETHER];

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// Looks up the [first versions](SkipList::first_version) of `targets`, several at a time; gives
    /// them in order, each with its target. Nothing is allocated.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, SkipList};
    ///
    /// let list = SkipList::<[u8], Bytewise>::default();
    /// for word in ["fig", "pear", "apple"] {
    ///     list.insert_bytes(word.as_bytes())?;
    /// }
    /// let found = list.first_versions::<str, _>(["pear", "kiwi", "fig"]);
    /// let found: Vec<_> = found.map(|(_, key)| key).collect();
    /// assert_eq!(found, [Some(&b"pear"[..]), None, Some(b"fig")]);
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    pub fn first_versions<Q: ?Sized, I>(
        &self,
        targets: I,
    ) -> FirstVersions<'_, K, C, Q, I::IntoIter>
    where
        C: Compare<K::Order, Q>,
        I: IntoIterator<Item: Borrow<Q>>,
    {
        FirstVersions {
            list: self,
            targets: targets.into_iter(),
            found: std::array::from_fn(|_| None),
            next: TOGETHER,
            target: PhantomData,
        }
    }

    /// Goes down for all of `seeks` together; gives where the first keys are that are not passed.
    fn descend_together<'a, Q: ?Sized>(
        &'a self,
        seeks: &Each<Option<Seek<'_, C, Q>>>,
    ) -> Each<Option<Place<'a, K>>>
    where
        C: Compare<K::Order, Q>,
    {
        let mut places = [None; TOGETHER];
        let Some(root) = self.root_node() else {
            return places;
        };
        let mut nodes = [root; TOGETHER];
        for level in (0..root.level).rev() {
            for (node, seek) in nodes.iter_mut().zip(seeks) {
                if let Some(seek) = seek {
                    *node = node.descend_to(seek, level);
                }
            }
        }
        for (leaf, seek) in nodes.iter().zip(seeks).filter(|_| PREFETCHES) {
            if let Some(seek) = seek {
                leaf.prefetch_found(seek);
            }
        }
        for ((leaf, seek), place) in nodes.into_iter().zip(seeks).zip(&mut places) {
            if let Some(seek) = seek {
                *place = Some(leaf.find_onward(seek));
            }
        }
        places
    }
}

impl<K: Key + ?Sized> NodeRef<'_, K> {
    /// In a leaf, fetches the key that is likely to be found there.
    #[inline]
    fn prefetch_found<C, Q: ?Sized>(self, seek: &Seek<'_, C, Q>)
    where
        C: Compare<K::Order, Q>,
    {
        if let Some(digest) = seek.prefix.as_ref().and_then(|prefix| self.digest(prefix)) {
            let word = self.word(self.slots_before(Word::least(digest)));
            if word.upper() == digest {
                self.prefetch_entry(word);
            }
        }
    }
}

/// The first versions of several targets; made by [`SkipList::first_versions`].
pub struct FirstVersions<'a, K: Key + ?Sized, C, Q: ?Sized, I: Iterator> {
    list: &'a SkipList<K, C>,
    targets: I,
    /// The targets taken last that are not given yet, from `next` on, and the keys found for them.
    found: Each<Option<(I::Item, Option<&'a K>)>>,
    next: usize,
    target: PhantomData<fn(&Q)>,
}

impl<K, C, Q, I> FirstVersions<'_, K, C, Q, I>
where
    K: Key + ?Sized,
    C: Compare<K::Order, Q>,
    Q: ?Sized,
    I: Iterator<Item: Borrow<Q>>,
{
    /// Takes some more targets and looks for their keys.
    fn take_some(&mut self) {
        let targets: Each<Option<I::Item>> = std::array::from_fn(|_| self.targets.next());
        let seeks = std::array::from_fn(|i| {
            let target: &Q = targets[i].as_ref()?.borrow();
            Some(Seek::before(&self.list.comparator, target))
        });
        let places = self.list.descend_together(&seeks);
        self.found = targets.map(|target| Some((target?, None)));
        for (found, place) in self.found.iter_mut().flatten().zip(places) {
            found.1 = place.and_then(Place::version);
        }
        self.next = 0;
    }
}

impl<'a, K, C, Q, I> Iterator for FirstVersions<'a, K, C, Q, I>
where
    K: Key + ?Sized,
    C: Compare<K::Order, Q>,
    Q: ?Sized,
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

impl<K, C, Q, I> FusedIterator for FirstVersions<'_, K, C, Q, I>
where
    K: Key + ?Sized,
    C: Compare<K::Order, Q>,
    Q: ?Sized,
    I: FusedIterator<Item: Borrow<Q>>,
{
}

impl<K: Key + ?Sized, C, Q: ?Sized, I: Iterator> fmt::Debug for FirstVersions<'_, K, C, Q, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.found.iter().flatten().count();
        f.debug_struct("FirstVersions")
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

impl<'a, C: Compare<[u8]>> Writer<'a, KeyValue, C> {
    /// Inserts entries: each a target; the key that compares as equal to it, as its first bytes and
    /// its last `N`; and a value. Tells `inserted` of each.
    ///
    /// The places of some are looked for together, unless they come in order, and handed on: no key
    /// is searched for twice.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, KeyValue, SkipList};
    ///
    /// let list = SkipList::<KeyValue, Bytewise>::default();
    /// let entries = [("pear", "green"), ("figs", "purple")];
    /// let entries = entries.map(|(key, value)| (key, (key.as_bytes(), []), value.as_bytes()));
    /// let mut writer = list.writer();
    /// writer.reserve([(4, 5), (4, 6)].into_iter())?;
    /// let inserted = writer.insert_versions(entries.into_iter(), |_, _| ());
    /// assert!(inserted.is_ok());
    /// assert_eq!(list.first().map(KeyValue::value), Some(&b"purple"[..]));
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_key_value`], with the target of the first that is refused; those before
    /// it are inserted. None is refused for lack of memory that was [set aside](Writer::reserve).
    pub fn insert_versions<'e, Q, const N: usize>(
        &mut self,
        mut entries: impl Iterator<Item = (Q, (&'e [u8], [u8; N]), &'e [u8])>,
        mut inserted: impl FnMut(&Q, Inserted<'a, KeyValue>),
    ) -> Result<(), (Q, InsertError)>
    where
        C: Compare<[u8], Q>,
    {
        let list = self.list;
        loop {
            let some: Each<Option<_>> = std::array::from_fn(|_| entries.next());
            let places = {
                let seeks = std::array::from_fn(|i| {
                    let (target, _, _) = some[i].as_ref()?;
                    Some(Seek::before(&list.comparator, target))
                });
                match are_in_order(&seeks) {
                    true => [None; TOGETHER],
                    false => list.descend_together(&seeks),
                }
            };
            for (entry, place) in some.into_iter().zip(places) {
                let Some((target, (first, last), value)) = entry else {
                    return Ok(());
                };
                let key = Ended(first, last);
                match self.insert_new(&target, Pair { key, value }, place) {
                    Ok(key) => inserted(&target, key),
                    Err(error) => return Err((target, error)),
                }
            }
        }
    }
}

/// Whether keys come in order, as far as their prefixes tell.
fn are_in_order<C, Q>(seeks: &Each<Option<Seek<'_, C, Q>>>) -> bool {
    let prefixes = || seeks.iter().flatten().map(|seek| seek.prefix);
    prefixes().all(|prefix| prefix.is_some()) && prefixes().is_sorted()
}

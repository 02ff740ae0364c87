//! Searching for several keys at once.
//!
//! A search waits for memory at every level. Several of them that go down together wait together:
//! while one waits for its node, the others ask for theirs.

use std::borrow::Borrow;

use crate::atomic::Word;
use crate::key::{Ended, KeyValue, Pair};
use crate::prefetch::PREFETCHES;
use crate::search::{Place, Seek, Sought};
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
    pub fn first_versions<'a, Q: ?Sized, I>(
        &'a self,
        targets: I,
    ) -> impl Iterator<Item = (I::Item, Option<&'a K>)> + use<'a, K, C, Q, I>
    where
        C: Compare<K::Order, Q>,
        I: IntoIterator<Item: Borrow<Q>>,
    {
        let mut targets = targets.into_iter().fuse();
        let some = std::iter::from_fn(move || {
            let some: Each<Option<I::Item>> = std::array::from_fn(|_| targets.next());
            // What is not full is the last: after it, there is nothing to come.
            some[0].is_some().then_some(some)
        });
        some.flat_map(|targets| {
            let seeks = std::array::from_fn(|i| {
                let target: &Q = targets[i].as_ref()?.borrow();
                Some(Seek::before(&self.comparator, target))
            });
            let places = self.descend_together(&seeks);
            let found = targets.into_iter().zip(places);
            found.filter_map(|(target, place)| Some((target?, place.and_then(Place::version))))
        })
    }

    /// Goes down for all of `seeks` together; gives where the first keys are that are not passed.
    fn descend_together<S: Sought<K::Order>>(
        &self,
        seeks: &Each<Option<S>>,
    ) -> Each<Option<Place<'_, K>>> {
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
    fn prefetch_found(self, seek: &impl Sought<K::Order>) {
        if let Some(digest) = seek.prefix().and_then(|prefix| self.digest(prefix)) {
            let word = self.word(self.slots_before(Word::least(digest)));
            if word.upper() == digest {
                self.prefetch_entry(word);
            }
        }
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
                match are_in_order::<[u8], _>(&seeks) {
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
fn are_in_order<O: ?Sized, S: Sought<O>>(seeks: &Each<Option<S>>) -> bool {
    let prefixes = || seeks.iter().flatten().map(Sought::prefix);
    prefixes().all(|prefix| prefix.is_some()) && prefixes().is_sorted()
}

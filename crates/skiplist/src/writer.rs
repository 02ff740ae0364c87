//! Inserting through a lane of the arena, one key or many.

use std::alloc::Layout;
use std::fmt;
use std::mem::MaybeUninit;

use strata_arena::{AllocError, Allocation, Lease, Location};

use crate::key::{Ended, Joined, KeyValue, NewKey, Pair, Whole, prefixed};
use crate::node::SLOTS;
use crate::position::Position;
use crate::search::{Place, Relation, Seek, Sought};
use crate::spare::Stock;
use crate::store::Store;
use crate::{Compare, InsertError, Inserted, Key, SkipList};

/// Inserts into a list; made by [`SkipList::writer`].
///
/// It has a lane of the list's arena for itself, so that memory for a key takes no further
/// synchronisation. Keys that come in order are inserted without a search: each is looked for after
/// the one before.
///
/// Memory may be [set aside](Writer::reserve) beforehand; then keys of those lengths can't be
/// refused for lack of it.
pub struct Writer<'a, K: Key + ?Sized, C> {
    pub(crate) list: &'a SkipList<K, C>,
    pub(crate) lease: Lease<'a>,
    pub(crate) stock: Stock<'a, K>,
    /// What is set aside for keys, and where it begins.
    memory: &'a mut [MaybeUninit<u8>],
    location: Location,
    /// Where the key before is: in a run in order, the next one is just after it.
    pub(crate) last: Option<Position<'a, K>>,
}

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// Inserts through a lane of the arena that is the writer's alone while it lives. Waits while as
    /// many writers as the arena has lanes live.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, SkipList};
    ///
    /// let list = SkipList::<[u8], Bytewise>::default();
    /// let mut writer = list.writer();
    /// writer.insert_bytes(b"fig")?;
    /// writer.insert_bytes(b"pear")?;
    /// assert_eq!(list.len(), 2);
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn writer(&self) -> Writer<'_, K, C> {
        Writer {
            list: self,
            lease: self.store.arena.lease(),
            stock: Stock::empty(&self.store),
            memory: &mut [],
            location: Location::from_bits(0),
            last: None,
        }
    }
}

impl<'a, K: Key + ?Sized, C> Writer<'a, K, C> {
    /// The lane of the arena that is the writer's.
    #[must_use]
    #[inline]
    pub fn lease(&self) -> &Lease<'a> {
        &self.lease
    }

    /// Sets memory aside for keys of these layouts, one after the other, and for the nodes that
    /// inserting them makes.
    fn set_aside(&mut self, keys: impl Iterator<Item = Option<Layout>>) -> Result<(), AllocError> {
        let mut whole = Layout::new::<()>();
        let mut count = 0usize;
        for key in keys {
            count += 1;
            // Padded, so that laying one after the other needs no more padding.
            let extended = whole.extend(Store::<K>::key_layout(key)?);
            let too_large = AllocError::OutOfMemory {
                requested: usize::MAX,
            };
            whole = extended.map_err(|_| too_large)?.0;
        }
        let memory = self.list.store.set_aside(&self.lease, whole)?;
        // The last of them must find as many as any other insertion.
        let before_it = self.list.most_splits(count.saturating_sub(1));
        let nodes = before_it + self.list.nodes_for_splits();
        if let Err(error) = self.stock.fill_to(&self.lease, nodes) {
            self.list.store.keep_for_keys(memory);
            return Err(error);
        }
        (self.location, self.memory) = (memory.location, memory.bytes);
        Ok(())
    }

    /// Takes memory for `layout`, or allocates it if too little is set aside.
    #[inline]
    pub(crate) fn take(&mut self, layout: Layout) -> Result<Allocation<'a>, AllocError> {
        if !self.memory.is_empty()
            && let Some(bytes) = self.memory.split_off_mut(..layout.size())
        {
            let location = self.location;
            self.location = location.plus(layout.size());
            return Ok(Allocation { location, bytes });
        }
        self.lease.allocate(layout)
    }
}

impl<'a, K, C: Compare<K>> Writer<'a, K, C> {
    /// As [`SkipList::insert`].
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert`].
    pub fn insert(&mut self, key: K) -> Result<&'a K, InsertError> {
        let list = self.list;
        let place = self.place_for(&Seek::before(&list.comparator, &key));
        if place.is_some_and(|place| place.relation == Relation::Equal) {
            return Err(InsertError::Duplicate);
        }
        let new = Whole(key);
        let allocation = self.take(Store::<K>::key_layout(new.layout())?)?;
        let key = list.store.write_key(allocation, new);
        let seek = Seek::before(&list.comparator, key.key());
        let linked = self.link(&seek, place, key.location)?;
        Ok(self.finish(linked, key).key)
    }
}

impl<'a, C: Compare<[u8]>> Writer<'a, [u8], C> {
    /// Sets memory aside for keys of these lengths, so that inserting them can't fail for lack of
    /// it.
    ///
    /// Keys should be inserted with the lengths, and in the order, they were announced in: one that
    /// does not fit what is left of that memory is allocated anew, which may fail. Memory that
    /// no key takes stays unused.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, InsertError, SkipList};
    ///
    /// let list = SkipList::<[u8], Bytewise>::default();
    /// let mut writer = list.writer();
    /// writer.reserve([3, 5].into_iter())?;
    /// writer.insert_bytes(b"one")?;
    /// writer.insert_bytes(b"three")?;
    /// # Ok::<(), InsertError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InsertError::Full`] if the arena has not as much.
    pub fn reserve(&mut self, lengths: impl Iterator<Item = usize>) -> Result<(), InsertError> {
        let layout = |length| Layout::array::<u8>(prefixed(length)?).ok();
        Ok(self.set_aside(lengths.map(layout))?)
    }

    /// As [`SkipList::insert_bytes`].
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_bytes`].
    pub fn insert_bytes(&mut self, key: &[u8]) -> Result<&'a [u8], InsertError> {
        self.insert_parts(key, &[key])
    }

    /// As [`SkipList::insert_parts`].
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_parts`].
    #[inline]
    pub fn insert_parts<Q: ?Sized>(
        &mut self,
        target: &Q,
        parts: &[&[u8]],
    ) -> Result<&'a [u8], InsertError>
    where
        C: Compare<[u8], Q>,
    {
        Ok(self.insert_new(target, Joined(parts), None)?.key)
    }
}

impl<'a, C: Compare<[u8]>> Writer<'a, KeyValue, C> {
    /// As [`Writer::reserve`] for keys, for keys and values of these lengths.
    ///
    /// # Errors
    ///
    /// [`InsertError::Full`] if the arena has not as much.
    pub fn reserve(
        &mut self,
        lengths: impl Iterator<Item = (usize, usize)>,
    ) -> Result<(), InsertError> {
        let layout = |(key, value)| Layout::array::<u8>(KeyValue::encoded_length(key, value)?).ok();
        Ok(self.set_aside(lengths.map(layout))?)
    }

    /// As [`SkipList::insert_key_value`].
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_key_value`].
    #[inline]
    pub fn insert_key_value<Q: ?Sized>(
        &mut self,
        target: &Q,
        key: &[&[u8]],
        value: &[u8],
    ) -> Result<Inserted<'a, KeyValue>, InsertError>
    where
        C: Compare<[u8], Q>,
    {
        let key = Joined(key);
        self.insert_new(target, Pair { key, value }, None)
    }

    /// As [`insert_key_value`](Writer::insert_key_value), of a key that is `key` and after it the
    /// bytes `end`: a version, say.
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_key_value`].
    #[inline(always)]
    pub fn insert_version<Q: ?Sized, const N: usize>(
        &mut self,
        target: &Q,
        key: &[u8],
        end: [u8; N],
        value: &[u8],
    ) -> Result<Inserted<'a, KeyValue>, InsertError>
    where
        C: Compare<[u8], Q>,
    {
        let key = Ended(key, end);
        self.insert_new(target, Pair { key, value }, None)
    }

    /// As [`insert_version`](Writer::insert_version), with the last `N` bytes of the key asked
    /// for when its place is found and memory for it is taken, so that little is left to do then.
    /// If there are none after all, nothing is inserted, and the memory is lost. Nodes are set aside
    /// after that, if its leaf is full: the key may be refused for lack of them though `end` gave its
    /// bytes.
    ///
    /// `target` may become another one while `end` is called, by a [`Cell`](std::cell::Cell) in it
    /// for instance, and is then what the key must compare as equal to. The place that was found is
    /// looked at again, and is looked for anew if the key belongs elsewhere by now.
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_key_value`].
    pub fn insert_version_late<Q: ?Sized, const N: usize>(
        &mut self,
        target: &Q,
        key: &[u8],
        value: &[u8],
        end: impl FnOnce(&Lease<'a>) -> Option<[u8; N]>,
    ) -> Result<Option<Inserted<'a, KeyValue>>, InsertError>
    where
        C: Compare<[u8], Q>,
    {
        let list = self.list;
        let place = self.place_for(&Seek::before(&list.comparator, target));
        let pair = |end| Pair {
            key: Ended(key, end),
            value,
        };
        let layout = NewKey::<KeyValue>::layout(&pair([0; N]));
        let allocation = self.take(Store::<KeyValue>::key_layout(layout)?)?;
        if place.is_some_and(|place| place.node.state.count() == SLOTS) {
            // So that the number is not given in vain.
            let nodes = list.nodes_for_splits();
            self.stock.fill_to(&self.lease, nodes)?;
        }
        let Some(end) = end(&self.lease) else {
            return Ok(None);
        };
        let seek = Seek::before(&list.comparator, target);
        let place = place
            .and_then(|place| place.found_again(&seek))
            .or_else(|| list.descend(&seek));
        if place.is_some_and(|place| place.relation == Relation::Equal) {
            return Err(InsertError::Duplicate);
        }
        let key = list.store.write_key(allocation, pair(end));
        let linked = self.link(&seek, place, key.location)?;
        Ok(Some(self.finish(linked, key)))
    }
}

impl<'a, K: Key + ?Sized> Place<'a, K> {
    /// The place for another target, if that is in the same leaf.
    fn found_again(self, seek: &impl Sought<K::Order>) -> Option<Self> {
        // What is before the first key of a leaf's range belongs into a leaf further left.
        let is_within =
            |place: &Self| place.index > 0 || place.node.low().is_none() || place.is_equal();
        self.node.find(seek).filter(is_within)
    }

    fn is_equal(&self) -> bool {
        self.relation == Relation::Equal
    }
}

impl<K, C: Compare<K>> SkipList<K, C> {
    /// Inserts `key` and returns it where it now is.
    ///
    /// # Errors
    ///
    /// [`InsertError::Duplicate`] if there is an equal key, [`InsertError::Full`] if the arena has
    /// no memory. Nothing is visible then, and `key` is dropped. Without a race for the same key,
    /// a duplicate takes no memory either.
    pub fn insert(&self, key: K) -> Result<&K, InsertError> {
        self.writer().insert(key)
    }
}

impl<C: Compare<[u8]>> SkipList<[u8], C> {
    /// Inserts a copy of `key` and returns it where it now is.
    ///
    /// # Errors
    ///
    /// As [`insert_parts`](SkipList::insert_parts).
    pub fn insert_bytes(&self, key: &[u8]) -> Result<&[u8], InsertError> {
        self.writer().insert_bytes(key)
    }

    /// Inserts the key that is `parts` one after the other, and returns it where it now is.
    ///
    /// The caller says where it belongs: it must compare as equal to `target`. So a key need not
    /// be put together before it is known to be wanted, and is copied once.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, SkipList};
    ///
    /// let list = SkipList::<[u8], Bytewise>::default();
    /// let key = list.insert_parts(&b"prefix/key"[..], &[b"prefix", b"/", b"key"])?;
    /// assert_eq!(key, b"prefix/key");
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InsertError::Duplicate`] if there is a key equal to `target`, [`InsertError::Full`] if
    /// the arena has no memory or the key is 4 GiB or longer. Nothing is visible then. Without a
    /// race for the same key, a duplicate takes no memory either.
    pub fn insert_parts<Q: ?Sized>(&self, target: &Q, parts: &[&[u8]]) -> Result<&[u8], InsertError>
    where
        C: Compare<[u8], Q>,
    {
        self.writer().insert_parts(target, parts)
    }
}

impl<C: Compare<[u8]>> SkipList<KeyValue, C> {
    /// Inserts a key, which is `key`'s parts one after the other, with a value, and returns them
    /// where they now are.
    ///
    /// The caller says where the key belongs: it must compare as equal to `target`.
    ///
    /// # Errors
    ///
    /// [`InsertError::Duplicate`] if there is a key equal to `target`, [`InsertError::Full`] if
    /// the arena has no memory or one of the two is 4 GiB or longer. Nothing is visible then.
    /// Without a race for the same key, a duplicate takes no memory either.
    pub fn insert_key_value<Q: ?Sized>(
        &self,
        target: &Q,
        key: &[&[u8]],
        value: &[u8],
    ) -> Result<Inserted<'_, KeyValue>, InsertError>
    where
        C: Compare<[u8], Q>,
    {
        self.writer().insert_key_value(target, key, value)
    }
}

impl<K: Key + ?Sized, C> fmt::Debug for Writer<'_, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("set_aside_bytes", &self.memory.len())
            .field("set_aside_nodes", &self.stock.count())
            .finish_non_exhaustive()
    }
}

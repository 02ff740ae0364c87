//! Inserting: find where the key belongs, take memory for it, and put it into its leaf.
//!
//! One node is locked at a time, and the next one on its level before it is let go if the key
//! belongs further right. A node that is full is split, and the node that this makes is put into
//! the level above in the same way, after the lock is let go: until it is there, it is reached
//! over the link to the right.

use std::alloc::Layout;
use std::cmp::Ordering;

use strata_arena::{AllocError, Allocation, Location};

use crate::atomic::Word;
use crate::find::{Found, Seek};
use crate::gap::Gap;
use crate::heads::SLACK;
use crate::key::{Joined, KeyValue, NewKey, Pair, Whole};
use crate::locked::{Item, Locked, Placed};
use crate::node::Node;
use crate::prefix::Common;
use crate::split::Split;
use crate::spot::Spot;
use crate::store::{NodeRef, Store};
use crate::{Compare, InsertError, Inserted, Key, Prefix, SkipList};

impl<K: Key + ?Sized, C: Compare<K>> SkipList<K, C> {
    /// Inserts a key that is equal to `target`, in memory that `allocate` gives.
    ///
    /// `last` is where a key was inserted before, if that may be just before this one; and then,
    /// where this one is.
    #[inline]
    pub(crate) fn insert_new<'a, Q: ?Sized>(
        &'a self,
        target: &Q,
        new: impl NewKey<K>,
        allocate: impl FnOnce(Layout) -> Result<Allocation<'a>, AllocError>,
        last: &mut Option<Spot<'a, K>>,
    ) -> Result<Inserted<'a, K>, InsertError>
    where
        C: Compare<K, Q>,
    {
        let seek = Seek::before(&self.comparator, target);
        let place = self.place_for(&seek, last.take())?;
        let allocation = allocate(Store::<K>::key_layout(new.layout())?)?;
        let (inserted, spot) = self.put_in_place(&seek, place, allocation, new)?;
        *last = spot;
        Ok(inserted)
    }

    /// Writes a key and puts it at its place; gives where it then is, too, if that is easily told.
    #[inline]
    fn put_in_place<'a, Q: ?Sized>(
        &'a self,
        seek: &Seek<'_, C, Q>,
        place: Option<(NodeRef<'a, K>, Found)>,
        allocation: Allocation<'a>,
        new: impl NewKey<K>,
    ) -> Result<(Inserted<'a, K>, Option<Spot<'a, K>>), InsertError>
    where
        C: Compare<K, Q>,
    {
        let key = self.store.write_key(allocation, new);
        let (placed, gap) = self.link(seek, place, key.location)?;
        let key = key.leave_to_list();
        let spot = self.settle(placed);
        let inserted = Inserted {
            key,
            before: gap.as_ref().and_then(Gap::alike_before),
            after: gap.as_ref().and_then(Gap::alike_after),
        };
        Ok((inserted, spot))
    }

    /// Where a key belongs, unless an equal one is there; none if there is no leaf yet.
    #[inline]
    fn place_for<'a, Q: ?Sized>(
        &'a self,
        seek: &Seek<'_, C, Q>,
        last: Option<Spot<'a, K>>,
    ) -> Result<Option<(NodeRef<'a, K>, Found)>, InsertError>
    where
        C: Compare<K, Q>,
    {
        if self.tail.is_appending()
            && let Some(leaf) = self.last_leaf()
            && let Some(end) = seek.end_of_list(leaf)
        {
            return Ok(Some((leaf, end)));
        }
        let after_last = last.and_then(|last| seek.after(last));
        match after_last.or_else(|| self.descend(seek)) {
            Some((_, found)) if found.is_equal => Err(InsertError::Duplicate),
            place => Ok(place),
        }
    }

    /// Puts the key at `location` into the list, at `place` or where that has gone since, unless an
    /// equal one has come. From then on the key is the list's. Gives what it was put between, unless
    /// it is the first one.
    #[inline]
    fn link<'a, Q: ?Sized>(
        &'a self,
        seek: &Seek<'_, C, Q>,
        place: Option<(NodeRef<'a, K>, Found)>,
        location: Location,
    ) -> Result<(Placed<'a, K>, Option<Gap<'a, K>>), InsertError>
    where
        C: Compare<K, Q>,
    {
        let item = Item {
            location,
            key: location,
        };
        let (leaf, found) = match place {
            Some(place) => place,
            None => match self.plant(seek.prefix.as_ref(), item)? {
                None => return Ok((Placed::InNewNode, None)),
                Some(root) => root.descend(seek, 0),
            },
        };
        let (locked, found) = Locked::at(leaf, found, seek);
        if found.is_equal {
            return Err(InsertError::Duplicate);
        }
        self.tail
            .set_appending(found.at_end && found.word.is_empty());
        let leaf = locked.node;
        let (placed, before) = locked.put(self, found.index, item, seek.prefix.as_ref())?;
        let gap = Gap {
            leaf,
            before,
            found,
        };
        Ok((placed, Some(gap)))
    }

    /// Makes the first leaf, of one key; if there is a root, gives that and does nothing.
    fn plant(
        &self,
        prefix: Option<&Prefix>,
        item: Item,
    ) -> Result<Option<NodeRef<'_, K>>, AllocError> {
        let _growth = self.growth.lock();
        if let Some(root) = self.root_node() {
            return Ok(Some(root));
        }
        let common = prefix.map(|_| Common::NOTHING);
        let head = prefix.map(|prefix| Common::NOTHING.head(prefix));
        let word = Word::new(item.upper(0, head), item.location);
        let leaf = Node::new(0, common, None, None, Word::EMPTY, &[word]);
        let leaf = self.store.add_node(leaf)?.location();
        self.first.write(leaf);
        self.tail.leaf.write(leaf);
        self.root.write(leaf);
        Ok(None)
    }

    /// Makes the node that a leaf was split into findable from above, and what that splits. Gives
    /// where the key is, if that is easily told.
    #[inline]
    fn settle<'a>(&'a self, mut placed: Placed<'a, K>) -> Option<Spot<'a, K>> {
        if let Placed::At(spot) = placed {
            return Some(spot);
        }
        while let Placed::BySplit(Split { right, low }) = placed {
            // Without memory for a node it stays where it is, reached from the left.
            placed = self.promote(right, low).unwrap_or(Placed::InNewNode);
        }
        None
    }

    /// Puts `right`, whose range begins with the key at `low`, into the level above its own.
    fn promote<'a>(
        &'a self,
        right: NodeRef<'a, K>,
        low: Location,
    ) -> Result<Placed<'a, K>, AllocError> {
        let level = right.level + 1;
        let item = Item {
            location: right.location(),
            key: low,
        };
        let Some(low) = right.low_key() else {
            unreachable!("a range that was split off has a beginning")
        };
        let seek = Seek::before(&self.comparator, low);
        let Some(root) = self.root_at(level, &seek, item)? else {
            return Ok(Placed::InNewNode);
        };
        let (node, _) = root.descend(&seek, level);
        let (locked, found) = Locked::for_position(node, &seek);
        locked.pass_over_replaced(found.index - 1);
        let (placed, _) = locked.put(self, found.index, item, seek.prefix.as_ref())?;
        Ok(placed)
    }

    /// The root, if it is of `level` or above; if not, makes one of the root there is and `item`.
    fn root_at(
        &self,
        level: u8,
        seek: &Seek<'_, C, K>,
        item: Item,
    ) -> Result<Option<NodeRef<'_, K>>, AllocError> {
        let is_high = |root: &NodeRef<'_, K>| root.level >= level;
        if let Some(root) = self.root_node().filter(is_high) {
            return Ok(Some(root));
        }
        let _growth = self.growth.lock();
        let root = match self.root_node() {
            Some(root) if is_high(&root) => return Ok(Some(root)),
            Some(root) => root,
            None => unreachable!("what was split has a root above it"),
        };
        let common = seek.prefix.as_ref().map(|low| {
            let prefix = |key| self.comparator.prefix(key).unwrap_or(*low);
            let first = self.first().map_or(*low, prefix);
            let last = self.last().map_or(*low, prefix);
            Common::first_of(low, first.common(&last).saturating_sub(SLACK))
        });
        let head = common
            .zip(seek.prefix)
            .map(|(common, low)| common.head(&low));
        let words = [
            Word::new(0, root.location()),
            Word::new(item.upper(level, head), item.location),
        ];
        let node = Node::new(level, common, None, None, Word::EMPTY, &words);
        self.root.write(self.store.add_node(node)?.location());
        Ok(None)
    }
}

impl<C, Q: ?Sized> Seek<'_, C, Q> {
    /// The place after `last`, if that is it.
    #[inline]
    fn after<'a, K: Key + ?Sized>(&self, last: Spot<'a, K>) -> Option<(NodeRef<'a, K>, Found)>
    where
        C: Compare<K, Q>,
    {
        let leaf = last.leaf;
        let is_after =
            leaf.word(last.index) == last.word && self.order(last.key()) == Ordering::Less;
        let found = is_after.then(|| leaf.find_at(self, last.index + 1))??;
        Some((leaf, found))
    }

    /// The end of `leaf`, if that is the last one and all its keys are passed.
    #[inline]
    fn end_of_list<K: Key + ?Sized>(&self, leaf: NodeRef<'_, K>) -> Option<Found>
    where
        C: Compare<K, Q>,
    {
        let count = leaf.count.read();
        let last = leaf.word(count.checked_sub(1)?);
        let is_end = !last.is_empty()
            && self.order(leaf.key_of(last)) == Ordering::Less
            && leaf.right.read().is_empty();
        is_end.then_some(Found::end_of_list(count))
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
        let place = self.place_for(&Seek::before(&self.comparator, &key), None)?;
        let new = Whole(key);
        let allocation = self
            .arena()
            .allocate(Store::<K>::key_layout(new.layout())?)?;
        let key = self.store.write_key(allocation, new);
        let (placed, _) = self.link(
            &Seek::before(&self.comparator, key.key()),
            place,
            key.location,
        )?;
        let key = key.leave_to_list();
        self.settle(placed);
        Ok(key)
    }
}

impl<C: Compare<[u8]>> SkipList<[u8], C> {
    /// Inserts a copy of `key` and returns it where it now is.
    ///
    /// # Errors
    ///
    /// As [`insert_parts`](SkipList::insert_parts).
    pub fn insert_bytes(&self, key: &[u8]) -> Result<&[u8], InsertError> {
        self.insert_parts(key, &[key])
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
        let allocate = |layout| self.arena().allocate(layout);
        Ok(self
            .insert_new(target, Joined(parts), allocate, &mut None)?
            .key)
    }
}

impl<C: Compare<KeyValue>> SkipList<KeyValue, C> {
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
        C: Compare<KeyValue, Q>,
    {
        let allocate = |layout| self.arena().allocate(layout);
        let new = Pair {
            key: Joined(key),
            value,
        };
        self.insert_new(target, new, allocate, &mut None)
    }
    /// As [`insert_key_value`](SkipList::insert_key_value), with the last `N` bytes of the key asked
    /// for when its place is found and there is memory for it, so that little is left to do then.
    /// If there are none after all, nothing is inserted, and the memory is lost.
    ///
    /// `target` may become another one while `end` is called, by a [`Cell`](std::cell::Cell) in it
    /// for instance, and is then what the key must compare as equal to. Of the keys that were in the
    /// list before that call none may lie between the two targets, or be equal to one of them: or the
    /// list's order is broken.
    ///
    /// # Errors
    ///
    /// As [`insert_key_value`](SkipList::insert_key_value).
    pub fn insert_key_value_late<Q: ?Sized, const N: usize>(
        &self,
        target: &Q,
        key: &[u8],
        value: &[u8],
        end: impl FnOnce() -> Option<[u8; N]>,
    ) -> Result<Option<Inserted<'_, KeyValue>>, InsertError>
    where
        C: Compare<KeyValue, Q>,
    {
        let seek = Seek::before(&self.comparator, target);
        let place = self.place_for(&seek, None)?;
        let whole = Pair {
            key: Joined(&[key, &[0; N]]),
            value,
        };
        let layout = Store::<KeyValue>::key_layout(NewKey::<KeyValue>::layout(&whole))?;
        let allocation = self.arena().allocate(layout)?;
        let Some(end) = end() else {
            return Ok(None);
        };
        let new = Pair {
            key: Joined(&[key, &end]),
            value,
        };
        let (inserted, _) = self.put_in_place(&seek, place, allocation, new)?;
        Ok(Some(inserted))
    }
}

//! Inserting: find where the key belongs, take memory for it, and put it into its leaf.
//!
//! One node is locked at a time, and the next one on its level before it is let go if the key
//! belongs further right. A node that is full is split, and the node that this makes is put into
//! the level above in the same way, after the lock is let go: until it is there, it is reached
//! over the right link.

use strata_arena::{AllocError, Location};

use crate::atomic::Word;
use crate::key::NewKey;
use crate::locked::{Item, Locked};
use crate::node::{Header, Node};
use crate::position::Position;
use crate::prefix::Truncated;
use crate::search::{Place, Relation, Seek, Sought};
use crate::spare::Stock;
use crate::store::{NodeRef, Store, UnlinkedKey};
use crate::writer::Writer;
use crate::{Compare, InsertError, Inserted, Key, Prefix, SkipList};

/// There is no node though some were set aside: threads that insert at the same time have made the
/// list higher by more levels than an insertion reckons with.
const NO_NODES: InsertError = InsertError::Full(AllocError::OutOfMemory {
    requested: size_of::<Node>(),
});

/// A key that was put into a leaf.
pub(crate) struct Linked<'a, K: Key + ?Sized> {
    /// Where it is.
    place: Place<'a, K>,
    /// What is in the slot before it; empty if that has another digest.
    before: Word,
    /// The node that was split off from its leaf.
    split: Option<NodeRef<'a, K>>,
}

/// How many more levels a list may get while an insertion is under way.
const LEVELS_TO_COME: usize = 1;

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// How many nodes splits by one insertion make at most: one a level and a root.
    pub(crate) fn nodes_for_splits(&self) -> usize {
        let levels = self
            .root_node()
            .map_or(0, |root| usize::from(root.level) + 1);
        levels + LEVELS_TO_COME + 1
    }
}

impl<'a, K: Key + ?Sized, C: Compare<K::Order>> Writer<'a, K, C> {
    /// Inserts a key that is equal to `target`; at `place`, if that is given, where it was found to
    /// belong.
    #[inline(always)]
    pub(crate) fn insert_new<Q: ?Sized>(
        &mut self,
        target: &Q,
        new: impl NewKey<K>,
        place: Option<Place<'a, K>>,
    ) -> Result<Inserted<'a, K>, InsertError>
    where
        C: Compare<K::Order, Q>,
    {
        let seek = Seek::before(&self.list.comparator, target);
        let place = place.or_else(|| self.place_for(&seek));
        if place.is_some_and(|place| place.relation == Relation::Equal) {
            return Err(InsertError::Duplicate);
        }
        let allocation = self.take(Store::<K>::key_layout(new.layout())?)?;
        let key = self.list.store.write_key(allocation, new);
        let linked = self.link(&seek, place, key.location)?;
        Ok(self.finish(linked, key))
    }

    /// Where a key belongs; none if there is no leaf yet.
    #[inline]
    pub(crate) fn place_for(&mut self, seek: &impl Sought<K::Order>) -> Option<Place<'a, K>> {
        let list = self.list;
        if list.tail.is_appending()
            && let Some(leaf) = list.last_leaf()
            && let Some(end) = leaf.end_of_list(seek)
        {
            return Some(end);
        }
        let after_last = self.last.take().and_then(|last| last.place_after(seek));
        after_last.or_else(|| list.descend(seek))
    }

    /// Puts the key at `location` into the list, at `place` or where that has gone since, unless an
    /// equal one has come. From then on the key is the list's.
    #[inline(always)]
    pub(crate) fn link(
        &mut self,
        seek: &impl Sought<K::Order>,
        place: Option<Place<'a, K>>,
        location: Location,
    ) -> Result<Linked<'a, K>, InsertError> {
        let place = match place {
            Some(place) => place,
            None => self.first_place(seek)?,
        };
        let (mut locked, mut place) = Locked::at(place, seek);
        if locked.is_full() {
            (locked, place) = self.with_nodes(locked, place, seek)?;
        }
        if place.relation == Relation::Equal {
            return Err(InsertError::Duplicate);
        }
        let list = self.list;
        list.tail
            .set_appending(place.is_at_end && place.word.is_empty());
        let item = Item {
            location,
            key: location,
        };
        let put = locked.put(list, &mut self.stock, place, item, seek.prefix());
        let (before, split) = put.ok_or(NO_NODES)?;
        Ok(Linked {
            place,
            before,
            split,
        })
    }

    /// Leaves a key that was put into a leaf to the list, and puts the node that was split off then
    /// into the level above.
    #[inline(always)]
    pub(crate) fn finish(
        &mut self,
        linked: Linked<'a, K>,
        key: UnlinkedKey<'a, K>,
    ) -> Inserted<'a, K> {
        let Linked {
            place,
            before,
            split,
        } = linked;
        let word = Word::new(place.digest.unwrap_or(0), key.location);
        let key = key.leave_to_list();
        self.last = match split {
            None => Some(Position::new(place.node, place.index, word)),
            Some(right) => {
                self.promote(right);
                None
            }
        };
        let after = match place.relation {
            Relation::OtherPrefix => None,
            _ => place.key(),
        };
        Inserted {
            key,
            before: (!before.is_empty()).then(|| place.node.key_at(before)),
            after,
        }
    }

    /// Sets nodes aside for an insertion into a full leaf: lets go of its lock, and finds the place
    /// again.
    #[cold]
    fn with_nodes(
        &mut self,
        mut locked: Locked<'a, K>,
        mut place: Place<'a, K>,
        seek: &impl Sought<K::Order>,
    ) -> Result<(Locked<'a, K>, Place<'a, K>), InsertError> {
        while locked.is_full() && self.stock.count() < self.list.nodes_for_splits() {
            let node = locked.node;
            drop(locked);
            // Two more, so that nodes may be refitted before they are split.
            let nodes = self.list.nodes_for_splits() + 2;
            self.stock.fill_to(&self.lease, nodes)?;
            (locked, place) = Locked::new(node).seek(seek);
        }
        Ok((locked, place))
    }

    /// Where a key belongs in a list that had no leaf; makes the first one, which is empty.
    #[cold]
    fn first_place(&mut self, seek: &impl Sought<K::Order>) -> Result<Place<'a, K>, InsertError> {
        self.stock.fill_to(&self.lease, 1)?;
        let list = self.list;
        let growth = list.growth.lock();
        if list.root_node().is_none() {
            let header = Header {
                level: 0,
                prefix: seek.prefix().map(|_| Truncated::EMPTY),
                low: None,
                previous: None,
                right: Word::EMPTY,
            };
            if let Some(leaf) = self.stock.make(header, &[]) {
                let leaf = leaf.location();
                list.first.write(leaf);
                list.tail.leaf.write(leaf);
                list.root.write(leaf);
            }
        }
        drop(growth);
        list.descend(seek).ok_or(NO_NODES)
    }

    /// Puts the node that a leaf was split into into the level above, and what that splits.
    #[cold]
    fn promote(&mut self, split: NodeRef<'a, K>) {
        let mut split = Some(split);
        while let Some(right) = split {
            split = self.promote_one(right);
        }
    }

    /// Puts `right`, whose range begins with a key, into the level above its own. Gives the node
    /// that was split off there, if one was.
    fn promote_one(&mut self, right: NodeRef<'a, K>) -> Option<NodeRef<'a, K>> {
        let list = self.list;
        let level = right.level + 1;
        let item = Item {
            location: right.location(),
            key: right.low()?,
        };
        let seek = Seek::before(&list.comparator, right.low_order()?);
        let root = root_at(list, &mut self.stock, level, seek.prefix(), item)?;
        let (locked, place) = root.lock_at(&seek, level);
        locked.pass_over_replaced(place.index - 1);
        let (_, split) = locked.put(list, &mut self.stock, place, item, seek.prefix())?;
        if split.is_none() && place.node.state.is_replaced() {
            // Otherwise what is put into the level above sees to it.
            let root = list.root_node().filter(|root| root.level > level)?;
            let (locked, place) = root.lock_at(&seek, level + 1);
            locked.pass_over_replaced(place.index - 1);
        }
        split
    }
}

/// The root, if it is of `level` or above; if not, makes one of the root there is and `item`.
fn root_at<'a, K: Key + ?Sized, C: Compare<K::Order>>(
    list: &'a SkipList<K, C>,
    stock: &mut Stock<'a, K>,
    level: u8,
    low: Option<&Prefix>,
    item: Item,
) -> Option<NodeRef<'a, K>> {
    let is_high = |root: &NodeRef<'_, K>| root.level >= level;
    if let Some(root) = list.root_node().filter(is_high) {
        return Some(root);
    }
    let prefix = low.map(|low| {
        let (first, last) = list.ends_around(low);
        Truncated::of(low, first.shared(&last))
    });
    let _growth = list.growth.lock();
    let root = list.root_node()?;
    if is_high(&root) {
        return Some(root);
    }
    let digest = prefix.zip(low).map(|(prefix, low)| prefix.digest(low));
    let words = [
        Word::new(0, root.location()),
        Word::new(item.upper(level, digest), item.location),
    ];
    let header = Header {
        level,
        prefix,
        low: None,
        previous: None,
        right: Word::EMPTY,
    };
    list.root.write(stock.make(header, &words)?.location());
    None
}

impl<'a, K: Key + ?Sized> NodeRef<'a, K> {
    /// Locks the node of `level` below this one, or this one, where what is sought belongs.
    fn lock_at(self, seek: &impl Sought<K::Order>, level: u8) -> (Locked<'a, K>, Place<'a, K>) {
        Locked::new(self.descend_to(seek, level)).seek(seek)
    }
}

impl<'a, K: Key + ?Sized> Position<'a, K> {
    /// The place after this key, if that is it.
    #[inline]
    fn place_after(self, seek: &impl Sought<K::Order>) -> Option<Place<'a, K>> {
        let leaf = self.leaf;
        let is_there = leaf.word(self.index) == self.word;
        let is_after = is_there && seek.relation(leaf.order_of(self.word), 0).is_none();
        is_after.then(|| leaf.find_at(seek, self.index + 1))?
    }
}

impl<'a, K: Key + ?Sized> NodeRef<'a, K> {
    /// The end of this leaf, if it is the last one and all its keys are passed.
    #[inline]
    fn end_of_list(self, seek: &impl Sought<K::Order>) -> Option<Place<'a, K>> {
        let count = self.state.count();
        let last = self.filled(count.checked_sub(1)?)?;
        let digest = self.digest_of(seek);
        let is_passed = match digest {
            Some(digest) if last.upper() != digest => last.upper() < digest,
            _ => seek
                .relation(self.order_of(last), self.shared_by(digest))
                .is_none(),
        };
        (is_passed && self.right.read().is_empty()).then(|| Place::end_of_list(self, count, digest))
    }
}

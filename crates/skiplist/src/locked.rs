//! A node whose lock is held: finding the place in it again, and putting something there.

use strata_arena::Location;

use crate::atomic::Word;
use crate::node::SLOTS;
use crate::search::{Place, Sought};
use crate::spare::Stock;
use crate::store::NodeRef;
use crate::sync::Held;
use crate::{Compare, Key, Prefix, SkipList};

/// What is put into a slot: a key, or a node and the first key of its range.
#[derive(Clone, Copy)]
pub(crate) struct Item {
    /// Where the key or the node is.
    pub(crate) location: Location,
    /// Where the key is.
    pub(crate) key: Location,
}

impl Item {
    /// The upper half of the item's word in a node of `level`, in which the key has this digest.
    #[inline]
    pub(crate) fn upper(self, level: u8, digest: Option<u32>) -> u32 {
        match digest {
            Some(digest) => digest,
            None if level > 0 => self.key.to_bits(),
            None => 0,
        }
    }
}

/// A node whose lock this thread holds, until this is dropped.
pub(crate) struct Locked<'a, K: Key + ?Sized> {
    pub(crate) node: NodeRef<'a, K>,
    _held: Held<'a>,
}

impl<K: Key + ?Sized> Drop for Locked<'_, K> {
    #[inline]
    fn drop(&mut self) {
        self.node.state.unlock();
    }
}

impl<'a, K: Key + ?Sized> Locked<'a, K> {
    #[inline]
    pub(crate) fn new(node: NodeRef<'a, K>) -> Self {
        Self {
            node,
            _held: node.node().state.lock(),
        }
    }

    /// Locks the node where the first key that is not passed belongs: that of `place`, which was
    /// found for `seek`, or one after it.
    #[inline(always)]
    pub(crate) fn at(place: Place<'a, K>, seek: &impl Sought<K::Order>) -> (Self, Place<'a, K>) {
        let node = place.node;
        let locked = Self::new(node);
        // Whatever is put into a node at or before a slot changes what is in it, and a split
        // changes the right link (N1).
        let is_as_found = match place.is_at_end {
            true => node.state.count() == place.index && node.right.read() == place.word,
            false => node.word(place.index) == place.word,
        };
        match is_as_found {
            true => (locked, place),
            false => locked.seek(seek),
        }
    }

    /// Finds the place again, in this node or in one after it, which is then locked instead.
    #[inline(never)]
    pub(crate) fn seek(mut self, seek: &impl Sought<K::Order>) -> (Self, Place<'a, K>) {
        loop {
            match self.node.find(seek) {
                Some(place) => return (self, place),
                None => self = Self::new(self.node.after()),
            }
        }
    }

    /// Whether all slots are filled.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.node.state.count() == SLOTS
    }

    /// Puts `item` at `place`; a node that is full is split into two. Gives what is in the slot
    /// before it, empty if that has another digest, and the node that was split off. None if the
    /// node is full and the stock has no node: then nothing was done.
    #[inline(always)]
    pub(crate) fn put<C: Compare<K::Order>>(
        self,
        list: &'a SkipList<K, C>,
        stock: &mut Stock<'a, K>,
        place: Place<'a, K>,
        item: Item,
        prefix: Option<&Prefix>,
    ) -> Option<(Word, Option<NodeRef<'a, K>>)> {
        let locked = match self.node.level == 0 && !self.is_full() {
            true => self,
            false => self.refitted(list, stock, prefix),
        };
        let node = locked.node;
        let digest = match node == place.node {
            true => place.digest,
            false => prefix.and_then(|prefix| node.digest(prefix)),
        };
        let word = Word::new(item.upper(node.level, digest), item.location);
        let before = match node.word(place.index.wrapping_sub(1)) {
            before if before.upper() == word.upper() => before,
            _ => Word::EMPTY,
        };
        if locked.is_full() {
            let split = locked.split(list, stock, place.index, word)?;
            return Some((before, Some(split)));
        }
        locked.shift_in(place.index, word);
        Some((before, None))
    }

    /// Makes slot `index` lead to the node that has taken the place of the one it leads to, if one
    /// has.
    pub(crate) fn pass_over_replaced(&self, index: usize) {
        let word = self.node.word(index);
        let mut child = self.node.node_of(word);
        while let Some(replaced) = child.filter(|child| child.state.is_replaced()) {
            let next = replaced.after();
            self.node.slots[index].write(Word::new(word.upper(), next.location()));
            child = Some(next);
        }
    }

    /// Makes room at slot `index`, of a node that is not full, and puts `word` there.
    #[inline]
    pub(crate) fn shift_in(&self, index: usize, word: Word) {
        let node = self.node;
        let count = node.state.count();
        node.state.set_count(count + 1);
        // From the end on, so that nothing is ever missing (N1).
        for at in node.slots[index..=count].windows(2).rev() {
            at[1].write(at[0].read());
        }
        node.slots[index].write(word);
    }
}

//! A node whose lock is held: finding the place in it again, and putting something there.

use strata_arena::{AllocError, Location};

use crate::atomic::Word;
use crate::find::{Found, Seek};
use crate::node::SLOTS;
use crate::split::Split;
use crate::spot::Spot;
use crate::store::NodeRef;
use crate::sync::MutexGuard;
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
    /// The upper half of the item's word in a node of `level`, in which the key has this head.
    #[inline]
    pub(crate) fn upper(self, level: u8, head: Option<u32>) -> u32 {
        match head {
            Some(head) => head,
            None if level > 0 => self.key.to_bits(),
            None => 0,
        }
    }
}

/// How a key or a node was put into a list.
pub(crate) enum Placed<'a, K: Key + ?Sized> {
    /// Into a slot that was free or made so.
    At(Spot<'a, K>),
    /// With a split, which made a node that is not in the level above yet.
    BySplit(Split<'a, K>),
    /// As the first of a new level.
    InNewNode,
}

/// A node whose lock this thread holds.
pub(crate) struct Locked<'a, K: Key + ?Sized> {
    pub(crate) node: NodeRef<'a, K>,
    _lock: MutexGuard<'a, ()>,
}

impl<'a, K: Key + ?Sized> Locked<'a, K> {
    pub(crate) fn new(node: NodeRef<'a, K>) -> Self {
        Self {
            node,
            _lock: node.node().lock.lock(),
        }
    }

    /// Locks the node where the first key that is not passed belongs: `node`, in which it was
    /// `found`, or one after it.
    #[inline]
    pub(crate) fn at<C: Compare<K, Q>, Q: ?Sized>(
        node: NodeRef<'a, K>,
        found: Found,
        seek: &Seek<'_, C, Q>,
    ) -> (Self, Found) {
        let locked = Self::new(node);
        // Whatever is put into a node at or before a slot changes what is in it, and a split
        // changes the right link (N1).
        let is_as_found = match found.at_end {
            true => node.count.read() == found.index && node.right.read() == found.word,
            false => node.word(found.index) == found.word,
        };
        match is_as_found {
            true => (locked, found),
            false => {
                drop(locked);
                Self::for_position(node, seek)
            }
        }
    }

    /// Locks the node where the first key that is not passed belongs: `node` or one after it.
    pub(crate) fn for_position<C: Compare<K, Q>, Q: ?Sized>(
        node: NodeRef<'a, K>,
        seek: &Seek<'_, C, Q>,
    ) -> (Self, Found) {
        let mut locked = Self::new(node);
        loop {
            match locked.node.find(seek) {
                Some(found) => return (locked, found),
                None => locked = Self::new(locked.node.after()),
            }
        }
    }

    /// Puts `item` before slot `index`. Gives what was in the slot before that, if it has the same
    /// head; empty if not.
    pub(crate) fn put<C: Compare<K>>(
        self,
        list: &'a SkipList<K, C>,
        index: usize,
        item: Item,
        prefix: Option<&Prefix>,
    ) -> Result<(Placed<'a, K>, Word), AllocError> {
        let locked = match self.node.level == 0 && self.node.count.read() < SLOTS {
            true => self,
            false => self.suited(list, prefix)?,
        };
        let node = locked.node;
        let head = prefix.and_then(|prefix| node.head(prefix));
        let upper = item.upper(node.level, head);
        let word = Word::new(upper, item.location);
        let before = match node.word(index.wrapping_sub(1)) {
            before if before.upper() == upper => before,
            _ => Word::EMPTY,
        };
        if node.count.read() == SLOTS {
            let split = locked.split(list, index, word)?;
            return Ok((Placed::BySplit(split), before));
        }
        locked.shift_in(index, word);
        Ok((Placed::At(Spot::new(node, index, word)), before))
    }

    /// Makes slot `index` lead to the node that has taken the place of the one it leads to, if one
    /// has.
    pub(crate) fn pass_over_replaced(&self, index: usize) {
        let word = self.node.word(index);
        let mut child = self.node.node_of(word);
        while let Some(replaced) = child.filter(|child| child.is_replaced()) {
            child = replaced.next();
            let location = replaced.after().location();
            self.node.slots[index].write(Word::new(word.upper(), location));
        }
    }

    /// Makes room at slot `index`, of a node that is not full, and puts `word` there.
    pub(crate) fn shift_in(&self, index: usize, word: Word) {
        let node = self.node;
        let count = node.count.read();
        node.count.write(count + 1);
        // From the end on, so that nothing is ever missing (N1).
        for i in (index..count).rev() {
            node.slots[i + 1].write(node.slots[i].read());
        }
        node.slots[index].write(word);
    }
}

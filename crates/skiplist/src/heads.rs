//! Heads that suit: what to take for common in a node, and putting a node in the place of one whose
//! heads tell too few of its keys apart.
//!
//! What is common to the keys of a node is decided when the node is made, and stays. The part that
//! is split off gets what suits it. The part that stays narrows with every split, and in time its
//! heads are the same for many keys. Then, when it is full, a node with better ones takes its
//! place: the old one is emptied and its range ends where it begins, so that who still comes by it
//! goes on to the new one.

use strata_arena::AllocError;

use crate::atomic::Word;
use crate::locked::Locked;
use crate::node::{Node, SLOTS};
use crate::prefix::Common;
use crate::store::NodeRef;
use crate::{Compare, Key, Prefix, SkipList};

/// How many bytes less than what its keys have in common a node without end takes for common:
/// keys that are yet to come may differ earlier.
pub(crate) const SLACK: usize = 1;

/// How many keys of a leaf may have the same head as the one before them. With more, it is worth
/// reading all of them for new heads, and leaving the memory of a node behind.
const MAX_TIES: usize = SLOTS / 2;

/// Makes words of a node into those of one with something else in common.
pub(crate) struct Heads<'a, K: Key + ?Sized, C> {
    list: &'a SkipList<K, C>,
    node: NodeRef<'a, K>,
    common: Option<Common>,
}

impl<'a, K: Key + ?Sized, C: Compare<K>> Heads<'a, K, C> {
    pub(crate) fn new(
        list: &'a SkipList<K, C>,
        node: NodeRef<'a, K>,
        common: Option<Common>,
    ) -> Self {
        Self { list, node, common }
    }

    /// The prefix of a key; of nothing, if the comparator gives none for it though it gave others
    /// some.
    fn prefix(&self, key: &K) -> Prefix {
        let nothing = Prefix::of_words([0; Prefix::BYTES / 8]);
        self.list.comparator.prefix(key).unwrap_or(nothing)
    }

    /// The prefix of the key that a slot of the node with this content is of.
    pub(crate) fn prefix_of(&self, word: Word) -> Prefix {
        self.prefix(self.node.key_of(word))
    }

    /// The prefix of the key that the node's range ends before.
    pub(crate) fn end(&self) -> Option<Prefix> {
        Some(self.prefix(self.node.next()?.low_key()?))
    }

    /// The right link that leads to `next`.
    pub(crate) fn link_to(&self, next: NodeRef<'_, K>) -> Word {
        let upper = match (self.common, next.low_key()) {
            (Some(common), Some(low)) => common.head(&self.prefix(low)),
            _ => 0,
        };
        Word::new(upper, next.location())
    }

    /// Gives words of the node heads that follow `common`.
    pub(crate) fn convert(&self, words: &mut [Word]) {
        let Some(common) = self.common.filter(|_| self.common != self.node.common()) else {
            return;
        };
        for &word in &*words {
            self.node.prefetch_key_of(word);
        }
        for word in words {
            let head = common.head(&self.prefix_of(*word));
            *word = Word::new(head, word.location());
        }
    }

    /// What is common to the keys of the node's whole range, one with `prefix` among them; none if
    /// that is not known, or does not matter now.
    fn better_common(&self, prefix: &Prefix) -> Option<Common> {
        let node = self.node;
        let here = node.common()?;
        let is_root = node.low().is_none() && node.right.read().is_empty();
        let is_full = node.count.read() == SLOTS;
        let (first, last) = if is_root {
            // Until a leaf is full its keys say little.
            if !is_full && (node.level == 0 || here.fits(prefix)) {
                return None;
            }
            let of = |key: Option<&K>| key.map_or(*prefix, |key| self.prefix(key));
            let (first, last) = (of(self.list.first()), of(self.list.last()));
            (first.min(*prefix), last.max(*prefix))
        } else if is_full {
            (self.prefix(node.low_key()?), self.end()?)
        } else {
            return None;
        };
        let slack = if is_root { SLACK } else { 0 };
        let bytes = first.common(&last).saturating_sub(slack);
        let common = Common::first_of(&first, bytes);
        let is_better = bytes > here.bytes() || !here.fits(&first);
        let most = if node.level == 0 { MAX_TIES } else { 0 };
        (is_better && (is_root || self.ties() > most)).then_some(common)
    }

    /// How many keys have the same head as the one before them.
    fn ties(&self) -> usize {
        let compared = self.node.first_compared()..self.node.count.read();
        let heads = self.node.slots[compared]
            .iter()
            .map(|slot| slot.read().upper());
        heads
            .clone()
            .zip(heads.skip(1))
            .filter(|(a, b)| a == b)
            .count()
    }
}

impl<'a, K: Key + ?Sized> Locked<'a, K> {
    /// Puts a node whose heads suit its range in the place of this one, if that is worth it, and
    /// gives the one that is to be used.
    pub(crate) fn suited<C: Compare<K>>(
        self,
        list: &'a SkipList<K, C>,
        prefix: Option<&Prefix>,
    ) -> Result<Self, AllocError> {
        let old = self.node;
        let before = Heads::new(list, old, None);
        let Some(common) = prefix.and_then(|prefix| before.better_common(prefix)) else {
            return Ok(self);
        };
        let heads = Heads::new(list, old, Some(common));
        let count = old.count.read();
        let mut words = [Word::EMPTY; SLOTS];
        for (word, slot) in words.iter_mut().zip(&old.slots) {
            *word = slot.read();
        }
        heads.convert(&mut words[old.first_compared()..count]);
        let after = old.next();
        let new = Node::new(
            old.level,
            Some(common),
            old.low(),
            // From which splits on the left are known of.
            Some(old.location()),
            after.map_or(Word::EMPTY, |after| heads.link_to(after)),
            &words[..count],
        );
        let new = Self::new(list.store.add_node(new)?);
        // From here on nothing of the caller's is called.
        let location = new.node.location();
        old.count.write(0);
        old.right.write(Word::new(0, location));
        if let Some(after) = after {
            after.previous.write(location);
        } else if old.level == 0 {
            list.tail.leaf.write(location);
        }
        if old.low().is_none() {
            list.replace_first(old, new.node);
        }
        for slot in old.slots[..count].iter().rev() {
            slot.write(Word::EMPTY);
        }
        Ok(new)
    }
}

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// Makes `new` what `old`, the first node of its level, was to the list.
    fn replace_first(&self, old: NodeRef<'_, K>, new: NodeRef<'_, K>) {
        if old.level == 0 {
            self.first.write(new.location());
        }
        let _growth = self.growth.lock();
        if self.root_node() == Some(old) {
            self.root.write(new.location());
        }
    }
}

impl<K: Key + ?Sized> NodeRef<'_, K> {
    /// Whether another node has taken this one's place: the next one, whose range begins where
    /// this one's did.
    pub(crate) fn is_replaced(self) -> bool {
        self.next().is_some_and(|next| next.low() == self.low())
    }
}

//! Refitting: what to take for a node's prefix, and putting a node in the place of one whose
//! digests tell too few of its keys apart.
//!
//! A node's prefix is decided when the node is made, and stays. The part that is split off gets
//! what suits it. The part that stays narrows with every split, and in time its digests are the
//! same for many keys. Then, when it is full, a node with a longer prefix takes its place: the old
//! one is emptied and its range ends where it begins, so that a search that still comes by it goes
//! on to the new one.

use crate::atomic::Word;
use crate::locked::Locked;
use crate::node::{Header, SLOTS};
use crate::prefix::Truncated;
use crate::spare::Stock;
use crate::store::NodeRef;
use crate::{Compare, Key, Prefix, SkipList};

/// How many bytes less than what its keys have in common a node of `level` without end takes for its
/// prefix: keys that are yet to come may differ earlier. Above the leaves a root is refitted when one
/// does.
pub(crate) fn slack(level: u8) -> usize {
    usize::from(level == 0)
}

/// How many keys of a leaf may have the same digest as the one before them. With more, it is worth
/// reading all of them for new digests, and leaving the memory of a node behind.
const MAX_TIES: usize = SLOTS / 2;

/// Makes words of a node into those of one with another prefix.
pub(crate) struct Digests<'a, K: Key + ?Sized, C> {
    list: &'a SkipList<K, C>,
    node: NodeRef<'a, K>,
    truncated: Option<Truncated>,
}

impl<'a, K: Key + ?Sized, C: Compare<K::Order>> Digests<'a, K, C> {
    pub(crate) fn new(
        list: &'a SkipList<K, C>,
        node: NodeRef<'a, K>,
        truncated: Option<Truncated>,
    ) -> Self {
        Self {
            list,
            node,
            truncated,
        }
    }

    /// The prefix of a key; of nothing, if the comparator gives none for it though it gave others
    /// some.
    fn prefix(&self, key: &K::Order) -> Prefix {
        let nothing = Prefix::of_words([0; Prefix::BYTES / 8]);
        self.list.comparator.prefix(key).unwrap_or(nothing)
    }

    /// The prefix of the key that a slot of the node with this content is of.
    pub(crate) fn prefix_of(&self, word: Word) -> Prefix {
        self.prefix(self.node.order_of(word))
    }

    /// The prefix of the key that the node's range ends before.
    pub(crate) fn end(&self) -> Option<Prefix> {
        Some(self.prefix(self.node.next()?.low_order()?))
    }

    /// The right link that leads to `next`.
    pub(crate) fn link_to(&self, next: NodeRef<'_, K>) -> Word {
        let upper = match (self.truncated, next.low_order()) {
            (Some(truncated), Some(low)) => truncated.digest(&self.prefix(low)),
            _ => 0,
        };
        Word::new(upper, next.location())
    }

    /// Gives words of the node the digests that follow the other prefix; the first of `words`, which
    /// is to be a node's first slot, the least one above the leaves.
    pub(crate) fn convert(&self, words: &mut [Word]) {
        let Some(truncated) = self
            .truncated
            .filter(|_| self.truncated != self.node.prefix())
        else {
            return;
        };
        let (uncompared, words) = words.split_at_mut(self.node.first_compared().min(words.len()));
        for word in uncompared {
            *word = Word::new(0, word.location());
        }
        for &word in &*words {
            self.node.prefetch_entry(word);
        }
        for word in words {
            let digest = truncated.digest(&self.prefix_of(*word));
            *word = Word::new(digest, word.location());
        }
    }

    /// What the keys of the node's whole range begin with, one with `prefix` among them; none if
    /// what the node has for that is as good.
    fn better(&self, prefix: &Prefix) -> Option<Truncated> {
        let node = self.node;
        let here = node.prefix()?;
        let is_worth_a_look = match node.level {
            // Until a leaf is full its keys say little.
            0 => node.state.count() == SLOTS && self.ties() > MAX_TIES,
            _ => !here.fits(prefix) || self.ties() > 0,
        };
        if !is_worth_a_look {
            return None;
        }
        let (low, end) = (node.low_order().map(|low| self.prefix(low)), self.end());
        if node.level == 0 && end.is_none() && low.is_some() {
            // Where keys come in order, the last leaf is full once and then has an end.
            return None;
        }
        let (first, last, slack) = match (low, end) {
            (Some(low), Some(end)) => (low, end, 0),
            _ => {
                let (first, last) = self.list.ends_around(prefix);
                let slack = slack(node.level);
                (low.unwrap_or(first), end.unwrap_or(last), slack)
            }
        };
        let (first, last) = (first.min(*prefix), last.max(*prefix));
        let bytes = first.shared(&last).saturating_sub(slack);
        let fits = here.fits(&first) && here.fits(&last);
        (!fits || bytes > here.length()).then(|| Truncated::of(&first, bytes))
    }

    /// How many keys have the same digest as the one before them.
    fn ties(&self) -> usize {
        let compared = self.node.first_compared()..self.node.state.count();
        let slots = self.node.slots[compared].iter();
        let digests = slots.map(|slot| slot.read().upper());
        digests
            .clone()
            .zip(digests.skip(1))
            .filter(|(a, b)| a == b)
            .count()
    }
}

impl<'a, K: Key + ?Sized> Locked<'a, K> {
    /// Puts a node whose digests suit its range in the place of this one, if that is worth it and
    /// the stock has more nodes than splits may need; gives the one that is to be used.
    #[cold]
    pub(crate) fn refitted<C: Compare<K::Order>>(
        self,
        list: &'a SkipList<K, C>,
        stock: &mut Stock<'a, K>,
        prefix: Option<&Prefix>,
    ) -> Self {
        let old = self.node;
        let Some(truncated) = prefix
            .filter(|_| stock.count() + usize::from(old.level) > list.nodes_for_splits())
            .and_then(|prefix| Digests::new(list, old, None).better(prefix))
        else {
            return self;
        };
        let digests = Digests::new(list, old, Some(truncated));
        let count = old.state.count();
        let mut words = [Word::EMPTY; SLOTS];
        for (word, slot) in words.iter_mut().zip(&old.slots) {
            *word = slot.read();
        }
        digests.convert(&mut words[..count]);
        let after = old.next();
        let header = Header {
            level: old.level,
            prefix: Some(truncated),
            low: old.low(),
            // From which splits on the left are known of.
            previous: Some(old.location()),
            right: after.map_or(Word::EMPTY, |after| digests.link_to(after)),
        };
        let Some(new) = stock.make(header, &words[..count]) else {
            return self;
        };
        let new = Self::new(new);
        // From here on nothing of the caller's is called.
        let location = new.node.location();
        old.state.set_count(0);
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
        old.state.set_replaced();
        new
    }
}

impl<K: Key + ?Sized, C: Compare<K::Order>> SkipList<K, C> {
    /// The prefixes of the list's first and last key; that of a key in it if they have none.
    pub(crate) fn ends_around(&self, prefix: &Prefix) -> (Prefix, Prefix) {
        let of = |at: Option<crate::position::Position<'_, K>>| {
            at.and_then(|at| self.comparator.prefix(at.leaf.order_of(at.word)))
                .unwrap_or(*prefix)
        };
        (of(self.first_position()), of(self.last_position()))
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

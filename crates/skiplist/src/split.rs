//! Splitting a node that is full: the upper part of what it holds goes to a new node on its right.
//!
//! The new node is whole before any thread can reach it. Then, each step visible before the next:
//!
//! 1. the old node's count is lowered (N2),
//! 2. its right link leads to the new node: one word says where that is and where its range
//!    begins, so that no reader sees one without the other,
//! 3. the node after them leads back to the new one,
//! 4. the old node's upper slots are emptied, from the last one on.
//!
//! A reader between 2 and 4 finds what moved in either of the two. Both stay locked until the end,
//! so nothing is put into the new one that a reader of the old one's slots could miss.

use crate::atomic::Word;
use crate::locked::Locked;
use crate::node::{Header, SLOTS};
use crate::prefix::Truncated;
use crate::refit::{Digests, slack};
use crate::spare::Stock;
use crate::store::NodeRef;
use crate::{Compare, Key, SkipList};

/// How far from the middle a node may be split, to part unlike keys.
pub(crate) const WINDOW: usize = SLOTS / 8;

impl<'a, K: Key + ?Sized> Locked<'a, K> {
    /// Splits the node, which is full, and puts `word` before what was in slot `index`. Gives the
    /// node that is split off, which is not in the level above yet; none if the stock has no node.
    #[cold]
    pub(crate) fn split<C: Compare<K::Order>>(
        self,
        list: &'a SkipList<K, C>,
        stock: &mut Stock<'a, K>,
        index: usize,
        word: Word,
    ) -> Option<NodeRef<'a, K>> {
        let node = self.node;
        let mut words = [word; SLOTS + 1];
        for (i, slot) in node.slots.iter().enumerate() {
            words[i + usize::from(i >= index)] = slot.read();
        }
        let cut = self.cut(&words, index);
        let prefix = self.prefix_right_of(list, &words, cut);
        let after = node.next();
        let digests = Digests::new(list, node, prefix);
        digests.convert(&mut words[cut..]);
        let header = Header {
            level: node.level,
            prefix,
            low: Some(node.key_location_of(words[cut])),
            previous: Some(node.location()),
            right: after.map_or(Word::EMPTY, |after| digests.link_to(after)),
        };
        let right = stock.make(header, &words[cut..])?;
        let link = Digests::new(list, node, node.prefix()).link_to(right);
        // From here on nothing of the caller's is called.
        let _right = Locked::new(right);
        let kept = cut - usize::from(index < cut);
        node.state.set_count(kept);
        node.right.write(link);
        match after {
            Some(after) => after.previous.write(right.location()),
            None if node.level == 0 => list.tail.leaf.write(right.location()),
            None => {}
        }
        for slot in node.slots[kept..].iter().rev() {
            slot.write(Word::EMPTY);
        }
        if index < cut {
            self.shift_in(index, word);
        }
        Some(right)
    }

    /// Where to split the words that a full node and one more at `index` are: what the node keeps
    /// is before it.
    fn cut(&self, words: &[Word; SLOTS + 1], index: usize) -> usize {
        let node = self.node;
        if index == SLOTS && node.right.read().is_empty() {
            // Keys come in order: the node stays full.
            return SLOTS;
        }
        if index == node.first_compared() && node.low().is_none() {
            // Keys come in reverse order: the new one is.
            return index + 1;
        }
        let middle = SLOTS.div_ceil(2);
        // Where digests differ most, so that those on either side have more in common.
        let unlike = |&cut: &usize| {
            let differing = words[cut - 1].upper() ^ words[cut].upper();
            (differing.leading_zeros(), cut.abs_diff(middle))
        };
        let cut = match node.has_digests() {
            true => (middle - WINDOW..=middle + WINDOW).min_by_key(unlike),
            false => None,
        };
        let cut = cut.unwrap_or(middle);
        // What moves begins with a key that was in the node: by that, a reader tells what is about
        // to be emptied from what is not.
        cut + usize::from(cut == index)
    }

    /// What to take for the prefix of the node that is split off with `words[cut..]`.
    fn prefix_right_of<C: Compare<K::Order>>(
        &self,
        list: &SkipList<K, C>,
        words: &[Word; SLOTS + 1],
        cut: usize,
    ) -> Option<Truncated> {
        let node = self.node;
        let here = node.prefix()?;
        let digests = Digests::new(list, node, None);
        let low = digests.prefix_of(words[cut]);
        let bytes = match digests.end() {
            Some(end) => low.shared(&end),
            None => {
                let first = if cut == SLOTS {
                    node.first_compared()
                } else {
                    cut
                };
                let first = digests.prefix_of(words[first]);
                let last = digests.prefix_of(words[SLOTS]);
                first.shared(&last).saturating_sub(slack(node.level))
            }
        };
        Some(match here.length() == bytes && here.fits(&low) {
            // Nothing has to be read.
            true => here,
            false => Truncated::of(&low, bytes),
        })
    }
}

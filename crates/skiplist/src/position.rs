//! A key's position in the list, and the steps from one to the next.
//!
//! A position is a slot and what was in it. Slots shift and splits empty them, but a key never goes
//! back to a slot it left, nor to a node further left. So if a slot holds what the position
//! remembers, it has all along, and what was read next to it meanwhile is its neighbour; if not,
//! the key is to be found further right.

use std::ops::ControlFlow;

use strata_arena::Location;

use crate::atomic::Word;
use crate::key::Stored;
use crate::node::SLOTS;
use crate::prefetch::PREFETCHES;
use crate::store::NodeRef;

/// How many keys ahead are fetched while a list is walked.
const AHEAD: usize = 8;

/// A key's slot in a leaf.
pub(crate) struct Position<'a, K: Stored + ?Sized> {
    pub(crate) leaf: NodeRef<'a, K>,
    pub(crate) index: usize,
    /// What the slot held. Never empty.
    pub(crate) word: Word,
}

impl<K: Stored + ?Sized> Clone for Position<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for Position<'_, K> {}

impl<'a, K: Stored + ?Sized> Position<'a, K> {
    #[inline(always)]
    pub(crate) fn new(leaf: NodeRef<'a, K>, index: usize, word: Word) -> Self {
        debug_assert!(!word.is_empty());
        Self { leaf, index, word }
    }

    /// The key.
    #[inline(always)]
    pub(crate) fn key(self) -> &'a K {
        self.leaf.key_at(self.word)
    }

    /// Where the key is.
    #[inline]
    pub(crate) fn location(self) -> Location {
        self.word.location()
    }

    /// The first key of the range that begins with `leaf`'s.
    pub(crate) fn first_of(mut leaf: NodeRef<'a, K>) -> Option<Self> {
        loop {
            let word = leaf.word(0);
            if !word.is_empty() {
                return Some(Self::new(leaf, 0, word));
            }
            // A node that another has taken the place of, or the first leaf while all it had goes
            // to the next one.
            leaf = leaf.next()?;
        }
    }

    /// The last key of the list, of which `leaf` is or was the last.
    pub(crate) fn last_from(mut leaf: NodeRef<'a, K>) -> Option<Self> {
        loop {
            while let Some(next) = leaf.next() {
                leaf = next;
            }
            let last = Self::last_of(leaf, None);
            if leaf.next().is_none() {
                return last;
            }
        }
    }

    /// The last key of `leaf` before `end`, the first key of the range its right link leads to; if
    /// that link has not changed since before, nor does afterwards.
    ///
    /// What a split is about to take away is not counted any more, but there until the link has
    /// changed; what it took away may be there still, and begins with `end` (N2).
    fn last_of(leaf: NodeRef<'a, K>, end: Option<Location>) -> Option<Self> {
        let at = |index| Some(Self::new(leaf, index, leaf.filled(index)?));
        let is_before_end = |at: &Self| Some(at.location()) != end;
        // The last of the slots counted may be about to be filled.
        let mut last = (0..leaf.state.count()).rev().find_map(at);
        // Upward, so that a key that is shifted meanwhile is met again.
        while let Some(next) = at(last.map_or(0, |last| last.index + 1)).filter(is_before_end) {
            last = Some(next);
        }
        last
    }

    /// The next key.
    pub(crate) fn next(self) -> Option<Self> {
        self.next_in_leaf().or_else(|| self.next_slowly())
    }

    /// The next key, if that is in the same leaf and none of the two is being shifted.
    #[inline(always)]
    pub(crate) fn next_in_leaf(self) -> Option<Self> {
        let (leaf, index) = (self.leaf, self.index + 1);
        let word = leaf.word(index);
        if word.is_empty() || word == self.word || leaf.word(self.index) != self.word {
            return None;
        }
        self.fetch_ahead();
        Some(Self::new(leaf, index, word))
    }

    /// Gives `f` this key's position and those of the keys after it, until it breaks off.
    #[inline(always)]
    pub(crate) fn walk<B>(self, init: B, mut f: impl FnMut(B, Self) -> ControlFlow<B, B>) -> B {
        let (mut folded, mut at) = (init, self);
        loop {
            folded = match f(folded, at) {
                ControlFlow::Continue(folded) => folded,
                ControlFlow::Break(folded) => return folded,
            };
            let next = match at.next_in_leaf() {
                Some(next) => next,
                None => match at.next_slowly() {
                    Some(next) => next,
                    None => return folded,
                },
            };
            at = next;
        }
    }

    /// As [`next`](Position::next), at the end of a leaf or while slots are shifted.
    #[inline(always)]
    pub(crate) fn next_slowly(self) -> Option<Self> {
        // In parts, which are passed in registers.
        Self::next_after(self.leaf, self.index, self.word)
    }

    #[inline(never)]
    fn next_after(leaf: NodeRef<'a, K>, index: usize, word: Word) -> Option<Self> {
        let mut at = Self::new(leaf, index, word);
        loop {
            let leaf = at.leaf;
            let word = leaf.word(at.index + 1);
            if !word.is_empty() {
                if leaf.word(at.index) != at.word {
                    at = at.found_again();
                } else if word == at.word {
                    // It is just being shifted there.
                    at.index += 1;
                } else {
                    return Some(Self::new(leaf, at.index + 1, word));
                }
                continue;
            }
            let right = leaf.right.read();
            // A split lowers the count first (N2): then the key may be in the next node already.
            let may_have_moved = leaf.state.count() <= at.index;
            let moved = match (may_have_moved, leaf.node_of(right)) {
                (true, Some(next)) => at.sought_in(next, 0),
                _ => None,
            };
            if let Some(moved) = moved {
                at = moved;
                continue;
            }
            if leaf.word(at.index) != at.word {
                at = at.found_again();
                continue;
            }
            let next = leaf.node_of(right)?;
            if let Some(after_next) = next.next() {
                after_next.prefetch();
            }
            return Self::first_of(next);
        }
    }

    /// The key before.
    pub(crate) fn previous(self) -> Option<Self> {
        self.previous_in_leaf().or_else(|| self.previous_slowly())
    }

    /// The key before, if that is in the same leaf and none of the two is being shifted.
    #[inline(always)]
    pub(crate) fn previous_in_leaf(self) -> Option<Self> {
        let (leaf, index) = (self.leaf, self.index.wrapping_sub(1));
        let word = leaf.word(index);
        if word.is_empty() || word == self.word || leaf.word(self.index) != self.word {
            return None;
        }
        self.fetch_behind();
        Some(Self::new(leaf, index, word))
    }

    /// As [`previous`](Position::previous), at the beginning of a leaf or while slots are shifted.
    #[inline(always)]
    pub(crate) fn previous_slowly(self) -> Option<Self> {
        Self::previous_before(self.leaf, self.index, self.word)
    }

    #[inline(never)]
    fn previous_before(leaf: NodeRef<'a, K>, index: usize, word: Word) -> Option<Self> {
        let mut at = Self::new(leaf, index, word);
        loop {
            let leaf = at.leaf;
            let Some(index) = at.index.checked_sub(1) else {
                // If the leaf's range has a beginning, its first key stays the first.
                return match leaf.low().is_some() || leaf.word(0) == at.word {
                    true => Self::last_before(leaf),
                    false => at.found_again().previous(),
                };
            };
            let word = leaf.word(index);
            if leaf.word(at.index) != at.word {
                at = at.found_again();
            } else if word == at.word {
                // It has just been shifted from there.
                at.index = index;
            } else {
                return Some(Self::new(leaf, index, word));
            }
        }
    }

    /// The last key before the range of `leaf`.
    fn last_before(mut leaf: NodeRef<'a, K>) -> Option<Self> {
        // The range of the first leaf has no beginning, though a node it replaced is before it.
        leaf.low()?;
        let mut before = leaf.previous()?;
        loop {
            let right = before.right.read();
            let next = before.node_of(right)?;
            if next != leaf {
                before = next;
                continue;
            }
            let last = Self::last_of(before, leaf.low());
            if before.right.read() == right {
                if last.is_some() || before.low().is_none() {
                    if let Some(before_that) = before.previous() {
                        before_that.prefetch();
                    }
                    return last;
                }
                // Another node has taken its place.
                leaf = before;
                before = leaf.previous()?;
            }
        }
    }

    /// Fetches a key that is some steps ahead.
    #[inline(always)]
    fn fetch_ahead(self) {
        if !PREFETCHES {
            return;
        }
        let word = self.leaf.word(self.index + AHEAD);
        match word.is_empty() {
            false => self.leaf.prefetch_entry(word),
            true => Self::fetch_beyond(self.leaf, self.index),
        }
    }

    /// As [`fetch_ahead`](Position::fetch_ahead), where that key is in the next leaf.
    #[inline(never)]
    fn fetch_beyond(leaf: NodeRef<'a, K>, index: usize) {
        if let Some(next) = leaf.next() {
            let index = (index + AHEAD).saturating_sub(leaf.state.count());
            next.prefetch_entry(next.word(index));
        }
    }

    /// Fetches the keys that the first steps from here lead to, as far as they are in the same leaf:
    /// those that `fetch_ahead` comes too late for.
    #[inline]
    pub(crate) fn fetch_following(self) {
        if !PREFETCHES {
            return;
        }
        for distance in 1..AHEAD {
            self.leaf
                .prefetch_entry(self.leaf.word(self.index + distance));
        }
    }

    /// Fetches a key that is some steps behind.
    #[inline(always)]
    fn fetch_behind(self) {
        if !PREFETCHES {
            return;
        }
        let word = self.leaf.word(self.index.wrapping_sub(AHEAD));
        match word.is_empty() {
            false => self.leaf.prefetch_entry(word),
            true => Self::fetch_far_behind(self.leaf, self.index),
        }
    }

    /// As [`fetch_behind`](Position::fetch_behind), where that key is in the leaf before.
    #[inline(never)]
    fn fetch_far_behind(leaf: NodeRef<'a, K>, index: usize) {
        if let Some(before) = leaf.previous() {
            let index = (before.state.count() + index).wrapping_sub(AHEAD);
            before.prefetch_entry(before.word(index));
        }
    }

    /// The position of the key now that it is not where it was.
    #[cold]
    fn found_again(self) -> Self {
        let mut here = self.sought_in(self.leaf, self.index);
        let mut leaf = self.leaf;
        loop {
            if let Some(here) = here {
                return here;
            }
            // A key that left a leaf is in one after it.
            leaf = leaf.after();
            here = self.sought_in(leaf, 0);
        }
    }

    /// The key's position in `leaf`, if it is there from slot `from` on.
    fn sought_in(self, leaf: NodeRef<'a, K>, from: usize) -> Option<Self> {
        (from..SLOTS)
            .map_while(|index| Some(Self::new(leaf, index, leaf.filled(index)?)))
            .find(|at| at.location() == self.location())
    }
}

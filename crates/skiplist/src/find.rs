//! Finding a place among the slots of a node, while others may change them.
//!
//! A position is one of a partition: keys before it are *passed*, keys from it on are not. What
//! makes it exact, whatever is going on, is that a slot's content only ever goes back in the order
//! (to what was left of it, as others are put between), until a split empties it (N1): a slot that
//! was seen to be passed stays so, and the last look, at the first slot that is not, decides.

use std::cmp::Ordering;

use crate::atomic::Word;
use crate::key::Stored;
use crate::node::SLOTS;
use crate::store::NodeRef;
use crate::{Compare, Prefix};

/// Which keys to pass: those before a target, or those not after it.
pub(crate) struct Seek<'q, C, Q: ?Sized> {
    comparator: &'q C,
    target: &'q Q,
    pub(crate) prefix: Option<Prefix>,
    passes_equal: bool,
}

impl<'q, C, Q: ?Sized> Seek<'q, C, Q> {
    /// Passes the keys before `target`.
    #[inline]
    pub(crate) fn before<K: ?Sized>(comparator: &'q C, target: &'q Q) -> Self
    where
        C: Compare<K, Q>,
    {
        Self {
            comparator,
            target,
            prefix: comparator.prefix(target),
            passes_equal: false,
        }
    }

    /// Passes the keys before `target` and one that is equal to it.
    pub(crate) fn not_after<K: ?Sized>(comparator: &'q C, target: &'q Q) -> Self
    where
        C: Compare<K, Q>,
    {
        Self {
            passes_equal: true,
            ..Self::before(comparator, target)
        }
    }

    /// `Less` if `key` is passed; if not, how it compares with the target.
    #[inline]
    pub(crate) fn order<K: ?Sized>(&self, key: &K) -> Ordering
    where
        C: Compare<K, Q>,
    {
        match self.comparator.compare(key, self.target) {
            Ordering::Equal if self.passes_equal => Ordering::Less,
            order => order,
        }
    }
}

/// Where the first slot of a node is that is not passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) index: usize,
    /// What was in it; if there is no such slot, the node's right link, whose key is not passed.
    pub(crate) word: Word,
    /// Whether there is no such slot.
    pub(crate) at_end: bool,
    /// Whether its key is known to be equal to the target.
    pub(crate) is_equal: bool,
    /// Whether its key and the target may have the same prefix.
    pub(crate) is_alike: bool,
}

impl Found {
    /// The end of the last leaf, which has `count` keys.
    #[inline]
    pub(crate) fn end_of_list(count: usize) -> Self {
        Self {
            index: count,
            word: Word::EMPTY,
            at_end: true,
            is_equal: false,
            is_alike: false,
        }
    }

    #[inline]
    fn at_slot(index: usize, word: Word, order: Ordering, is_alike: bool) -> Self {
        Self {
            index,
            word,
            at_end: false,
            is_equal: order == Ordering::Equal,
            is_alike,
        }
    }
}

impl<K: Stored + ?Sized> NodeRef<'_, K> {
    /// The first slot that is not passed, or `None` if the position is in a node further right.
    ///
    /// Above the lowest level the position is at least 1: the node to go on with is before it.
    #[inline(always)]
    pub(crate) fn find<C: Compare<K, Q>, Q: ?Sized>(self, seek: &Seek<'_, C, Q>) -> Option<Found> {
        let head = seek.prefix.as_ref().and_then(|prefix| self.head(prefix));
        let Some(head) = head else {
            return self.find_by_keys(seek);
        };
        let before = self.slots_before(Word::least(head));
        let mut index = before.max(self.first_compared());
        loop {
            let word = self.word(index);
            if word.is_empty() {
                return self.at_end(seek, Some(head), index);
            }
            if word.upper() > head {
                return Some(Found::at_slot(index, word, Ordering::Greater, false));
            }
            if word.upper() == head {
                return self.find_alike(seek, head, index, word);
            }
            index += 1;
        }
    }

    /// As [`find`](NodeRef::find), if that is `index`, of which all slots before are passed.
    pub(crate) fn find_at<C: Compare<K, Q>, Q: ?Sized>(
        self,
        seek: &Seek<'_, C, Q>,
        index: usize,
    ) -> Option<Found> {
        let head = seek.prefix.as_ref().and_then(|prefix| self.head(prefix));
        let word = self.word(index);
        if word.is_empty() {
            return self.at_end(seek, head, index);
        }
        let (order, is_alike) = match head {
            Some(head) if word.upper() != head => (word.upper().cmp(&head), false),
            _ => (self.order(seek, word), true),
        };
        (order != Ordering::Less).then(|| Found::at_slot(index, word, order, is_alike))
    }

    /// As [`find`](NodeRef::find), from slot `start` on, which holds `word`, the first with this
    /// head.
    #[inline(never)]
    fn find_alike<C: Compare<K, Q>, Q: ?Sized>(
        self,
        seek: &Seek<'_, C, Q>,
        head: u32,
        start: usize,
        word: Word,
    ) -> Option<Found> {
        self.prefetch_entry(word);
        let is_alike = |word: Word| word.upper() == head && !word.is_empty();
        let mut end = start + 1;
        while let word = self.word(end)
            && is_alike(word)
        {
            self.prefetch_key_of(word);
            end += 1;
        }
        // The first one first: of the versions of a key, the newest is what is mostly asked for.
        let order = seek.order(self.key_of(word));
        if order != Ordering::Less {
            return Some(Found::at_slot(start, word, order, true));
        }
        let mut from = self.bisect(seek, start + 1, end, false);
        loop {
            let word = self.word(from.index);
            if word.is_empty() {
                return self.at_end(seek, Some(head), from.index);
            }
            let order = match word.upper().cmp(&head) {
                Ordering::Equal => from
                    .order_of(word)
                    .unwrap_or_else(|| self.order(seek, word)),
                order => order,
            };
            if order != Ordering::Less {
                return Some(Found::at_slot(from.index, word, order, is_alike(word)));
            }
            from.index += 1;
        }
    }

    /// As [`find`](NodeRef::find), by keys alone.
    #[inline(never)]
    fn find_by_keys<C: Compare<K, Q>, Q: ?Sized>(self, seek: &Seek<'_, C, Q>) -> Option<Found> {
        let filled = self.slots_before(Word::EMPTY);
        let mut from = self.bisect(seek, self.first_compared(), filled, true);
        loop {
            let word = self.word(from.index);
            if word.is_empty() {
                return self.at_end(seek, None, from.index);
            }
            let order = from
                .order_of(word)
                .unwrap_or_else(|| self.order(seek, word));
            if order != Ordering::Less {
                return Some(Found::at_slot(from.index, word, order, true));
            }
            from.index += 1;
        }
    }

    #[inline]
    fn order<C: Compare<K, Q>, Q: ?Sized>(self, seek: &Seek<'_, C, Q>, word: Word) -> Ordering {
        seek.order(self.key_of(word))
    }

    /// The first slot from `start` on that is not passed, by comparing keys; `end` if all before
    /// it are.
    fn bisect<C: Compare<K, Q>, Q: ?Sized>(
        self,
        seek: &Seek<'_, C, Q>,
        mut start: usize,
        mut end: usize,
        fetches: bool,
    ) -> Bisected {
        let mut judged = None;
        while start < end {
            let middle = start.midpoint(end);
            let word = self.word(middle);
            if fetches {
                // Where it will go on, one way or the other.
                self.prefetch_key_of(self.word(start.midpoint(middle)));
                self.prefetch_key_of(self.word((middle + 1).midpoint(end)));
            }
            if word.is_empty() {
                end = middle;
                continue;
            }
            let order = self.order(seek, word);
            if order == Ordering::Less {
                start = middle + 1;
            } else {
                end = middle;
                judged = Some((word, order));
            }
        }
        Bisected {
            index: start,
            judged,
        }
    }

    /// What is found when all slots are passed and `index` is the first empty one: the end of the
    /// node's range, unless that is passed, too.
    #[inline(never)]
    fn at_end<C: Compare<K, Q>, Q: ?Sized>(
        self,
        seek: &Seek<'_, C, Q>,
        head: Option<u32>,
        index: usize,
    ) -> Option<Found> {
        debug_assert!(index <= SLOTS);
        let right = self.right.read();
        let order = match (head, self.node_of(right)) {
            (_, None) => Ordering::Greater,
            (Some(head), _) if right.upper() != head => right.upper().cmp(&head),
            (_, Some(next)) => next.low_key().map_or(Ordering::Less, |low| seek.order(low)),
        };
        (order != Ordering::Less).then_some(Found {
            index,
            word: right,
            at_end: true,
            is_equal: order == Ordering::Equal,
            is_alike: head.is_none_or(|head| right.upper() == head),
        })
    }
}

/// Where the keys of some slots stop being passed.
struct Bisected {
    index: usize,
    /// What was in the slot there, and how its key compares, if that is known.
    judged: Option<(Word, Ordering)>,
}

impl Bisected {
    /// How the key of `word` compares, if that is known.
    fn order_of(&self, word: Word) -> Option<Ordering> {
        self.judged
            .filter(|(judged, _)| *judged == word)
            .map(|(_, order)| order)
    }
}

//! Finding a place among the slots of a node, while others may change them.
//!
//! A place is one of a partition: keys before it are *passed*, keys from it on are not. What
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
    prefix: Option<Prefix>,
    passes_equal: bool,
}

impl<'q, C, Q: ?Sized> Seek<'q, C, Q> {
    /// Passes the keys before `target`.
    #[inline(always)]
    pub(crate) fn before<O: ?Sized>(comparator: &'q C, target: &'q Q) -> Self
    where
        C: Compare<O, Q>,
    {
        Self {
            comparator,
            target,
            prefix: comparator.prefix(target),
            passes_equal: false,
        }
    }

    /// Passes the keys before `target` and one that is equal to it.
    pub(crate) fn not_after<O: ?Sized>(comparator: &'q C, target: &'q Q) -> Self
    where
        C: Compare<O, Q>,
    {
        Self {
            passes_equal: true,
            ..Self::before(comparator, target)
        }
    }
}

/// A [`Seek`] among keys that are compared by `O`, whatever the target is.
pub(crate) trait Sought<O: ?Sized> {
    /// The prefix of the target, if it has one.
    fn prefix(&self) -> Option<&Prefix>;

    /// How a key lies to the target, with which it shares the first `shared` bytes of their
    /// prefixes; none if it is passed.
    fn relation(&self, key: &O, shared: usize) -> Option<Relation>;
}

impl<O: ?Sized, Q: ?Sized, C: Compare<O, Q>> Sought<O> for Seek<'_, C, Q> {
    #[inline(always)]
    fn prefix(&self) -> Option<&Prefix> {
        self.prefix.as_ref()
    }

    #[inline(always)]
    fn relation(&self, key: &O, shared: usize) -> Option<Relation> {
        match self.comparator.compare_versions(key, self.target, shared) {
            (Ordering::Less, _) => None,
            (Ordering::Equal, _) if self.passes_equal => None,
            (Ordering::Equal, _) => Some(Relation::Equal),
            (Ordering::Greater, true) => Some(Relation::Version),
            (Ordering::Greater, false) => Some(Relation::SamePrefix),
        }
    }
}

/// How the first key that is not passed lies to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    /// After it, and a version of the same thing.
    Version,
    /// After it; the two may have the same prefix.
    SamePrefix,
    /// After it, as its digest says; or there is none.
    OtherPrefix,
}

/// Where, in a node, the first key is that is not passed, or belongs.
pub(crate) struct Place<'a, K: Stored + ?Sized> {
    pub(crate) node: NodeRef<'a, K>,
    /// The slot of that key; if there is none in the node, the first empty slot.
    pub(crate) index: usize,
    /// What was in the slot; if it is empty, the node's right link, whose key is not passed.
    pub(crate) word: Word,
    /// Whether it is empty.
    pub(crate) is_at_end: bool,
    pub(crate) relation: Relation,
    /// The digest of the target in the node; none if there are no digests.
    pub(crate) digest: Option<u32>,
}

impl<K: Stored + ?Sized> Clone for Place<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for Place<'_, K> {}

impl<'a, K: Stored + ?Sized> Place<'a, K> {
    /// The place after the last slot of the last node of a level.
    #[inline]
    pub(crate) fn end_of_list(node: NodeRef<'a, K>, index: usize, digest: Option<u32>) -> Self {
        Self {
            node,
            index,
            word: Word::EMPTY,
            is_at_end: true,
            relation: Relation::OtherPrefix,
            digest,
        }
    }

    /// Whether the key is of the target or a version of the same thing.
    #[inline(always)]
    pub(crate) fn is_version(&self) -> bool {
        matches!(self.relation, Relation::Equal | Relation::Version)
    }

    /// Where the key is, in a leaf; none if there is none.
    #[inline(always)]
    pub(crate) fn entry(&self) -> Option<Word> {
        match self.is_at_end {
            false => Some(self.word),
            true => self.node.low_of_next(self.word),
        }
    }
}

impl<'a, K: Stored + ?Sized> NodeRef<'a, K> {
    #[inline(always)]
    fn place(
        self,
        index: usize,
        word: Word,
        relation: Relation,
        digest: Option<u32>,
    ) -> Place<'a, K> {
        Place {
            node: self,
            index,
            word,
            is_at_end: false,
            relation,
            digest,
        }
    }

    /// The digest of the target in this node; none if there are no digests.
    #[inline(always)]
    pub(crate) fn digest_of(self, seek: &impl Sought<K::Order>) -> Option<u32> {
        self.digest(seek.prefix()?)
    }

    /// How many first bytes of their prefixes the target and a key share that have this digest.
    ///
    /// The least digest and the greatest are those of keys without the node's prefix, too.
    #[inline(always)]
    pub(crate) fn shared_by(self, digest: Option<u32>) -> usize {
        match digest {
            Some(digest) if digest != 0 && digest != u32::MAX => {
                self.prefix_length() + size_of::<u32>()
            }
            _ => 0,
        }
    }

    /// The first slot that is not passed, or `None` if the place is in a node further right.
    ///
    /// Above the leaves the place is at least 1: the node to go on with is before it.
    #[inline(always)]
    pub(crate) fn find(self, seek: &impl Sought<K::Order>) -> Option<Place<'a, K>> {
        match self.find_quickly(seek) {
            Ok(place) => Some(place),
            Err((digest, start)) => self.find_by_keys(seek, digest, start),
        }
    }

    /// As [`find`](NodeRef::find), if it takes one comparison of keys at most; otherwise the digest
    /// of the target, and a slot before which all are passed.
    #[inline(always)]
    pub(crate) fn find_quickly(
        self,
        seek: &impl Sought<K::Order>,
    ) -> Result<Place<'a, K>, (Option<u32>, usize)> {
        let first = self.first_compared();
        let digest = self.digest_of(seek);
        let Some(target) = digest else {
            return Err((None, first));
        };
        let index = self.slots_before(Word::least(target)).max(first);
        let word = self.word(index);
        if word.is_empty() || word.upper() < target {
            return Err((digest, index));
        }
        if word.upper() > target {
            return Ok(self.place(index, word, Relation::OtherPrefix, digest));
        }
        self.prefetch_entry(word);
        match seek.relation(self.order_of(word), self.shared_by(digest)) {
            Some(relation) => Ok(self.place(index, word, relation, digest)),
            None => Err((digest, index + 1)),
        }
    }

    /// As [`find`](NodeRef::find), if the place is slot `index`, before which all are passed.
    #[inline]
    pub(crate) fn find_at(
        self,
        seek: &impl Sought<K::Order>,
        index: usize,
    ) -> Option<Place<'a, K>> {
        let digest = self.digest_of(seek);
        let word = self.word(index);
        if word.is_empty() {
            return self.find_at_end(seek, digest, index);
        }
        let relation = self.relation_of(seek, digest, word);
        Some(self.place(index, word, relation?, digest))
    }

    /// How the key of `word` lies to the target, as digests tell or else a comparison of keys; none
    /// if it is passed.
    #[inline]
    fn relation_of(
        self,
        seek: &impl Sought<K::Order>,
        digest: Option<u32>,
        word: Word,
    ) -> Option<Relation> {
        match digest.map(|digest| word.upper().cmp(&digest)) {
            Some(Ordering::Less) => None,
            Some(Ordering::Greater) => Some(Relation::OtherPrefix),
            _ => seek.relation(self.order_of(word), self.shared_by(digest)),
        }
    }

    /// As [`find`](NodeRef::find), of which all slots before `start` are passed, by comparing keys
    /// among those with this digest, or all if there are no digests.
    #[inline(never)]
    pub(crate) fn find_by_keys(
        self,
        seek: &impl Sought<K::Order>,
        digest: Option<u32>,
        start: usize,
    ) -> Option<Place<'a, K>> {
        let following = digest.and_then(|digest| digest.checked_add(1));
        let end = match SLOTS {
            ..8 => SLOTS,
            8.. => self.slots_before(following.map_or(Word::EMPTY, Word::least)),
        };
        let (mut index, judged) = self.bisect(seek, digest, start, end);
        loop {
            let word = self.word(index);
            if word.is_empty() {
                return self.find_at_end(seek, digest, index);
            }
            let relation = match judged {
                Some((judged, relation)) if judged == word => Some(relation),
                _ => self.relation_of(seek, digest, word),
            };
            if let Some(relation) = relation {
                return Some(self.place(index, word, relation, digest));
            }
            index += 1;
        }
    }

    /// The first slot from `start` on that is not passed, `end` if all before it are; and what was
    /// in it and how its key lies, if that is known.
    fn bisect(
        self,
        seek: &impl Sought<K::Order>,
        digest: Option<u32>,
        mut start: usize,
        mut end: usize,
    ) -> (usize, Option<(Word, Relation)>) {
        let mut judged = None;
        // Above the leaves the first one first: of the versions of a key, the newest is asked for
        // most often. In a leaf it was looked at before.
        let mut middle = match self.level {
            0 => start.midpoint(end),
            _ => start,
        };
        while start < end {
            let word = self.word(middle);
            // Where it will go on, one way or the other.
            self.prefetch_order_at(start.midpoint(middle));
            self.prefetch_order_at((middle + 1).midpoint(end));
            if word.is_empty() {
                end = middle;
            } else {
                match self.relation_of(seek, digest, word) {
                    None => start = middle + 1,
                    Some(relation) => {
                        end = middle;
                        judged = Some((word, relation));
                    }
                }
            }
            middle = start.midpoint(end);
        }
        (start, judged)
    }

    /// What is found when all slots are passed and `index` is the first empty one: the end of the
    /// node's range, unless that is passed, too, or another node has taken this one's place.
    fn find_at_end(
        self,
        seek: &impl Sought<K::Order>,
        digest: Option<u32>,
        index: usize,
    ) -> Option<Place<'a, K>> {
        debug_assert!(index <= SLOTS);
        if self.state.is_replaced() {
            return None;
        }
        let right = self.right.read();
        let Some(next) = self.node_of(right) else {
            return Some(Place::end_of_list(self, index, digest));
        };
        let relation = match digest.map(|digest| right.upper().cmp(&digest)) {
            Some(Ordering::Less) => None,
            Some(Ordering::Greater) => Some(Relation::OtherPrefix),
            _ => next
                .low_order()
                .and_then(|low| seek.relation(low, self.shared_by(digest))),
        };
        Some(Place {
            node: self,
            index,
            word: right,
            is_at_end: true,
            relation: relation?,
            digest,
        })
    }

    /// The node below this one, or else to its right, where the search goes on.
    #[inline(always)]
    pub(crate) fn toward(self, seek: &impl Sought<K::Order>) -> NodeRef<'a, K> {
        let digest = self.digest_of(seek);
        let mut index = 1;
        if let Some(digest) = digest {
            index = self.slots_before(Word::least(digest)).max(index);
            let word = self.word(index);
            if word.upper() > digest
                && !word.is_empty()
                && let Some(child) = self.child(index - 1)
            {
                return child;
            }
        }
        // A node to the right is gone to if this one was split after a link to it was made, or if
        // a split has emptied the slot meanwhile.
        let index = self.index_by_keys(seek, digest, index);
        self.child(index.wrapping_sub(1))
            .unwrap_or_else(|| self.after())
    }

    /// The index of the place that [`find_by_keys`](NodeRef::find_by_keys) gives; 0 if there is none.
    #[inline(never)]
    fn index_by_keys(
        self,
        seek: &impl Sought<K::Order>,
        digest: Option<u32>,
        start: usize,
    ) -> usize {
        self.find_by_keys(seek, digest, start)
            .map_or(0, |place| place.index)
    }
}

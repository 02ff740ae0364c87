//! The gap that a key is put into: what was before it and after it when it came.
//!
//! What belongs between two neighbours belongs into the leaf of the one before, so they are
//! neighbours for as long as that is locked. The one before is always in the same leaf as the gap: a
//! leaf's range begins with its first key, or with the list. The one after may be the first key of
//! the next leaf's range, which is in the list since there is that leaf, and stays the first.

use crate::Key;
use crate::atomic::Word;
use crate::find::Found;
use crate::key::Stored;
use crate::store::NodeRef;

/// A place in a leaf where a key was put.
pub(crate) struct Gap<'a, K: Stored + ?Sized> {
    pub(crate) leaf: NodeRef<'a, K>,
    /// What was in the slot before it; empty if there is none, or it has another head.
    pub(crate) before: Word,
    /// What was after it.
    pub(crate) found: Found,
}

impl<'a, K: Key + ?Sized> Gap<'a, K> {
    /// The key before it, if that may have the same prefix as the one that was put there.
    #[inline]
    pub(crate) fn alike_before(&self) -> Option<&'a K> {
        (!self.before.is_empty()).then(|| self.leaf.key_of(self.before))
    }

    /// The key after it, if that may have the same prefix as the one that was put there.
    #[inline]
    pub(crate) fn alike_after(&self) -> Option<&'a K> {
        self.found
            .is_alike
            .then(|| self.leaf.found_key(self.found))?
    }
}

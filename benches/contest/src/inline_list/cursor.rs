//! Positions that move both ways; backward by a search, as there are no links back.

use strata_dbformat::{Comparator, SequenceNumber, Tag};

use super::InlineList;
use super::entry::Entry;
use super::list::Target;
use super::node::Node;

/// A position among the entries of a list.
#[derive(Debug)]
pub(crate) struct Cursor<'a, C> {
    list: &'a InlineList<C>,
    node: Option<Node<'a>>,
}

impl<'a, C: Comparator> Cursor<'a, C> {
    pub(super) fn new(list: &'a InlineList<C>) -> Self {
        Self { list, node: None }
    }

    /// The entry there.
    #[inline]
    pub(crate) fn entry(&self) -> Option<Entry<'a>> {
        // SAFETY: no position is at the head.
        self.node.map(|node| unsafe { node.entry() })
    }

    /// Moves to the first entry.
    pub(crate) fn seek_to_first(&mut self) {
        // SAFETY: every node has a link at level 0.
        self.node = unsafe { self.list.head().next(0) };
    }

    /// Moves to the last entry.
    pub(crate) fn seek_to_last(&mut self) {
        self.node = self.list.last();
    }

    /// Moves to the first entry that is not before a version of a user key.
    pub(crate) fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) {
        let tag = u64::from_le_bytes(Tag::for_seek(snapshot).to_bytes());
        self.node = self.list.lower_bound(Target { user_key, tag });
    }

    /// Moves to the entry after this one.
    #[inline]
    pub(crate) fn next(&mut self) {
        // SAFETY: every node has a link at level 0.
        self.node = self.node.and_then(|node| unsafe { node.next(0) });
    }

    /// Moves to the entry before this one.
    pub(crate) fn prev(&mut self) {
        self.node = self.entry().and_then(|entry| {
            self.list.before(Target {
                user_key: entry.user_key,
                tag: entry.tag,
            })
        });
    }
}

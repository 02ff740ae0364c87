//! The list, and how it is searched.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::sync::atomic::{AtomicUsize, Ordering};

use strata_dbformat::{Comparator, SequenceNumber, Tag};

use super::arena::{Arena, Piece};
use super::entry::Entry;
use super::node::{self, Node};
use super::writer::Writers;
use super::{Cursor, MAX_HEIGHT};

/// A skip list of memtable entries, one a node.
#[derive(Debug)]
pub(crate) struct InlineList<C> {
    pub(super) comparator: C,
    pub(super) arena: Arena,
    /// Of the highest node there is; never falls.
    pub(super) height: AtomicUsize,
    pub(super) writers: Writers,
    /// Its memory is the arena's.
    head: Node<'static>,
}

// SAFETY: nodes are memory of the arena, which goes with the list; it is tied to no thread.
unsafe impl<C: Send> Send for InlineList<C> {}

// SAFETY: links are atomic and entries never change once published (I3); writers keep to themselves
// what is not (see `Writers`).
unsafe impl<C: Sync> Sync for InlineList<C> {}

/// A version of a user key that is sought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) user_key: &'a [u8],
    pub(super) tag: u64,
}

impl<C: Comparator> InlineList<C> {
    /// An empty list.
    pub(crate) fn new(comparator: C) -> Self {
        Self::with_arena(comparator, Arena::default())
    }

    /// An empty list whose first `bytes` bytes of memory have been written to already.
    pub(crate) fn touched(comparator: C, bytes: usize) -> Self {
        Self::with_arena(comparator, Arena::touched(bytes))
    }

    fn with_arena(comparator: C, arena: Arena) -> Self {
        let mut piece = Piece::EMPTY;
        let memory = node::take(&mut piece, &arena, Node::HEAD_BYTES);
        // SAFETY: the piece is aligned, the memory large enough and nobody else's. It lives as long
        // as the arena, which is as long as `head` is in use: see `head()`.
        let head = unsafe { Node::write_links(memory, MAX_HEIGHT) };
        Self {
            comparator,
            arena,
            height: AtomicUsize::new(1),
            writers: Writers::new(piece),
            head,
        }
    }

    /// The node before all others, which has every level and no entry.
    #[inline]
    pub(super) fn head(&self) -> Node<'_> {
        // SAFETY: the arena lives as long as the list.
        unsafe { self.head.extend() }
    }

    /// How many levels have nodes.
    #[inline]
    pub(super) fn height(&self) -> usize {
        self.height.load(Ordering::Relaxed)
    }

    /// Whether the target stands after a node; every target stands before the list's end.
    #[inline]
    pub(super) fn is_after(&self, target: Target<'_>, node: Option<Node<'_>>) -> bool {
        node.is_some_and(|node| self.compare(node, target) == Less)
    }

    #[inline]
    fn compare(&self, node: Node<'_>, target: Target<'_>) -> std::cmp::Ordering {
        // SAFETY: only nodes that a link leads to are compared, and none leads to the head.
        let entry = unsafe { node.entry() };
        entry.compare(&self.comparator, target.user_key, target.tag)
    }

    /// The first node that does not stand before the target.
    #[inline]
    pub(super) fn lower_bound(&self, target: Target<'_>) -> Option<Node<'_>> {
        let (mut at, mut level) = (self.head(), self.height() - 1);
        let mut last_after = None;
        loop {
            // SAFETY: `at` was reached at this level or a higher one (I2).
            let next = unsafe { at.next(level) };
            let order = match next {
                Some(next) => {
                    // SAFETY: `next` was reached at this level (I2).
                    unsafe { next.prefetch_next(level) };
                    // A node found to be after the target one level higher need not be asked again.
                    if last_after == Some(next) {
                        Greater
                    } else {
                        self.compare(next, target)
                    }
                }
                None => Greater,
            };
            match (order, next) {
                (Less, Some(next)) => at = next,
                (Equal, _) => return next,
                _ if level == 0 => return next,
                _ => {
                    last_after = next;
                    level -= 1;
                }
            }
        }
    }

    /// The last node that stands before the target; `None` if there is none.
    pub(super) fn before(&self, target: Target<'_>) -> Option<Node<'_>> {
        let (mut at, mut level) = (self.head(), self.height() - 1);
        let mut last_after = None;
        loop {
            // SAFETY: `at` was reached at this level or a higher one (I2).
            let next = unsafe { at.next(level) };
            if let Some(next) = next {
                // SAFETY: `next` was reached at this level (I2).
                unsafe { next.prefetch_next(level) };
                if last_after != Some(next) && self.compare(next, target) == Less {
                    at = next;
                    continue;
                }
            }
            if level == 0 {
                return (at != self.head()).then_some(at);
            }
            last_after = next;
            level -= 1;
        }
    }

    /// The last node; `None` if the list is empty.
    pub(super) fn last(&self) -> Option<Node<'_>> {
        let (mut at, mut level) = (self.head(), self.height() - 1);
        loop {
            // SAFETY: `at` was reached at this level or a higher one (I2).
            match unsafe { at.next(level) } {
                Some(next) => at = next,
                None if level == 0 => return (at != self.head()).then_some(at),
                None => level -= 1,
            }
        }
    }

    /// The newest version of a user key that a snapshot sees.
    #[inline]
    pub(crate) fn get(&self, user_key: &[u8], snapshot: SequenceNumber) -> Option<Entry<'_>> {
        let tag = u64::from_le_bytes(Tag::for_seek(snapshot).to_bytes());
        let node = self.lower_bound(Target { user_key, tag })?;
        // SAFETY: the head is no lower bound.
        let entry = unsafe { node.entry() };
        let order = self.comparator.compare(entry.user_key, user_key);
        order.is_eq().then_some(entry)
    }

    /// A position among the entries, at none yet.
    pub(crate) fn cursor(&self) -> Cursor<'_, C> {
        Cursor::new(self)
    }
}

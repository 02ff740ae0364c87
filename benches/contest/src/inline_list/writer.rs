//! Who may write: one writer alone, which need not exchange atomically, or several that do.

use std::sync::{Mutex, PoisonError};

use strata_dbformat::{Comparator, SequenceNumber, Tag, ValueType};

use super::arena::Piece;
use super::insert::{Splice, insert};
use super::list::Target;
use super::node::{self, Node};
use super::{BRANCHING_BITS, InlineList, MAX_HEIGHT};

/// The writers that a list has at the moment.
#[derive(Debug)]
pub(super) struct Writers(Mutex<Present>);

#[derive(Debug)]
struct Present {
    is_sole: bool,
    writers: usize,
    /// What no writer has yet of the block that the head is in.
    first_piece: Option<Piece>,
    seed: u64,
}

impl Writers {
    pub(super) fn new(first_piece: Piece) -> Self {
        Self(Mutex::new(Present {
            is_sole: false,
            writers: 0,
            first_piece: Some(first_piece),
            seed: 0,
        }))
    }

    /// One more writer.
    ///
    /// # Panics
    ///
    /// If there is a sole one, or if the new one is to be sole and there is another.
    fn enter(&self, is_sole: bool) -> State {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(
            present.writers == 0 || !(is_sole || present.is_sole),
            "a sole writer has no others beside it"
        );
        present.is_sole = is_sole;
        present.writers += 1;
        present.seed += 1;
        State {
            piece: present.first_piece.take().unwrap_or(Piece::EMPTY),
            random: present.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    fn leave(&self) {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        present.writers -= 1;
    }
}

/// What every writer has for itself: memory and chance.
#[derive(Debug)]
struct State {
    piece: Piece,
    random: u64,
}

impl State {
    /// A height: one in four nodes is higher than 1, of those one in four higher than 2, and so on.
    #[inline]
    fn height(&mut self) -> usize {
        // Marsaglia's xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let higher = (self.random >> 32).trailing_zeros() / BRANCHING_BITS;
        MAX_HEIGHT.min(1 + higher as usize)
    }

    /// A node that is in no list yet, and its height.
    #[inline]
    fn node<'a, C>(
        &mut self,
        list: &'a InlineList<C>,
        target: Target<'_>,
        value: &[u8],
    ) -> (Node<'a>, usize) {
        let height = self.height();
        let bytes = Node::bytes(height, target.user_key, value);
        let memory = node::take(&mut self.piece, &list.arena, bytes);
        // SAFETY: pieces are aligned, are multiples of 8, and give every byte to one node (I1).
        let node = unsafe { Node::write(memory, height, (target.user_key, target.tag, value)) };
        (node, height)
    }
}

fn tag(sequence: SequenceNumber) -> u64 {
    u64::from_le_bytes(Tag::new(sequence, ValueType::Value).to_bytes())
}

/// The only writer of a list, as RocksDB's `Insert` has it: it remembers where it inserted last.
#[derive(Debug)]
pub(crate) struct SoleWriter<'a, C> {
    list: &'a InlineList<C>,
    state: State,
    splice: Splice<'a>,
}

/// A writer beside others, as RocksDB's `InsertConcurrently` has it: it searches every time.
#[derive(Debug)]
pub(crate) struct ConcurrentWriter<'a, C> {
    list: &'a InlineList<C>,
    state: State,
}

impl<C: Comparator> InlineList<C> {
    /// The list's only writer.
    ///
    /// # Panics
    ///
    /// If there is one already.
    pub(crate) fn sole_writer(&self) -> SoleWriter<'_, C> {
        SoleWriter {
            list: self,
            state: self.writers.enter(true),
            splice: Splice::new(self.head()),
        }
    }

    /// A writer that there may be several of.
    ///
    /// # Panics
    ///
    /// If there is one that has to be the only one.
    pub(crate) fn concurrent_writer(&self) -> ConcurrentWriter<'_, C> {
        ConcurrentWriter {
            list: self,
            state: self.writers.enter(false),
        }
    }
}

impl<C: Comparator> SoleWriter<'_, C> {
    /// Inserts a version of a user key.
    ///
    /// # Panics
    ///
    /// If it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let tag = tag(sequence);
        let target = Target { user_key, tag };
        let (node, height) = self.state.node(self.list, target, value);
        insert::<C, false>(self.list, &mut self.splice, target, node, height);
    }
}

impl<C: Comparator> ConcurrentWriter<'_, C> {
    /// Inserts a version of a user key.
    ///
    /// # Panics
    ///
    /// If it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]) {
        let tag = tag(sequence);
        let target = Target { user_key, tag };
        let (node, height) = self.state.node(self.list, target, value);
        let mut splice = Splice::new(self.list.head());
        insert::<C, true>(self.list, &mut splice, target, node, height);
    }
}

impl<C> Drop for SoleWriter<'_, C> {
    fn drop(&mut self) {
        self.list.writers.leave();
    }
}

impl<C> Drop for ConcurrentWriter<'_, C> {
    fn drop(&mut self) {
        self.list.writers.leave();
    }
}

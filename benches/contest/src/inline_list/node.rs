//! Nodes: links below the address, an entry behind it.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use super::MAX_HEIGHT;
use super::arena::Piece;
use super::entry::{self, Entry};

/// What a link points to: the lowest link of another node, or nothing.
pub(super) type Link = AtomicPtr<Lowest>;

/// The lowest link, which is at a node's address.
#[repr(transparent)]
#[derive(Debug)]
pub(super) struct Lowest(AtomicPtr<Lowest>);

const LINK_BYTES: usize = size_of::<Link>();

/// A node of a list that lives for `'a`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    at: NonNull<Lowest>,
    list: PhantomData<&'a Lowest>,
}

impl PartialEq for Node<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<'a> Node<'a> {
    /// How many bytes a node takes.
    pub(super) fn bytes(height: usize, user_key: &[u8], value: &[u8]) -> usize {
        (height * LINK_BYTES + entry::entry_bytes(user_key, value)).next_multiple_of(8)
    }

    /// How many bytes a head takes, which has every link and no entry.
    pub(super) const HEAD_BYTES: usize = MAX_HEIGHT * LINK_BYTES;

    /// Writes a node with `height` links, all to nothing, and an entry.
    ///
    /// # Safety
    ///
    /// `memory` is aligned to 8 bytes, has as many as [`Node::bytes`] says, and is given to nobody
    /// else for `'a` (I1).
    #[inline]
    pub(super) unsafe fn write(
        memory: NonNull<u8>,
        height: usize,
        (user_key, tag, value): (&[u8], u64, &[u8]),
    ) -> Self {
        // SAFETY: the caller's promise; the links come first.
        let node = unsafe { Self::write_links(memory, height) };
        let bytes = entry::entry_bytes(user_key, value);
        let at = node.entry_address().cast_mut().cast::<MaybeUninit<u8>>();
        // SAFETY: behind the links there is room for the entry, and nobody else has it.
        let room = unsafe { std::slice::from_raw_parts_mut(at, bytes) };
        entry::encode_entry(room, user_key, tag, value);
        node
    }

    /// Writes `height` links to nothing.
    ///
    /// # Safety
    ///
    /// As [`Node::write`], with room for the links at least.
    #[inline]
    pub(super) unsafe fn write_links(memory: NonNull<u8>, height: usize) -> Self {
        let top = memory.cast::<Link>();
        for position in 0..height {
            // SAFETY: there is room for that many links.
            let link = unsafe { top.add(position) };
            // SAFETY: the same; the alignment is the caller's promise.
            unsafe { link.write(AtomicPtr::new(ptr::null_mut())) };
        }
        // SAFETY: the lowest link is the last of them.
        let lowest = unsafe { top.add(height - 1) };
        Self {
            at: lowest.cast(),
            list: PhantomData,
        }
    }

    /// The node's link at a level.
    ///
    /// # Safety
    ///
    /// The level is less than the node's height (I2).
    #[inline]
    unsafe fn link(self, level: usize) -> &'a Link {
        // SAFETY: the links of higher levels lie below the lowest, and there is one at this level.
        let link = unsafe { self.at.cast::<Link>().sub(level) };
        // SAFETY: it was written before the node was made (I3), and lives for `'a` (I1).
        unsafe { link.as_ref() }
    }

    /// The node after this one at a level.
    ///
    /// # Safety
    ///
    /// The level is less than the node's height (I2).
    #[inline]
    pub(super) unsafe fn next(self, level: usize) -> Option<Self> {
        // SAFETY: the caller's promise. Acquire pairs with the Release of `publish` and `exchange`.
        Self::from_link(unsafe { self.link(level) }.load(Ordering::Acquire))
    }

    /// Links this node, which nobody else sees yet, to the one it will stand before.
    ///
    /// # Safety
    ///
    /// As [`Node::next`].
    #[inline]
    pub(super) unsafe fn prepare(self, level: usize, next: Option<Self>) {
        // SAFETY: the caller's promise. Relaxed, because the node is published later.
        unsafe { self.link(level) }.store(Self::to_link(next), Ordering::Relaxed);
    }

    /// Puts `node` after this one: the store that makes it visible to readers (I3).
    ///
    /// # Safety
    ///
    /// As [`Node::next`], for this node and for `node`.
    #[inline]
    pub(super) unsafe fn publish(self, level: usize, node: Self) {
        // SAFETY: the caller's promise.
        unsafe { self.link(level) }.store(node.at.as_ptr(), Ordering::Release);
    }

    /// As [`Node::publish`], if `next` still is the node after this one.
    ///
    /// # Safety
    ///
    /// The same.
    #[inline]
    pub(super) unsafe fn exchange(self, level: usize, next: Option<Self>, node: Self) -> bool {
        // SAFETY: the caller's promise.
        let link = unsafe { self.link(level) };
        let (old, new) = (Self::to_link(next), node.at.as_ptr());
        link.compare_exchange(old, new, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// The node's entry.
    ///
    /// # Safety
    ///
    /// The node is not a list's head, which has none.
    #[inline]
    pub(super) unsafe fn entry(self) -> Entry<'a> {
        // SAFETY: an entry follows the links; it does not change (I3), and lives for `'a` (I1).
        unsafe { Entry::at(self.entry_address()) }
    }

    /// Asks for the line that the node after this one begins on, as RocksDB's lookups do. (They
    /// would be a fifth faster with [`prefetch_both`](Node::prefetch_both), which it leaves to
    /// insertions.)
    ///
    /// # Safety
    ///
    /// As [`Node::next`].
    #[inline]
    pub(super) unsafe fn prefetch_next(self, level: usize) {
        // SAFETY: the caller's promise.
        let next = unsafe { self.link(level) };
        prefetch(next.load(Ordering::Relaxed).cast_const().cast());
    }

    /// Asks for the lines that the nodes after this one begin on, at a level and the one below.
    ///
    /// A search goes on to one of them once this node has been compared.
    ///
    /// # Safety
    ///
    /// As [`Node::next`].
    #[inline]
    pub(super) unsafe fn prefetch_both(self, level: usize) {
        // SAFETY: the caller's promise.
        let next = unsafe { self.link(level) };
        prefetch(next.load(Ordering::Relaxed).cast_const().cast());
        if level > 0 {
            // SAFETY: a level below another is less than the height as well.
            let below = unsafe { self.link(level - 1) };
            prefetch(below.load(Ordering::Relaxed).cast_const().cast());
        }
    }

    /// The same node for as long as the caller knows that it lives.
    ///
    /// # Safety
    ///
    /// The list lives for `'b`.
    #[inline]
    pub(super) unsafe fn extend<'b>(self) -> Node<'b> {
        Node {
            at: self.at,
            list: PhantomData,
        }
    }

    #[inline]
    fn entry_address(self) -> *const u8 {
        self.at.as_ptr().wrapping_add(1).cast_const().cast()
    }

    #[inline]
    fn from_link(at: *mut Lowest) -> Option<Self> {
        NonNull::new(at).map(|at| Self {
            at,
            list: PhantomData,
        })
    }

    #[inline]
    fn to_link(node: Option<Self>) -> *mut Lowest {
        node.map_or(ptr::null_mut(), |node| node.at.as_ptr())
    }
}

/// Memory for a node from a writer's piece of the arena.
#[inline]
pub(super) fn take(piece: &mut Piece, arena: &super::arena::Arena, bytes: usize) -> NonNull<u8> {
    loop {
        if let Some(memory) = piece.take(bytes) {
            return memory;
        }
        *piece = arena.piece(bytes);
    }
}

/// Asks for a line of cache; does nothing where there is no instruction for that.
#[inline]
pub(super) fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetching is harmless at any address, and every x86-64 has the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

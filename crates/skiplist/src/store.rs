//! Keys and nodes in the arena, and all that makes a reference of a location.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::NonNull;
use std::slice;

use strata_arena::{AllocError, Allocation, Arena, Location};

use crate::atomic::{Link, Number, Word};
use crate::key::{NewKey, Stored};
use crate::node::Node;
use crate::prefetch::{PREFETCHES, prefetch};
use crate::spare::{Run, Spares};
use crate::sync::Witness;

/// The memory of a list: keys of type `K`, and nodes.
#[derive(Debug)]
pub(crate) struct Store<K: ?Sized> {
    pub(crate) arena: Arena,
    /// How many nodes there are.
    pub(crate) nodes: Number,
    pub(crate) spares: Spares,
    /// A store owns keys: sending it sends them.
    owned: PhantomData<K>,
    /// Sharing it sends them, too, as keys are inserted by shared reference.
    sent: PhantomData<std::sync::Mutex<K>>,
}

/// How many lines [`NodeRef::prefetch_entry`] fetches: all that an entry of 16 and 100 bytes lies on,
/// which takes 126, wherever it begins. The last byte of a value is read, too.
const ENTRY_LINES: usize = (64 - Location::GRANULE + 126).div_ceil(64);

const _: () = assert!(size_of::<Run>() <= size_of::<Node>());
const _: () = assert!(align_of::<Run>() <= align_of::<Node>());

impl<K: Stored + ?Sized> Store<K> {
    /// How far the key is from where what is allocated for it begins.
    const KEY_OFFSET: usize = size_of::<Witness>().next_multiple_of(K::ALIGN);

    pub(crate) fn new(arena: Arena) -> Self {
        Self {
            arena,
            nodes: Number::zero(),
            spares: Spares::none(),
            owned: PhantomData,
            sent: PhantomData,
        }
    }

    /// What is to be allocated for a key of this layout, which is none if the key is too long.
    /// Padded, so that one can be laid after the other.
    pub(crate) fn key_layout(key: Option<Layout>) -> Result<Layout, AllocError> {
        let too_large = AllocError::OutOfMemory {
            requested: usize::MAX,
        };
        let align = K::ALIGN.max(Location::GRANULE).max(align_of::<Witness>());
        key.and_then(|key| key.size().checked_add(Self::KEY_OFFSET))
            .and_then(|size| size.checked_next_multiple_of(align))
            .and_then(|size| Layout::from_size_align(size, align).ok())
            .ok_or(too_large)
    }

    /// Writes a key to what was allocated for it.
    ///
    /// # Panics
    ///
    /// If that does not fit the key.
    #[inline(always)]
    pub(crate) fn write_key<'a>(
        &'a self,
        allocation: Allocation<'a>,
        key: impl NewKey<K>,
    ) -> UnlinkedKey<'a, K> {
        let Allocation { location, bytes } = allocation;
        let is_aligned = bytes.as_ptr().addr().is_multiple_of(align_of::<Witness>());
        assert!(bytes.len() >= size_of::<Witness>() && is_aligned);
        let start = NonNull::from(&mut *bytes).cast::<Witness>();
        // SAFETY: the memory begins with room for a witness, aligned, as was just checked.
        unsafe { start.write(Witness::written()) };
        key.write(&mut bytes[Self::KEY_OFFSET..]);
        UnlinkedKey {
            store: self,
            location,
        }
    }

    /// Where the key at `location` begins.
    ///
    /// # Safety
    ///
    /// [`write_key`](Store::write_key) of this store wrote a key there, and its memory is visible
    /// to this thread.
    #[inline(always)]
    unsafe fn start_of_key(&self, location: Location) -> NonNull<u8> {
        // SAFETY: the caller's: the arena gave this location.
        let start = unsafe { self.arena.resolve(location) };
        // SAFETY: the caller's: a witness is at the beginning, for good.
        unsafe { start.cast::<Witness>().as_ref() }.read();
        // SAFETY: the caller's: the key is within the same allocation.
        unsafe { start.add(Self::KEY_OFFSET) }
    }

    /// The key at `location`.
    ///
    /// # Safety
    ///
    /// As [`start_of_key`](Store::start_of_key); the key is not dropped while the store is borrowed.
    #[inline(always)]
    pub(crate) unsafe fn key(&self, location: Location) -> &K {
        // SAFETY: the caller's.
        let start = unsafe { self.start_of_key(location) };
        // SAFETY: the caller's.
        unsafe { self.key_from(start) }
    }

    /// The key that begins at `start`.
    ///
    /// # Safety
    ///
    /// [`start_of_key`](Store::start_of_key) gave it, and what that asks for holds still.
    #[inline(always)]
    pub(crate) unsafe fn key_from(&self, start: NonNull<u8>) -> &K {
        // SAFETY: the caller's: a whole key was written there.
        let key = unsafe { K::at(start) };
        // SAFETY: S1 and S2: it stays there unchanged for as long as the arena is borrowed.
        unsafe { key.as_ref() }
    }

    /// What the key that begins at `start` is compared by.
    ///
    /// # Safety
    ///
    /// As [`key_from`](Store::key_from).
    #[inline(always)]
    pub(crate) unsafe fn order_from(&self, start: NonNull<u8>) -> &K::Order {
        // SAFETY: the caller's: a whole key was written there.
        let order = unsafe { K::order_at(start) };
        // SAFETY: S1 and S2: it stays there unchanged for as long as the arena is borrowed.
        unsafe { order.as_ref() }
    }

    /// What the key at `location` is compared by.
    ///
    /// # Safety
    ///
    /// As [`key`](Store::key).
    #[inline(always)]
    unsafe fn order(&self, location: Location) -> &K::Order {
        // SAFETY: the caller's.
        let start = unsafe { self.start_of_key(location) };
        // SAFETY: the caller's.
        unsafe { self.order_from(start) }
    }

    /// Drops the key at `location`, if keys need that.
    ///
    /// # Safety
    ///
    /// As [`start_of_key`](Store::start_of_key); no thread has a reference to the key nor will.
    pub(crate) unsafe fn drop_key(&self, location: Location) {
        if K::NEEDS_DROP {
            // SAFETY: the caller's.
            let start = unsafe { self.start_of_key(location) };
            // SAFETY: the caller's: a whole key was written there.
            let key = unsafe { K::at(start) };
            // SAFETY: the caller's.
            unsafe { key.drop_in_place() };
        }
    }

    /// Puts a node at `location`, which it knows as its own.
    ///
    /// # Safety
    ///
    /// The arena gave the location for a node, to this caller alone.
    pub(crate) unsafe fn put_node(&self, location: Location, node: Node) -> NodeRef<'_, K> {
        debug_assert!(node.location() == location);
        // SAFETY: the caller's: the arena gave this location.
        let place = unsafe { self.arena.resolve(location) }.cast::<Node>();
        // SAFETY: the caller's: there is room for a node, this caller's alone.
        unsafe { place.write(node) };
        self.nodes.add(1);
        // SAFETY: there is a node now.
        unsafe { self.node(location) }
    }

    /// Keeps a run of spare nodes at its beginning.
    ///
    /// # Safety
    ///
    /// The arena gave that location for a node, which is not made yet, and no other thread uses it.
    pub(crate) unsafe fn keep_run(&self, run: Run) {
        // SAFETY: the caller's: the arena gave this location.
        let place = unsafe { self.arena.resolve(run.first) }.cast::<Run>();
        // SAFETY: the caller's: there is room for a node, which is larger and aligned as much.
        unsafe { place.write(run) };
    }

    /// The run that [`keep_run`](Store::keep_run) has put at `location`.
    ///
    /// # Safety
    ///
    /// It has, and nothing was written there since.
    pub(crate) unsafe fn kept_run(&self, location: Location) -> Run {
        // SAFETY: the caller's: the arena gave this location.
        let place = unsafe { self.arena.resolve(location) }.cast::<Run>();
        // SAFETY: the caller's: a run is there.
        unsafe { place.read() }
    }

    /// So many bytes at `location`.
    ///
    /// # Safety
    ///
    /// The arena handed them out together, and they are this caller's alone.
    #[expect(
        clippy::mut_from_ref,
        reason = "the caller's: no other reference exists"
    )]
    pub(crate) unsafe fn bytes_at(
        &self,
        location: Location,
        bytes: usize,
    ) -> &mut [MaybeUninit<u8>] {
        // SAFETY: the caller's: the arena gave this location.
        let first = unsafe { self.arena.resolve(location) };
        // SAFETY: the caller's; they live as long as the arena, which is borrowed.
        unsafe { slice::from_raw_parts_mut(first.as_ptr().cast(), bytes) }
    }

    /// The node at `location`.
    ///
    /// # Safety
    ///
    /// [`put_node`](Store::put_node) of this store put a node there, and its memory is visible to
    /// this thread.
    #[inline(always)]
    pub(crate) unsafe fn node(&self, location: Location) -> NodeRef<'_, K> {
        // SAFETY: the caller's: the arena gave this location.
        let node = unsafe { self.arena.resolve(location) }.cast::<Node>();
        // SAFETY: the caller's.
        unsafe { self.node_from(node) }
    }

    /// The node at this address.
    ///
    /// # Safety
    ///
    /// It is the address of a node of this store, whose memory is visible to this thread.
    #[inline(always)]
    pub(crate) unsafe fn node_from(&self, node: NonNull<Node>) -> NodeRef<'_, K> {
        // SAFETY: S1: the node stays there for as long as the arena is borrowed, and is shared
        // only: what changes of it are atomics.
        let node = unsafe { node.as_ref() };
        node.witness.read();
        NodeRef { store: self, node }
    }

    /// The node that `link` leads to.
    ///
    /// # Safety
    ///
    /// The link is one of this store's list.
    #[inline]
    pub(crate) unsafe fn linked(&self, link: &Link) -> Option<NodeRef<'_, K>> {
        // SAFETY: S2: links lead to nodes of their own store, whose memory the link published.
        link.read().map(|location| unsafe { self.node(location) })
    }
}

/// A key that is written but in no leaf yet. Dropping it drops the key.
pub(crate) struct UnlinkedKey<'a, K: Stored + ?Sized> {
    store: &'a Store<K>,
    pub(crate) location: Location,
}

impl<'a, K: Stored + ?Sized> UnlinkedKey<'a, K> {
    /// The key.
    pub(crate) fn key(&self) -> &K {
        // SAFETY: `write_key` wrote it, on this thread, and it is dropped with `self` only.
        unsafe { self.store.key(self.location) }
    }

    /// Leaves the key to the list, now that it is in a leaf.
    pub(crate) fn leave_to_list(self) -> &'a K {
        // SAFETY: as above; it is not dropped before the list from here on.
        let key = unsafe { self.store.key(self.location) };
        std::mem::forget(self);
        key
    }
}

impl<K: Stored + ?Sized> Drop for UnlinkedKey<'_, K> {
    fn drop(&mut self) {
        // SAFETY: `write_key` wrote the key, and it is in no leaf, so no other thread knows of it.
        unsafe { self.store.drop_key(self.location) };
    }
}

/// A node, and the store it is in.
pub(crate) struct NodeRef<'a, K: Stored + ?Sized> {
    store: &'a Store<K>,
    node: &'a Node,
}

impl<K: Stored + ?Sized> Clone for NodeRef<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for NodeRef<'_, K> {}

impl<K: Stored + ?Sized> PartialEq for NodeRef<'_, K> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.node, other.node)
    }
}

impl<K: Stored + ?Sized> Deref for NodeRef<'_, K> {
    type Target = Node;

    #[inline(always)]
    fn deref(&self) -> &Node {
        self.node
    }
}

impl<'a, K: Stored + ?Sized> NodeRef<'a, K> {
    /// The node, for as long as the store is borrowed.
    #[inline]
    pub(crate) fn node(self) -> &'a Node {
        self.node
    }

    /// The key that slot `word` of this leaf leads to.
    #[inline(always)]
    pub(crate) fn key_at(self, word: Word) -> &'a K {
        // SAFETY: S3: words are read of slots of leaves, which hold locations of keys of the same
        // store, or are the low of a node.
        unsafe { self.store.key(word.location()) }
    }

    /// Where the key begins that slot `word` of this leaf leads to.
    #[inline(always)]
    pub(crate) fn start_of(self, word: Word) -> NonNull<u8> {
        // SAFETY: S3, as above.
        unsafe { self.store.start_of_key(word.location()) }
    }

    /// What the first key of the node's range is compared by; none if the range has no beginning.
    #[inline]
    pub(crate) fn low_order(self) -> Option<&'a K::Order> {
        // SAFETY: S2: a node's first key is one of its store, visible since the node is.
        self.low().map(|low| unsafe { self.store.order(low) })
    }

    /// The first key of the range that the right link `right` leads to, as a leaf's slot would
    /// have it.
    pub(crate) fn low_of_next(self, right: Word) -> Option<Word> {
        Some(Word::new(0, self.node_of(right)?.low()?))
    }

    /// The node that `word` locates, read of this node's right link or, above the leaves, of one of
    /// its slots; none if it is empty.
    #[inline(always)]
    pub(crate) fn node_of(self, word: Word) -> Option<NodeRef<'a, K>> {
        // SAFETY: S3: these words locate nodes of the same store, and S2: published them.
        (!word.is_empty()).then(|| unsafe { self.store.node(word.location()) })
    }

    /// The node after this one, if there is one.
    #[inline]
    pub(crate) fn next(self) -> Option<NodeRef<'a, K>> {
        self.node_of(self.right.read())
    }

    /// As [`next`](NodeRef::next), for a node whose range ends.
    #[cold]
    pub(crate) fn after(self) -> NodeRef<'a, K> {
        match self.next() {
            Some(next) => next,
            None => unreachable!("a range that ends has another after it"),
        }
    }

    /// Some node before this one.
    #[inline]
    pub(crate) fn previous(self) -> Option<NodeRef<'a, K>> {
        // SAFETY: the node is of this store.
        unsafe { self.store.linked(&self.node.previous) }
    }

    /// The node that slot `index` holds, above the leaves; none if the slot is empty.
    #[inline(always)]
    pub(crate) fn child(self, index: usize) -> Option<NodeRef<'a, K>> {
        debug_assert!(self.level > 0);
        self.node_of(self.word(index))
    }

    /// Where the key is that a slot of this node with this content is of: in a leaf the key it
    /// holds, above that the first key of its node's range.
    #[inline(always)]
    pub(crate) fn key_location_of(self, word: Word) -> Location {
        debug_assert!(!word.is_empty());
        match self.level {
            0 => word.location(),
            // Without digests the upper half is where the key is.
            _ if !self.has_digests() => Location::from_bits(word.upper()),
            _ => match self.node_of(word).and_then(|child| child.low()) {
                Some(low) => low,
                None => unreachable!("only the first slot's node has a range without beginning"),
            },
        }
    }

    /// What the key that a slot of this node with this content is of is compared by.
    #[inline(always)]
    pub(crate) fn order_of(self, word: Word) -> &'a K::Order {
        // SAFETY: S3: words are read of slots, which hold locations of keys of the same store.
        unsafe { self.store.order(self.key_location_of(word)) }
    }

    /// Fetches what [`order_of`](NodeRef::order_of) reads first of what slot `index` holds.
    #[inline]
    pub(crate) fn prefetch_order_at(self, index: usize) {
        if !PREFETCHES {
            return;
        }
        let word = self.word(index);
        if word.is_empty() {
            return;
        }
        let location = match self.level > 0 && !self.has_digests() {
            true => Location::from_bits(word.upper()),
            false => word.location(),
        };
        // SAFETY: S3, as above.
        prefetch(unsafe { self.store.arena.resolve(location) }, 1);
    }

    /// Fetches the first lines of what a slot leads to: as many as a key with a small value takes.
    #[inline(always)]
    pub(crate) fn prefetch_entry(self, word: Word) {
        if !word.is_empty() {
            let location = word.location();
            // SAFETY: S3, as above.
            prefetch(unsafe { self.store.arena.resolve(location) }, ENTRY_LINES);
        }
    }

    /// Fetches all of the node.
    #[inline(always)]
    pub(crate) fn prefetch(self) {
        prefetch(NonNull::from(self.node).cast(), size_of::<Node>() / 64);
    }
}

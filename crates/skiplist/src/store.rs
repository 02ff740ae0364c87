//! Keys and nodes in the arena, and all that makes a reference of a location.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use strata_arena::{AllocError, Allocation, Arena, Location};

use crate::atomic::{Link, Tally, Word};
use crate::key::{NewKey, Stored};
use crate::node::Node;
use crate::prefetch::prefetch;
use crate::sync::Witness;

/// The memory of a list: keys of type `K`, and nodes.
#[derive(Debug)]
pub(crate) struct Store<K: ?Sized> {
    pub(crate) arena: Arena,
    /// How many nodes there are.
    pub(crate) nodes: Tally,
    /// A store owns keys: sending it sends them.
    owned: PhantomData<K>,
    /// Sharing it sends them, too, as keys are inserted by shared reference.
    sent: PhantomData<std::sync::Mutex<K>>,
}

/// How many lines [`NodeRef::prefetch_entry`] fetches: what an entry of 16 and 100 bytes, which
/// takes 126, lies on at most.
const ENTRY_LINES: usize = 3;

impl<K: Stored + ?Sized> Store<K> {
    /// How far the key is from where what is allocated for it begins.
    const KEY_OFFSET: usize = size_of::<Witness>().next_multiple_of(K::ALIGN);

    pub(crate) fn new(arena: Arena) -> Self {
        Self {
            arena,
            nodes: Tally::zero(),
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
    #[inline]
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
    #[inline]
    unsafe fn key_pointer(&self, location: Location) -> NonNull<K> {
        // SAFETY: the caller's: the arena gave this location.
        let start = unsafe { self.arena.resolve(location) };
        // SAFETY: the caller's: a witness is at the beginning, for good.
        unsafe { start.cast::<Witness>().as_ref() }.read();
        // SAFETY: the caller's: the key is within the same allocation.
        let key = unsafe { start.add(Self::KEY_OFFSET) };
        // SAFETY: the caller's: a whole key was written there.
        unsafe { K::at(key) }
    }

    /// The key at `location`.
    ///
    /// # Safety
    ///
    /// As [`key_pointer`](Store::key_pointer); the key is not dropped while the store is borrowed.
    #[inline]
    pub(crate) unsafe fn key(&self, location: Location) -> &K {
        // SAFETY: the caller's.
        let key = unsafe { self.key_pointer(location) };
        // SAFETY: S1 and S2: it stays there unchanged for as long as the arena is borrowed.
        unsafe { key.as_ref() }
    }

    /// Drops the key at `location`, if keys need that.
    ///
    /// # Safety
    ///
    /// As [`key_pointer`](Store::key_pointer); nobody has a reference to the key nor will.
    pub(crate) unsafe fn drop_key(&self, location: Location) {
        if K::NEEDS_DROP {
            // SAFETY: the caller's.
            let key = unsafe { self.key_pointer(location) };
            // SAFETY: the caller's.
            unsafe { key.drop_in_place() };
        }
    }

    /// Puts a node into the arena.
    pub(crate) fn add_node(&self, node: Node) -> Result<NodeRef<'_, K>, AllocError> {
        let Allocation { location, bytes } = self.arena.allocate_node(Layout::new::<Node>())?;
        self.nodes.add(1);
        debug_assert!(bytes.len() >= size_of::<Node>());
        let place = NonNull::from(bytes).cast::<Node>();
        // SAFETY: the arena gave this for a node.
        unsafe { place.write(node) };
        // SAFETY: there is a node now.
        Ok(unsafe { self.node(location) })
    }

    /// The node at `location`.
    ///
    /// # Safety
    ///
    /// [`add_node`](Store::add_node) of this store put a node there, and its memory is visible to
    /// this thread.
    #[inline]
    pub(crate) unsafe fn node(&self, location: Location) -> NodeRef<'_, K> {
        // SAFETY: the caller's: the arena gave this location.
        let node = unsafe { self.arena.resolve(location) }.cast::<Node>();
        // SAFETY: S1: the node stays there for as long as the arena is borrowed, and is shared
        // only: what changes of it are atomics.
        let node = unsafe { node.as_ref() };
        node.witness.read();
        NodeRef {
            store: self,
            node,
            location,
        }
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
        // SAFETY: `write_key` wrote the key, and it is in no leaf, so nobody else knows of it.
        unsafe { self.store.drop_key(self.location) };
    }
}

/// A node, and the store it is in.
pub(crate) struct NodeRef<'a, K: Stored + ?Sized> {
    store: &'a Store<K>,
    node: &'a Node,
    location: Location,
}

impl<K: Stored + ?Sized> Clone for NodeRef<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for NodeRef<'_, K> {}

impl<K: Stored + ?Sized> PartialEq for NodeRef<'_, K> {
    fn eq(&self, other: &Self) -> bool {
        self.location == other.location
    }
}

impl<K: Stored + ?Sized> Deref for NodeRef<'_, K> {
    type Target = Node;

    #[inline]
    fn deref(&self) -> &Node {
        self.node
    }
}

impl<'a, K: Stored + ?Sized> NodeRef<'a, K> {
    /// The node, for as long as the store is borrowed.
    pub(crate) fn node(self) -> &'a Node {
        self.node
    }

    /// Where the node is.
    #[inline]
    pub(crate) fn location(self) -> Location {
        self.location
    }

    /// The first key of the node's range; none if the range has no beginning.
    #[inline]
    pub(crate) fn low_key(self) -> Option<&'a K> {
        // SAFETY: S2: a node's first key is one of its store, visible since the node is.
        self.low().map(|low| unsafe { self.store.key(low) })
    }

    /// The node that `word` locates, read of this node's right link or, above the lowest level, of
    /// one of its slots; none if it is empty.
    #[inline]
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

    /// The node that slot `index` holds, above the lowest level; none if the slot is empty.
    #[inline]
    pub(crate) fn child(self, index: usize) -> Option<NodeRef<'a, K>> {
        debug_assert!(self.level > 0);
        self.node_of(self.word(index))
    }

    /// Where the key is that a slot of this node with this content is of: at the lowest level the
    /// key it holds, above that the first key of its node's range.
    #[inline]
    pub(crate) fn key_location_of(self, word: Word) -> Location {
        debug_assert!(!word.is_empty());
        match self.level {
            0 => word.location(),
            // Without heads the upper half is where the key is.
            _ if !self.has_heads() => Location::from_bits(word.upper()),
            _ => match self.node_of(word).and_then(|child| child.low()) {
                Some(low) => low,
                None => unreachable!("only the first slot's node has a range without beginning"),
            },
        }
    }

    /// The key that a slot of this node with this content is of.
    #[inline]
    pub(crate) fn key_of(self, word: Word) -> &'a K {
        // SAFETY: S3: words are read of slots, which hold locations of keys of the same store.
        unsafe { self.store.key(self.key_location_of(word)) }
    }

    /// Fetches what [`key_of`](NodeRef::key_of) reads first.
    #[inline]
    pub(crate) fn prefetch_key_of(self, word: Word) {
        if word.is_empty() {
            return;
        }
        let location = match self.level {
            0 => word.location(),
            _ if !self.has_heads() => Location::from_bits(word.upper()),
            _ => word.location(),
        };
        // SAFETY: S3, as above.
        prefetch(unsafe { self.store.arena.resolve(location) }, 1);
    }

    /// Fetches the first lines of what slot `index` holds: as many as a key with a small value
    /// takes.
    #[inline]
    pub(crate) fn prefetch_entry(self, word: Word) {
        if !word.is_empty() {
            // SAFETY: S3, as above.
            prefetch(
                unsafe { self.store.arena.resolve(word.location()) },
                ENTRY_LINES,
            );
        }
    }

    /// Fetches all of the node.
    #[inline]
    pub(crate) fn prefetch(self) {
        prefetch(NonNull::from(self.node).cast(), size_of::<Node>() / 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last byte of a value is read, too: fetching where an entry begins is not enough.
    #[test]
    fn all_lines_of_a_usual_entry_are_fetched() {
        const ENTRY: usize = 1 + 16 + 8 + 1 + 100;
        for begin in (0..64).step_by(Location::GRANULE) {
            assert!((begin + ENTRY).div_ceil(64) <= ENTRY_LINES, "from {begin}");
        }
    }
}

//! Nodes: how they lie in the arena, and the pointers to them.
//!
//! Most of the crate's `unsafe` is here, so that the algorithms over nodes need little.

use std::alloc::Layout;
use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::height::MAX_HEIGHT;
use crate::key::Stored;
use crate::link::Link;
use crate::sync::Witness;

/// A node from its lowest link on. The key follows it, the higher links precede it.
#[repr(C)]
pub(crate) struct Node<K: Stored + ?Sized> {
    lowest: Link<K>,
    extent: K::Extent,
    witness: Witness,
}

impl<K: Stored + ?Sized> Node<K> {
    /// How far a key is from its node's address.
    const KEY_OFFSET: usize = size_of::<Self>().next_multiple_of(K::ALIGN);
}

/// Where the parts of a node are in the memory allocated for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeLayout {
    /// The memory.
    pub(crate) whole: Layout,
    /// Where in it the node's address is.
    node: usize,
    /// Where in it the key is.
    key: usize,
}

impl NodeLayout {
    /// The layout of a node with `height` levels and a key of extent `extent`, or `None` if that
    /// is larger than memory can be.
    pub(crate) fn new<K: Stored + ?Sized>(height: usize, extent: K::Extent) -> Option<Self> {
        debug_assert!((1..=MAX_HEIGHT).contains(&height), "height {height}");
        let align = align_of::<Node<K>>().max(K::ALIGN);
        let above = Layout::array::<Link<K>>(height - 1).ok()?;
        // The node is aligned, and the links above level 0 end where it begins.
        let node = above.align_to(align).ok()?.pad_to_align().size();
        let key = node + Node::<K>::KEY_OFFSET;
        let size = key.checked_add(K::layout(extent)?.size())?;
        // Padded, so that nodes can be laid one after the other.
        let whole = Layout::from_size_align(size.checked_next_multiple_of(align)?, align).ok()?;
        Some(Self { whole, node, key })
    }

    fn fits(&self, memory: &[MaybeUninit<u8>]) -> bool {
        let aligned = memory.as_ptr().addr().is_multiple_of(self.whole.align());
        aligned && memory.len() == self.whole.size()
    }
}

/// A node that is written but not linked yet. Dropping it drops its key.
pub(crate) struct UnlinkedNode<'a, K: Stored + ?Sized> {
    node: NodeRef<'a, K>,
}

impl<'a, K: Stored + ?Sized> UnlinkedNode<'a, K> {
    /// Makes a node in `memory`, allocated for `layout`, whose key `write_key` writes.
    ///
    /// # Safety
    ///
    /// `layout` is that of a node of `height` levels and extent `extent`, `memory` has its size
    /// and alignment, and `write_key` writes a whole key of that extent.
    unsafe fn new(
        memory: &'a mut [MaybeUninit<u8>],
        layout: NodeLayout,
        height: usize,
        extent: K::Extent,
        write_key: impl FnOnce(&mut [MaybeUninit<u8>]),
    ) -> Self {
        debug_assert!(layout.fits(memory));
        write_key(&mut memory[layout.key..]);
        let start = NonNull::from(memory).cast::<u8>();
        // SAFETY: the caller's: `layout.node` is within the memory.
        let node = unsafe { start.add(layout.node) }.cast::<Node<K>>();
        // SAFETY: the caller's: there is room for a node here, and it is aligned.
        unsafe {
            node.write(Node {
                lowest: Link::none(),
                extent,
                witness: Witness::written(),
            })
        };
        for level in 1..height {
            // SAFETY: the caller's: `height - 1` links have room before the node.
            let link = unsafe { node.cast::<Link<K>>().sub(level) };
            // SAFETY: as above; links need no more alignment than the node, which has theirs.
            unsafe { link.write(Link::none()) };
        }
        Self {
            node: NodeRef {
                node,
                list: PhantomData,
            },
        }
    }

    /// Leaves the key to the list, now that the node is linked.
    pub(crate) fn leave_to_list(self) {
        std::mem::forget(self);
    }

    /// The node as it is linked.
    pub(crate) fn node(&self) -> NodeRef<'a, K> {
        self.node
    }
}

impl<'a> UnlinkedNode<'a, [u8]> {
    /// Makes a node in `memory`, allocated for `layout`, whose key is the parts one after the
    /// other, `length` bytes in all.
    ///
    /// # Panics
    ///
    /// If the memory, the layout and the parts do not fit each other.
    pub(crate) fn with_parts(
        memory: &'a mut [MaybeUninit<u8>],
        height: usize,
        parts: &[&[u8]],
    ) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        let layout = match NodeLayout::new::<[u8]>(height, length) {
            Some(layout) if layout.fits(memory) => layout,
            _ => unreachable!("the memory was allocated for these parts"),
        };
        let write_key = |mut key: &mut [MaybeUninit<u8>]| {
            for part in parts {
                let (bytes, rest) = key.split_at_mut(part.len());
                bytes.write_copy_of_slice(part);
                key = rest;
            }
        };
        // SAFETY: `layout` is for this height and length, the memory fits it, and the parts are
        // `length` bytes, each of which is written.
        unsafe { Self::new(memory, layout, height, length, write_key) }
    }
}

impl<'a, K> UnlinkedNode<'a, K> {
    /// Makes a node in `memory`, allocated for a node of `height` levels, whose key is `key`.
    ///
    /// # Panics
    ///
    /// If the memory does not fit such a node.
    pub(crate) fn with_key(memory: &'a mut [MaybeUninit<u8>], height: usize, key: K) -> Self {
        let layout = match NodeLayout::new::<K>(height, ()) {
            Some(layout) if layout.fits(memory) => layout,
            _ => unreachable!("the memory was allocated for this key"),
        };
        let write_key = |bytes: &mut [MaybeUninit<u8>]| {
            // SAFETY: `layout` leaves room for a `K` here, aligned.
            unsafe { bytes.as_mut_ptr().cast::<K>().write(key) };
        };
        // SAFETY: `layout` is for this height and key, the memory fits it, and a key is written.
        unsafe { Self::new(memory, layout, height, (), write_key) }
    }
}

impl<K: Stored + ?Sized> Drop for UnlinkedNode<'_, K> {
    fn drop(&mut self) {
        // SAFETY: nobody else has the node: it was not linked.
        unsafe { self.node.drop_key() };
    }
}

/// A node of a list that is borrowed for `'a`.
pub(crate) struct NodeRef<'a, K: Stored + ?Sized> {
    node: NonNull<Node<K>>,
    list: PhantomData<&'a Node<K>>,
}

impl<K: Stored + ?Sized> Clone for NodeRef<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for NodeRef<'_, K> {}

impl<K: Stored + ?Sized> PartialEq for NodeRef<'_, K> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl<'a, K: Stored + ?Sized> NodeRef<'a, K> {
    /// The node's key.
    #[inline]
    pub(crate) fn key(self) -> &'a K {
        // SAFETY: S1 and S2: the node lives for `'a`, and its extent is written for good.
        let node = unsafe { self.node.as_ref() };
        node.witness.read();
        // SAFETY: S1: the key is in the node's allocation, this far from its address.
        let start = unsafe { self.node.cast::<u8>().add(Node::<K>::KEY_OFFSET) };
        // SAFETY: S2: a whole key of that extent is written there, for good, aligned.
        unsafe { K::at(start, node.extent).as_ref() }
    }

    /// The node's links.
    #[inline]
    pub(crate) fn tower(self) -> Tower<'a, K> {
        Tower {
            lowest: self.node.cast(),
            list: PhantomData,
        }
    }

    /// The next node at the lowest level.
    #[inline]
    pub(crate) fn next(self) -> Option<NodeRef<'a, K>> {
        self.tower().first()
    }

    /// Puts the node between `tower` and `next` at `level`, if `next` still follows there, and
    /// says whether it did.
    ///
    /// # Safety
    ///
    /// The node is higher than `level` and not linked at it; `tower` is as for
    /// [`Tower::link`], at `level`.
    pub(crate) unsafe fn publish_after(
        self,
        tower: Tower<'a, K>,
        level: usize,
        next: Option<NodeRef<'a, K>>,
    ) -> bool {
        let next = next.map(|node| node.node);
        // SAFETY: the caller's: the node is higher than `level`.
        unsafe { self.tower().link(level) }.prepare(next);
        // SAFETY: the caller's.
        unsafe { tower.link(level) }.publish(next, self.node)
    }

    /// Drops the node's key, if keys need that.
    ///
    /// # Safety
    ///
    /// Nobody has access to the key, nor a reference to it, and nobody will.
    pub(crate) unsafe fn drop_key(self) {
        if K::NEEDS_DROP {
            // SAFETY: S1 and S2: the node lives for `'a`, and its extent is written for good.
            let extent = unsafe { self.node.as_ref() }.extent;
            // SAFETY: S1: the key is in the node's allocation, this far from its address. The
            // pointer is made of the allocation's, not of a `&K`: dropping needs to write.
            let start = unsafe { self.node.cast::<u8>().add(Node::<K>::KEY_OFFSET) };
            // SAFETY: the caller's; S2: a whole key is there until now, aligned.
            unsafe { K::at(start, extent).drop_in_place() };
        }
    }
}

/// The links of a node, or the list's own, from which every search begins.
pub(crate) struct Tower<'a, K: Stored + ?Sized> {
    lowest: NonNull<Link<K>>,
    list: PhantomData<&'a Link<K>>,
}

impl<K: Stored + ?Sized> Clone for Tower<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for Tower<'_, K> {}

impl<'a, K: Stored + ?Sized> Tower<'a, K> {
    /// The next node at the lowest level, which every tower has.
    #[inline]
    pub(crate) fn first(self) -> Option<NodeRef<'a, K>> {
        // SAFETY: S3: every node's height is at least 1, and so is the head's.
        unsafe { self.next(0) }
    }

    /// The link at `level`.
    ///
    /// # Safety
    ///
    /// The tower has that level: it was reached over a link at it or a higher one (S3), or it is
    /// the head's.
    #[inline]
    pub(crate) unsafe fn link(self, level: usize) -> &'a Link<K> {
        debug_assert!(level < MAX_HEIGHT, "level {level}");
        // SAFETY: the caller's: the link is within the node's allocation, or the head.
        let link = unsafe { self.lowest.sub(level) };
        // SAFETY: S1 and S2: it lives for `'a` and is initialised.
        unsafe { link.as_ref() }
    }

    /// The next node at `level`.
    ///
    /// # Safety
    ///
    /// As [`link`](Tower::link).
    #[inline]
    pub(crate) unsafe fn next(self, level: usize) -> Option<NodeRef<'a, K>> {
        // SAFETY: the caller's.
        let next = unsafe { self.link(level) }.next();
        next.map(|node| NodeRef {
            node,
            list: PhantomData,
        })
    }
}

/// The links from which every search begins: those of every level, the highest first, as in a
/// node.
pub(crate) struct Head<K: Stored + ?Sized>([Link<K>; MAX_HEIGHT]);

impl<K: Stored + ?Sized> Head<K> {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Link::none()))
    }

    #[inline]
    pub(crate) fn tower(&self) -> Tower<'_, K> {
        let links = NonNull::from(&self.0).cast::<Link<K>>();
        // SAFETY: the last of `MAX_HEIGHT` links.
        let lowest = unsafe { links.add(MAX_HEIGHT - 1) };
        Tower {
            lowest,
            list: PhantomData,
        }
    }
}

/// A node that something other than a borrow keeps alive: see S4.
pub(crate) struct Place<K: Stored + ?Sized>(NonNull<Node<K>>);

impl<K: Stored + ?Sized> Clone for Place<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Stored + ?Sized> Copy for Place<K> {}

impl<K: Stored + ?Sized> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

impl<K: Stored + ?Sized> From<NodeRef<'_, K>> for Place<K> {
    fn from(node: NodeRef<'_, K>) -> Self {
        Self(node.node)
    }
}

impl<K: Stored + ?Sized> Place<K> {
    /// The node.
    ///
    /// # Safety
    ///
    /// The list that the node belongs to lives for `'a`.
    #[inline]
    pub(crate) unsafe fn node<'a>(self) -> NodeRef<'a, K> {
        NodeRef {
            node: self.0,
            list: PhantomData,
        }
    }
}

// SAFETY: a place is only good for reading the key by shared reference.
unsafe impl<K: Stored + Sync + ?Sized> Send for Place<K> {}
// SAFETY: as above.
unsafe impl<K: Stored + Sync + ?Sized> Sync for Place<K> {}

/// That a list owns keys which its raw links hide: what it takes to send or share one.
pub(crate) struct OwnsKeys<K: ?Sized>(PhantomData<*const K>);

impl<K: ?Sized> OwnsKeys<K> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

// SAFETY: sending a list sends its keys.
unsafe impl<K: Send + ?Sized> Send for OwnsKeys<K> {}
// SAFETY: sharing a list shares its keys, and inserting through `&self` sends them.
unsafe impl<K: Send + Sync + ?Sized> Sync for OwnsKeys<K> {}

//! The types of key a list can hold in its nodes.

use std::alloc::Layout;
use std::ptr::NonNull;

/// A type of key that a list can hold in its nodes: every sized type, and `[u8]`.
///
/// Keys that own memory are dropped with the list; for keys that do not, nothing is done then.
pub trait Key: Stored {}

impl<K> Key for K {}
impl Key for [u8] {}

/// How a key is stored. Sealed: its module is private.
pub trait Stored {
    /// What a node holds beside the key to find its end.
    type Extent: Copy;

    /// The alignment of a key.
    const ALIGN: usize;

    /// Whether a key must be dropped.
    const NEEDS_DROP: bool;

    /// How much a key of this extent takes.
    fn layout(extent: Self::Extent) -> Option<Layout>;

    /// The key that begins at `start`, a pointer only.
    fn at(start: NonNull<u8>, extent: Self::Extent) -> NonNull<Self>;
}

impl<K> Stored for K {
    type Extent = ();

    const ALIGN: usize = align_of::<K>();

    const NEEDS_DROP: bool = std::mem::needs_drop::<K>();

    fn layout((): ()) -> Option<Layout> {
        Some(Layout::new::<K>())
    }

    #[inline]
    fn at(start: NonNull<u8>, (): ()) -> NonNull<Self> {
        start.cast()
    }
}

impl Stored for [u8] {
    type Extent = usize;

    const ALIGN: usize = 1;

    const NEEDS_DROP: bool = false;

    fn layout(length: usize) -> Option<Layout> {
        Layout::array::<u8>(length).ok()
    }

    #[inline]
    fn at(start: NonNull<u8>, length: usize) -> NonNull<Self> {
        NonNull::slice_from_raw_parts(start, length)
    }
}

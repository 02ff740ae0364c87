//! Every atomic access of the crate, by name. `Ordering` appears in no other file.
//!
//! | access | ordering | pairs with | what it makes visible | test that would fail |
//! |---|---|---|---|---|
//! | [`Link::next`] | Acquire | [`Link::publish`] | the node it leads to: its key, its extent, its own links at this level and below (S2) | loom `a_published_node_is_whole` |
//! | [`Link::publish`], success | Release | [`Link::next`] | the same | the same |
//! | [`Link::publish`], failure | Relaxed | – | nothing: the inserter searches anew, with [`Link::next`] | – |
//! | [`Link::prepare`] | Relaxed | the Release of the publication that follows it | nothing by itself: nobody reads the link before the node is published at its level (S3) | loom `a_published_node_is_whole` |
//! | [`Height`], both | Relaxed | – | nothing: a search that starts too low is slower but right, and one that starts too high finds the head's links empty, which they are from the start | loom `an_inserter_never_loses_another` |
//! | [`Counter`], all | Relaxed | – | nothing: each is a number by itself | – |

use std::fmt;
use std::ptr::{self, NonNull};

use crate::key::Stored;
use crate::node::Node;
use crate::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// A link to the next node at one level, or to none.
pub(crate) struct Link<K: Stored + ?Sized>(AtomicPtr<Node<K>>);

pub(crate) type NodePointer<K> = Option<NonNull<Node<K>>>;

fn raw<K: Stored + ?Sized>(node: NodePointer<K>) -> *mut Node<K> {
    node.map_or(ptr::null_mut(), NonNull::as_ptr)
}

impl<K: Stored + ?Sized> Link<K> {
    pub(crate) fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Where the link leads.
    #[inline]
    pub(crate) fn next(&self) -> NodePointer<K> {
        NonNull::new(self.0.load(Ordering::Acquire))
    }

    /// Sets a link that no other thread can read yet.
    pub(crate) fn prepare(&self, next: NodePointer<K>) {
        self.0.store(raw(next), Ordering::Relaxed);
    }

    /// If the link still leads to `next`, makes it lead to `node`, and says whether it did.
    pub(crate) fn publish(&self, next: NodePointer<K>, node: NonNull<Node<K>>) -> bool {
        self.0
            .compare_exchange(
                raw(next),
                node.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            )
            .is_ok()
    }
}

impl<K: Stored + ?Sized> fmt::Debug for Link<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

/// The height of the highest node there has been: where searches begin.
#[derive(Debug)]
pub(crate) struct Height(AtomicUsize);

impl Height {
    pub(crate) fn lowest() -> Self {
        Self(AtomicUsize::new(1))
    }

    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Raises the height to `height`, if it is lower, and returns the higher of the two.
    pub(crate) fn raise(&self, height: usize) -> usize {
        let before = self.get();
        if before >= height {
            return before;
        }
        self.0.fetch_max(height, Ordering::Relaxed).max(height)
    }
}

/// A number that several threads add to.
#[derive(Debug)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds `count` and returns what there was before.
    pub(crate) fn add(&self, count: u64) -> u64 {
        self.0.fetch_add(count, Ordering::Relaxed)
    }
}

//! Inserting: find where the key belongs, take memory for its node, link it from the lowest level
//! up.
//!
//! A link is made by a compare-and-swap that expects the node found by the search. If another
//! inserter was there first, the search is repeated from where it was, at that level only. The key
//! is in the list from the moment it is linked at the lowest level; the links above are shortcuts
//! to it.

use std::alloc::Layout;
use std::cmp::Ordering;
use std::mem::MaybeUninit;

use strata_arena::AllocError;

use crate::height::MAX_HEIGHT;
use crate::node::{NodeLayout, NodeRef, Tower, UnlinkedNode};
use crate::{Compare, InsertError, Key, SkipList};

/// Where a key belongs: at each level, the last node before it and the first not before it.
type Splice<'a, K> = [(Tower<'a, K>, Option<NodeRef<'a, K>>); MAX_HEIGHT];

impl<K: Key + ?Sized, C> SkipList<K, C> {
    /// Where `target` belongs at the levels below `height`, or `None` if an equal key is there.
    fn splice<Q: ?Sized>(&self, target: &Q, height: usize) -> Option<Splice<'_, K>>
    where
        C: Compare<K, Q>,
    {
        let mut splice = [(self.head.tower(), None); MAX_HEIGHT];
        let (mut tower, mut next) = splice[0];
        for level in (0..height).rev() {
            (tower, next) = self.splice_level(target, level, tower, next)?;
            splice[level] = (tower, next);
        }
        Some(splice)
    }

    /// Where `target` belongs at `level`, looking from `tower` on, which is before it and has that
    /// level; `None` if an equal key is there. `not_before` is known to be after `target`.
    fn splice_level<'a, Q: ?Sized>(
        &'a self,
        target: &Q,
        level: usize,
        mut tower: Tower<'a, K>,
        not_before: Option<NodeRef<'a, K>>,
    ) -> Option<(Tower<'a, K>, Option<NodeRef<'a, K>>)>
    where
        C: Compare<K, Q>,
    {
        loop {
            // SAFETY: S3: the tower was reached at this level or above, or is the head's.
            let next = unsafe { tower.next(level) };
            match next {
                Some(node) if next != not_before => {
                    match self.comparator.compare(node.key(), target) {
                        Ordering::Less => tower = node.tower(),
                        Ordering::Equal => return None,
                        Ordering::Greater => return Some((tower, next)),
                    }
                }
                _ => return Some((tower, next)),
            }
        }
    }

    /// Links `unlinked`, whose key equals `target`, where the splice says, and takes it out;
    /// unless an equal key has come there since, in which case nothing has happened.
    ///
    /// The node stays the caller's until it is linked, because `target` may be its own key: what
    /// is not linked is dropped when no reference to it is left.
    fn link<'a, Q: ?Sized>(
        &'a self,
        target: &Q,
        mut splice: Splice<'a, K>,
        unlinked: &mut Option<UnlinkedNode<'a, K>>,
        height: usize,
    ) -> Result<NodeRef<'a, K>, InsertError>
    where
        C: Compare<K, Q>,
    {
        let Some(node) = unlinked.as_ref().map(UnlinkedNode::node) else {
            unreachable!("a caller of `link` has a node")
        };
        // From the lowest level up: a node that is found at a level is at all below it, too.
        let (tower, next) = &mut splice[0];
        // SAFETY: every node has level 0, and the splice's tower was reached there or is the head.
        while !unsafe { node.publish_after(*tower, 0, *next) } {
            // Another inserter was here first. It may have brought an equal key.
            (*tower, *next) = self
                .splice_level(target, 0, *tower, None)
                .ok_or(InsertError::Duplicate)?;
        }
        // From here on the key is the list's, whatever the comparator does.
        if let Some(node) = unlinked.take() {
            node.leave_to_list();
        }
        self.length.add(1);
        for (level, (tower, next)) in splice.iter_mut().enumerate().take(height).skip(1) {
            // SAFETY: `level` is below the node's height, which it is linked at only here; the
            // splice's tower was reached at this level or above, or is the head.
            while !unsafe { node.publish_after(*tower, level, *next) } {
                match self.splice_level(target, level, *tower, None) {
                    Some(place) => (*tower, *next) = place,
                    // Only a comparator that contradicts itself can say that an equal key is on a
                    // level where it was never linked. The node stays as high as it is.
                    None => return Ok(node),
                }
            }
        }
        Ok(node)
    }

    /// Memory for `layout`, which is `None` if it would be larger than memory can be.
    fn allocate(&self, layout: Option<Layout>) -> Result<&mut [MaybeUninit<u8>], AllocError> {
        match layout {
            Some(layout) => self.arena.allocate_layout(layout),
            None => Err(AllocError::OutOfMemory {
                requested: usize::MAX,
            }),
        }
    }
}

impl<K, C: Compare<K>> SkipList<K, C> {
    /// Inserts `key` and returns it where it now is.
    ///
    /// # Errors
    ///
    /// [`InsertError::Duplicate`] if there is an equal key, [`InsertError::Full`] if the arena has
    /// no memory. Nothing is visible then, and `key` is dropped. Without a race for the same key,
    /// a duplicate takes no memory either.
    pub fn insert(&self, key: K) -> Result<&K, InsertError> {
        let height = self.heights.height(self.heights.draw(1));
        let splice_height = self.height.raise(height);
        let splice = self
            .splice(&key, splice_height)
            .ok_or(InsertError::Duplicate)?;
        let memory = self.allocate(NodeLayout::new::<K>(height, ()).map(|layout| layout.whole))?;
        let node = UnlinkedNode::with_key(memory, height, key);
        let target = node.node().key();
        let mut unlinked = Some(node);
        self.link(target, splice, &mut unlinked, height)
            .map(NodeRef::key)
    }
}

impl<C> SkipList<[u8], C> {
    /// Inserts a copy of `key` and returns it where it now is.
    ///
    /// # Errors
    ///
    /// As [`insert_parts`](SkipList::insert_parts).
    pub fn insert_bytes(&self, key: &[u8]) -> Result<&[u8], InsertError>
    where
        C: Compare<[u8]>,
    {
        self.insert_parts(key, &[key])
    }

    /// Inserts the key that is `parts` one after the other, and returns it where it now is.
    ///
    /// The caller says where it belongs: it must compare as equal to `target`. So a key need not
    /// be put together before it is known to be wanted, and is copied once.
    ///
    /// ```
    /// use strata_skiplist::{Natural, SkipList};
    ///
    /// let list = SkipList::<[u8], Natural>::default();
    /// let key = list.insert_parts(&b"prefix/key"[..], &[b"prefix", b"/", b"key"])?;
    /// assert_eq!(key, b"prefix/key");
    /// # Ok::<(), strata_skiplist::InsertError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InsertError::Duplicate`] if there is a key equal to `target`, [`InsertError::Full`] if
    /// the arena has no memory. Nothing is visible then. Without a race for the same key, a
    /// duplicate takes no memory either.
    pub fn insert_parts<Q: ?Sized>(&self, target: &Q, parts: &[&[u8]]) -> Result<&[u8], InsertError>
    where
        C: Compare<[u8], Q>,
    {
        let draw = self.heights.draw(1);
        self.insert_drawn(target, parts, draw, |layout| self.allocate(layout))
    }

    /// Sets memory aside for keys of these `lengths`, so that inserting them can't fail for lack
    /// of it.
    ///
    /// ```
    /// use strata_skiplist::{InsertError, Natural, SkipList};
    ///
    /// let list = SkipList::<[u8], Natural>::default();
    /// let mut reservation = list.reserve([3, 5].into_iter())?;
    /// reservation.insert_parts(&b"one"[..], &[b"one"])?;
    /// reservation.insert_parts(&b"three"[..], &[b"three"])?;
    /// # Ok::<(), InsertError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InsertError::Full`] if the arena has not as much; nothing is taken then.
    pub fn reserve(
        &self,
        lengths: impl Iterator<Item = usize> + Clone,
    ) -> Result<Reservation<'_, C>, InsertError> {
        let count = lengths.clone().count() as u64;
        let draw = self.heights.draw(count);
        // Nodes are padded, so that laying one after the other needs no more padding.
        let draws = (0..).map(|i| draw.wrapping_add(i));
        let whole = draws
            .zip(lengths)
            .try_fold(Layout::new::<()>(), |whole, (draw, length)| {
                let node = NodeLayout::new::<[u8]>(self.heights.height(draw), length)?.whole;
                whole.extend(node).ok().map(|(whole, _)| whole)
            });
        let memory = self.allocate(whole)?;
        Ok(Reservation {
            list: self,
            memory,
            draw,
            left: count,
        })
    }

    /// Inserts with the height that was drawn as number `draw`, into memory that `allocate` gives.
    fn insert_drawn<'a, Q: ?Sized>(
        &'a self,
        target: &Q,
        parts: &[&[u8]],
        draw: u64,
        allocate: impl FnOnce(Option<Layout>) -> Result<&'a mut [MaybeUninit<u8>], AllocError>,
    ) -> Result<&'a [u8], InsertError>
    where
        C: Compare<[u8], Q>,
    {
        let height = self.heights.height(draw);
        let splice_height = self.height.raise(height);
        let splice = self
            .splice(target, splice_height)
            .ok_or(InsertError::Duplicate)?;
        let layout = parts
            .iter()
            .try_fold(0usize, |length, part| length.checked_add(part.len()))
            .and_then(|length| NodeLayout::new::<[u8]>(height, length))
            .map(|layout| layout.whole);
        let mut unlinked = Some(UnlinkedNode::with_parts(allocate(layout)?, height, parts));
        self.link(target, splice, &mut unlinked, height)
            .map(NodeRef::key)
    }
}

/// Memory set aside for keys of known lengths; made by [`SkipList::reserve`].
///
/// Keys should be inserted with the lengths, and in the order, they were announced in: one that
/// does not fit what is left of the reservation is allocated anew, which may fail. What is not
/// used stays unused.
#[derive(Debug)]
pub struct Reservation<'a, C> {
    list: &'a SkipList<[u8], C>,
    memory: &'a mut [MaybeUninit<u8>],
    /// The number of the next height drawn for this reservation, and how many there are.
    draw: u64,
    left: u64,
}

impl<'a, C> Reservation<'a, C> {
    /// Inserts the next key, as [`SkipList::insert_parts`] does.
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_parts`].
    pub fn insert_parts<Q: ?Sized>(
        &mut self,
        target: &Q,
        parts: &[&[u8]],
    ) -> Result<&'a [u8], InsertError>
    where
        C: Compare<[u8], Q>,
    {
        let list = self.list;
        let draw = match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                let draw = self.draw;
                self.draw = draw.wrapping_add(1);
                draw
            }
            None => list.heights.draw(1),
        };
        list.insert_drawn(target, parts, draw, |layout| {
            let bytes = layout.map_or(usize::MAX, |layout| layout.size());
            match self.memory.split_off_mut(..bytes) {
                Some(memory) => Ok(memory),
                None => list.allocate(layout),
            }
        })
    }
}

//! Memory set aside for several keys, so that inserting them can't fail for lack of it.

use std::alloc::Layout;
use std::fmt;
use std::mem::MaybeUninit;

use strata_arena::{AllocError, Allocation, Location};

use crate::key::{Joined, KeyValue, Pair, prefixed};
use crate::spot::Spot;
use crate::store::Store;
use crate::{Compare, InsertError, Inserted, Key, SkipList};

/// Memory set aside for keys of known lengths; made by [`SkipList::reserve`].
///
/// Keys should be inserted with the lengths, and in the order, they were announced in: one that
/// does not fit what is left of the reservation is allocated anew, which may fail. What is not
/// used stays unused.
///
/// Keys that come in order are inserted without a search: each is looked for after the one before.
///
/// Index nodes are not part of it: those are made as keys come in, whatever the arena's limit.
pub struct Reservation<'a, K: Key + ?Sized, C> {
    list: &'a SkipList<K, C>,
    location: Location,
    memory: &'a mut [MaybeUninit<u8>],
    /// Where the key before is: in a run in order, the next one is just after it.
    last: Option<Spot<'a, K>>,
}

impl<'a, K: Key + ?Sized, C: Compare<K>> Reservation<'a, K, C> {
    /// Memory for keys of these layouts, one after the other.
    fn new(
        list: &'a SkipList<K, C>,
        keys: impl Iterator<Item = Option<Layout>>,
    ) -> Result<Self, AllocError> {
        let mut whole = Layout::new::<()>();
        for key in keys {
            // Padded, so that laying one after the other needs no more padding.
            whole = match whole.extend(Store::<K>::key_layout(key)?) {
                Ok((whole, _)) => whole,
                Err(_) => {
                    return Err(AllocError::OutOfMemory {
                        requested: usize::MAX,
                    });
                }
            };
        }
        let Allocation { location, bytes } = list.arena().allocate(whole)?;
        Ok(Self {
            list,
            location,
            memory: bytes,
            last: None,
        })
    }

    /// Takes memory for `layout`, or allocates it if too little is left.
    fn take(&mut self, layout: Layout) -> Result<Allocation<'a>, AllocError> {
        match self.memory.split_off_mut(..layout.size()) {
            Some(bytes) => {
                let location = self.location;
                self.location = location.plus(layout.size());
                Ok(Allocation { location, bytes })
            }
            None => self.list.arena().allocate(layout),
        }
    }
}

impl<'a, C: Compare<[u8]>> Reservation<'a, [u8], C> {
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
        let mut last = self.last.take();
        let inserted =
            list.insert_new(target, Joined(parts), |layout| self.take(layout), &mut last);
        self.last = last;
        Ok(inserted?.key)
    }
}

impl<'a, C: Compare<KeyValue>> Reservation<'a, KeyValue, C> {
    /// Inserts the next key and value, as [`SkipList::insert_key_value`] does.
    ///
    /// # Errors
    ///
    /// As [`SkipList::insert_key_value`].
    pub fn insert_key_value<Q: ?Sized>(
        &mut self,
        target: &Q,
        key: &[&[u8]],
        value: &[u8],
    ) -> Result<Inserted<'a, KeyValue>, InsertError>
    where
        C: Compare<KeyValue, Q>,
    {
        let list = self.list;
        let new = Pair {
            key: Joined(key),
            value,
        };
        let mut last = self.last.take();
        let inserted = list.insert_new(target, new, |layout| self.take(layout), &mut last);
        self.last = last;
        inserted
    }
}

impl<C: Compare<[u8]>> SkipList<[u8], C> {
    /// Sets memory aside for keys of these lengths, so that inserting them can't fail for lack of
    /// it.
    ///
    /// ```
    /// use strata_skiplist::{Bytewise, InsertError, SkipList};
    ///
    /// let list = SkipList::<[u8], Bytewise>::default();
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
        lengths: impl Iterator<Item = usize>,
    ) -> Result<Reservation<'_, [u8], C>, InsertError> {
        let layout = |length| Layout::array::<u8>(prefixed(length)?).ok();
        Ok(Reservation::new(self, lengths.map(layout))?)
    }
}

impl<C: Compare<KeyValue>> SkipList<KeyValue, C> {
    /// Sets memory aside for keys and values of these lengths, so that inserting them can't fail
    /// for lack of it.
    ///
    /// # Errors
    ///
    /// [`InsertError::Full`] if the arena has not as much; nothing is taken then.
    pub fn reserve(
        &self,
        lengths: impl Iterator<Item = (usize, usize)>,
    ) -> Result<Reservation<'_, KeyValue, C>, InsertError> {
        let layout = |(key, value)| Layout::array::<u8>(KeyValue::encoded_length(key, value)?).ok();
        Ok(Reservation::new(self, lengths.map(layout))?)
    }
}

impl<K: Key + ?Sized, C> fmt::Debug for Reservation<'_, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("bytes", &self.memory.len())
            .finish_non_exhaustive()
    }
}

//! The memtables at one moment, to read.

use std::fmt;
use std::ops::{Deref, DerefMut, RangeBounds};
use std::sync::Arc;

use strata_dbformat::{Comparator, SequenceNumber};
use strata_memtable::{Lookup, MemTableReader, OwnedCursor, OwnedEntry};

use crate::memtables::{Memtables, Numbered};
use crate::{MergingCursor, SnapshotCursor, VisibleCursor};

/// What goes through all memtables as if they were one.
type Merged<C> = MergingCursor<OwnedCursor<C>, C>;

/// The memtables of a write buffer at one moment, read at one snapshot.
///
/// It is `'static` and `Send`, a clone is cheap, and it keeps alive what it reads: whatever is
/// written, frozen and flushed meanwhile, its answers stay the same. Reading takes no lock.
///
/// A view is what to take for several reads: they borrow from it and copy nothing.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_memtable::Lookup;
/// use strata_write_buffer::{WriteBuffer, WriteBufferOptions};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// buffer.put(b"fig", b"purple")?;
/// buffer.delete(b"pear")?;
/// let view = buffer.view();
/// buffer.put(b"fig", b"black")?;
/// assert_eq!(view.get(b"fig"), Lookup::Value(b"purple"));
/// assert_eq!(view.get_many(&[b"pear", b"plum"]), [Lookup::Tombstone, Lookup::Absent]);
/// # Ok::<(), strata_write_buffer::WriteError>(())
/// ```
pub struct View<C> {
    memtables: Arc<Memtables<C>>,
    snapshot: SequenceNumber,
}

impl<C: Comparator + Clone> View<C> {
    pub(crate) fn new(memtables: Arc<Memtables<C>>, snapshot: SequenceNumber) -> Self {
        Self {
            memtables,
            snapshot,
        }
    }

    /// What is read up to: nothing that was written later is seen.
    #[must_use]
    pub fn snapshot(&self) -> SequenceNumber {
        self.snapshot
    }

    /// The newest version of a user key: [`Lookup::Absent`] says that tables are to be asked,
    /// [`Lookup::Tombstone`] that they need not be.
    #[must_use]
    pub fn get(&self, user_key: &[u8]) -> Lookup<'_> {
        for memtable in self.memtables.iter() {
            let found = memtable.reader().get_at(user_key, self.snapshot);
            if found != Lookup::Absent {
                return found;
            }
        }
        Lookup::Absent
    }

    /// As [`get`](Self::get) for several user keys, in their order, about twice as fast: they are
    /// looked for together.
    #[must_use]
    pub fn get_many<K: AsRef<[u8]>>(&self, user_keys: &[K]) -> Vec<Lookup<'_>> {
        let mut found = vec![Lookup::Absent; user_keys.len()];
        let mut left: Vec<usize> = (0..user_keys.len()).collect();
        for memtable in self.memtables.iter() {
            let keys = left.iter().map(|&i| user_keys[i].as_ref());
            let here = memtable.reader().get_many(keys, self.snapshot);
            for (&i, lookup) in left.iter().zip(here) {
                found[i] = lookup;
            }
            left.retain(|&i| found[i] == Lookup::Absent);
            if left.is_empty() {
                break;
            }
        }
        found
    }

    /// As [`get_many`](Self::get_many), with entries that keep alive what they show.
    pub(crate) fn get_owned_many<K: AsRef<[u8]>>(
        &self,
        user_keys: &[K],
    ) -> Vec<Option<OwnedEntry<C>>> {
        // Those that are there are looked for once more, by then in the processor's cache.
        let found = self.get_many(user_keys);
        let keys = user_keys.iter().zip(found);
        keys.map(|(key, lookup)| match lookup {
            Lookup::Absent => None,
            _ => self.get_owned(key.as_ref()),
        })
        .collect()
    }

    fn get_owned(&self, user_key: &[u8]) -> Option<OwnedEntry<C>> {
        self.memtables
            .iter()
            .find_map(|memtable| memtable.reader().get_owned(user_key, self.snapshot))
    }

    /// What a user sees of the user keys within `bounds`: of each the newest version, tombstones
    /// and what they delete left out.
    ///
    /// ```
    /// use strata_dbformat::BytewiseComparator;
    /// use strata_write_buffer::{WriteBuffer, WriteBufferOptions};
    ///
    /// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
    /// for key in [b"a", b"b", b"c", b"d"] {
    ///     buffer.put(key, b"")?;
    /// }
    /// buffer.delete(b"b")?;
    /// let mut cursor = buffer.view().cursor(&b"a"[..]..&b"d"[..]);
    /// let mut keys = Vec::new();
    /// cursor.seek_to_last()?;
    /// while let Some(entry) = cursor.entry() {
    ///     keys.extend_from_slice(entry.user_key);
    ///     cursor.prev()?;
    /// }
    /// assert_eq!(keys, b"ca");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cursor<'b>(&self, bounds: impl RangeBounds<&'b [u8]>) -> Cursor<C> {
        let comparator = self.user_comparator().clone();
        Cursor {
            cursor: VisibleCursor::new(comparator, self.merged(), self.snapshot, bounds),
            active: Arc::clone(&self.memtables.active),
        }
    }

    /// Every version of the user keys within `bounds` that the snapshot sees, in the order of
    /// internal keys: what is flushed, and what is merged with tables.
    #[must_use]
    pub fn internal_cursor<'b>(&self, bounds: impl RangeBounds<&'b [u8]>) -> InternalView<C> {
        let comparator = self.user_comparator().clone();
        SnapshotCursor::new(comparator, self.merged(), self.snapshot, bounds)
    }

    fn merged(&self) -> Merged<C> {
        let sources = self
            .memtables
            .iter()
            .map(|memtable| memtable.reader().owned_cursor());
        MergingCursor::new(self.user_comparator().clone(), sources.collect())
    }

    /// The memtables with the numbers of their logs, the newest first. The first one is the active
    /// one, and may be written to. Unlike all else of a view, they show what is newer than the
    /// snapshot.
    pub fn memtables(&self) -> impl Iterator<Item = (u64, &MemTableReader<C>)> {
        let all = self.memtables.iter();
        all.map(|memtable| (memtable.number, memtable.reader()))
    }

    /// The memtable whose log has this number.
    #[must_use]
    pub fn memtable_of_log(&self, log_number: u64) -> Option<&MemTableReader<C>> {
        self.memtables()
            .find_map(|(number, memtable)| (number == log_number).then_some(memtable))
    }

    /// The order of user keys.
    #[must_use]
    pub fn user_comparator(&self) -> &C {
        self.memtables.active.reader().user_comparator()
    }
}

/// Every version that a view sees, in the order of internal keys, both ways.
pub type InternalView<C> = SnapshotCursor<Merged<C>, C>;

impl<C> Clone for View<C> {
    fn clone(&self) -> Self {
        Self {
            memtables: Arc::clone(&self.memtables),
            snapshot: self.snapshot,
        }
    }
}

impl<C> fmt::Debug for View<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("snapshot", &self.snapshot)
            .field("memtables", &self.memtables.iter().count())
            .finish_non_exhaustive()
    }
}

/// What a user sees of a view: a [`VisibleCursor`], to which it dereferences.
///
/// When it is dropped, what it had to pass over counts towards [flush
/// advice](crate::AdviceOptions::skipped).
#[derive(Debug)]
pub struct Cursor<C: Comparator> {
    cursor: VisibleCursor<Merged<C>, C>,
    active: Arc<Numbered<C>>,
}

impl<C: Comparator> Deref for Cursor<C> {
    type Target = VisibleCursor<Merged<C>, C>;

    fn deref(&self) -> &Self::Target {
        &self.cursor
    }
}

impl<C: Comparator> DerefMut for Cursor<C> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.cursor
    }
}

impl<C: Comparator> Drop for Cursor<C> {
    fn drop(&mut self) {
        let skipped = self.cursor.skipped();
        let entries = skipped.hidden + skipped.tombstones;
        self.active
            .skipped
            .add(usize::try_from(entries).unwrap_or(usize::MAX));
    }
}

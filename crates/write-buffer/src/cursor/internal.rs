//! What every cursor here is made over: a position in one sorted sequence of entries.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

use strata_dbformat::{
    Comparator, ParsedInternalKey, SequenceNumber, Tag, escape, split_internal_key,
};
use strata_memtable::OwnedCursor;
use strata_table::{ReadAt, Table, TableCursor, TableError};

use super::MapErr;

/// An entry a cursor is at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// The key the caller gave.
    pub user_key: &'a [u8],
    /// When it was written, and whether it is a tombstone.
    pub tag: Tag,
    /// The value; of a tombstone, whatever it was written with, usually nothing.
    pub value: &'a [u8],
}

impl EntryRef<'_> {
    /// When the entry was written.
    #[must_use]
    #[inline]
    pub fn sequence(&self) -> SequenceNumber {
        self.tag.sequence()
    }

    /// Whether the entry says that its user key is deleted.
    #[must_use]
    #[inline]
    pub fn is_tombstone(&self) -> bool {
        self.tag.value_type().is_tombstone()
    }
}

/// `'user key' @ sequence : type => 'value'`, escaped as LevelDB escapes.
impl fmt::Debug for EntryRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = ParsedInternalKey {
            user_key: self.user_key,
            sequence: self.tag.sequence(),
            value_type: self.tag.value_type(),
        };
        write!(f, "EntryRef({key} => '{}')", escape(self.value))
    }
}

/// A position in a sequence of entries sorted by internal key, at an entry or at none: what a
/// [`MergingCursor`](crate::MergingCursor) is made of, and is itself.
///
/// It begins at none, and is at none after a step beyond either end and after an error; from there
/// only a seek brings it back.
///
/// Entries may be added to the sequence while a cursor is in it, and none is taken away. Those
/// that are added are met if the cursor comes by them later.
pub trait InternalCursor {
    /// What can go wrong on the way to an entry; `Infallible` if it is in memory.
    type Error;

    /// The entry the cursor is at.
    fn entry(&self) -> Option<EntryRef<'_>>;

    /// Moves to the first entry.
    ///
    /// # Errors
    ///
    /// If the entry can't be read; the cursor is at none then. The same goes for every other move.
    fn seek_to_first(&mut self) -> Result<(), Self::Error>;

    /// Moves to the last entry.
    ///
    /// # Errors
    ///
    /// If the entry can't be read.
    fn seek_to_last(&mut self) -> Result<(), Self::Error>;

    /// Moves to the newest version of `user_key` that `snapshot` sees; if there is none, to the
    /// first entry after where it would be, or to none.
    ///
    /// # Errors
    ///
    /// If the entry can't be read.
    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), Self::Error>;

    /// Moves to the next entry; from the last one, or from none, to none.
    ///
    /// # Errors
    ///
    /// If the entry can't be read.
    fn next(&mut self) -> Result<(), Self::Error>;

    /// Moves to the entry before; from the first one, or from none, to none.
    ///
    /// # Errors
    ///
    /// If the entry can't be read.
    fn prev(&mut self) -> Result<(), Self::Error>;

    /// This cursor with errors of another type, so that it can be merged with cursors that have
    /// those: see [`MergingCursor`](crate::MergingCursor).
    fn map_err<F, E>(self, op: F) -> MapErr<Self, F>
    where
        Self: Sized,
        F: FnMut(Self::Error) -> E,
    {
        MapErr::new(self, op)
    }
}

impl<C: Comparator> InternalCursor for OwnedCursor<C> {
    type Error = Infallible;

    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        let entry = self.entry()?;
        // In one go, as every step reads entries. A memtable's internal keys are well formed.
        let (user_key, tag) = split_internal_key(entry.internal_key()).ok()?;
        Some(EntryRef {
            user_key,
            tag,
            value: entry.value(),
        })
    }

    fn seek_to_first(&mut self) -> Result<(), Infallible> {
        self.seek_to_first();
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<(), Infallible> {
        self.seek_to_last();
        Ok(())
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), Infallible> {
        self.seek_to(user_key, snapshot);
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Result<(), Infallible> {
        self.next();
        Ok(())
    }

    #[inline]
    fn prev(&mut self) -> Result<(), Infallible> {
        self.prev();
        Ok(())
    }
}

impl<T: InternalCursor + ?Sized> InternalCursor for Box<T> {
    type Error = T::Error;

    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        (**self).entry()
    }

    fn seek_to_first(&mut self) -> Result<(), T::Error> {
        (**self).seek_to_first()
    }

    fn seek_to_last(&mut self) -> Result<(), T::Error> {
        (**self).seek_to_last()
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), T::Error> {
        (**self).seek(user_key, snapshot)
    }

    #[inline]
    fn next(&mut self) -> Result<(), T::Error> {
        (**self).next()
    }

    #[inline]
    fn prev(&mut self) -> Result<(), T::Error> {
        (**self).prev()
    }
}

/// A table's entries.
impl<T, R, C> InternalCursor for TableCursor<T>
where
    T: Deref<Target = Table<R, C>>,
    R: ReadAt,
    C: Comparator,
{
    type Error = TableError;

    fn entry(&self) -> Option<EntryRef<'_>> {
        let entry = self.entry()?;
        // A table's cursor is only ever at an internal key.
        let (user_key, tag) = split_internal_key(entry.internal_key).ok()?;
        Some(EntryRef {
            user_key,
            tag,
            value: entry.value,
        })
    }

    fn seek_to_first(&mut self) -> Result<(), TableError> {
        self.seek_to_first()
    }

    fn seek_to_last(&mut self) -> Result<(), TableError> {
        self.seek_to_last()
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), TableError> {
        self.seek(user_key, snapshot)
    }

    fn next(&mut self) -> Result<(), TableError> {
        self.next()
    }

    fn prev(&mut self) -> Result<(), TableError> {
        self.prev()
    }
}

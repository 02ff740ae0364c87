//! Positions among the entries that can be moved both ways: LevelDB's iterator.

use std::fmt;
use std::sync::Arc;

use strata_dbformat::{Comparator, InternalKeyError, SequenceNumber, Tag, split_internal_key};

use crate::order::{Index, Target};
use crate::{Entry, OwnedEntry};

/// Defines a cursor over `$handle`, an index borrowed or owned.
macro_rules! cursor {
    ($(#[$doc:meta])* $name:ident<$($lifetime:lifetime,)? C>, $handle:ty) => {
        $(#[$doc])*
        pub struct $name<$($lifetime,)? C>(strata_skiplist::Cursor<$handle>);

        impl<$($lifetime,)? C: Comparator> $name<$($lifetime,)? C> {
            pub(crate) fn new(cursor: strata_skiplist::Cursor<$handle>) -> Self {
                Self(cursor)
            }

            /// Whether the cursor is at an entry.
            #[must_use]
            pub fn valid(&self) -> bool {
                self.0.valid()
            }

            /// The entry the cursor is at.
            #[must_use]
            pub fn entry(&self) -> Option<Entry<'_>> {
                self.0.key().map(Entry::new)
            }

            /// The internal key of the entry the cursor is at.
            #[must_use]
            pub fn key(&self) -> Option<&[u8]> {
                self.entry().map(|entry| entry.internal_key())
            }

            /// The value of the entry the cursor is at.
            #[must_use]
            pub fn value(&self) -> Option<&[u8]> {
                self.entry().map(|entry| entry.value())
            }

            /// Moves to the first entry. O(1).
            pub fn seek_to_first(&mut self) {
                self.0.seek_to_first();
            }

            /// Moves to the last entry. O(1).
            pub fn seek_to_last(&mut self) {
                self.0.seek_to_last();
            }

            /// Moves to the first entry that is not before `internal_key`, or to none. O(log n).
            ///
            /// # Errors
            ///
            /// [`InternalKeyError`] if that is no internal key; the cursor stays where it is.
            pub fn seek(&mut self, internal_key: &[u8]) -> Result<(), InternalKeyError> {
                let (user_key, tag) = split_internal_key(internal_key)?;
                self.0.seek(&Target { user_key, tag });
                Ok(())
            }

            /// Moves to the newest version of `user_key` that `snapshot` sees; if there is none,
            /// to the first entry after where it would be, or to none. O(log n).
            pub fn seek_to(&mut self, user_key: &[u8], snapshot: SequenceNumber) {
                self.0.seek(&Target { user_key, tag: Tag::for_seek(snapshot) });
            }

            /// Moves to the last entry that is not after (`user_key`, `snapshot`) in the order of
            /// internal keys, or to none. O(log n).
            ///
            /// Versions sort newest first, so that is the value written at exactly that sequence
            /// number, or else an entry before it: the oldest version that is newer than the
            /// snapshot, or the last entry of the user keys before. To go backward over what the
            /// snapshot sees, [`seek_to`](Self::seek_to) and step with [`prev`](Self::prev).
            pub fn seek_for_prev(&mut self, user_key: &[u8], snapshot: SequenceNumber) {
                self.0.seek_for_prev(&Target { user_key, tag: Tag::for_seek(snapshot) });
            }

            /// Moves past the versions of the user key the cursor is at that are left, to the
            /// first entry of the next user key, or to none. O(log n), however many there are.
            pub fn next_user_key(&mut self) {
                let user_key = match self.entry() {
                    Some(entry) => entry.user_key().to_vec(),
                    None => return,
                };
                self.0.seek(&Target { user_key: &user_key, tag: Tag::MIN });
                // The smallest tag is that of an entry, too.
                let order = self.0.list().comparator().0.user_comparator();
                if self.entry().is_some_and(|at| order.compare(at.user_key(), &user_key).is_eq()) {
                    self.0.next();
                }
            }

            /// Moves to the next entry; from the last one, or from none, to none. O(1).
            pub fn next(&mut self) {
                self.0.next();
            }

            /// Moves to the entry before; from the first one, or from none, to none. O(1).
            pub fn prev(&mut self) {
                self.0.prev();
            }
        }

        impl<$($lifetime,)? C> Clone for $name<$($lifetime,)? C> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<$($lifetime,)? C> fmt::Debug for $name<$($lifetime,)? C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.key().map(Entry::new)).finish()
            }
        }
    };
}

cursor! {
    /// A position among the entries of a memtable that is borrowed: at an entry, or at none.
    ///
    /// It begins at none, and is at none after a step beyond either end; from there only a seek
    /// brings it back. Entries added meanwhile are seen if the cursor comes by them later.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::MemTable;
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// for (sequence, key) in [(1, b"a"), (2, b"b"), (3, b"b"), (4, b"c")] {
    ///     memtable.add(SequenceNumber::new(sequence).unwrap(), ValueType::Value, key, b"")?;
    /// }
    /// let mut cursor = memtable.cursor();
    /// cursor.seek_to(b"b", SequenceNumber::MAX);
    /// assert_eq!(cursor.entry().unwrap().sequence().get(), 3);
    /// cursor.next_user_key();
    /// assert_eq!(cursor.entry().unwrap().user_key(), b"c");
    /// cursor.prev();
    /// assert_eq!(cursor.entry().unwrap().sequence().get(), 2);
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    Cursor<'a, C>, &'a Index<C>
}

cursor! {
    /// A [`Cursor`] that keeps the entries alive: `'static`, and `Send` and `Sync` as every
    /// comparator is.
    OwnedCursor<C>, Arc<Index<C>>
}

impl<C> OwnedCursor<C> {
    /// The entry the cursor is at, which keeps the entries alive by itself.
    #[must_use]
    pub fn owned_entry(&self) -> Option<OwnedEntry<C>> {
        self.0.item().map(OwnedEntry)
    }
}

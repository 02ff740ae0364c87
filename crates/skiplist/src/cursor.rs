//! A position in a list that can be moved both ways: LevelDB's iterator.

use std::fmt;
use std::sync::Arc;

use crate::handle::{ListHandle, Positions};
use crate::key::Stored;
use crate::search::Seek;
use crate::{Compare, SkipList};

/// A position in a list: at a key, or at none.
///
/// It begins at none, and so ends after a step beyond the last or the first key; from there only
/// a seek brings it back. Keys inserted meanwhile are seen if the cursor comes by them later.
///
/// `L` is `&SkipList` or `Arc<SkipList>`. The second makes an [`OwnedCursor`], which is `'static`
/// and keeps the list alive.
///
/// ```
/// use strata_skiplist::{Natural, SkipList};
///
/// let list = SkipList::<u64, Natural>::default();
/// for key in [10, 20, 30] {
///     list.insert(key)?;
/// }
/// let mut cursor = list.cursor();
/// assert!(!cursor.valid());
/// cursor.seek(&15);
/// assert_eq!(cursor.key(), Some(&20));
/// cursor.prev();
/// assert_eq!(cursor.key(), Some(&10));
/// cursor.prev();
/// assert!(!cursor.valid());
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
pub struct Cursor<L: ListHandle> {
    position: Positions<L, 1>,
}

/// A cursor that keeps its list alive: `'static`, and `Send` if the list is.
///
/// ```
/// use std::sync::Arc;
/// use strata_skiplist::{Natural, SkipList};
///
/// let list = Arc::new(SkipList::<u64, Natural>::default());
/// list.insert(7)?;
/// let mut cursor = list.owned_cursor();
/// drop(list);
/// std::thread::spawn(move || {
///     cursor.seek_to_first();
///     assert_eq!(cursor.key(), Some(&7));
/// })
/// .join()
/// .unwrap();
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
pub type OwnedCursor<K, C> = Cursor<Arc<SkipList<K, C>>>;

impl<L: ListHandle> Cursor<L> {
    pub(crate) fn new(handle: L) -> Self {
        Self {
            position: Positions::nowhere(handle),
        }
    }

    /// Whether the cursor is at a key.
    #[must_use]
    pub fn valid(&self) -> bool {
        self.key().is_some()
    }

    /// The key the cursor is at.
    #[must_use]
    pub fn key(&self) -> Option<&L::Key> {
        self.position.key(0)
    }

    /// The key the cursor is at, for longer than the cursor: `&K` as long as the list is borrowed,
    /// or a [`SharedKey`](crate::SharedKey) that keeps it alive.
    #[must_use]
    pub fn item(&self) -> Option<L::Item> {
        self.position.item(0)
    }

    /// The list.
    #[must_use]
    pub fn list(&self) -> &SkipList<L::Key, L::Comparator> {
        self.position.handle().list()
    }

    /// Moves to the first key. O(1).
    pub fn seek_to_first(&mut self) {
        self.position.seek(0, |list| list.first_position());
    }

    /// Moves to the last key. O(1).
    pub fn seek_to_last(&mut self) {
        self.position.seek(0, |list| list.last_position());
    }

    /// Moves to the first key that is not before `target`, or to none, and has the processor fetch
    /// those that follow. O(log n).
    pub fn seek<Q: ?Sized>(&mut self, target: &Q)
    where
        L::Comparator: Compare<<L::Key as Stored>::Order, Q>,
    {
        self.position.seek(0, |list| {
            let first = list.first_not_passed(&Seek::before(&list.comparator, target));
            first.inspect(|first| first.fetch_following())
        });
    }

    /// Moves to the last key that is not after `target`, or to none. O(log n).
    pub fn seek_for_prev<Q: ?Sized>(&mut self, target: &Q)
    where
        L::Comparator: Compare<<L::Key as Stored>::Order, Q>,
    {
        self.position.seek(0, |list| {
            list.last_passed(&Seek::not_after(&list.comparator, target))
        });
    }

    /// Moves to the next key; from the last one, or from none, to none. O(1).
    pub fn next(&mut self) {
        self.position.next(0);
    }

    /// Moves to the key before; from the first one, or from none, to none. O(1).
    pub fn prev(&mut self) {
        self.position.previous(0);
    }
}

impl<L: ListHandle> Clone for Cursor<L> {
    fn clone(&self) -> Self {
        Self {
            position: self.position.clone(),
        }
    }
}

impl<L: ListHandle> fmt::Debug for Cursor<L>
where
    L::Key: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("key", &self.key())
            .finish_non_exhaustive()
    }
}

//! What a cursor shows, as an iterator of copies.

use std::fmt;
use std::iter::FusedIterator;

use strata_dbformat::Comparator;

use super::{Direction, InternalCursor, VisibleCursor};

/// An iterator over the user keys a [`VisibleCursor`] shows, and their values.
///
/// An error is given once, and is the last item.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
/// use strata_write_buffer::VisibleCursor;
///
/// let memtable = MemTable::new(BytewiseComparator);
/// for (number, key) in [(1, b"a"), (2, b"b"), (3, b"c")] {
///     memtable.add(SequenceNumber::new(number).unwrap(), ValueType::Value, key, b"v")?;
/// }
/// let source = memtable.reader().owned_cursor();
/// let bounds = ..&b"c"[..];
/// let cursor = VisibleCursor::new(BytewiseComparator, source, SequenceNumber::MAX, bounds);
/// let mut keys = Vec::new();
/// for pair in cursor.into_pairs_backward() {
///     let (user_key, _value) = pair?;
///     keys.push(user_key);
/// }
/// assert_eq!(keys, [Box::from(*b"b"), Box::from(*b"a")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pairs<S, C> {
    cursor: VisibleCursor<S, C>,
    direction: Direction,
    progress: Progress,
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    NotBegun,
    /// The cursor is at the pair given last.
    Begun,
    Ended,
}

impl<S, C> Pairs<S, C> {
    pub(super) fn forward(cursor: VisibleCursor<S, C>) -> Self {
        Self::new(cursor, Direction::Forward)
    }

    pub(super) fn backward(cursor: VisibleCursor<S, C>) -> Self {
        Self::new(cursor, Direction::Backward)
    }

    fn new(cursor: VisibleCursor<S, C>, direction: Direction) -> Self {
        Self {
            cursor,
            direction,
            progress: Progress::NotBegun,
        }
    }

    /// The cursor, where the iterator left it.
    pub fn into_cursor(self) -> VisibleCursor<S, C> {
        self.cursor
    }
}

impl<S: InternalCursor, C: Comparator> Iterator for Pairs<S, C> {
    type Item = Result<(Box<[u8]>, Box<[u8]>), S::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let moved = match (self.progress, self.direction) {
            (Progress::NotBegun, Direction::Forward) => self.cursor.seek_to_first(),
            (Progress::NotBegun, Direction::Backward) => self.cursor.seek_to_last(),
            (Progress::Begun, Direction::Forward) => self.cursor.next(),
            (Progress::Begun, Direction::Backward) => self.cursor.prev(),
            (Progress::Ended, _) => return None,
        };
        self.progress = Progress::Ended;
        if let Err(error) = moved {
            return Some(Err(error));
        }
        let entry = self.cursor.entry()?;
        self.progress = Progress::Begun;
        Some(Ok((entry.user_key.into(), entry.value.into())))
    }
}

impl<S: InternalCursor, C: Comparator> FusedIterator for Pairs<S, C> {}

impl<S: InternalCursor, C: Comparator> fmt::Debug for Pairs<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs")
            .field("cursor", &self.cursor)
            .field("direction", &self.direction)
            .field("progress", &self.progress)
            .finish()
    }
}

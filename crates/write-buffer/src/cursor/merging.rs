//! Several sorted sequences as one.

use std::cmp::Ordering;
use std::fmt;
use std::mem;

use strata_dbformat::{Comparator, InternalKeyComparator, SequenceNumber};

use super::{Direction, EntryRef, InternalCursor};

/// A position in several sorted sequences of entries as if they were one: LevelDB's merging
/// iterator.
///
/// An internal key that several sources have, as an entry does that is in a memtable and in the
/// table it was flushed to, is given once, from the first source that has it.
///
/// A step in the direction of the last one takes a step of a source and O(log sources)
/// comparisons, a single one as long as entries keep coming from the same source. A step in the
/// other direction takes a seek of every other source. With one source it is that source.
///
/// The sources must be sorted by internal key in the order of `C`; entries may be added to them
/// meanwhile.
///
/// Sources of several kinds are merged as boxes, with one type of error:
///
/// ```
/// use std::io;
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
/// use strata_write_buffer::{InternalCursor, MergingCursor};
///
/// type Source = Box<dyn InternalCursor<Error = io::Error> + Send>;
///
/// let older = MemTable::new(BytewiseComparator);
/// older.add(SequenceNumber::new(1).unwrap(), ValueType::Value, b"fig", b"green")?;
/// older.add(SequenceNumber::new(2).unwrap(), ValueType::Value, b"pear", b"green")?;
/// let newer = MemTable::new(BytewiseComparator);
/// newer.add(SequenceNumber::new(3).unwrap(), ValueType::Value, b"fig", b"purple")?;
///
/// // A table's cursor, whose reads can fail, would be boxed as it is.
/// let sources = [newer, older].map(|memtable| -> Source {
///     Box::new(memtable.reader().owned_cursor().map_err(|never| match never {}))
/// });
/// let mut cursor = MergingCursor::new(BytewiseComparator, Vec::from(sources));
/// let mut versions = Vec::new();
/// cursor.seek_to_first()?;
/// while let Some(entry) = cursor.entry() {
///     versions.push((entry.user_key.to_vec(), entry.sequence().get()));
///     cursor.next()?;
/// }
/// assert_eq!(versions, [(b"fig".to_vec(), 3), (b"fig".to_vec(), 1), (b"pear".to_vec(), 2)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MergingCursor<S, C> {
    order: InternalKeyComparator<C>,
    sources: Vec<S>,
    /// The sources that are at an entry, no two at the same internal key, in the order in which
    /// their entries come in the direction of travel. The cursor is where the first is.
    queue: Vec<usize>,
    direction: Direction,
}

impl<S: InternalCursor, C: Comparator> MergingCursor<S, C> {
    /// A cursor over all that `sources` have, at none yet.
    ///
    /// Give the newest source first: an entry that several have is taken from the first of them.
    #[must_use]
    pub fn new(comparator: C, sources: Vec<S>) -> Self {
        Self {
            order: InternalKeyComparator::new(comparator),
            queue: Vec::with_capacity(sources.len()),
            sources,
            direction: Direction::Forward,
        }
    }

    /// Moves every source by `seek`, and to the first of them in `direction`.
    fn seek_all(
        &mut self,
        direction: Direction,
        mut seek: impl FnMut(&mut S) -> Result<(), S::Error>,
    ) -> Result<(), S::Error> {
        self.direction = direction;
        self.queue.clear();
        for source in 0..self.sources.len() {
            seek(&mut self.sources[source])?;
            self.enqueue(source, 0)?;
        }
        Ok(())
    }

    fn step(&mut self, direction: Direction) -> Result<(), S::Error> {
        let Some(&first) = self.queue.first() else {
            return Ok(());
        };
        if direction != self.direction {
            return self.turn(first);
        }
        self.step_source(first)?;
        let order = match self.queue.get(1) {
            Some(&second) => self.compare(first, second),
            None if self.sources[first].entry().is_some() => Ordering::Less,
            None => Ordering::Greater,
        };
        if order.is_gt() || order.is_eq() {
            self.queue.remove(0);
            let already_passed = usize::from(order.is_gt()).min(self.queue.len());
            self.enqueue(first, already_passed)?;
        }
        Ok(())
    }

    /// Takes a step against the direction of travel. `current` is the source the cursor is at.
    fn turn(&mut self, current: usize) -> Result<(), S::Error> {
        self.direction = match self.direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        self.queue.clear();
        for other in 0..self.sources.len() {
            // One and the same for `current` itself.
            if let Ok([at, beyond]) = self.sources.get_disjoint_mut([current, other])
                && let Some(entry) = at.entry()
            {
                move_beyond(entry, beyond, &self.order, self.direction)?;
                self.enqueue(other, 0)?;
            }
        }
        self.step_source(current)?;
        self.enqueue(current, 0)
    }

    /// Puts a source where its entry belongs in the queue, not before `from`. Of two sources at
    /// the same internal key the later goes on to its next entry.
    fn enqueue(&mut self, mut source: usize, mut from: usize) -> Result<(), S::Error> {
        while self.sources[source].entry().is_some() {
            let queue = &self.queue[from..];
            match queue.binary_search_by(|&queued| self.compare(queued, source)) {
                Err(place) => {
                    self.queue.insert(from + place, source);
                    return Ok(());
                }
                Ok(place) => {
                    from += place;
                    if source < self.queue[from] {
                        mem::swap(&mut self.queue[from], &mut source);
                    }
                    from += 1;
                    self.step_source(source)?;
                }
            }
        }
        Ok(())
    }

    fn step_source(&mut self, source: usize) -> Result<(), S::Error> {
        match self.direction {
            Direction::Forward => self.sources[source].next(),
            Direction::Backward => self.sources[source].prev(),
        }
    }

    /// Which of two sources comes first in the direction of travel; one at none comes last.
    #[inline]
    fn compare(&self, a: usize, b: usize) -> Ordering {
        match (self.sources[a].entry(), self.sources[b].entry()) {
            (Some(a), Some(b)) => match self.direction {
                Direction::Forward => compare(&self.order, a, b),
                Direction::Backward => compare(&self.order, b, a),
            },
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }

    /// An error leaves the cursor at none.
    #[inline]
    fn or_at_none(&mut self, moved: Result<(), S::Error>) -> Result<(), S::Error> {
        if moved.is_err() {
            self.queue.clear();
        }
        moved
    }
}

#[inline]
fn compare<C: Comparator>(
    order: &InternalKeyComparator<C>,
    a: EntryRef<'_>,
    b: EntryRef<'_>,
) -> Ordering {
    order.compare_parts(a.user_key, a.tag, b.user_key, b.tag)
}

/// Moves `source` to the entry nearest to `at` that comes after it in `direction`.
///
/// Between two moves of the source others may have been added, so each is checked anew.
fn move_beyond<S: InternalCursor, C: Comparator>(
    at: EntryRef<'_>,
    source: &mut S,
    order: &InternalKeyComparator<C>,
    direction: Direction,
) -> Result<(), S::Error> {
    let is = |source: &S, wanted: fn(Ordering) -> bool| {
        let entry = source.entry();
        entry.is_some_and(|entry| wanted(compare(order, entry, at)))
    };
    source.seek(at.user_key, at.tag.sequence())?;
    match direction {
        Direction::Forward => {
            while is(source, Ordering::is_le) {
                source.next()?;
            }
        }
        Direction::Backward => {
            // A value sorts before a tombstone with the same sequence number.
            while is(source, Ordering::is_lt) {
                source.next()?;
            }
            match source.entry() {
                Some(_) => source.prev()?,
                None => source.seek_to_last()?,
            }
            while is(source, Ordering::is_ge) {
                source.prev()?;
            }
        }
    }
    Ok(())
}

impl<S: InternalCursor, C: Comparator> InternalCursor for MergingCursor<S, C> {
    type Error = S::Error;

    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        self.sources[*self.queue.first()?].entry()
    }

    fn seek_to_first(&mut self) -> Result<(), S::Error> {
        let moved = self.seek_all(Direction::Forward, S::seek_to_first);
        self.or_at_none(moved)
    }

    fn seek_to_last(&mut self) -> Result<(), S::Error> {
        let moved = self.seek_all(Direction::Backward, S::seek_to_last);
        self.or_at_none(moved)
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), S::Error> {
        let moved = self.seek_all(Direction::Forward, |source| source.seek(user_key, snapshot));
        self.or_at_none(moved)
    }

    #[inline]
    fn next(&mut self) -> Result<(), S::Error> {
        let moved = self.step(Direction::Forward);
        self.or_at_none(moved)
    }

    #[inline]
    fn prev(&mut self) -> Result<(), S::Error> {
        let moved = self.step(Direction::Backward);
        self.or_at_none(moved)
    }
}

impl<S: InternalCursor, C: Comparator> fmt::Debug for MergingCursor<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergingCursor")
            .field("sources", &self.sources.len())
            .field("entry", &self.entry())
            .finish_non_exhaustive()
    }
}

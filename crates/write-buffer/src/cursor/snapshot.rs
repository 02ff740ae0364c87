//! What a snapshot sees of a sequence of entries: every version.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use strata_dbformat::{Comparator, SequenceNumber};

use super::bounds::UserKeyBounds;
use super::{Direction, EntryRef, InternalCursor, STEPS_BEFORE_SEEK};

/// A position among the entries of `S` that a snapshot sees, within a range of user keys: every
/// version up to its sequence number, tombstones too, and none newer.
///
/// However many newer versions of a user key there are, passing them takes a few steps and a seek.
/// The source must be sorted by internal key in the order of `C`. Entries may be added to it
/// meanwhile; as long as they are newer than the snapshot, what is given stays the same.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
/// use strata_write_buffer::{InternalCursor, SnapshotCursor};
///
/// let sequence = |number| SequenceNumber::new(number).unwrap();
/// let memtable = MemTable::new(BytewiseComparator);
/// for (number, key) in [(1, b"a"), (2, b"b"), (3, b"b"), (4, b"b"), (5, b"c")] {
///     memtable.add(sequence(number), ValueType::Value, key, b"")?;
/// }
/// let source = memtable.reader().owned_cursor();
/// let mut cursor = SnapshotCursor::new(BytewiseComparator, source, sequence(3), &b"b"[..]..);
/// let mut seen = Vec::new();
/// cursor.seek_to_last()?;
/// while let Some(entry) = cursor.entry() {
///     seen.push(entry.sequence().get());
///     cursor.prev()?;
/// }
/// assert_eq!(seen, [2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SnapshotCursor<S, C> {
    comparator: C,
    source: S,
    snapshot: SequenceNumber,
    bounds: UserKeyBounds,
    /// Whether the cursor is where the source is; else it is at none.
    is_at_entry: bool,
    /// The user key whose hidden versions are being passed.
    hidden_key: Vec<u8>,
    hidden: u64,
}

impl<S: InternalCursor, C: Comparator> SnapshotCursor<S, C> {
    /// A cursor over what `snapshot` sees of the user keys within `bounds`, at none yet.
    ///
    /// The bounds are copied. A range that ends before it begins is empty.
    #[must_use]
    pub fn new<'b>(
        comparator: C,
        source: S,
        snapshot: SequenceNumber,
        bounds: impl RangeBounds<&'b [u8]>,
    ) -> Self {
        Self {
            comparator,
            source,
            snapshot,
            bounds: UserKeyBounds::new(&bounds),
            is_at_entry: false,
            hidden_key: Vec::new(),
            hidden: 0,
        }
    }

    /// The snapshot whose entries these are.
    #[must_use]
    pub fn snapshot(&self) -> SequenceNumber {
        self.snapshot
    }

    /// How many hidden entries the cursor had to pass so far; those passed by a seek count once.
    #[must_use]
    pub fn hidden(&self) -> u64 {
        self.hidden
    }

    pub(super) fn comparator(&self) -> &C {
        &self.comparator
    }

    /// Moves to the last entry of the last user key that is not after `user_key`.
    pub(super) fn seek_for_prev(&mut self, user_key: &[u8]) -> Result<(), S::Error> {
        if self.bounds.are_before(user_key, &self.comparator) {
            return self.seek_to_last();
        }
        self.is_at_entry = false;
        seek_source_for_prev(&mut self.source, user_key, true, &self.comparator)?;
        self.pass_hidden(Direction::Backward)
    }

    /// From where the source is, moves to the nearest entry that the snapshot sees.
    fn pass_hidden(&mut self, direction: Direction) -> Result<(), S::Error> {
        let mut steps = 0;
        while let Some(entry) = self.source.entry() {
            let is_outside = match direction {
                Direction::Forward => self.bounds.are_before(entry.user_key, &self.comparator),
                Direction::Backward => self.bounds.are_after(entry.user_key, &self.comparator),
            };
            if is_outside {
                break;
            }
            if entry.sequence() <= self.snapshot {
                self.is_at_entry = true;
                break;
            }
            self.hidden += 1;
            let is_same_key = steps > 0
                && self
                    .comparator
                    .compare(entry.user_key, &self.hidden_key)
                    .is_eq();
            if !is_same_key {
                self.hidden_key.clear();
                self.hidden_key.extend_from_slice(entry.user_key);
                steps = 0;
            }
            steps += 1;
            let seeks = steps == STEPS_BEFORE_SEEK;
            if seeks {
                steps = 0;
            }
            match (direction, seeks) {
                (Direction::Forward, true) => self.source.seek(&self.hidden_key, self.snapshot)?,
                (Direction::Forward, false) => self.source.next()?,
                (Direction::Backward, _) => {
                    if seeks {
                        self.source.seek(&self.hidden_key, SequenceNumber::MAX)?;
                    }
                    self.source.prev()?;
                }
            }
        }
        Ok(())
    }
}

/// Moves `source` to the last entry of the last user key before `user_key`, or, if that
/// `is_included`, not after it.
///
/// Between two moves of the source entries may have been added, so each is checked anew.
fn seek_source_for_prev<S: InternalCursor>(
    source: &mut S,
    user_key: &[u8],
    is_included: bool,
    comparator: &impl Comparator,
) -> Result<(), S::Error> {
    let is_wanted = |at: &[u8]| match is_included {
        true => comparator.compare(at, user_key).is_le(),
        false => comparator.compare(at, user_key).is_lt(),
    };
    let farthest = match is_included {
        true => SequenceNumber::ZERO,
        false => SequenceNumber::MAX,
    };
    source.seek(user_key, farthest)?;
    while source
        .entry()
        .is_some_and(|entry| is_wanted(entry.user_key))
    {
        source.next()?;
    }
    match source.entry() {
        Some(_) => source.prev()?,
        None => source.seek_to_last()?,
    }
    while source
        .entry()
        .is_some_and(|entry| !is_wanted(entry.user_key))
    {
        source.prev()?;
    }
    Ok(())
}

/// Of the entries that the snapshot sees within the bounds. A seek at another snapshot sees what
/// both do.
impl<S: InternalCursor, C: Comparator> InternalCursor for SnapshotCursor<S, C> {
    type Error = S::Error;

    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        if self.is_at_entry {
            self.source.entry()
        } else {
            None
        }
    }

    fn seek_to_first(&mut self) -> Result<(), S::Error> {
        self.is_at_entry = false;
        let Self {
            source,
            bounds,
            comparator,
            ..
        } = self;
        match &bounds.start {
            Bound::Included(start) => source.seek(start, self.snapshot)?,
            Bound::Excluded(start) => {
                source.seek(start, SequenceNumber::ZERO)?;
                let is_start = |at: &[u8]| comparator.compare(at, start).is_eq();
                while source.entry().is_some_and(|entry| is_start(entry.user_key)) {
                    source.next()?;
                }
            }
            Bound::Unbounded => source.seek_to_first()?,
        }
        self.pass_hidden(Direction::Forward)
    }

    fn seek_to_last(&mut self) -> Result<(), S::Error> {
        self.is_at_entry = false;
        let Self {
            source,
            bounds,
            comparator,
            ..
        } = self;
        match &bounds.end {
            Bound::Included(end) => seek_source_for_prev(source, end, true, comparator)?,
            Bound::Excluded(end) => seek_source_for_prev(source, end, false, comparator)?,
            Bound::Unbounded => source.seek_to_last()?,
        }
        self.pass_hidden(Direction::Backward)
    }

    fn seek(&mut self, user_key: &[u8], snapshot: SequenceNumber) -> Result<(), S::Error> {
        if self.bounds.are_after(user_key, &self.comparator) {
            return self.seek_to_first();
        }
        self.is_at_entry = false;
        self.source.seek(user_key, snapshot.min(self.snapshot))?;
        self.pass_hidden(Direction::Forward)
    }

    #[inline]
    fn next(&mut self) -> Result<(), S::Error> {
        if !self.is_at_entry {
            return Ok(());
        }
        self.is_at_entry = false;
        self.source.next()?;
        self.pass_hidden(Direction::Forward)
    }

    #[inline]
    fn prev(&mut self) -> Result<(), S::Error> {
        if !self.is_at_entry {
            return Ok(());
        }
        self.is_at_entry = false;
        self.source.prev()?;
        self.pass_hidden(Direction::Backward)
    }
}

impl<S: InternalCursor, C: Comparator> fmt::Debug for SnapshotCursor<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotCursor")
            .field("snapshot", &self.snapshot.get())
            .field("entry", &self.entry())
            .finish_non_exhaustive()
    }
}

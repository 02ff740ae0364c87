//! What a snapshot sees of a sequence of entries: a value for each user key.

use std::fmt;
use std::ops::RangeBounds;

use strata_dbformat::{Comparator, SequenceNumber, Tag};

use super::{EntryRef, InternalCursor, Pairs, STEPS_BEFORE_SEEK, SnapshotCursor};

/// What a cursor had to pass that it does not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Versions too new for the snapshot, and shadowed ones; those passed by a seek count once.
    pub hidden: u64,
    /// Tombstones that are the newest version of their user key that the snapshot sees.
    pub tombstones: u64,
}

/// A position among the user keys that a snapshot sees, within a range: what an engine's user
/// iterates over. LevelDB's `DBIter`.
///
/// Of each user key it shows the newest version that the snapshot sees, and nothing of one whose
/// newest version is a tombstone. It begins at none, and is at none after a step beyond either end
/// and after an error; from there only a seek brings it back.
///
/// However many versions a user key has, passing them takes a few steps and a seek or two; keys that
/// are deleted, or too new as a whole, are passed one by one. Nothing is allocated for a step but
/// room for a longer key than any before, or, backward, a longer value: there the newest version
/// comes last, so values are copied before it is known which is the one.
///
/// The source must be sorted by internal key in the order of `C`. Entries may be added to it
/// meanwhile; as long as they are newer than the snapshot, what is given stays the same.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
/// use strata_write_buffer::VisibleCursor;
///
/// let sequence = |number| SequenceNumber::new(number).unwrap();
/// let memtable = MemTable::new(BytewiseComparator);
/// memtable.add(sequence(1), ValueType::Value, b"fig", b"green")?;
/// memtable.add(sequence(2), ValueType::Value, b"kiwi", b"brown")?;
/// memtable.add(sequence(3), ValueType::Value, b"pear", b"green")?;
/// memtable.add(sequence(4), ValueType::Value, b"fig", b"purple")?;
/// memtable.add(sequence(5), ValueType::Deletion, b"kiwi", b"")?;
///
/// let source = memtable.reader().owned_cursor();
/// let mut cursor = VisibleCursor::new(BytewiseComparator, source, sequence(5), ..);
/// cursor.seek(b"f")?;
/// assert_eq!(cursor.entry().unwrap().value, b"purple");
/// cursor.next()?;
/// assert_eq!(cursor.entry().unwrap().user_key, b"pear");
/// cursor.prev()?;
/// assert_eq!(cursor.entry().unwrap().user_key, b"fig");
/// // A shadowed fig; a kiwi, each time.
/// assert_eq!((cursor.skipped().hidden, cursor.skipped().tombstones), (4, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VisibleCursor<S, C> {
    versions: SnapshotCursor<S, C>,
    at: At,
    /// The user key the cursor is at, or has last passed.
    user_key: Vec<u8>,
    /// If the cursor is [`At::Held`], the rest of its entry.
    tag: Tag,
    value: Vec<u8>,
    shadowed: u64,
    tombstones: u64,
}

/// Where a cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    None,
    /// Where `versions` is.
    Versions,
    /// At what is in `user_key`, `tag` and `value`; `versions` is at a user key before, or at none.
    Held,
}

/// What is known of the user key whose versions are met one after the other, the oldest first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    /// There is none yet.
    Nothing,
    /// Its newest version has been given.
    Given,
    /// The newest version met so far is a tombstone.
    Tombstone,
    /// The newest version met so far is a value, and held.
    Value,
}

impl<S: InternalCursor, C: Comparator> VisibleCursor<S, C> {
    /// A cursor over the user keys within `bounds` that `snapshot` sees, at none yet.
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
            versions: SnapshotCursor::new(comparator, source, snapshot, bounds),
            at: At::None,
            user_key: Vec::new(),
            tag: Tag::MIN,
            value: Vec::new(),
            shadowed: 0,
            tombstones: 0,
        }
    }

    /// The user key the cursor is at, and its newest version that the snapshot sees: always a
    /// value.
    #[must_use]
    #[inline]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        match self.at {
            At::None => None,
            At::Versions => self.versions.entry(),
            At::Held => Some(EntryRef {
                user_key: &self.user_key,
                tag: self.tag,
                value: &self.value,
            }),
        }
    }

    /// The snapshot that is read at.
    #[must_use]
    pub fn snapshot(&self) -> SequenceNumber {
        self.versions.snapshot()
    }

    /// What the cursor had to pass so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        Skipped {
            hidden: self.versions.hidden() + self.shadowed,
            tombstones: self.tombstones,
        }
    }

    /// Moves to the first user key.
    ///
    /// # Errors
    ///
    /// The source's; the cursor is at none then. The same goes for every other move.
    pub fn seek_to_first(&mut self) -> Result<(), S::Error> {
        self.at = At::None;
        self.versions.seek_to_first()?;
        self.find_forward(false)
    }

    /// Moves to the last user key.
    ///
    /// # Errors
    ///
    /// The source's.
    pub fn seek_to_last(&mut self) -> Result<(), S::Error> {
        self.at = At::None;
        self.versions.seek_to_last()?;
        self.find_backward(Met::Nothing)
    }

    /// Moves to the first user key that is not before `user_key`, or to none.
    ///
    /// # Errors
    ///
    /// The source's.
    pub fn seek(&mut self, user_key: &[u8]) -> Result<(), S::Error> {
        self.at = At::None;
        self.versions.seek(user_key, SequenceNumber::MAX)?;
        self.find_forward(false)
    }

    /// Moves to the last user key that is not after `user_key`, or to none.
    ///
    /// # Errors
    ///
    /// The source's.
    pub fn seek_for_prev(&mut self, user_key: &[u8]) -> Result<(), S::Error> {
        self.at = At::None;
        self.versions.seek_for_prev(user_key)?;
        self.find_backward(Met::Nothing)
    }

    /// Moves to the next user key; from the last one, or from none, to none.
    ///
    /// # Errors
    ///
    /// The source's.
    #[expect(
        clippy::should_implement_trait,
        reason = "what an iterator gives outlives its next step; a cursor's entry does not"
    )]
    pub fn next(&mut self) -> Result<(), S::Error> {
        match self.at {
            At::None => return Ok(()),
            At::Versions => {
                self.at = At::None;
                self.versions.next()?;
            }
            At::Held => {
                self.at = At::None;
                self.versions.seek(&self.user_key, SequenceNumber::ZERO)?;
            }
        }
        self.find_forward(true)
    }

    /// Moves to the user key before; from the first one, or from none, to none.
    ///
    /// # Errors
    ///
    /// The source's.
    pub fn prev(&mut self) -> Result<(), S::Error> {
        match self.at {
            At::None => return Ok(()),
            At::Versions => {
                self.at = At::None;
                self.versions.prev()?;
            }
            At::Held => self.at = At::None,
        }
        self.find_backward(Met::Given)
    }

    /// All the user keys and their values, from the first to the last, as copies.
    #[must_use]
    pub fn into_pairs(self) -> Pairs<S, C> {
        Pairs::forward(self)
    }

    /// All the user keys and their values, from the last to the first, as copies.
    #[must_use]
    pub fn into_pairs_backward(self) -> Pairs<S, C> {
        Pairs::backward(self)
    }

    /// From where `versions` is, moves to the nearest user key to be shown. If `user_key` is
    /// already `dealt_with`, its other versions are shadowed.
    fn find_forward(&mut self, mut dealt_with: bool) -> Result<(), S::Error> {
        let mut steps = 0;
        while let Some(entry) = self.versions.entry() {
            let order = self.versions.comparator();
            if dealt_with && order.compare(entry.user_key, &self.user_key).is_eq() {
                self.shadowed += 1;
                steps += 1;
                if steps == STEPS_BEFORE_SEEK {
                    steps = 0;
                    self.versions.seek(&self.user_key, SequenceNumber::ZERO)?;
                } else {
                    self.versions.next()?;
                }
                continue;
            }
            self.user_key.clear();
            self.user_key.extend_from_slice(entry.user_key);
            if !entry.is_tombstone() {
                self.at = At::Versions;
                break;
            }
            self.tombstones += 1;
            dealt_with = true;
            steps = 0;
            self.versions.next()?;
        }
        Ok(())
    }

    /// As [`find_forward`](Self::find_forward), backward, where the oldest version of a user key
    /// comes first: which is the newest is known when another user key comes, or none.
    fn find_backward(&mut self, mut met: Met) -> Result<(), S::Error> {
        let mut steps = 0;
        while let Some(entry) = self.versions.entry() {
            let order = self.versions.comparator();
            if met != Met::Nothing && order.compare(entry.user_key, &self.user_key).is_eq() {
                self.shadowed += 1;
                steps += 1;
                if steps == STEPS_BEFORE_SEEK {
                    steps = 0;
                    // To the newest that the snapshot sees, which is looked at next.
                    self.versions.seek(&self.user_key, SequenceNumber::MAX)?;
                    continue;
                }
            } else {
                match met {
                    Met::Value => break,
                    Met::Tombstone => self.tombstones += 1,
                    Met::Nothing | Met::Given => {}
                }
                met = Met::Nothing;
                steps = 0;
            }
            if met != Met::Given {
                // Versions of one user key need not have the same bytes.
                self.user_key.clear();
                self.user_key.extend_from_slice(entry.user_key);
                met = Met::Tombstone;
                if !entry.is_tombstone() {
                    met = Met::Value;
                    self.tag = entry.tag;
                    self.value.clear();
                    self.value.extend_from_slice(entry.value);
                }
            }
            self.versions.prev()?;
        }
        match met {
            Met::Value => self.at = At::Held,
            Met::Tombstone => self.tombstones += 1,
            Met::Nothing | Met::Given => {}
        }
        Ok(())
    }
}

impl<S: InternalCursor, C: Comparator> fmt::Debug for VisibleCursor<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisibleCursor")
            .field("snapshot", &self.snapshot().get())
            .field("entry", &self.entry())
            .field("skipped", &self.skipped())
            .finish_non_exhaustive()
    }
}

//! Memtables that are written to.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use strata_arena::{Arena, ArenaOptions, BlockPool, Lease, Meter};
use strata_dbformat::{Comparator, InternalKeyComparator, SequenceNumber, Tag, ValueType};
use strata_skiplist::{InsertError, Inserted, KeyValue};

use crate::entry::check_lengths;
use crate::order::{EntryOrder, Index, LateTarget, Target};
use crate::shards::{Shard, Shards};
use crate::{AddError, Entry, ImmutableMemTable, Iter, MemTableReader};

/// Recent writes in memory, sorted by user key in the order of `C`, newest version first.
///
/// `Send` and `Sync`: any number of threads may add and read at once, through `&self`. It is read
/// as its [`MemTableReader`], to which it dereferences.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::{Lookup, MemTable};
///
/// let memtable = MemTable::new(BytewiseComparator);
/// memtable.add(SequenceNumber::new(1)?, ValueType::Value, b"key", b"value")?;
/// assert_eq!(memtable.get_at(b"key", SequenceNumber::MAX), Lookup::Value(b"value"));
/// assert_eq!((memtable.len(), memtable.tombstones()), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemTable<C> {
    reader: MemTableReader<C>,
}

/// What a memtable is made with besides its comparator.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_memtable::{MemTable, MemTableOptions};
///
/// let options = MemTableOptions { memory_limit_bytes: 64 << 20, ..MemTableOptions::default() };
/// let memtable = MemTable::with_options(BytewiseComparator, options);
/// # let _ = memtable;
/// ```
#[derive(Clone, Debug)]
pub struct MemTableOptions {
    /// How many bytes the memtable may ask of the allocator; by default, as many as there are.
    /// An addition that would need more for its entry is refused. The nodes of the index, 9
    /// to 14 bytes an entry, are counted, too, but not refused.
    pub memory_limit_bytes: usize,
    /// Where the memtable gets its memory first and leaves it when it is dropped; by default,
    /// nowhere but the allocator.
    ///
    /// Memory that was used before is faster: the kernel has no pages to find and clear.
    pub pool: Option<Arc<BlockPool>>,
    /// Whether the kernel is told that pages of 2 MiB are welcome; by default, not.
    ///
    /// It is for memtables of 64 MiB and more, and has an effect on Linux, with the crate's feature
    /// `huge-pages`: [`ArenaOptions::huge_pages`] says what it costs and gives.
    pub huge_pages: bool,
    /// What is told whenever [`approximate_memory_usage`](MemTableReader::approximate_memory_usage)
    /// grows, and of all of it when the memtable and all that reads it are gone; by default,
    /// nothing.
    pub meter: Option<Arc<dyn Meter>>,
}

impl Default for MemTableOptions {
    fn default() -> Self {
        Self {
            memory_limit_bytes: usize::MAX,
            pool: None,
            huge_pages: false,
            meter: None,
        }
    }
}

impl<C: Comparator> MemTable<C> {
    /// An empty memtable, which owns no memory to speak of yet.
    #[must_use]
    pub fn new(comparator: C) -> Self {
        Self::with_options(comparator, MemTableOptions::default())
    }

    /// An empty memtable with `options`.
    #[must_use]
    pub fn with_options(comparator: C, options: MemTableOptions) -> Self {
        let order = EntryOrder(InternalKeyComparator::new(comparator));
        let arena = Arena::with_options(ArenaOptions {
            limit_bytes: options.memory_limit_bytes,
            pool: options.pool,
            huge_pages: options.huge_pages,
            meter: options.meter,
        });
        let index = Arc::new(Index::new(order, arena));
        let reader = MemTableReader {
            index,
            shards: Arc::new(Shards::new()),
        };
        Self { reader }
    }

    /// A memtable of values, numbered from `first` in the order of `pairs`: user keys and values,
    /// sorted or not.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber};
    /// use strata_memtable::MemTable;
    ///
    /// let pairs = [("a", "1"), ("b", "2")].map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    /// let memtable =
    ///     MemTable::from_pairs(BytewiseComparator, SequenceNumber::new(1).unwrap(), pairs)?;
    /// assert_eq!(memtable.largest_sequence().map(u64::from), Some(2));
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`add_batch`](MemTable::add_batch).
    pub fn from_pairs<'b, I>(
        comparator: C,
        first: SequenceNumber,
        pairs: I,
    ) -> Result<Self, AddError>
    where
        I: IntoIterator<Item = (&'b [u8], &'b [u8]), IntoIter: Clone>,
    {
        let memtable = Self::new(comparator);
        let values = pairs
            .into_iter()
            .map(|(user_key, value)| (ValueType::Value, user_key, value));
        memtable.add_batch(first, values)?;
        Ok(memtable)
    }

    /// Adds an entry: that `user_key` was given `value`, or, with [`ValueType::Deletion`], that it
    /// was deleted (a value is stored then, too, and should be empty).
    ///
    /// O(log n). Up to eight additions at once wait for each other only where they belong into the
    /// same node of the index. A ninth waits for one of them to end.
    ///
    /// # Errors
    ///
    /// [`AddError`], and nothing is stored.
    pub fn add(
        &self,
        sequence: SequenceNumber,
        value_type: ValueType,
        user_key: &[u8],
        value: &[u8],
    ) -> Result<(), AddError> {
        let tag = Tag::new(sequence, value_type);
        check_lengths(user_key, value)?;
        let mut writer = self.reader.index.writer();
        let shard = self.reader.shards.begin(writer.lease())?;
        let target = Target { user_key, tag };
        let inserted = writer.insert_version(&target, user_key, tag.to_bytes(), value);
        let inserted = inserted.map_err(|error| refused(tag, error))?;
        self.count(shard, target, value, inserted);
        Ok(())
    }

    /// As [`add`](MemTable::add), with the sequence number asked for as late as it can be: when the
    /// entry's place is found and there is memory for it. If there is none after all, nothing is
    /// added. Says whether it was.
    ///
    /// For writers that make entries visible in the order of their sequence numbers, so that they wait
    /// for each number no longer than must be. A number that is larger than those of all versions of
    /// the user key, as a counter that only grows gives, takes no second search. Any other finds its
    /// place as well, or is refused as a duplicate.
    ///
    /// `sequence` may read this memtable, add to it and freeze it. It must not wait for another
    /// thread that adds or freezes. If it freezes, the entry is not added.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::MemTable;
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// let last = AtomicU64::new(0);
    /// let next = || SequenceNumber::new(last.fetch_add(1, Ordering::Relaxed) + 1).ok();
    /// assert!(memtable.add_late(ValueType::Value, b"key", b"value", next)?);
    /// assert_eq!(memtable.largest_sequence().map(u64::from), Some(1));
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`add`](MemTable::add). [`AddError::Frozen`] also if `sequence` freezes the memtable.
    /// [`AddError::Full`] may come after `sequence` gave a number, if the allocator refuses a node of
    /// the index.
    pub fn add_late(
        &self,
        value_type: ValueType,
        user_key: &[u8],
        value: &[u8],
        sequence: impl FnOnce() -> Option<SequenceNumber>,
    ) -> Result<bool, AddError> {
        check_lengths(user_key, value)?;
        let mut writer = self.reader.index.writer();
        let shard = self.reader.shards.begin(writer.lease())?;
        let target = LateTarget {
            user_key,
            tag: Cell::new(Tag::MAX),
        };
        let tag = |lease: &Lease<'_>| {
            let tag = Tag::new(sequence()?, value_type);
            // Frozen by `sequence`, the memtable must not change.
            if lease.has_waited() {
                return None;
            }
            target.tag.set(tag);
            Some(tag.to_bytes())
        };
        let inserted = writer.insert_version_late(&target, user_key, value, tag);
        let target = target.now();
        match inserted.map_err(|error| refused(target.tag, error))? {
            Some(inserted) => self.count(shard, target, value, inserted),
            None if writer.lease().has_waited() => return Err(AddError::Frozen),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Adds entries with consecutive sequence numbers from `first` on, as [`add`](MemTable::add)
    /// does, all of them or none.
    ///
    /// They become visible one after the other: readers who must not see a part of a batch read
    /// at a snapshot before it until it is whole, as LevelDB's do.
    ///
    /// The iterator and its clones may read this memtable, add to it and freeze it. Three clones are
    /// gone through before the entries are added; if one of them freezes, none is. The last pass adds
    /// what it is given; if that freezes, all are added nevertheless.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::MemTable;
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// let entries: [(_, &[u8], &[u8]); 2] =
    ///     [(ValueType::Value, b"a", b"1"), (ValueType::Deletion, b"b", b"")];
    /// memtable.add_batch(SequenceNumber::new(5).unwrap(), entries.into_iter())?;
    /// assert_eq!(memtable.largest_sequence().map(u64::from), Some(6));
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AddError`], and nothing is stored; memory is set aside for all entries before the first
    /// is added. (If another thread adds an equal user key, sequence number and type at the same
    /// moment, which breaks the rule that a sequence number is given out once, the entries before
    /// that one are stored. The same goes for a comparator that panics, which none may.)
    pub fn add_batch<'b>(
        &self,
        first: SequenceNumber,
        entries: impl Iterator<Item = (ValueType, &'b [u8], &'b [u8])> + Clone,
    ) -> Result<(), AddError> {
        for (distance, (_, user_key, value)) in (0..).zip(entries.clone()) {
            first.checked_add(distance)?;
            check_lengths(user_key, value)?;
        }
        let mut writer = self.reader.index.writer();
        let shard = self.reader.shards.begin(writer.lease())?;
        if entries.clone().next().is_none() {
            return Ok(());
        }
        let tagged = (first.get()..)
            .zip(entries)
            .filter_map(|(sequence, entry)| {
                let (value_type, user_key, value) = entry;
                Some((
                    user_key,
                    Tag::new(SequenceNumber::new(sequence).ok()?, value_type),
                    value,
                ))
            });
        // Entries newer than any there is need not be looked for.
        if self
            .largest_sequence()
            .is_some_and(|largest| first <= largest)
        {
            for (user_key, tag, _) in tagged.clone() {
                if self.contains(user_key, tag) {
                    return Err(duplicate(tag));
                }
            }
        }
        let lengths = tagged
            .clone()
            .map(|(user_key, _, value)| (user_key.len() + Tag::LENGTH, value.len()));
        match writer.reserve(lengths) {
            Ok(()) => {}
            Err(InsertError::Full(error)) => return Err(AddError::Full(error)),
            Err(_) => unreachable!("memory is refused for lack of it only"),
        }
        // Frozen by `entries`, the memtable must not change.
        if writer.lease().has_waited() {
            return Err(AddError::Frozen);
        }
        let entries = tagged.map(|(user_key, tag, value)| {
            (Target { user_key, tag }, (user_key, tag.to_bytes()), value)
        });
        writer
            .insert_versions(entries, |target, inserted| {
                self.count(shard, *target, inserted.key.value(), inserted);
            })
            .map_err(|(target, error)| refused(target.tag, error))
    }

    /// Counts an entry that was inserted.
    #[inline]
    fn count(
        &self,
        shard: &Shard,
        Target { user_key, tag }: Target<'_>,
        value: &[u8],
        inserted: Inserted<'_, KeyValue>,
    ) {
        shard.count(tag, user_key.len(), value.len());
        if let Some(shadowed) = self.shadowed_by(inserted, user_key) {
            shard.count_shadowed(shadowed);
        }
    }

    /// The entry that is shadowed since one of `user_key` was inserted and was not before, if there
    /// is one.
    ///
    /// Versions of a user key lie side by side, the newest first. So if the one before is a version
    /// of the same, the new one is shadowed from the beginning. If it is not, the new one is the
    /// newest, and what was that until now lies just after it. Each entry is that once at most,
    /// whichever threads insert, as each insertion sees what those before it have left.
    #[inline]
    fn shadowed_by<'e>(
        &self,
        inserted: Inserted<'e, KeyValue>,
        user_key: &[u8],
    ) -> Option<Entry<'e>> {
        let is_version = |other: &&KeyValue| self.is_of(Entry::new(other), user_key);
        let shadowed = match inserted.before.filter(is_version) {
            Some(_) => inserted.key,
            None => inserted.after.filter(is_version)?,
        };
        Some(Entry::new(shadowed))
    }
}

/// Why an entry with this tag was refused.
fn refused(tag: Tag, error: InsertError) -> AddError {
    match error {
        InsertError::Full(error) => AddError::Full(error),
        _ => duplicate(tag),
    }
}

fn duplicate(tag: Tag) -> AddError {
    AddError::Duplicate {
        sequence: tag.sequence(),
        value_type: tag.value_type(),
    }
}

impl<C> MemTable<C> {
    /// Ends writing: additions that have begun are waited for, later ones are refused, and what
    /// is returned no longer changes.
    ///
    /// Writing ends at one moment: once an addition has been refused, none that begins after that
    /// succeeds. Readers, and cursors and iterators already open, go on. Freezing again gives the
    /// same.
    ///
    /// A [`Meter`], the closure given to [`add_late`](MemTable::add_late), and an iterator given to
    /// [`add_batch`](MemTable::add_batch) may call it. The addition that they serve is not waited
    /// for. It is refused, with one exception: a batch whose entries are being added is completed, and
    /// what is returned changes until then.
    ///
    /// The comparator must not call it, nor add anything: other additions may wait for the one that
    /// it serves.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::{AddError, MemTable};
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// let immutable = memtable.freeze();
    /// let refused = memtable.add(SequenceNumber::ZERO, ValueType::Value, b"key", b"value");
    /// assert_eq!(refused, Err(AddError::Frozen));
    /// assert!(immutable.is_empty());
    /// ```
    pub fn freeze(&self) -> ImmutableMemTable<C> {
        self.reader.shards.freeze(self.reader.index.arena());
        ImmutableMemTable(self.reader())
    }

    /// Whether the memtable is frozen.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.reader.shards.is_frozen()
    }

    /// What the memtable is read by, with a life of its own.
    #[must_use]
    pub fn reader(&self) -> MemTableReader<C> {
        self.reader.clone()
    }
}

impl<C: Comparator + Default> Default for MemTable<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<C> Deref for MemTable<C> {
    type Target = MemTableReader<C>;

    fn deref(&self) -> &MemTableReader<C> {
        &self.reader
    }
}

impl<C> fmt::Debug for MemTable<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemTable")
            .field("reader", &self.reader)
            .field("is_frozen", &self.is_frozen())
            .finish()
    }
}

impl<'a, C: Comparator> IntoIterator for &'a MemTable<C> {
    type Item = Entry<'a>;
    type IntoIter = Iter<'a, C>;

    fn into_iter(self) -> Iter<'a, C> {
        self.iter()
    }
}

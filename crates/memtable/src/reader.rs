//! How a memtable is read, mutable or frozen.

use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;

use strata_arena::Arena;
use strata_dbformat::{Comparator, LookupKey, SequenceNumber, Tag};

use crate::cursor::{Cursor, OwnedCursor};
use crate::iter::{Iter, OwnedIter};
use crate::order::{Index, Target};
use crate::shards::Shards;
use crate::{Entry, Identity, Lookup, MemoryUsage, OwnedEntry};

/// The entries of a memtable, to read. [`MemTable`](crate::MemTable) and
/// [`ImmutableMemTable`](crate::ImmutableMemTable) both dereference to one.
///
/// A clone is cheap, `'static` and keeps the entries alive: LevelDB's `Ref`, and dropping it is
/// `Unref`. A clone of a mutable memtable's reader sees what is added later, too.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::{Lookup, MemTable};
///
/// let memtable = MemTable::new(BytewiseComparator);
/// let reader = memtable.reader();
/// let thread = std::thread::spawn(move || {
///     while reader.get_at(b"key", SequenceNumber::MAX) == Lookup::Absent {
///         std::thread::yield_now();
///     }
/// });
/// memtable.add(SequenceNumber::new(1).unwrap(), ValueType::Value, b"key", b"value")?;
/// thread.join().unwrap();
/// # Ok::<(), strata_memtable::AddError>(())
/// ```
pub struct MemTableReader<C> {
    pub(crate) index: Arc<Index<C>>,
    pub(crate) shards: Arc<Shards>,
}

impl<C: Comparator> MemTableReader<C> {
    /// The newest version of a user key that a snapshot sees.
    ///
    /// One seek, O(log n) comparisons, however many newer versions there are; no allocation.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, LookupKey, SequenceNumber, ValueType};
    /// use strata_memtable::{Lookup, MemTable};
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// memtable.add(SequenceNumber::new(1).unwrap(), ValueType::Value, b"key", b"value")?;
    /// let key = LookupKey::new(b"key", SequenceNumber::MAX)?;
    /// assert_eq!(memtable.get(&key), Lookup::Value(b"value"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn get(&self, key: &LookupKey) -> Lookup<'_> {
        self.get_at(key.user_key(), key.snapshot())
    }

    /// As [`get`](MemTableReader::get), without a lookup key to make: the two parts are compared
    /// as they are.
    #[must_use]
    pub fn get_at(&self, user_key: &[u8], snapshot: SequenceNumber) -> Lookup<'_> {
        self.get_entry(user_key, snapshot).into()
    }

    /// As [`get_at`](MemTableReader::get_at), with the version's sequence number and type.
    #[must_use]
    pub fn get_entry(&self, user_key: &[u8], snapshot: SequenceNumber) -> Option<Entry<'_>> {
        let target = Target {
            user_key,
            tag: Tag::for_seek(snapshot),
        };
        self.index.first_version(&target).map(Entry::new)
    }

    /// As [`get_at`](MemTableReader::get_at) for several user keys at one snapshot, about twice as
    /// fast: they are looked for together, some at a time, and wait for memory together. Nothing is
    /// allocated.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::{Lookup, MemTable};
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// memtable.add(SequenceNumber::new(1).unwrap(), ValueType::Value, b"fig", b"purple")?;
    /// let keys = [&b"pear"[..], b"fig"];
    /// let found: Vec<Lookup<'_>> = memtable.get_many(keys, SequenceNumber::MAX).collect();
    /// assert_eq!(found, [Lookup::Absent, Lookup::Value(b"purple")]);
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    pub fn get_many<'a, 'k>(
        &'a self,
        user_keys: impl IntoIterator<Item = &'k [u8]>,
        snapshot: SequenceNumber,
    ) -> impl Iterator<Item = Lookup<'a>> {
        let targets = user_keys.into_iter().map(move |user_key| Target {
            user_key,
            tag: Tag::for_seek(snapshot),
        });
        let found = self.index.first_versions(targets);
        found.map(|(_, entry)| entry.map(Entry::new).into())
    }

    /// As [`get_entry`](MemTableReader::get_entry), keeping the entries alive by itself.
    #[must_use]
    pub fn get_owned(&self, user_key: &[u8], snapshot: SequenceNumber) -> Option<OwnedEntry<C>> {
        let target = Target {
            user_key,
            tag: Tag::for_seek(snapshot),
        };
        self.index.shared_first_version(&target).map(OwnedEntry)
    }

    pub(crate) fn is_of(&self, entry: Entry<'_>, user_key: &[u8]) -> bool {
        self.user_comparator()
            .compare(entry.user_key(), user_key)
            .is_eq()
    }

    /// Whether there is an entry of exactly this user key and tag.
    #[must_use]
    pub fn contains(&self, user_key: &[u8], tag: Tag) -> bool {
        self.index.contains(&Target { user_key, tag })
    }

    /// Every entry, in the order of internal keys: user keys ascending, newest version first. From
    /// the back, in reverse.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, C> {
        self.range(..)
    }

    /// Every version of the user keys within `bounds`, in the order of internal keys; from the
    /// back, in reverse.
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::MemTable;
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// for (i, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
    ///     let sequence = SequenceNumber::new(i as u64).unwrap();
    ///     memtable.add(sequence, ValueType::Value, key.as_bytes(), b"")?;
    /// }
    /// let keys = |range: strata_memtable::Iter<'_, _>| -> Vec<u8> {
    ///     range.flat_map(|entry| entry.user_key().to_vec()).collect()
    /// };
    /// assert_eq!(keys(memtable.range(&b"b"[..]..=&b"c"[..])), b"bc");
    /// assert_eq!(keys(memtable.range(&b"bb"[..]..)), b"cd");
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    pub fn range<'a>(&'a self, bounds: impl RangeBounds<&'a [u8]>) -> Iter<'a, C> {
        Iter::new(&self.index, &bounds)
    }

    /// As [`iter`](MemTableReader::iter), keeping the entries alive: `'static` and `Send`.
    #[must_use]
    pub fn owned_iter(&self) -> OwnedIter<C> {
        self.owned_range(..)
    }

    /// As [`range`](MemTableReader::range), keeping the entries alive: `'static` and `Send`.
    pub fn owned_range<'b>(&self, bounds: impl RangeBounds<&'b [u8]>) -> OwnedIter<C> {
        OwnedIter::new(&self.index, &bounds)
    }

    /// A cursor over the entries, at none yet: LevelDB's iterator.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_, C> {
        Cursor::new(self.index.cursor())
    }

    /// As [`cursor`](MemTableReader::cursor), keeping the entries alive: `'static` and `Send`.
    #[must_use]
    pub fn owned_cursor(&self) -> OwnedCursor<C> {
        OwnedCursor::new(self.index.owned_cursor())
    }

    /// The first entry in the order of internal keys. O(1).
    #[must_use]
    pub fn first(&self) -> Option<Entry<'_>> {
        self.index.first().map(Entry::new)
    }

    /// The last entry in the order of internal keys. O(1).
    #[must_use]
    pub fn last(&self) -> Option<Entry<'_>> {
        self.index.last().map(Entry::new)
    }

    /// The order of user keys.
    #[must_use]
    pub fn user_comparator(&self) -> &C {
        self.index.comparator().0.user_comparator()
    }
}

impl<C> MemTableReader<C> {
    /// Which memtable this reads.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity(Arc::downgrade(&self.shards))
    }

    /// How many entries there are, tombstones included. O(1).
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shards.entries()
    }

    /// Whether there are no entries. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// How many entries are tombstones. O(1).
    #[must_use]
    pub fn tombstones(&self) -> u64 {
        self.shards.tombstones()
    }

    /// The smallest sequence number of an entry, if there is one. O(1).
    #[must_use]
    pub fn smallest_sequence(&self) -> Option<SequenceNumber> {
        self.shards.sequences().map(|(smallest, _)| smallest)
    }

    /// The largest sequence number of an entry, if there is one. O(1).
    #[must_use]
    pub fn largest_sequence(&self) -> Option<SequenceNumber> {
        self.shards.sequences().map(|(_, largest)| largest)
    }

    /// How many bytes the memtable has asked of the allocator: what LevelDB compares with its
    /// write buffer size. O(1), without a lock.
    #[must_use]
    pub fn approximate_memory_usage(&self) -> usize {
        self.arena().reserved_bytes()
    }

    /// The most that [`approximate_memory_usage`](MemTableReader::approximate_memory_usage) can grow
    /// by, from now on, if `entries` entries are added whose user keys and values take `bytes` bytes
    /// together, one by one or in batches, by any threads, and no others.
    ///
    /// So for several writes at once, one has to ask for their sum: what is left to be handed out
    /// may be enough for each, and not for all. Little or nothing is asked of the allocator for one
    /// entry, mostly; for many at once, the bound is the worst that the sizes and places of
    /// so many may come to, a few times what they usually do. (If the allocator refuses a block,
    /// smaller ones are made, which may come to more.)
    ///
    /// ```
    /// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
    /// use strata_memtable::MemTable;
    ///
    /// let memtable = MemTable::new(BytewiseComparator);
    /// let bound = memtable.growth_bound(1, b"key".len() + b"value".len());
    /// memtable.add(SequenceNumber::new(1).unwrap(), ValueType::Value, b"key", b"value")?;
    /// assert!(memtable.approximate_memory_usage() <= bound);
    /// # Ok::<(), strata_memtable::AddError>(())
    /// ```
    ///
    /// O(1), under a lock that is otherwise taken for a new block of memory.
    #[must_use]
    pub fn growth_bound(&self, entries: u64, bytes: usize) -> usize {
        let count = usize::try_from(entries).unwrap_or(usize::MAX);
        let bytes = bytes.saturating_add(count.saturating_mul(Tag::LENGTH));
        self.index.growth_bound(entries, bytes)
    }

    /// How many of those bytes are in use, by entries and the index. O(1).
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.arena().used_bytes()
    }

    /// How many entries are shadowed: there is a newer version of their user key in the memtable.
    /// A tombstone shadows, too. O(1).
    ///
    /// As the other numbers, it is counted when entries are added, and is exact whenever nobody is
    /// adding, in whatever order and by however many threads the entries were added.
    #[must_use]
    pub fn shadowed_entries(&self) -> u64 {
        self.shards.shadowed_entries()
    }

    /// How many bytes shadowed entries have, their user keys, values and what is encoded with them.
    /// O(1).
    #[must_use]
    pub fn shadowed_bytes(&self) -> usize {
        self.shards.shadowed_bytes()
    }

    /// What the memory is used for, byte by byte.
    ///
    /// O(1), under a lock that is otherwise taken when a node of the index is made. Exact while no
    /// thread adds; while one does, what is under way may be counted for slack.
    #[must_use]
    pub fn memory(&self) -> MemoryUsage {
        let key_bytes = self.shards.key_bytes();
        let value_bytes = self.shards.value_bytes();
        let encoding_bytes = self.shards.encoding_bytes();
        let index_bytes = self.index.index_bytes();
        let unused_bytes = self.arena().unused_bytes() + self.index.spare_bytes();
        // Last, so that it is not less than its parts.
        let reserved = self.arena().reserved_bytes();
        let taken = key_bytes + value_bytes + encoding_bytes + index_bytes + unused_bytes;
        let slack_bytes = reserved.saturating_sub(taken);
        MemoryUsage {
            key_bytes,
            value_bytes,
            encoding_bytes,
            index_bytes,
            slack_bytes,
            unused_bytes,
            reserved_bytes: taken + slack_bytes,
            shadowed_bytes: self.shadowed_bytes(),
            shadowed_entries: self.shadowed_entries(),
        }
    }

    fn arena(&self) -> &Arena {
        self.index.arena()
    }
}

impl<C> Clone for MemTableReader<C> {
    fn clone(&self) -> Self {
        Self {
            index: Arc::clone(&self.index),
            shards: Arc::clone(&self.shards),
        }
    }
}

impl<C> fmt::Debug for MemTableReader<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemTableReader")
            .field("entries", &self.len())
            .field("tombstones", &self.tombstones())
            .field("shadowed", &self.shadowed_entries())
            .field("sequences", &self.shards.sequences())
            .field("memory_usage", &self.approximate_memory_usage())
            .finish_non_exhaustive()
    }
}

impl<'a, C: Comparator> IntoIterator for &'a MemTableReader<C> {
    type Item = Entry<'a>;
    type IntoIter = Iter<'a, C>;

    fn into_iter(self) -> Iter<'a, C> {
        self.iter()
    }
}

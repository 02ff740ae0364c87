//! What a memtable's memory is used for.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// What the memory of a memtable, or of several together, is used for, in bytes.
///
/// Every byte that was asked of the allocator is in one of six parts:
///
/// ```text
/// reserved = key + value + encoding + index + slack + unused
/// ```
///
/// `MemoryUsage`s can be added up.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::{MemTable, MemoryUsage};
///
/// let memtable = MemTable::new(BytewiseComparator);
/// for (sequence, value) in [(1, &b"green"[..]), (2, b"ripe")] {
///     memtable.add(SequenceNumber::new(sequence).unwrap(), ValueType::Value, b"pear", value)?;
/// }
/// let usage = memtable.memory();
/// assert_eq!((usage.key_bytes, usage.value_bytes), (4 + 4, 5 + 4));
/// assert_eq!(usage.encoding_bytes, 2 * (8 + 1 + 1), "a tag and two lengths each");
/// assert_eq!((usage.shadowed_entries, usage.shadowed_bytes), (1, 4 + 5 + 10));
/// assert_eq!(usage.reserved_bytes, memtable.approximate_memory_usage());
///
/// let both: MemoryUsage = [usage, usage].into_iter().sum();
/// assert_eq!(both.key_bytes, 16);
/// # Ok::<(), strata_memtable::AddError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// User keys.
    pub key_bytes: usize,
    /// Values.
    pub value_bytes: usize,
    /// What entries consist of besides: their tags, 8 bytes each, and their two lengths.
    pub encoding_bytes: usize,
    /// The nodes of the index.
    pub index_bytes: usize,
    /// What is used for nothing, and won't be: padding, ends of blocks, what blocks begin with, the
    /// list of blocks, and entries that were refused too late.
    pub slack_bytes: usize,
    /// What is left in blocks, still to be handed out, and what is set aside for nodes that are not
    /// made yet.
    pub unused_bytes: usize,
    /// The sum of these six: what was asked of the allocator.
    pub reserved_bytes: usize,
    /// Of the keys, values and encoding: what entries take that have a newer version of their user
    /// key in the same memtable.
    pub shadowed_bytes: usize,
    /// How many such entries there are.
    pub shadowed_entries: u64,
}

impl Add for MemoryUsage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            key_bytes: self.key_bytes + other.key_bytes,
            value_bytes: self.value_bytes + other.value_bytes,
            encoding_bytes: self.encoding_bytes + other.encoding_bytes,
            index_bytes: self.index_bytes + other.index_bytes,
            slack_bytes: self.slack_bytes + other.slack_bytes,
            unused_bytes: self.unused_bytes + other.unused_bytes,
            reserved_bytes: self.reserved_bytes + other.reserved_bytes,
            shadowed_bytes: self.shadowed_bytes + other.shadowed_bytes,
            shadowed_entries: self.shadowed_entries + other.shadowed_entries,
        }
    }
}

impl AddAssign for MemoryUsage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for MemoryUsage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), Self::add)
    }
}

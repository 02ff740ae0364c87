//! Memtables that are no longer written to.

use std::fmt;
use std::ops::Deref;

use strata_dbformat::Comparator;

use crate::{Entry, Iter, MemTableReader};

/// A frozen memtable: what it holds no longer changes, until it is flushed and dropped.
///
/// It is read as its [`MemTableReader`]; a clone is cheap. There is nothing to add with:
///
/// ```compile_fail
/// use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
/// use strata_memtable::MemTable;
///
/// let immutable = MemTable::new(BytewiseComparator).freeze();
/// immutable.add(SequenceNumber::ZERO, ValueType::Value, b"key", b"value");
/// ```
pub struct ImmutableMemTable<C>(pub(crate) MemTableReader<C>);

impl<C> Deref for ImmutableMemTable<C> {
    type Target = MemTableReader<C>;

    fn deref(&self) -> &MemTableReader<C> {
        &self.0
    }
}

impl<C> Clone for ImmutableMemTable<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for ImmutableMemTable<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ImmutableMemTable").field(&self.0).finish()
    }
}

impl<'a, C: Comparator> IntoIterator for &'a ImmutableMemTable<C> {
    type Item = Entry<'a>;
    type IntoIter = Iter<'a, C>;

    fn into_iter(self) -> Iter<'a, C> {
        self.iter()
    }
}

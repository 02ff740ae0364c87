//! Which memtable it is.

use std::fmt;
use std::sync::Weak;

use crate::shards::Shards;

/// Which memtable a reader reads: equal for all readers of one, frozen or not, and for no others,
/// even after it is gone.
///
/// It does not keep the memtable's entries.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_memtable::MemTable;
///
/// let memtable = MemTable::new(BytewiseComparator);
/// let identity = memtable.identity();
/// assert_eq!(memtable.freeze().identity(), identity);
/// assert_ne!(MemTable::new(BytewiseComparator).identity(), identity);
/// ```
#[derive(Clone)]
pub struct Identity(pub(crate) Weak<Shards>);

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        // While this is there, nothing else gets the address.
        self.0.ptr_eq(&other.0)
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.0.as_ptr()).finish()
    }
}

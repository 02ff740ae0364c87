//! Where tests flush to: copies of memtables, read together with a view.

use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::Mutex;
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::{ImmutableMemTable, Lookup, MemTable};
use strata_write_buffer::{Flush, FlushError, InternalCursor, MergingCursor, View};

/// Where memtables are flushed to: copies of them, the newest last. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Vec<Arc<MemTable<BytewiseComparator>>>>>);

pub(crate) type Source = Box<dyn InternalCursor<Error = Infallible> + Send>;

impl Flush<BytewiseComparator> for Shelf {
    fn flush(
        &mut self,
        memtable: &ImmutableMemTable<BytewiseComparator>,
        _: u64,
    ) -> Result<(), FlushError> {
        let copy = MemTable::new(BytewiseComparator);
        for entry in memtable.iter() {
            copy.add(
                entry.sequence(),
                entry.value_type(),
                entry.user_key(),
                entry.value(),
            )?;
        }
        self.0.lock().push(Arc::new(copy));
        Ok(())
    }
}

impl Shelf {
    /// All that a view sees, with what was flushed before it was made.
    pub(crate) fn merged(
        &self,
        view: &View<BytewiseComparator>,
    ) -> MergingCursor<Source, BytewiseComparator> {
        let mut sources: Vec<Source> = vec![Box::new(view.internal_cursor(..))];
        for flushed in self.0.lock().iter().rev() {
            sources.push(Box::new(flushed.reader().owned_cursor()));
        }
        MergingCursor::new(BytewiseComparator, sources)
    }

    /// The value a snapshot sees in what was flushed.
    pub(crate) fn get(&self, key: &[u8], snapshot: SequenceNumber) -> Option<Vec<u8>> {
        let shelf = self.0.lock();
        let mut found = shelf.iter().rev().map(|flushed| flushed.reader());
        found.find_map(|reader| match reader.get_at(key, snapshot) {
            Lookup::Absent => None,
            found => Some(found.value().map(<[u8]>::to_vec)),
        })?
    }
}

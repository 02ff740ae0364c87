//! Snapshots: sequence numbers that are held on to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use strata_dbformat::SequenceNumber;

/// The sequence numbers of the snapshots there are, and how many there are of each.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<BTreeMap<SequenceNumber, usize>>);

/// A sequence number at which reads see what was visible when the snapshot was taken, whatever is
/// written later.
///
/// It holds no memory. What it is for is that [`WriteBuffer::oldest_snapshot`] tells who merges
/// tables which versions are still to be kept, until the last clone is dropped.
///
/// ```
/// use strata_dbformat::BytewiseComparator;
/// use strata_memtable::Lookup;
/// use strata_write_buffer::{WriteBuffer, WriteBufferOptions};
///
/// let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
/// buffer.put(b"key", b"old")?;
/// let snapshot = buffer.snapshot();
/// buffer.put(b"key", b"new")?;
/// assert_eq!(buffer.view_at(snapshot.sequence()).get(b"key"), Lookup::Value(b"old"));
/// assert_eq!(buffer.oldest_snapshot(), Some(snapshot.sequence()));
/// drop(snapshot);
/// assert_eq!(buffer.oldest_snapshot(), None);
/// # Ok::<(), strata_write_buffer::WriteError>(())
/// ```
///
/// [`WriteBuffer::oldest_snapshot`]: crate::WriteBuffer::oldest_snapshot
pub struct Snapshot {
    snapshots: Arc<Snapshots>,
    sequence: SequenceNumber,
}

impl Snapshots {
    /// Holds on to what `visible` gives. It is asked under the lock, so that nobody who looks for
    /// the oldest snapshot meanwhile misses this one.
    pub(crate) fn take(self: &Arc<Self>, visible: impl FnOnce() -> SequenceNumber) -> Snapshot {
        let mut held = self.0.lock();
        let sequence = visible();
        *held.entry(sequence).or_default() += 1;
        Snapshot {
            snapshots: Arc::clone(self),
            sequence,
        }
    }

    pub(crate) fn oldest(&self) -> Option<SequenceNumber> {
        self.0.lock().keys().next().copied()
    }
}

impl Snapshot {
    /// The sequence number: reads see what was written up to and including it.
    #[must_use]
    pub fn sequence(&self) -> SequenceNumber {
        self.sequence
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Self {
        self.snapshots.take(|| self.sequence)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut held = self.snapshots.0.lock();
        if let Some(count) = held.get_mut(&self.sequence) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.sequence);
            }
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshot").field(&self.sequence).finish()
    }
}

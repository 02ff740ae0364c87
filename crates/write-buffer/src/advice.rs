//! When a memtable is better flushed before it is full.

use std::fmt;
use std::time::Duration;

use strata_dbformat::Comparator;

use crate::core::Core;

/// From what point on the active memtable is to be flushed, whatever its size. Each is off if it is
/// `None`.
///
/// ```
/// use std::time::Duration;
/// use strata_write_buffer::AdviceOptions;
///
/// let advice = AdviceOptions { age: Some(Duration::from_secs(3600)), ..AdviceOptions::default() };
/// assert_eq!(advice.shadowed_percent, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdviceOptions {
    /// When so many percent of its entries' bytes are versions with a newer one in the same
    /// memtable. Considered from a sixteenth of the write buffer size on.
    pub shadowed_percent: Option<u8>,
    /// When so many percent of its entries are tombstones. Considered from a sixteenth of the
    /// write buffer size on.
    pub tombstone_percent: Option<u8>,
    /// When scans have passed over so many entries that they could not show: tombstones, and
    /// versions that were shadowed or too new. They are counted for the memtable that was active
    /// when the scan began.
    pub skipped: Option<u64>,
    /// When its first entry is so old.
    pub age: Option<Duration>,
}

/// Why a memtable is to be flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlushReason {
    /// It has taken more memory than a write buffer may.
    Size {
        /// What it has reserved, in bytes.
        bytes: usize,
    },
    /// Much of it is shadowed.
    Shadowed {
        /// How much of its entries' bytes.
        percent: u8,
    },
    /// Much of it is tombstones.
    Tombstones {
        /// How much of its entries.
        percent: u8,
    },
    /// Scans had to pass over too much.
    Skipped {
        /// How many entries.
        entries: u64,
    },
    /// It is old.
    Age {
        /// How old its first entry is.
        age: Duration,
    },
}

impl fmt::Display for FlushReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlushReason::Size { bytes } => write!(f, "it has taken {bytes} bytes"),
            FlushReason::Shadowed { percent } => {
                write!(f, "{percent} % of its bytes are older versions")
            }
            FlushReason::Tombstones { percent } => {
                write!(f, "{percent} % of its entries are tombstones")
            }
            FlushReason::Skipped { entries } => {
                write!(f, "scans had to pass over {entries} entries")
            }
            FlushReason::Age { age } => write!(f, "its first entry is {age:?} old"),
        }
    }
}

/// What part of `all` `some` is, in percent.
fn percent(some: u64, all: u64) -> u8 {
    let percent = u128::from(some) * 100 / u128::from(all.max(1));
    u8::try_from(percent).unwrap_or(u8::MAX)
}

impl<C: Comparator> Core<C> {
    /// Why the active memtable should be flushed, if it should.
    pub(crate) fn flush_advice(&self) -> Option<FlushReason> {
        let options = &self.options.advice;
        let memtables = self.memtables.load();
        let active = &memtables.active;
        let reader = active.reader();
        let bytes = active.reserved_bytes();
        if bytes > self.options.write_buffer_size {
            return Some(FlushReason::Size { bytes });
        }
        if let Some(limit) = options.age
            && let Some(began) = active.began()
            && began.elapsed() >= limit
        {
            let age = began.elapsed();
            return Some(FlushReason::Age { age });
        }
        let entries = active.skipped.get() as u64;
        if options.skipped.is_some_and(|limit| entries >= limit) {
            return Some(FlushReason::Skipped { entries });
        }
        if bytes < self.options.write_buffer_size / 16 {
            return None;
        }
        if let Some(limit) = options.tombstone_percent {
            let percent = percent(reader.tombstones(), reader.len());
            if percent >= limit {
                return Some(FlushReason::Tombstones { percent });
            }
        }
        if let Some(limit) = options.shadowed_percent {
            let memory = reader.memory();
            let all = memory.key_bytes + memory.value_bytes + memory.encoding_bytes;
            let percent = percent(memory.shadowed_bytes as u64, all as u64);
            if percent >= limit {
                return Some(FlushReason::Shadowed { percent });
            }
        }
        None
    }
}

//! What a write buffer is made with, and what a write is.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use strata_arena::BlockPool;

use crate::{AdviceOptions, MemoryBudget};

/// LevelDB's bounds for the size of a write buffer, in bytes.
const SIZES: RangeInclusive<usize> = 64 << 10..=1 << 30;

/// What a [`WriteBuffer`](crate::WriteBuffer) is made with besides its comparator.
///
/// ```
/// use strata_write_buffer::{MemoryBudget, WriteBufferOptions};
///
/// let options = WriteBufferOptions {
///     write_buffer_size: 16 << 20,
///     max_write_buffers: 4,
///     budget: Some(MemoryBudget::new(256 << 20)),
///     ..WriteBufferOptions::default()
/// };
/// assert_eq!(WriteBufferOptions::default().write_buffer_size, 4 << 20);
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
pub struct WriteBufferOptions {
    /// What the write buffer is called where several are listed, as by
    /// [`MemoryBudget::holders`].
    pub name: String,
    /// How many bytes of memory the active memtable may take before the next write freezes it;
    /// 4 MiB by default. LevelDB's rule: it freezes when it has taken *more*. Clipped to LevelDB's
    /// bounds, 64 KiB to 1 GiB.
    pub write_buffer_size: usize,
    /// How many memtables there may be, the active one included; 2 by default, which are LevelDB's.
    /// When there are so many and the active one is full, writers wait for a flush. At least 2.
    pub max_write_buffers: usize,
    /// The memory the write buffer shares with others; by default it has as much as there is.
    pub budget: Option<MemoryBudget>,
    /// Where memtables get their memory first and leave it; by default nowhere but the allocator.
    /// What a pool keeps is no memtable's, and in no budget.
    pub pool: Option<Arc<BlockPool>>,
    /// When a memtable is to be flushed before it is full.
    pub advice: AdviceOptions,
}

impl Default for WriteBufferOptions {
    fn default() -> Self {
        Self {
            name: String::new(),
            write_buffer_size: 4 << 20,
            max_write_buffers: 2,
            budget: None,
            pool: None,
            advice: AdviceOptions::default(),
        }
    }
}

impl WriteBufferOptions {
    /// These options within their bounds.
    pub(crate) fn clipped(mut self) -> Self {
        self.write_buffer_size = self.write_buffer_size.clamp(*SIZES.start(), *SIZES.end());
        self.max_write_buffers = self.max_write_buffers.max(2);
        self
    }
}

/// How a batch is to be written.
///
/// ```
/// use std::time::{Duration, Instant};
/// use strata_write_buffer::{Wait, WriteOptions};
///
/// let soon = Instant::now() + Duration::from_millis(20);
/// let options = WriteOptions { sync: true, wait: Wait::Until(soon) };
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOptions {
    /// Whether to return only when the batch, and all before it, would survive a power failure:
    /// all, that is, but for what a [failed sync](crate::WriteBuffer::replace_log) left in doubt.
    /// Without a log it makes no difference.
    pub sync: bool,
    /// How long to wait for room.
    pub wait: Wait,
}

/// How long to wait while there is no room for a write.
///
/// Only waiting for room is meant: not what an append or a sync takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Until there is room.
    #[default]
    Forever,
    /// Until then at most.
    Until(Instant),
    /// Not at all.
    Never,
}

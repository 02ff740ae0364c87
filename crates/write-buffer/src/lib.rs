#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod advice;
mod atomic;
mod budget;
mod buffer;
mod commit;
mod core;
mod cursor;
mod directory;
mod error;
mod flush;
mod flusher;
mod group;
mod lengths;
mod log;
mod memtables;
mod options;
mod recovery;
mod room;
mod sequencer;
mod snapshot;
mod stall;
mod sync;
mod view;
mod write;

pub use advice::{AdviceOptions, FlushReason};
pub use budget::{Holder, MemoryBudget};
pub use buffer::{MemtableInfo, WriteBuffer};

pub use cursor::{
    EntryRef, InternalCursor, MapErr, MergingCursor, Pairs, Skipped, SnapshotCursor, VisibleCursor,
};
pub use directory::{
    DirectoryLogs, FailedStep, FlushedTable, LogFailed, TableFlush, remove_logs_before,
};
pub use error::{LogAction, WriteError};
pub use flush::{Flush, FlushCounts, FlushError, FlushJob, Flushed};
pub use flusher::Flusher;
pub use log::{Log, Logs};
pub use options::{Wait, WriteBufferOptions, WriteOptions};
pub use recovery::{
    DropReason, LogBatch, LogBatches, LogDrop, LogMention, LogReport, Recovered, Recovery,
    RecoveryError, RecoveryOptions,
};
pub use snapshot::Snapshot;
pub use stall::{StallCause, StallTime, Stalls};
pub use view::{Cursor, InternalView, View};

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod entry;
mod error;
mod get;
mod inventory;
mod log_source;
mod manifest_state;
mod merge;
mod order;
mod plan;
mod read;
mod report;
mod run;
mod sorter;
mod table_source;
mod verify;

pub use entry::{Entry, Origin};
pub use error::{DatabaseError, SortError};
pub use get::{Found, Got};
pub use inventory::{Database, Standing, StoredFile, StoredKind};
pub use manifest_state::ManifestState;
pub use order::Order;
pub use read::{Arrangement, Entries, KeySelection, Progress, ProgressSink, ReadOptions};
pub use report::{Loss, LossReason, Note, Report};
pub use verify::Verified;

pub use strata_recognise::Content;

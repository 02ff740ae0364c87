#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod blocks;
mod format;
mod physical;
mod reader;
mod report;
mod reporter;
mod salvage;
mod sync;
mod window;
mod writer;

pub use format::{BLOCK_SIZE, HEADER_SIZE, RecordType};
pub use reader::{Reader, Record};
pub use report::{Cause, Dropped, Mended, PassedOver, Reason, Report};
pub use sync::SyncData;
pub use writer::{Writer, WriterFailed};

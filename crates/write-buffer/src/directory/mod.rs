//! Logs and tables in a directory.

mod logs;
mod obsolete;
mod table_flush;

pub use logs::{DirectoryLogs, FailedStep, LogFailed};
pub use obsolete::remove_logs_before;
pub use table_flush::{FlushedTable, TableFlush};

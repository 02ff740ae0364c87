#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod directory;
mod file_directory;
mod file_names;
mod file_numbers;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use directory::{Directory, ReadFile, WriteFile};
pub use file_directory::FileDirectory;
pub use file_names::{
    CURRENT, FileKind, INFO_LOG, LOCK, OLD_INFO_LOG, log_file_name, manifest_file_name,
    parse_file_name, table_file_name, temporary_file_name,
};
pub use file_numbers::FileNumbers;

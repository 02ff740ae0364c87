#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod error;
mod output;
mod pipe;
mod rebuild;

pub use error::RebuildError;
pub use output::NewTable;
pub use rebuild::{RebuildOptions, Rebuilt, rebuild};

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod content;
mod foreign;
mod proof;

pub use content::{Content, recognise};

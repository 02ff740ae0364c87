//! Blocks held against literal bytes and a model, and hostile ones.

mod bounded;
#[cfg(feature = "cache")]
mod cache;
mod compression;
mod crafted;
mod cursor;
mod golden;
mod sources;
mod support;

//! The table format held against literal bytes, LevelDB's own tables and cases, and damage.

mod bloom;
mod bounded;
#[cfg(feature = "cache")]
mod cache;
mod compression;
mod craft;
mod crafted_blocks;
mod crafted_tables;
mod cursor;
mod damage;
mod files;
mod golden;
mod leveldb;
mod samples;
mod scan;
mod sources;
mod support;
mod walk;
mod writing;

//! The coding layer held against literal bytes, LevelDB's own cases and a naive decoder.

mod golden;
mod leveldb;
mod naive;

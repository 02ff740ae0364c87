//! The key formats held against literal bytes, LevelDB's own cases and the laws of an order.

mod golden;
mod leveldb;
mod order;

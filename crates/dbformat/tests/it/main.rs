//! The key formats held against literal bytes, LevelDB's own cases and the laws of an order.

mod golden;
mod indexed_db;
mod leveldb;
mod order;

//! The log held against literal bytes, LevelDB's own cases, a naive reader, and damage of every
//! kind.

mod damage;
mod embedded;
mod golden;
mod initial_offset;
mod leveldb;
mod naive;
mod passed_over;
mod properties;
mod salvage;
mod shifted;
mod source;
mod support;
mod writer;

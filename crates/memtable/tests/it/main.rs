//! The memtable held against literal bytes, LevelDB's cases, a sorted map, and threads.
#![cfg(not(loom))]

mod adding;
mod broken_order;
mod concurrent;
mod freezing;
mod golden;
mod growth;
mod harness;
mod late;
mod memory;
mod model;
mod pages;

use strata_dbformat::SequenceNumber;

fn sequence(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

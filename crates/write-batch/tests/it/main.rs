//! The write batch held against literal bytes, LevelDB's cases, and arbitrary bytes.

mod golden;
mod inserting;
mod leveldb;
mod naive;

use strata_dbformat::SequenceNumber;

fn sequence(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

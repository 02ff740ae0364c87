#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod baseline;
mod checksum;
mod contestant;
mod harness;
mod keys;
mod operation;
mod rng;
mod suite;
mod values;
mod workload;
mod zipf;

pub use baseline::{LockedBTreeMap, LockedBTreeSet};
pub use checksum::Checksum;
pub use contestant::Contestant;
pub use harness::{criterion, last_byte};
pub use keys::{KeyShape, Keys};
pub use operation::Operation;
pub use rng::SplitMix64;
pub use suite::{NEXTS, Suite};
pub use values::Values;
pub use workload::{Count, Workload};
pub use zipf::Zipf;

//! Those who take part, each as its users use it, set so that all is in memory and nothing is
//! compressed.

mod fjall;
mod memtable;
#[cfg(feature = "rocksdb")]
mod rocksdb;
mod strata;

pub(crate) use fjall::Fjall;
pub(crate) use memtable::BareMemTable;
#[cfg(feature = "rocksdb")]
pub(crate) use rocksdb::RocksDb;
pub(crate) use strata::Strata;

//! RocksDB.

use std::path::Path;

use rocksdb::{DB, DBCompressionType, Options, ReadOptions, WriteBatch, WriteOptions, properties};

use crate::contestant::{Contestant, Logging, Writer, done};

/// More than is ever written.
const PLENTY: usize = 4 << 30;

/// RocksDB, with its default column family.
///
/// - Without a log it is `disable_wal`, synced it is `sync`, both of each write. As by default,
///   every write is given to the system before it returns (`manual_wal_flush` off), and concurrent
///   writes are grouped and inserted in parallel (`allow_concurrent_memtable_write`).
/// - `write_buffer_size`: 4 GiB instead of 64 MiB, so that nothing is flushed. The blocks of its arena
///   stay at the 1 MiB that they have by default; the log asks for 4.4 GiB of the disk beforehand
///   and gives back what it did not need.
/// - `compression`: none; built without any. That would matter to tables only, of which there
///   are none.
/// - `avoid_flush_during_shutdown`: what is thrown away need not be written. Not measured.
/// - All else as by default: the skiplist memtable without bloom filter, no statistics, checksums in
///   the log, a block cache that nothing uses.
///
/// A lookup pins what it finds instead of copying it where RocksDB can; what lies in a memtable it
/// copies all the same. An iterator is made for each seek, as `db_bench` does. The crate takes
/// batches and an iterator's options by value, so each is a new one.
pub(crate) struct RocksDb {
    database: DB,
    writes: WriteOptions,
    reads: ReadOptions,
}

impl Writer for &RocksDb {
    #[inline]
    fn put(&mut self, user_key: &[u8], value: &[u8]) {
        done(self.database.put_opt(user_key, value, &self.writes));
    }

    fn write<'e>(&mut self, entries: impl Iterator<Item = (&'e [u8], &'e [u8])>) {
        let mut batch = WriteBatch::default();
        for (user_key, value) in entries {
            batch.put(user_key, value);
        }
        done(self.database.write_opt(batch, &self.writes));
    }
}

impl Contestant for RocksDb {
    const NAME: &'static str = "rocksdb";

    const LOGGING: &'static [Logging] = &[Logging::Off, Logging::On, Logging::Synced];

    type Writer<'a> = &'a Self;

    fn open(folder: &Path, logging: Logging) -> Self {
        // The one option that has no function.
        let no_flush = "avoid_flush_during_shutdown=true";
        let mut options = done(Options::default().get_options_from_string(no_flush));
        options.create_if_missing(true);
        options.set_write_buffer_size(PLENTY);
        options.set_compression_type(DBCompressionType::None);
        let mut writes = WriteOptions::default();
        writes.disable_wal(logging == Logging::Off);
        writes.set_sync(logging == Logging::Synced);
        Self {
            database: done(DB::open(&options, folder)),
            writes,
            reads: ReadOptions::default(),
        }
    }

    fn writer(&self) -> &Self {
        self
    }

    #[inline]
    fn get<T>(&self, user_key: &[u8], found: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let value = done(self.database.get_pinned_opt(user_key, &self.reads));
        value.map(|value| found(&value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.database.raw_iterator_opt(ReadOptions::default());
        cursor.seek_to_first();
        while let Some((user_key, value)) = cursor.item() {
            visit(user_key, value);
            cursor.next();
        }
        done(cursor.status());
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.database.raw_iterator_opt(ReadOptions::default());
        cursor.seek(user_key);
        for _ in 0..=nexts {
            let Some((user_key, value)) = cursor.item() else {
                break;
            };
            visit(user_key, value);
            cursor.next();
        }
        done(cursor.status());
    }

    fn is_in_one_memtable(&self) -> bool {
        let tables = properties::num_files_at_level(0);
        let frozen = self
            .database
            .property_int_value(properties::NUM_IMMUTABLE_MEM_TABLE);
        let tables = self.database.property_value(&tables);
        done(frozen) == Some(0) && done(tables).as_deref() == Some("0")
    }
}

//! fjall.

use std::path::Path;

use fjall::{Database, Guard, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::contestant::{Contestant, Logging, Writer, done};

/// More than is ever written.
const PLENTY: u64 = 16 << 30;

/// fjall's database, with one keyspace.
///
/// - Its journal can't be switched off, so it has no figures without a log.
/// - As by default, every write is given to the system before it returns
///   (`manual_journal_persist` off). A synced batch has `durability(SyncData)`. A single write has no
///   such option: it is followed by `persist(SyncData)`, which is how its manual has it, and so it is
///   not synced under the lock it was written under.
/// - `max_memtable_size` and `max_journaling_size`: 16 GiB instead of 64 and 512 MiB, so that
///   nothing is flushed.
/// - Built without `lz4`, so nothing is compressed.
/// - A batch is gone once it is committed, so each is a new one.
/// - All else as by default: its workers, its snapshot tracker, its block cache, which nothing uses.
pub(crate) struct Fjall {
    database: Database,
    keyspace: Keyspace,
    logging: Logging,
}

impl Writer for &Fjall {
    #[inline]
    fn put(&mut self, user_key: &[u8], value: &[u8]) {
        done(self.keyspace.insert(user_key, value));
        if self.logging == Logging::Synced {
            done(self.database.persist(PersistMode::SyncData));
        }
    }

    fn write<'e>(&mut self, entries: impl Iterator<Item = (&'e [u8], &'e [u8])>) {
        let mut batch = self.database.batch();
        for (user_key, value) in entries {
            batch.insert(&self.keyspace, user_key, value);
        }
        if self.logging == Logging::Synced {
            batch = batch.durability(Some(PersistMode::SyncData));
        }
        done(batch.commit());
    }
}

impl Contestant for Fjall {
    const NAME: &'static str = "fjall";

    const LOGGING: &'static [Logging] = &[Logging::On, Logging::Synced];

    type Writer<'a> = &'a Self;

    fn open(folder: &Path, logging: Logging) -> Self {
        let builder = Database::builder(folder).max_journaling_size(PLENTY);
        let database = done(builder.open());
        let options = || KeyspaceCreateOptions::default().max_memtable_size(PLENTY);
        let keyspace = done(database.keyspace("default", options));
        Self {
            database,
            keyspace,
            logging,
        }
    }

    fn writer(&self) -> &Self {
        self
    }

    #[inline]
    fn get<T>(&self, user_key: &[u8], found: impl FnOnce(&[u8]) -> T) -> Option<T> {
        done(self.keyspace.get(user_key)).map(|value| found(&value))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        for (user_key, value) in self.keyspace.iter().map(Guard::into_inner).map(done) {
            visit(&user_key, &value);
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let entries = self.keyspace.range(user_key..).take(1 + nexts);
        for (user_key, value) in entries.map(Guard::into_inner).map(done) {
            visit(&user_key, &value);
        }
    }

    fn is_in_one_memtable(&self) -> bool {
        self.keyspace.sealed_memtable_count() == 0 && self.keyspace.table_count() == 0
    }
}

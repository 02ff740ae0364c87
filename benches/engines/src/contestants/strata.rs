//! Ours: the write buffer, with LevelDB's log if there is to be one.

use std::path::Path;
use std::sync::Arc;

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_files::{FileDirectory, FileNumbers};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{DirectoryLogs, WriteBuffer, WriteBufferOptions, WriteOptions};

use crate::contestant::{Contestant, Logging, Writer, done};

/// The most that a memtable may take: LevelDB's bound, to which the write buffer clips.
const PLENTY: usize = 1 << 30;

/// The write buffer.
///
/// - With a log, [`DirectoryLogs`]: every write is given to the system before it returns, in
///   LevelDB's format, with its checksums; synced, with `sync` of each write.
/// - `write_buffer_size`: 1 GiB instead of 4 MiB, and there may be four memtables instead of
///   two. Nothing freezes before it has a gigabyte, and that would be noticed.
/// - All else as by default: no memory budget, no pool of blocks.
///
/// A lookup is one by itself, [`WriteBuffer::get`], and finds an entry that keeps its memtable alive.
/// A cursor is made for each seek.
#[derive(Debug)]
pub(crate) struct Strata {
    buffer: WriteBuffer<BytewiseComparator>,
    logging: Logging,
}

/// With a batch to put together anew each time.
#[derive(Debug)]
pub(crate) struct StrataWriter<'a> {
    strata: &'a Strata,
    options: WriteOptions,
    batch: WriteBatch,
}

impl Writer for StrataWriter<'_> {
    #[inline]
    fn put(&mut self, user_key: &[u8], value: &[u8]) {
        if self.options.sync {
            self.write(std::iter::once((user_key, value)));
        } else {
            done(self.strata.buffer.put(user_key, value));
        }
    }

    fn write<'e>(&mut self, entries: impl Iterator<Item = (&'e [u8], &'e [u8])>) {
        self.batch.clear();
        for (user_key, value) in entries {
            done(self.batch.put(user_key, value));
        }
        done(self.strata.buffer.write_with(&self.batch, self.options));
    }
}

/// What writes a log into this folder, and the write buffer over it.
fn logged(folder: &Path, options: WriteBufferOptions) -> WriteBuffer<BytewiseComparator> {
    let directory = Arc::new(FileDirectory::new(folder));
    let numbers = Arc::new(done(FileNumbers::after(&*directory)));
    let logs = Box::new(DirectoryLogs::new(directory, numbers));
    let buffer = WriteBuffer::with_logs(BytewiseComparator, options, logs, SequenceNumber::ZERO);
    done(buffer)
}

impl Contestant for Strata {
    const NAME: &'static str = "strata";

    const LOGGING: &'static [Logging] = &[Logging::Off, Logging::On, Logging::Synced];

    type Writer<'a> = StrataWriter<'a>;

    fn open(folder: &Path, logging: Logging) -> Self {
        let options = WriteBufferOptions {
            write_buffer_size: PLENTY,
            max_write_buffers: 4,
            ..WriteBufferOptions::default()
        };
        let buffer = match logging {
            Logging::Off => WriteBuffer::new(BytewiseComparator, options),
            Logging::On | Logging::Synced => logged(folder, options),
        };
        Self { buffer, logging }
    }

    fn writer(&self) -> StrataWriter<'_> {
        StrataWriter {
            strata: self,
            options: WriteOptions {
                sync: self.logging == Logging::Synced,
                ..WriteOptions::default()
            },
            batch: WriteBatch::new(),
        }
    }

    #[inline]
    fn get<T>(&self, user_key: &[u8], found: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let owned = self.buffer.get(user_key, SequenceNumber::MAX)?;
        Some(found(owned.entry().value()))
    }

    fn scan(&self, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.buffer.cursor(..);
        done(cursor.seek_to_first());
        while let Some(entry) = cursor.entry() {
            visit(entry.user_key, entry.value);
            done(cursor.next());
        }
    }

    fn seek(&self, user_key: &[u8], nexts: usize, mut visit: impl FnMut(&[u8], &[u8])) {
        let mut cursor = self.buffer.cursor(..);
        done(cursor.seek(user_key));
        for _ in 0..=nexts {
            let Some(entry) = cursor.entry() else { return };
            visit(entry.user_key, entry.value);
            done(cursor.next());
        }
    }

    fn is_in_one_memtable(&self) -> bool {
        self.buffer.view().memtables().count() == 1
    }
}

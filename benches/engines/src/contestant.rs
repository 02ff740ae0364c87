//! What takes part: something that is written to and read, with a log or without.

use std::fmt::Display;
use std::path::Path;

/// What becomes of a write besides its being in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logging {
    /// No log at all.
    Off,
    /// Every write is appended to a log and given to the system: it survives the process, not a
    /// power failure.
    On,
    /// And synced before it returns: it survives that, too.
    Synced,
}

/// Somebody who writes, while others may.
pub(crate) trait Writer {
    /// Writes an entry.
    fn put(&mut self, user_key: &[u8], value: &[u8]);

    /// Writes these entries as one batch.
    fn write<'e>(&mut self, entries: impl Iterator<Item = (&'e [u8], &'e [u8])>);
}

/// Something that is written to and read by several threads.
///
/// Values are handed to a closure where they lie, so that nobody has to copy who need not. Whoever
/// meets an error panics: there is no figure for what failed.
pub(crate) trait Contestant: Sized + Sync {
    /// What records call it.
    const NAME: &'static str;

    /// What it can do with a log.
    const LOGGING: &'static [Logging];

    /// Who writes; each thread has its own.
    type Writer<'a>: Writer
    where
        Self: 'a;

    /// An empty one, whose files are in this folder.
    ///
    /// # Panics
    ///
    /// If it can't be opened.
    fn open(folder: &Path, logging: Logging) -> Self;

    /// Somebody who writes.
    fn writer(&self) -> Self::Writer<'_>;

    /// Gives `found` the value of a key, if it is there.
    fn get<T>(&self, user_key: &[u8], found: impl FnOnce(&[u8]) -> T) -> Option<T>;

    /// Shows `visit` every user key, ascending, and its value.
    fn scan(&self, visit: impl FnMut(&[u8], &[u8]));

    /// Makes an iterator, seeks this key, and shows `visit` the first that is not before it and as
    /// many as `nexts` after it.
    fn seek(&self, user_key: &[u8], nexts: usize, visit: impl FnMut(&[u8], &[u8]));

    /// Whether all that was written is in one memtable still, so that nobody has flushed.
    fn is_in_one_memtable(&self) -> bool;
}

/// What a contestant answered.
///
/// # Panics
///
/// If it was an error.
#[inline]
#[track_caller]
pub(crate) fn done<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(answer) => answer,
        Err(error) => panic!("{error}"),
    }
}

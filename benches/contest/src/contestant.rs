//! What takes part: an ordered index of versions of keys.

use strata_dbformat::SequenceNumber;

/// How much a contestant will have to hold, for those that must know beforehand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) entries: usize,
    /// Of all keys and values together.
    pub(crate) bytes: usize,
}

impl Room {
    /// Enough for what any contestant in one block of memory adds to keys and values.
    pub(crate) const fn in_one_block(self) -> usize {
        self.bytes + self.entries * 96 + (1 << 20)
    }
}

/// Somebody who inserts into a contestant.
pub(crate) trait Writer {
    /// Stores a version of a key that is not there yet.
    fn insert(&mut self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]);
}

/// An ordered index of versions of keys.
///
/// Entries are handed to a closure where they lie, so that no contestant copies more than it must. An
/// operation that some lack panics by default, and no scenario asks for it there.
pub(crate) trait Contestant: Sized + Sync {
    /// Its name in records.
    const NAME: &'static str;

    /// Who inserts when nobody else does.
    type Writer<'a>: Writer
    where
        Self: 'a;

    /// Who inserts while others do.
    type SharedWriter<'a>: Writer
    where
        Self: 'a;

    /// An empty one.
    fn new(room: Room) -> Self;

    /// An empty one whose memory has been written to already; `None` where that can't be had.
    fn touched(_: Room) -> Option<Self> {
        None
    }

    /// The only writer.
    fn writer(&self) -> Self::Writer<'_>;

    /// One of several writers.
    fn shared_writer(&self) -> Self::SharedWriter<'_>;

    /// Gives `found` the value of the newest version of a key that `snapshot` sees, if there is one.
    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T>;

    /// Gives `found` the value of each key in turn, as [`get`](Contestant::get) would.
    fn get_many<'k>(
        &self,
        user_keys: impl Iterator<Item = &'k [u8]>,
        snapshot: SequenceNumber,
        mut found: impl FnMut(Option<&[u8]>),
    ) {
        for user_key in user_keys {
            if self
                .get(user_key, snapshot, |value| found(Some(value)))
                .is_none()
            {
                found(None);
            }
        }
    }

    /// Shows `visit` the user key and the value of every entry: keys ascending, newest version
    /// first.
    fn scan(&self, visit: impl FnMut(&[u8], &[u8]));

    /// As [`scan`](Contestant::scan), by an iterator that keeps the entries alive.
    fn scan_owned(&self, _: impl FnMut(&[u8], &[u8])) {
        panic!("{} has no such iterator", Self::NAME);
    }

    /// As [`scan`](Contestant::scan), backward.
    fn scan_back(&self, _: impl FnMut(&[u8], &[u8])) {
        panic!("{} has no scan backward", Self::NAME);
    }

    /// Shows `visit` the newest version of the first key that is not before this one, and as many
    /// as `nexts` entries after it.
    fn seek(&self, _: &[u8], _nexts: usize, _: impl FnMut(&[u8], &[u8])) {
        panic!("{} has no seek", Self::NAME);
    }

    /// Stores entries whose sequence numbers follow each other, at once.
    fn insert_batch<'e>(
        &self,
        _first: SequenceNumber,
        _: impl Iterator<Item = (&'e [u8], &'e [u8])> + Clone,
    ) {
        panic!("{} has no batches", Self::NAME);
    }

    /// The bytes in use, of one whose allocations say nothing about that because it took all its
    /// memory at the beginning.
    fn used_bytes(&self) -> Option<usize> {
        None
    }
}

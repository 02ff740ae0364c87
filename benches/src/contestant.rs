//! What a suite can measure.

use strata_dbformat::SequenceNumber;

/// An ordered index of versions of keys, to be measured beside others by the same
/// [`Suite`](crate::Suite).
///
/// What holds keys alone takes no notice of values, sequence numbers and snapshots, and gives
/// empty values. Entries are handed to a closure where they lie, whatever lock that takes, so that
/// nobody has to copy.
pub trait Contestant: Default {
    /// What benchmarks of it are called, before the `/`.
    const NAME: &'static str;

    /// Stores a version of a key, in a place of its own.
    fn insert(&self, user_key: &[u8], sequence: SequenceNumber, value: &[u8]);

    /// Gives `found` the value of the newest version of a key that `snapshot` sees, if there is
    /// one, and returns what `found` does.
    fn get<T>(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        found: impl FnOnce(&[u8]) -> T,
    ) -> Option<T>;

    /// Shows `visit` the user key and the value of every entry, forward: keys ascending, newest
    /// version first.
    fn scan(&self, visit: impl FnMut(&[u8], &[u8]));

    /// As [`scan`](Contestant::scan), backward.
    fn scan_back(&self, visit: impl FnMut(&[u8], &[u8]));

    /// Seeks the newest version of a key, and shows `visit` the entry there and as many as `nexts`
    /// of those after it.
    fn seek(&self, user_key: &[u8], nexts: usize, visit: impl FnMut(&[u8], &[u8]));
}

//! One key.

use std::fs::File;

use strata_dbformat::{SequenceNumber, split_internal_key};
use strata_table::Table;

use crate::merge::Source;
use crate::order::Order;
use crate::read::ReadOptions;
use crate::{Database, DatabaseError, Origin, Report, StoredFile, StoredKind};

/// The answer of a directory about a user key.
///
/// ```
/// use strata_database::{Database, ReadOptions};
/// use strata_dbformat::SequenceNumber;
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let get = |key, snapshot| database.get(key, snapshot, &ReadOptions::default(), &mut |_| {});
/// let deleted = get(b"durian", SequenceNumber::MAX)?;
/// assert!(deleted.found.unwrap().is_tombstone && !deleted.may_be_elsewhere);
/// let before = get(b"durian", SequenceNumber::new(50)?)?;
/// assert_eq!(before.found.unwrap().value, b"4 kg");
/// assert_eq!(get(b"papaya", SequenceNumber::MAX)?.found, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Got {
    /// The newest version that the snapshot sees, if there is one in what could be read.
    pub found: Option<Found>,
    /// Whether something that could not be read may hold the key, or a newer version of it.
    pub may_be_elsewhere: bool,
}

/// A version of a user key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its sequence number.
    pub sequence: SequenceNumber,
    /// Whether it says that the key was deleted.
    pub is_tombstone: bool,
    /// The value; empty for a tombstone.
    pub value: Vec<u8>,
    /// Where it was read.
    pub origin: Origin,
}

impl Database {
    /// The newest version of `user_key` that `snapshot` sees, in all files that `read` selects.
    ///
    /// Of a table the index, the filter and one block are read, rarely two; logs are read whole.
    /// Where a table is damaged at that place, what its other blocks hold is looked through.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::UnknownOrder`] if the order of the keys is not known,
    /// [`DatabaseError::NothingToRead`] if no file is selected. Damage is no error: it is
    /// reported, and [`Got::may_be_elsewhere`] says whether it matters to this key.
    pub fn get(
        &self,
        user_key: &[u8],
        snapshot: SequenceNumber,
        read: &ReadOptions,
        report: &mut dyn FnMut(Report),
    ) -> Result<Got, DatabaseError> {
        let order = self.order(read)?;
        let mut got = Got {
            may_be_elsewhere: self
                .losses()
                .iter()
                .any(|loss| loss.may_hold(user_key, order)),
            found: None,
        };
        for file in self.selected(read)? {
            let stored = &self.files()[file as usize];
            if stored.excludes(user_key, order) {
                continue;
            }
            if stored.kind == StoredKind::Table
                && self.may_be_sorted(stored, order)
                && let Some(found) = find_in_table(file, stored, user_key, snapshot, order)
            {
                got.take(found);
                continue;
            }
            let may_be_elsewhere = &mut got.may_be_elsewhere;
            let mut report = |event: Report| {
                *may_be_elsewhere |= match &event {
                    Report::Lost(loss) => loss.may_hold(user_key, order),
                    Report::Noted(note) => note.unread > 0,
                };
                report(event);
            };
            let mut source = self.source(file, read);
            let found = find_in(&mut *source, user_key, snapshot, order, &mut report)?;
            got.take(found);
        }
        Ok(got)
    }
}

impl Got {
    /// Takes a version if it is newer, or as new and from a later file.
    fn take(&mut self, found: Option<Found>) {
        if let Some(found) = found {
            let age = |found: &Found| (found.sequence, !found.is_tombstone);
            if self
                .found
                .as_ref()
                .is_none_or(|best| age(best) <= age(&found))
            {
                self.found = Some(found);
            }
        }
    }
}

impl StoredFile {
    /// Whether the manifest says that the table can't hold the user key.
    fn excludes(&self, user_key: &[u8], order: Order) -> bool {
        let Some((_, smallest, largest)) = &self.placed else {
            return false;
        };
        let is_before = |smallest: &[u8]| order.compare(user_key, smallest).is_lt();
        let is_after = |largest: &[u8]| order.compare(largest, user_key).is_lt();
        smallest.user_key().is_some_and(is_before) || largest.user_key().is_some_and(is_after)
    }
}

/// Asks a table's index. `None` if what it leads to is damaged.
fn find_in_table(
    file: u32,
    stored: &StoredFile,
    user_key: &[u8],
    snapshot: SequenceNumber,
    order: Order,
) -> Option<Option<Found>> {
    let table = Table::open(File::open(&stored.path).ok()?, order).ok()?;
    let mut cursor = table.cursor();
    // The filter spares most blocks of most tables.
    if table.get_entry(user_key, snapshot).ok()?.is_none() {
        return Some(None);
    }
    cursor.seek(user_key, snapshot).ok()?;
    let offset = cursor.block_offset()?;
    let entry = cursor.entry()?;
    let (_, tag) = split_internal_key(entry.internal_key).ok()?;
    Some(Some(Found {
        sequence: tag.sequence(),
        is_tombstone: tag.value_type().is_tombstone(),
        value: entry.value.to_vec(),
        origin: Origin { file, offset },
    }))
}

/// Looks through all entries of a file.
fn find_in(
    source: &mut dyn Source,
    user_key: &[u8],
    snapshot: SequenceNumber,
    order: Order,
    report: &mut dyn FnMut(Report),
) -> Result<Option<Found>, DatabaseError> {
    let mut got = Got::default();
    source.advance(report)?;
    while let Some(entry) = source.entry() {
        if entry.sequence() <= snapshot && order.compare(entry.user_key, user_key).is_eq() {
            got.take(Some(Found {
                sequence: entry.sequence(),
                is_tombstone: entry.is_tombstone(),
                value: entry.value.to_vec(),
                origin: entry.origin,
            }));
        }
        source.advance(report)?;
    }
    Ok(got.found)
}

//! The contents of a table, in short.

use strata_dbformat::{InternalKey, InternalKeyError, Tag};

/// A summary of a table: the facts that a database notes about it, and a little more.
///
/// [`TableWriter::finish`](crate::TableWriter::finish) and [`Table::verify`](crate::Table::verify)
/// give the same one for the same table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSummary {
    /// How many entries there are: versions of keys, tombstones among them.
    pub entries: u64,
    /// How many of them are tombstones.
    pub tombstones: u64,
    /// How many data blocks they are in.
    pub data_blocks: u64,
    /// The length of the file in bytes.
    pub file_bytes: u64,
    /// The first key; empty, which is no key, if there are no entries.
    pub smallest: InternalKey,
    /// The last key; empty if there are no entries.
    pub largest: InternalKey,
}

impl TableSummary {
    /// Counts an entry with this key, which is not before those counted, and its tag.
    pub(crate) fn count(&mut self, internal_key: &[u8], tag: Tag) -> Result<(), InternalKeyError> {
        if self.entries == 0 {
            self.smallest = InternalKey::decode(internal_key)?;
        }
        self.entries += 1;
        self.tombstones += u64::from(tag.value_type().is_tombstone());
        Ok(())
    }
}

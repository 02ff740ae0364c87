//! Sorts entries in bounded memory: memtables, then temporary tables, then a merge of them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use strata_dbformat::split_internal_key;
use strata_memtable::{AddError, ImmutableMemTable, MemTable, OwnedCursor};
use strata_table::{Compression, Table, TableCursor, TableError, TableOptions, TableWriter};

use crate::error::SortError;
use crate::merge::{Merge, Source};
use crate::order::Order;
use crate::report::Sink;
use crate::{DatabaseError, Entry, Origin};

/// How large the memtables may be before their entries go to a temporary file, in bytes. Another
/// memtable is being written meanwhile, so there are two of this size.
const MEMTABLE_BYTES: usize = 8 << 20;

/// So many memtables are filled side by side, if entries with the same internal key come.
const MOST_MEMTABLES: usize = 32;

/// So many sorted temporary files are merged into one.
const FAN_IN: usize = 32;

/// Takes entries in any order and gives them back sorted by internal key.
///
/// Of entries with the same internal key the one that was added last comes from the first source.
pub(crate) struct Sorter {
    order: Order,
    /// How large the memtables may be, in bytes.
    memtable_bytes: usize,
    /// Where temporary files go.
    directory: PathBuf,
    /// The entries that are not in a file. An entry is in the first memtable that has no entry
    /// with its internal key.
    memtables: Vec<MemTable<Order>>,
    /// What is being written to a file.
    spilling: Option<JoinHandle<Spilled>>,
    /// The sorted files. Those of one tier are newer than those of the next; in a tier the newest
    /// is the last.
    tiers: Vec<Vec<Spill>>,
    /// Entries that were left out, for another has their internal key and another value.
    repeated: Vec<Repeated>,
    /// An origin and a value, one after the other; kept for its allocation.
    scratch: Vec<u8>,
}

/// An entry that was left out: where it was, and how long its value is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeated {
    pub(crate) origin: Origin,
    pub(crate) bytes: u64,
}

impl Repeated {
    /// Takes down `other`, which has the internal key of `kept`, if its value is another.
    pub(crate) fn note(kept: Entry<'_>, other: Entry<'_>, repeated: &mut Vec<Self>) {
        if kept.value != other.value {
            repeated.push(Self {
                origin: other.origin,
                bytes: other.value.len() as u64,
            });
        }
    }
}

/// Sorted entries, and what was left out of them.
pub(crate) struct SortedEntries {
    /// The newest first.
    pub(crate) sources: Vec<Box<dyn Source>>,
    pub(crate) repeated: Vec<Repeated>,
}

type Spill = Arc<Table<File, Order>>;

/// A sorted file, and what was left out of it.
type Spilled = Result<(Spill, Vec<Repeated>), SortError>;

impl Sorter {
    /// A sorter without entries, whose temporary files go to `directory`.
    pub(crate) fn new(order: Order, directory: PathBuf) -> Self {
        Self::with_memtable_bytes(order, directory, MEMTABLE_BYTES)
    }

    fn with_memtable_bytes(order: Order, directory: PathBuf, memtable_bytes: usize) -> Self {
        Self {
            order,
            memtable_bytes,
            directory,
            memtables: Vec::new(),
            spilling: None,
            tiers: Vec::new(),
            repeated: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Adds an entry.
    pub(crate) fn add(&mut self, entry: Entry<'_>) -> Result<(), SortError> {
        self.scratch.clear();
        self.scratch.extend_from_slice(&entry.origin.encode());
        self.scratch.extend_from_slice(entry.value);
        if !self.insert(entry)? {
            self.spill()?;
            self.insert(entry)?;
        }
        let used: usize = self
            .memtables
            .iter()
            .map(|memtable| memtable.approximate_memory_usage())
            .sum();
        if used > self.memtable_bytes {
            self.spill()?;
        }
        Ok(())
    }

    /// Inserts an entry into the first memtable that has none like it; `false` if all have.
    fn insert(&mut self, entry: Entry<'_>) -> Result<bool, SortError> {
        for place in 0..MOST_MEMTABLES {
            if place == self.memtables.len() {
                self.memtables.push(MemTable::new(self.order));
            }
            let memtable = &self.memtables[place];
            let (sequence, value_type) = (entry.sequence(), entry.tag.value_type());
            match memtable.add(sequence, value_type, entry.user_key, &self.scratch) {
                Ok(()) => return Ok(true),
                Err(AddError::Duplicate { .. }) => {
                    let same = memtable.get_entry(entry.user_key, sequence);
                    let value = same.and_then(|same| same.value().get(Origin::LENGTH..));
                    if value == Some(entry.value) {
                        return Ok(true);
                    }
                }
                Err(error) => return Err(SortError::Full(error)),
            }
        }
        Ok(false)
    }

    /// Writes the memtables to files, while others are filled.
    fn spill(&mut self) -> Result<(), SortError> {
        self.wait_for_spilling()?;
        let memtables = std::mem::take(&mut self.memtables);
        if memtables.is_empty() {
            return Ok(());
        }
        let (order, directory) = (self.order, self.directory.clone());
        self.spilling = Some(thread::spawn(move || {
            let sources = memtables
                .iter()
                .rev()
                .map(|memtable| MemorySource::boxed(&memtable.freeze()))
                .collect();
            write_merged(sources, order, &directory)
        }));
        Ok(())
    }

    fn wait_for_spilling(&mut self) -> Result<(), SortError> {
        if let Some(spilling) = self.spilling.take() {
            let (spill, mut repeated) = spilling
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            self.repeated.append(&mut repeated);
            self.take_spill(spill, 0)?;
        }
        Ok(())
    }

    /// Adds a file to a tier; merges the tier if it is full.
    fn take_spill(&mut self, spill: Spill, tier: usize) -> Result<(), SortError> {
        if tier == self.tiers.len() {
            self.tiers.push(Vec::new());
        }
        self.tiers[tier].push(spill);
        if self.tiers[tier].len() < FAN_IN {
            return Ok(());
        }
        let full = std::mem::take(&mut self.tiers[tier]);
        let sources = full.into_iter().rev().map(SpillSource::boxed).collect();
        let (spill, mut repeated) = write_merged(sources, self.order, &self.directory)?;
        self.repeated.append(&mut repeated);
        self.take_spill(spill, tier + 1)
    }

    /// The entries, sorted.
    pub(crate) fn finish(mut self) -> Result<SortedEntries, SortError> {
        self.wait_for_spilling()?;
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        for memtable in self.memtables.drain(..).rev() {
            sources.push(MemorySource::boxed(&memtable.freeze()));
        }
        for tier in &mut self.tiers {
            sources.extend(tier.drain(..).rev().map(SpillSource::boxed));
        }
        let repeated = self.repeated;
        Ok(SortedEntries { sources, repeated })
    }
}

/// Merges sources, of which the newest is the first, into one file.
fn write_merged(sources: Vec<Box<dyn Source>>, order: Order, directory: &Path) -> Spilled {
    let mut merged = MergedSource {
        merge: Merge::new(order, sources),
        repeated: Vec::new(),
    };
    let spill = write_spill(&mut merged, order, directory)?;
    Ok((spill, merged.repeated))
}

/// Writes the entries of a source to a table without a name.
fn write_spill(
    source: &mut MergedSource,
    order: Order,
    directory: &Path,
) -> Result<Spill, SortError> {
    let io_error = |action| move |source| SortError::Temporary(TableError::Io { action, source });
    let file = tempfile::tempfile_in(directory).map_err(io_error("make a temporary file"))?;
    let options = TableOptions {
        block_size: 1 << 16,
        compression: Compression::None,
        ..TableOptions::default()
    };
    let writer = BufWriter::with_capacity(1 << 18, file);
    let mut table = TableWriter::new(writer, order, options).map_err(SortError::Temporary)?;
    let (mut key, mut value) = (Vec::new(), Vec::new());
    loop {
        // A sorter's own files have no damage to report, and their entries no other origin.
        match source.advance(&mut |_| {}) {
            Ok(()) => {}
            Err(DatabaseError::Sort(error)) => return Err(error),
            Err(_) => break,
        }
        let Some(entry) = source.entry() else { break };
        key.clear();
        key.extend_from_slice(entry.user_key);
        key.extend_from_slice(&entry.tag.to_bytes());
        value.clear();
        value.extend_from_slice(&entry.origin.encode());
        value.extend_from_slice(entry.value);
        table.add(&key, &value).map_err(SortError::Temporary)?;
    }
    let (mut writer, _) = table.finish().map_err(SortError::Temporary)?;
    writer
        .flush()
        .map_err(io_error("write to a temporary file"))?;
    let file = writer
        .into_inner()
        .map_err(|error| io_error("write to a temporary file")(error.into_error()))?;
    let table = Table::open(file, order).map_err(SortError::Temporary)?;
    Ok(Arc::new(table))
}

/// The entries of a memtable.
struct MemorySource {
    cursor: OwnedCursor<Order>,
    is_started: bool,
}

impl MemorySource {
    fn boxed(memtable: &ImmutableMemTable<Order>) -> Box<dyn Source> {
        Box::new(Self {
            cursor: memtable.owned_cursor(),
            is_started: false,
        })
    }
}

impl Source for MemorySource {
    fn entry(&self) -> Option<Entry<'_>> {
        let entry = self.cursor.entry()?;
        sorted_entry(entry.internal_key(), entry.value())
    }

    fn advance(&mut self, _: &mut Sink<'_>) -> Result<(), DatabaseError> {
        if self.is_started {
            self.cursor.next();
        } else {
            self.is_started = true;
            self.cursor.seek_to_first();
        }
        Ok(())
    }
}

/// The entries of a temporary table.
struct SpillSource {
    cursor: TableCursor<Spill>,
    is_started: bool,
}

impl SpillSource {
    fn boxed(table: Spill) -> Box<dyn Source> {
        Box::new(Self {
            cursor: TableCursor::new(table),
            is_started: false,
        })
    }
}

impl Source for SpillSource {
    fn entry(&self) -> Option<Entry<'_>> {
        let entry = self.cursor.entry()?;
        sorted_entry(entry.internal_key, entry.value)
    }

    fn advance(&mut self, _: &mut Sink<'_>) -> Result<(), DatabaseError> {
        let moved = if self.is_started {
            self.cursor.next()
        } else {
            self.is_started = true;
            self.cursor.seek_to_first()
        };
        moved.map_err(|error| SortError::Temporary(error).into())
    }
}

/// A merge that is itself a source.
struct MergedSource {
    merge: Merge,
    repeated: Vec<Repeated>,
}

impl Source for MergedSource {
    fn entry(&self) -> Option<Entry<'_>> {
        self.merge.entry()
    }

    fn advance(&mut self, report: &mut Sink<'_>) -> Result<(), DatabaseError> {
        let repeated = &mut self.repeated;
        self.merge.advance(report, &mut |kept, other| {
            Repeated::note(kept, other, repeated);
        })
    }
}

/// What a sorter keeps: the value has the entry's origin before it.
fn sorted_entry<'a>(internal_key: &'a [u8], value: &'a [u8]) -> Option<Entry<'a>> {
    let (user_key, tag) = split_internal_key(internal_key).ok()?;
    let (origin, value) = Origin::split(value)?;
    Some(Entry {
        user_key,
        tag,
        value,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use strata_dbformat::{BytewiseComparator, SequenceNumber, Tag, ValueType};

    use super::*;

    /// A user key, a sequence number, a value, and the file it was read from.
    type Added = (Vec<u8>, u64, Vec<u8>, u32);

    fn sorted(added: &[Added], memtable_bytes: usize) -> (Vec<Added>, u64) {
        let directory = std::env::temp_dir();
        let mut sorter =
            Sorter::with_memtable_bytes(&BytewiseComparator, directory, memtable_bytes);
        for (user_key, sequence, value, file) in added {
            let sequence = SequenceNumber::new(*sequence).unwrap();
            let entry = Entry {
                user_key,
                tag: Tag::new(sequence, ValueType::Value),
                value,
                origin: Origin {
                    file: *file,
                    offset: 7,
                },
            };
            sorter.add(entry).unwrap();
        }
        let SortedEntries {
            sources,
            mut repeated,
        } = sorter.finish().unwrap();
        let mut merge = Merge::new(&BytewiseComparator, sources);
        let mut all = Vec::new();
        loop {
            merge
                .advance(&mut |_| {}, &mut |kept, other| {
                    Repeated::note(kept, other, &mut repeated);
                })
                .unwrap();
            let Some(entry) = merge.entry() else { break };
            all.push((
                entry.user_key.to_vec(),
                entry.sequence().get(),
                entry.value.to_vec(),
                entry.origin.file,
            ));
        }
        (all, repeated.len() as u64)
    }

    /// What a sorter should give, of entries of which the last added is the one to be kept.
    fn expected(added: &[Added]) -> Vec<Added> {
        let mut kept = BTreeMap::new();
        for (user_key, sequence, value, file) in added {
            let key = (user_key.clone(), u64::MAX - sequence);
            match kept.get(&key) {
                Some((last, _)) if last == value => {}
                _ => drop(kept.insert(key, (value.clone(), *file))),
            }
        }
        let entry = |((user_key, sequence), (value, file))| -> Added {
            (user_key, u64::MAX - sequence, value, file)
        };
        kept.into_iter().map(entry).collect()
    }

    #[test]
    fn entries_come_out_in_order_whether_they_fit_into_memory_or_not() {
        let mut added = Vec::new();
        let mut random = 1_u64;
        for sequence in 0..20_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let key = (random >> 33) % 5_000;
            let value = vec![b'v'; usize::try_from(key % 90).unwrap()];
            added.push((key.to_be_bytes().to_vec(), sequence, value, 1));
        }
        let expected = expected(&added);
        // In memory; in a few files; in files of files.
        for memtable_bytes in [usize::MAX, 1 << 20, 1 << 14] {
            assert_eq!(sorted(&added, memtable_bytes), (expected.clone(), 0));
        }
    }

    #[test]
    fn of_entries_with_one_internal_key_the_last_stays_and_the_others_are_counted() {
        let entry = |value: u64, file| (b"key".to_vec(), 5, value.to_be_bytes().to_vec(), file);
        // Twice the same is the same.
        assert_eq!(
            sorted(&[entry(1, 1), entry(1, 2)], 1 << 20),
            (vec![entry(1, 1)], 0)
        );
        let added: Vec<Added> = (0..1000).map(|value| entry(value, 3)).collect();
        for memtable_bytes in [usize::MAX, 1 << 14] {
            assert_eq!(
                sorted(&added, memtable_bytes),
                (vec![entry(999, 3)], 999),
                "{memtable_bytes}"
            );
        }
    }
}

//! Helpers that several modules need.

use strata_dbformat::{
    BytewiseComparator, Comparator, InternalKey, InternalKeyComparator, SequenceNumber, ValueType,
};
use strata_table::{
    Compression, Entry, Lookup, Table, TableError, TableOptions, TableSummary, TableWriter,
};

pub(crate) type Bytes = Vec<u8>;

pub(crate) fn sequence(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

pub(crate) fn key(user_key: &[u8], number: u64, value_type: ValueType) -> InternalKey {
    InternalKey::new(user_key, sequence(number), value_type)
}

pub(crate) fn entry(user_key: &[u8], number: u64, value: Option<&[u8]>) -> Entry {
    let value_type = match value {
        Some(_) => ValueType::Value,
        None => ValueType::Deletion,
    };
    Entry {
        internal_key: key(user_key, number, value_type),
        value: value.unwrap_or_default().to_vec(),
    }
}

pub(crate) fn sort(entries: &mut [Entry], comparator: impl Comparator) {
    let order = InternalKeyComparator::new(comparator);
    entries.sort_by(|a, b| order.compare_keys(&a.internal_key, &b.internal_key));
}

pub(crate) fn options(
    compression: Compression,
    bloom_bits_per_key: Option<u32>,
    block_size: usize,
) -> TableOptions {
    TableOptions {
        block_size,
        compression,
        bloom_bits_per_key,
        ..TableOptions::default()
    }
}

/// Writes a table of `entries`, which must be in order.
pub(crate) fn write(
    entries: &[Entry],
    comparator: impl Comparator,
    options: &TableOptions,
) -> (Vec<u8>, TableSummary) {
    let mut writer = TableWriter::new(Vec::new(), comparator, options.clone()).unwrap();
    for Entry {
        internal_key,
        value,
    } in entries
    {
        writer.add(internal_key.encode(), value).unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn open<C: Comparator>(
    bytes: &[u8],
    comparator: C,
) -> Result<Table<Bytes, C>, TableError> {
    Table::open(bytes.to_vec(), comparator)
}

pub(crate) fn list(table: &Table<Bytes, impl Comparator>) -> Result<Vec<Entry>, TableError> {
    table.entries().collect()
}

/// What a lookup in `entries`, in order, must give.
pub(crate) fn expected(entries: &[Entry], user_key: &[u8], snapshot: u64) -> Lookup {
    let newest = entries.iter().find(|entry| {
        let parsed = entry.internal_key.parsed().unwrap();
        parsed.user_key == user_key && parsed.sequence.get() <= snapshot
    });
    let Some(entry) = newest else {
        return Lookup::Absent;
    };
    match entry.internal_key.parsed().unwrap().value_type {
        ValueType::Value => Lookup::Value(entry.value.clone()),
        ValueType::Deletion => Lookup::Tombstone,
    }
}

/// Two versions of a key, a tombstone, an empty value: small, and of several blocks if those are.
pub(crate) fn small() -> Vec<Entry> {
    let repeated = b"to be or not to be or not to be or not to be";
    vec![
        entry(b"", 9, Some(b"the empty key")),
        entry(b"apple", 7, Some(repeated)),
        entry(b"apple", 3, Some(b"red")),
        entry(b"apricot", 4, None),
        entry(b"banana", 5, Some(b"")),
        entry(b"cherry", 6, Some(repeated)),
    ]
}

/// The kinds of compression whose features are on.
pub(crate) fn available() -> impl Iterator<Item = Compression> {
    Compression::ALL
        .into_iter()
        .filter(|compression| compression.is_available())
}

/// Of every compression, with a filter and without; of one block and of several.
pub(crate) fn small_tables() -> Vec<Vec<u8>> {
    let both = |compression| {
        [
            options(compression, None, 4096),
            options(compression, Some(10), 50),
        ]
    };
    available()
        .flat_map(both)
        .map(|options| write(&small(), BytewiseComparator, &options).0)
        .collect()
}

/// The generator that LevelDB's tests use: Lehmer's, 16807 modulo 2^31 - 1.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        assert!((1..0x7fff_ffff).contains(&seed));
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0 * 16807 % 0x7fff_ffff;
        self.0
    }

    pub(crate) fn uniform(&mut self, n: usize) -> usize {
        usize::try_from(self.next()).unwrap() % n
    }

    /// Less than 2^`max_log`, small ones more often.
    pub(crate) fn skewed(&mut self, max_log: usize) -> usize {
        let log = self.uniform(max_log + 1);
        self.uniform(1 << log)
    }
}

/// Options with which no block is read that is longer.
#[allow(clippy::needless_update, reason = "a feature adds a field")]
pub(crate) fn longest_block(longest_block: u64) -> strata_table::ReadOptions {
    strata_table::ReadOptions {
        longest_block,
        ..strata_table::ReadOptions::default()
    }
}

//! In which order a database sorts its keys.

use std::fs::File;

use strata_dbformat::{
    BytewiseComparator, Comparator, IndexedDbComparator, ReverseBytewiseComparator,
    comparator_by_name,
};
use strata_table::{Compression, Scan, Table};

use crate::read::ReadOptions;
use crate::{Database, DatabaseError, StoredFile, StoredKind};

/// A comparator that is chosen while the program runs.
///
/// ```
/// use strata_database::{Database, Order, ReadOptions};
/// use strata_dbformat::ReverseBytewiseComparator;
///
/// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
/// let database = Database::open(sample)?;
/// let order: Order = database.order(&ReadOptions::default())?;
/// assert_eq!(order.name(), "leveldb.BytewiseComparator");
/// let read = ReadOptions { order: Some(&ReverseBytewiseComparator), ..ReadOptions::default() };
/// assert!(database.order(&read)?.compare(b"a", b"b").is_gt());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Order = &'static dyn Comparator;

/// So many tables are looked at to find out by which order they are sorted.
const TABLES_ASKED: usize = 16;

impl Database {
    /// The order of the keys: as `read` says, or as the manifest says, or else the first known
    /// order in which the tables are sorted: bytewise, Chromium's IndexedDB, reverse bytewise.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::UnknownOrder`] if the manifest names a comparator that is not known.
    pub fn order(&self, read: &ReadOptions) -> Result<Order, DatabaseError> {
        if let Some(order) = read.order {
            return Ok(order);
        }
        match self.comparator_name() {
            Some(name) => comparator_by_name(name).ok_or_else(|| DatabaseError::UnknownOrder {
                name: name.to_vec(),
            }),
            None => Ok(self.order_of_tables()),
        }
    }

    /// The order where one is needed only to tell keys apart.
    pub(crate) fn order_or_bytewise(&self, read: &ReadOptions) -> Order {
        self.order(read).unwrap_or(&BytewiseComparator)
    }

    /// Whether a table can be trusted to be sorted in this order: it is the manifest's, or else the
    /// table's first block and its last key agree with it.
    pub(crate) fn may_be_sorted(&self, stored: &StoredFile, order: Order) -> bool {
        self.comparator_name() == Some(order.name().as_bytes())
            || File::open(&stored.path).is_ok_and(|file| sorts(order, file))
    }

    fn order_of_tables(&self) -> Order {
        let known: [Order; 3] = [
            &BytewiseComparator,
            &IndexedDbComparator,
            &ReverseBytewiseComparator,
        ];
        let sorts_all = |order: &Order| {
            let tables = self.readable(true);
            let mut tables = tables.filter(|(_, file)| file.kind == StoredKind::Table);
            tables
                .by_ref()
                .take(TABLES_ASKED)
                .all(|(_, file)| File::open(&file.path).is_ok_and(|file| sorts(*order, file)))
        };
        known
            .into_iter()
            .find(sorts_all)
            .unwrap_or(&BytewiseComparator)
    }
}

/// Whether a table's first block is sorted in this order, and its first key is before its last; or
/// whether the table can't be asked.
fn sorts(order: Order, file: File) -> bool {
    let Ok(table) = Table::open(file, order) else {
        return true;
    };
    let mut cursor = table.cursor();
    let mut last: Option<Vec<u8>> = None;
    let mut moved = cursor.seek_to_first();
    let mut block = None;
    while moved.is_ok()
        && let Some(entry) = cursor.entry()
        && let Some((user_key, _)) = entry.internal_key.split_last_chunk::<8>()
    {
        if last.is_some_and(|last| order.compare(&last, user_key).is_gt()) {
            return false;
        }
        last = Some(user_key.to_vec());
        if block.is_some_and(|block| cursor.block_offset() != Some(block)) {
            break;
        }
        block = cursor.block_offset();
        moved = cursor.next();
    }
    let (Some(last), Ok(())) = (last, cursor.seek_to_last()) else {
        return true;
    };
    let largest = cursor
        .entry()
        .and_then(|entry| entry.internal_key.split_last_chunk::<8>());
    largest.is_none_or(|(largest, _)| order.compare(&last, largest).is_le())
}

impl Database {
    /// How the tables that `read` selects are compressed: as the first of at most 16 tables whose
    /// first sound block is compressed at all. A database without one gets no compression: every LevelDB
    /// reads that, and none reads all others.
    ///
    /// ```
    /// use strata_database::{Database, ReadOptions};
    /// use strata_table::Compression;
    ///
    /// # let sample = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/data/sample"));
    /// let no_tables = Database::open(sample)?;
    /// assert_eq!(no_tables.compression(&ReadOptions::default()), Compression::None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compression(&self, read: &ReadOptions) -> Compression {
        let tables = self.readable(read.all_files);
        tables
            .filter(|(_, file)| file.kind == StoredKind::Table)
            .take(TABLES_ASKED)
            .filter_map(|(_, file)| compression_of(File::open(&file.path).ok()?))
            .next()
            .unwrap_or(Compression::None)
    }
}

/// How a table's first sound block is compressed, or its index.
fn compression_of(file: File) -> Option<Compression> {
    let mut scan = Scan::new(file).ok()?;
    scan.next_block(&mut |_| {}).ok()?;
    let met = scan.compressions();
    let kinds = [
        Compression::RawDeflate,
        Compression::Zlib,
        Compression::Zstd,
        Compression::Snappy,
    ];
    kinds.into_iter().find(|&kind| met.contains(kind))
}

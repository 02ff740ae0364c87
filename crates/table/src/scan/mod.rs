//! Reading a table of which parts are damaged: all that is whole, and a report of the rest.

mod block;
mod carve;
mod damage;
mod index;
mod indexed;
mod kind;
mod layout;
mod peek;

pub use block::ScannedBlock;
pub use damage::{Damage, KeyRange};

use std::fmt;
use std::io;

use strata_block::BlockSource;

use crate::error::into_io;
use crate::footer::{Footer, footer_offset};
use crate::reader::usable_index;
use crate::{CompressionSet, ReadAt, ReadOptions, TableError};
use carve::Carved;
use indexed::Indexed;

/// Goes through a table block by block, and over what is damaged.
///
/// As long as the footer and the index are right, the index says where the data blocks are. A
/// block that is damaged costs its entries, and the report says between which keys they were. If
/// blocks are not where the index says, but near, they are found by their checksums and by the
/// lengths that the index has for them.
///
/// Without a usable footer or index the blocks are *carved*: every run of bytes that ends with a
/// checksum of itself is looked at, and is a data block if its restart points, its entries and
/// every key are well formed. If the index is among what is found, it says which keys are missing,
/// and what it does not know is left out.
///
/// No comparator is needed. Blocks come in the order they have in the file, which is that of their
/// keys, unless something has swapped them. No entry comes out that is not in a block with a right
/// checksum; every byte that could have held entries and is in no such block is reported. A
/// damaged filter or metaindex costs nothing.
///
/// It holds the index, one data block, and to carve about 16 MB beside. Carving takes time in
/// proportion to the file: some 20 ns a byte.
///
/// # Limits
///
/// - Carving finds blocks whose stored length is at most 16 MiB.
/// - Where neither index nor the block around it is whole, a table that was *stored as a value*,
///   without compression, can't be told from the table itself: its entries come out.
///
/// ```
/// use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
/// use strata_table::{Compression, Damage, Scan, TableOptions, TableWriter};
///
/// let options = TableOptions {
///     block_size: 1, // a block for each entry
///     compression: Compression::None,
///     ..TableOptions::default()
/// };
/// let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options)?;
/// for user_key in ["apple", "cherry", "pear"] {
///     let key = InternalKey::new(user_key.as_bytes(), SequenceNumber::new(1)?, ValueType::Value);
///     writer.add(key.encode(), b"fruit")?;
/// }
/// let (whole, _) = writer.finish()?;
///
/// let read = |table: &[u8]| {
///     let mut scan = Scan::new(table)?;
///     let (mut entries, mut damaged) = (0, Vec::new());
///     while let Some(mut block) = scan.next_block(&mut |damage| damaged.push(damage))? {
///         while block.advance() {
///             assert_eq!(block.entry().unwrap().value, b"fruit");
///             entries += 1;
///         }
///     }
///     Ok::<(usize, Vec<Damage>), std::io::Error>((entries, damaged))
/// };
/// assert_eq!(read(&whole)?, (3, vec![]));
///
/// let mut damaged = whole.clone();
/// damaged[40] ^= 1; // in the block of "cherry"
/// let (entries, report) = read(&damaged)?;
/// let keys = report[0].keys.as_ref().unwrap();
/// assert_eq!((entries, keys.after.as_deref(), keys.upto.as_deref()), (2, Some(&b"b"[..]), Some(&b"d"[..])));
///
/// // Without index and footer.
/// let (entries, report) = read(&whole[..100])?;
/// assert_eq!(entries, 2);
/// assert!(report.iter().any(|damage| damage.bytes > 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scan<R> {
    source: BlockSource<R>,
    blocks: Blocks,
    /// Why the index is not used.
    carved_because: Option<TableError>,
}

/// Where the blocks are.
enum Blocks {
    Indexed(Box<Indexed>),
    Carved(Box<Carved>),
}

impl<R: ReadAt> Scan<R> {
    /// Begins at the beginning of the table that `source` is, or was. Reads footer and index.
    ///
    /// # Errors
    ///
    /// What the source says; never that a table is damaged.
    pub fn new(source: R) -> io::Result<Self> {
        Self::with_options(source, &ReadOptions::default())
    }

    /// As [`new`](Self::new), and reads as `options` say.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_options(source: R, options: &ReadOptions) -> io::Result<Self> {
        let source = BlockSource::new(source, options).map_err(|error| into_io(error.into()))?;
        let indexed = usable_index(&source)
            .and_then(|(footer, index)| Indexed::new(index, footer.index.offset));
        let (blocks, carved_because) = match indexed {
            Ok(indexed) => (Blocks::Indexed(Box::new(indexed)), None),
            Err(why @ TableError::Corrupt { .. }) => {
                let footer = Footer::read(&source).and_then(|_| footer_offset(&source));
                let carved = Carved::new(source.length(), footer.ok());
                (Blocks::Carved(Box::new(carved)), Some(why))
            }
            Err(error) => return Err(into_io(error)),
        };
        Ok(Self {
            source,
            blocks,
            carved_because,
        })
    }

    /// Whether footer or index can't be used, so that blocks are found by their checksums.
    pub fn is_carved(&self) -> bool {
        self.carved_because.is_some()
    }

    /// What is wrong with the footer or the index, if that is why blocks are carved. It is
    /// reported as well, as the first damage, of 0 bytes.
    pub fn carved_because(&self) -> Option<&TableError> {
        self.carved_because.as_ref()
    }

    /// How the blocks are compressed that were met so far.
    pub fn compressions(&self) -> CompressionSet {
        self.source.compressions()
    }

    /// The length of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.source.length()
    }

    /// Skips the blocks for whose user key in the index `is_before` holds: as no key of a block is
    /// after that, those before a key that is sought. To be called before the first block is read.
    /// Without a usable index, skips nothing.
    pub fn skip_while(&mut self, is_before: impl FnMut(&[u8]) -> bool) {
        if let Blocks::Indexed(indexed) = &mut self.blocks {
            indexed.skip_while(is_before);
        }
    }

    /// The next block with entries that can be read; `None` after the last. Tells `report` what is
    /// damaged before it and in it, in the order of the file.
    ///
    /// The first call finds all blocks, if they are carved.
    ///
    /// # Errors
    ///
    /// The source's error. The next call goes on behind the block that could not be read.
    pub fn next_block(
        &mut self,
        report: &mut dyn FnMut(Damage),
    ) -> io::Result<Option<ScannedBlock>> {
        loop {
            let next = match &mut self.blocks {
                Blocks::Indexed(indexed) => indexed.next(&self.source, report)?,
                Blocks::Carved(carved) => {
                    if let Some(because) = &self.carved_because {
                        carved.begin(because, report);
                    }
                    carved.next(&self.source, report)?
                }
            };
            let Some(mut block) = next else {
                return Ok(None);
            };
            if block.check(report) {
                return Ok(Some(block));
            }
        }
    }
}

impl<R> fmt::Debug for Scan<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("carved_because", &self.carved_because)
            .finish_non_exhaustive()
    }
}

/// What came of reading a block: the block, or what is wrong with it; or else the source failed.
fn or_damage<T>(read: Result<T, impl Into<TableError>>) -> io::Result<Result<T, crate::Fault>> {
    match read.map_err(Into::into) {
        Ok(read) => Ok(Ok(read)),
        Err(TableError::Corrupt { fault, .. }) => Ok(Err(fault)),
        Err(error) => Err(into_io(error)),
    }
}

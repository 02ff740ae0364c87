//! How blocks are compressed: the methods, what tells them apart, and the dispatch to each.

#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zlib")]
mod zlib;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt;

use crate::BlockFault;

/// How a block is compressed.
///
/// A block says it with one byte, the [number](Self::number). LevelDB's zstd and zlib as Mojang's
/// LevelDB writes it (Minecraft's Bedrock worlds) have the same one, 2; a reader tells them apart
/// by how the compressed bytes begin.
///
/// Each but [`None`](Self::None) needs the cargo feature of its library, without which blocks of
/// that kind are neither read nor written: `snappy` (on by default), `zstd`, and `zlib` for both
/// [`Zlib`](Self::Zlib) and [`RawDeflate`](Self::RawDeflate).
///
/// When writing, a block is compressed if that saves more than an eighth of it, as in LevelDB;
/// otherwise it is stored as it is.
///
/// ```
/// use strata_block::Compression;
///
/// assert_eq!((Compression::Zstd.number(), Compression::Zlib.number()), (2, 2));
/// assert_eq!(Compression::RawDeflate.to_string(), "deflate");
/// assert_eq!(Compression::from_name("zlib"), Some(Compression::Zlib));
/// assert!(Compression::None.is_available());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// With snappy: LevelDB's default.
    Snappy,
    /// With zstd, which LevelDB has from 1.23 on. Each frame says how long its contents are,
    /// without which LevelDB doesn't read it.
    Zstd,
    /// With zlib: deflate with a header and a checksum. Only Mojang's LevelDB reads it.
    Zlib,
    /// With deflate alone. Only Mojang's LevelDB reads it.
    RawDeflate,
}

impl Compression {
    /// All there are.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Snappy,
        Self::Zstd,
        Self::Zlib,
        Self::RawDeflate,
    ];

    /// The compression's number in a block's trailer. DO NOT CHANGE: it is on disk.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Snappy => 1,
            Self::Zstd | Self::Zlib => 2,
            Self::RawDeflate => 4,
        }
    }

    /// A short name: `none`, `snappy`, `zstd`, `zlib` or `deflate`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
            Self::Zlib => "zlib",
            Self::RawDeflate => "deflate",
        }
    }

    /// The one with this [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The cargo feature that this one needs.
    #[must_use]
    pub const fn feature(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Snappy => Some("snappy"),
            Self::Zstd => Some("zstd"),
            Self::Zlib | Self::RawDeflate => Some("zlib"),
        }
    }

    /// Whether blocks of this kind are read and written: whether its feature is on.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::None => true,
            Self::Snappy => cfg!(feature = "snappy"),
            Self::Zstd => cfg!(feature = "zstd"),
            Self::Zlib | Self::RawDeflate => cfg!(feature = "zlib"),
        }
    }

    /// Whether a block's trailer may have this number.
    #[must_use]
    pub const fn is_number(number: u8) -> bool {
        matches!(number, 0 | 1 | 2 | 4)
    }

    /// The compression of a block with this number, told by the beginning of its stored bytes: the
    /// first 4 are enough.
    ///
    /// # Errors
    ///
    /// [`BlockFault::UnknownCompression`] if no method has the number, and
    /// [`BlockFault::UnknownFrame`] if it is 2 and the bytes begin neither as zstd nor as zlib.
    pub fn of(number: u8, stored: &[u8]) -> Result<Self, BlockFault> {
        match number {
            0 => Ok(Self::None),
            1 => Ok(Self::Snappy),
            2 if stored.starts_with(&ZSTD_MAGIC) => Ok(Self::Zstd),
            2 if is_zlib(stored) => Ok(Self::Zlib),
            2 => Err(BlockFault::UnknownFrame),
            4 => Ok(Self::RawDeflate),
            number => Err(BlockFault::UnknownCompression { number }),
        }
    }

    /// Whether the contents of a block can begin with a 0, as those of every block of entries do,
    /// when what is stored begins with these bytes: by so much of it as tells the first byte. True
    /// if that can't be told, as with zstd; false if it can't be decompressed. O(bytes).
    ///
    /// It is for a search of a file that has no index: most bytes that have a right checksum by
    /// accident are known by this, without decompressing them.
    ///
    /// ```
    /// use strata_block::Compression;
    ///
    /// assert!(Compression::None.can_begin_with_zero(b"\x00\x03\x05keyvalue"));
    /// assert!(!Compression::None.can_begin_with_zero(b"key"));
    /// ```
    #[must_use]
    pub fn can_begin_with_zero(self, stored: &[u8]) -> bool {
        match self {
            Self::None => stored.first() == Some(&0),
            #[cfg(feature = "snappy")]
            Self::Snappy => snappy::begins_with_zero(stored),
            #[cfg(feature = "zlib")]
            Self::Zlib | Self::RawDeflate => zlib::begins_with_zero(stored, self),
            _ => true,
        }
    }
}

/// Snappy, LevelDB's default, if its feature is on.
impl Default for Compression {
    fn default() -> Self {
        match Self::Snappy.is_available() {
            true => Self::Snappy,
            false => Self::None,
        }
    }
}

/// The [name](Compression::name).
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How every zstd frame begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether bytes begin with zlib's header: the method is deflate, its window is at most 32 KiB,
/// both bytes are a multiple of 31, and no dictionary is asked for.
fn is_zlib(stored: &[u8]) -> bool {
    let Some(&[method, flags]) = stored.first_chunk() else {
        return false;
    };
    method & 0x0f == 8
        && method >> 4 <= 7
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
        && flags & 0x20 == 0
}

/// Kinds of compression: those that a reader has met.
///
/// ```
/// use strata_block::{Compression, CompressionSet};
///
/// let met: CompressionSet = [Compression::Snappy, Compression::None].into_iter().collect();
/// assert!(met.contains(Compression::None) && !met.contains(Compression::Zlib));
/// assert_eq!(met.to_string(), "none, snappy");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CompressionSet(u8);

impl CompressionSet {
    const fn bit(compression: Compression) -> u8 {
        1 << compression as u8
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Adds one.
    pub fn insert(&mut self, compression: Compression) {
        self.0 |= Self::bit(compression);
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn contains(self, compression: Compression) -> bool {
        self.0 & Self::bit(compression) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of this set, in the order of [`Compression::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Compression> {
        Compression::ALL
            .into_iter()
            .filter(move |one| self.contains(*one))
    }
}

impl FromIterator<Compression> for CompressionSet {
    fn from_iter<I: IntoIterator<Item = Compression>>(iter: I) -> Self {
        let mut set = Self::default();
        set.extend(iter);
        set
    }
}

impl Extend<Compression> for CompressionSet {
    fn extend<I: IntoIterator<Item = Compression>>(&mut self, iter: I) {
        iter.into_iter().for_each(|one| self.insert(one));
    }
}

/// The names, with commas between them.
impl fmt::Display for CompressionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, one) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{one}")?;
        }
        Ok(())
    }
}

/// Decompresses the stored bytes of a block: to at most `longest` bytes, and to at most the length
/// that the method can make of so few. No more is allocated than is decompressed, except that
/// snappy states a length beforehand, which is bounded first.
pub(crate) fn decompress(
    stored: Vec<u8>,
    compression: Compression,
    longest: u64,
) -> Result<Vec<u8>, BlockFault> {
    match compression {
        Compression::None => Ok(stored),
        #[cfg(feature = "snappy")]
        Compression::Snappy => snappy::decompress(&stored, longest),
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstd::decompress(&stored, longest),
        #[cfg(feature = "zlib")]
        Compression::Zlib | Compression::RawDeflate => {
            zlib::decompress(&stored, compression, longest)
        }
        #[cfg(not(all(feature = "snappy", feature = "zstd", feature = "zlib")))]
        compression => {
            let _ = longest;
            Err(BlockFault::CompressionLeftOut { compression })
        }
    }
}

/// That a block is longer, decompressed, than is read.
#[cfg(any(feature = "snappy", feature = "zstd", feature = "zlib"))]
fn too_long(length: u64, most: u64) -> BlockFault {
    BlockFault::TooLong { length, most }
}

/// A compressor of blocks, kept from one block to the next.
pub(crate) enum Compressor {
    None,
    #[cfg(feature = "snappy")]
    Snappy(Box<snappy::Compressor>),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::Compressor>),
    #[cfg(feature = "zlib")]
    Deflate(Box<zlib::Compressor>, Compression),
}

impl Compressor {
    /// One that compresses in this way, if its feature is on.
    pub(crate) fn new(compression: Compression) -> Result<Self, BlockFault> {
        Ok(match compression {
            Compression::None => Self::None,
            #[cfg(feature = "snappy")]
            Compression::Snappy => Self::Snappy(Box::default()),
            #[cfg(feature = "zstd")]
            Compression::Zstd => Self::Zstd(Box::default()),
            #[cfg(feature = "zlib")]
            Compression::Zlib | Compression::RawDeflate => {
                Self::Deflate(Box::new(zlib::Compressor::new(compression)), compression)
            }
            #[cfg(not(all(feature = "snappy", feature = "zstd", feature = "zlib")))]
            compression => return Err(BlockFault::CompressionLeftOut { compression }),
        })
    }

    /// A block's contents, compressed, and how; none if that does not save more than an eighth.
    pub(crate) fn compress(&mut self, contents: &[u8]) -> Option<(&[u8], Compression)> {
        let (compressed, compression): (Option<&[u8]>, _) = match self {
            Self::None => (None, Compression::None),
            #[cfg(feature = "snappy")]
            Self::Snappy(snappy) => (snappy.compress(contents), Compression::Snappy),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => (zstd.compress(contents), Compression::Zstd),
            #[cfg(feature = "zlib")]
            Self::Deflate(zlib, compression) => (zlib.compress(contents), *compression),
        };
        let pays = |compressed: &&[u8]| compressed.len() < contents.len() - contents.len() / 8;
        compressed
            .filter(pays)
            .map(|compressed| (compressed, compression))
    }
}

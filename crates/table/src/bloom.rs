//! LevelDB's built-in bloom filter: a set of keys in a few bits each, with false positives.

use strata_coding::get_fixed32;

use crate::TableError;

/// The most probes for a key. More are reserved by LevelDB for other encodings.
const MOST_PROBES: u8 = 30;

/// The least bits of a filter: with few keys it would say yes too often.
const LEAST_BITS: u64 = 64;

/// LevelDB's bloom filter policy: makes filters of keys and asks them.
///
/// ```text
/// bits, at least 8 bytes | probes (1 byte)
/// ```
///
/// A key sets `probes` bits: the bit `h` modulo the number of bits, where `h` is first the key's
/// hash and grows by the hash rotated right by 17 each time. A table's filters are made of *user*
/// keys.
///
/// ```
/// use strata_table::BloomFilter;
///
/// let policy = BloomFilter::new(10)?;
/// let mut filter = Vec::new();
/// policy.append_filter(&[b"hello", b"world"], &mut filter);
/// assert_eq!(filter.len(), 9);
/// assert!(BloomFilter::may_contain(&filter, b"hello"));
/// assert!(!BloomFilter::may_contain(&filter, b"foo"));
/// # Ok::<(), strata_table::TableError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BloomFilter {
    bits_per_key: u32,
    probes: u8,
}

impl BloomFilter {
    /// The policy's name, as it stands in a table.
    pub const NAME: &'static str = "leveldb.BuiltinBloomFilter2";

    /// The most bits per key: far beyond what its probes can make use of.
    pub const MOST_BITS_PER_KEY: u32 = 100;

    /// The policy that spends so many bits on a key, 1 to 100. With 10, about 1 % of the keys
    /// that a filter does not contain seem to be in it.
    ///
    /// # Errors
    ///
    /// [`TableError::OptionOutOfBounds`] if `bits_per_key` is not 1 to 100.
    pub fn new(bits_per_key: u32) -> Result<Self, TableError> {
        check_bits_per_key(bits_per_key)?;
        // 0.69 is about ln 2, the best number of probes; rounded down to save some.
        let probes = u8::try_from(bits_per_key * 69 / 100).unwrap_or(MOST_PROBES);
        Ok(Self {
            bits_per_key,
            probes: probes.clamp(1, MOST_PROBES),
        })
    }

    /// Appends a filter of `keys` to `buffer`. O(keys).
    pub fn append_filter(&self, keys: &[impl AsRef<[u8]>], buffer: &mut Vec<u8>) {
        let start = buffer.len();
        let bytes = self.filter_bytes(keys.len());
        buffer.resize(start + bytes, 0);
        let bits = &mut buffer[start..];
        for key in keys {
            for_each_probe(key.as_ref(), self.probes, bits.len(), |byte, mask| {
                bits[byte] |= mask;
                true
            });
        }
        buffer.push(self.probes);
    }

    /// How many bytes the bits of a filter of so many keys take.
    pub(crate) fn filter_bytes(&self, keys: usize) -> usize {
        let bits = (keys as u64).saturating_mul(u64::from(self.bits_per_key));
        usize::try_from(bits.max(LEAST_BITS).div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Whether `key` may be among the keys that `filter` was made of: never false if it is.
    ///
    /// Any bytes are a filter. As in LevelDB, those of fewer than 2 bytes contain nothing and
    /// those that say more than 30 probes may contain anything.
    #[must_use]
    pub fn may_contain(filter: &[u8], key: &[u8]) -> bool {
        match filter.split_last() {
            None | Some((_, [])) => false,
            Some((&probes, _)) if probes > MOST_PROBES => true,
            Some((&probes, bits)) => {
                for_each_probe(key, probes, bits.len(), |byte, mask| bits[byte] & mask != 0)
            }
        }
    }
}

pub(crate) fn check_bits_per_key(bits_per_key: u32) -> Result<(), TableError> {
    if (1..=BloomFilter::MOST_BITS_PER_KEY).contains(&bits_per_key) {
        return Ok(());
    }
    Err(TableError::OptionOutOfBounds {
        option: "bloom_bits_per_key",
        value: bits_per_key as usize,
        most: BloomFilter::MOST_BITS_PER_KEY as usize,
    })
}

/// Visits the key's bits as long as `visit` says so, and whether it always did.
fn for_each_probe(
    key: &[u8],
    probes: u8,
    filter_bytes: usize,
    mut visit: impl FnMut(usize, u8) -> bool,
) -> bool {
    let mut h = hash(key);
    let delta = h.rotate_right(17);
    (0..probes).all(|_| {
        let bit = u64::from(h) % (filter_bytes as u64 * 8);
        h = h.wrapping_add(delta);
        visit((bit / 8) as usize, 1 << (bit % 8))
    })
}

/// LevelDB's hash, which is like murmur's, with the seed it uses for bloom filters.
fn hash(key: &[u8]) -> u32 {
    const SEED: u32 = 0xbc9f_1d34;
    const MULTIPLIER: u32 = 0xc6a4_a793;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the hash is of the length modulo 2^32"
    )]
    let mut h = SEED ^ (key.len() as u32).wrapping_mul(MULTIPLIER);
    let mut rest = key;
    while let Ok((word, after)) = get_fixed32(rest) {
        h = h.wrapping_add(word).wrapping_mul(MULTIPLIER);
        h ^= h >> 16;
        rest = after;
    }
    if !rest.is_empty() {
        for (i, &byte) in rest.iter().enumerate() {
            h = h.wrapping_add(u32::from(byte) << (8 * i));
        }
        h = h.wrapping_mul(MULTIPLIER);
        h ^= h >> 24;
    }
    h
}

//! The first bytes of a key, in a form whose order agrees with the keys'.

use std::fmt;

use strata_coding::leading_words;

/// How many words a prefix has.
const WORDS: usize = 6;

/// How many bytes of a prefix a node has room for.
pub(crate) const NODE_BYTES: usize = Prefix::BYTES - 8;

/// How many bytes the keys of a node can have in common as far as the node can tell: the digest that
/// follows them has four more.
pub(crate) const MAX_TRUNCATED: usize = NODE_BYTES;

/// Up to 48 bytes that stand for a key in comparisons: if two keys' prefixes differ, the keys are
/// in the same order as the prefixes.
///
/// Keys whose prefixes are the same are told apart by comparing the keys themselves, so a prefix
/// may be as coarse as one likes; it must only never contradict the order.
///
/// ```
/// use strata_skiplist::Prefix;
///
/// assert!(Prefix::of_bytes(b"apple") < Prefix::of_bytes(b"pear"));
/// assert!(Prefix::of_bytes(b"apple").reversed() > Prefix::of_bytes(b"pear").reversed());
/// // Shorter keys are padded with zeros, so these two are told apart by a comparison only.
/// assert_eq!(Prefix::of_bytes(b"a"), Prefix::of_bytes(b"a\0"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix([u8; 8 * WORDS]);

impl Prefix {
    /// How many bytes a prefix has.
    pub const BYTES: usize = WORDS * 8;

    /// The first bytes of `key`, for keys that are ordered as byte strings.
    #[must_use]
    #[inline]
    pub fn of_bytes(key: &[u8]) -> Self {
        Self::of_words(leading_words(key))
    }

    /// A prefix of these words, the first one the most significant.
    ///
    /// ```
    /// use strata_skiplist::Prefix;
    ///
    /// assert_eq!(Prefix::of_words([u64::from_be_bytes(*b"abcdefgh"), 0, 0, 0, 0, 0]),
    ///     Prefix::of_bytes(b"abcdefgh"));
    /// ```
    #[must_use]
    #[inline]
    pub const fn of_words(words: [u64; WORDS]) -> Self {
        let mut bytes = [0; Self::BYTES];
        let (chunks, _) = bytes.as_chunks_mut();
        let mut i = 0;
        while i < WORDS {
            chunks[i] = words[i].to_be_bytes();
            i += 1;
        }
        Self(bytes)
    }

    /// The prefix of a key in the reverse order.
    #[must_use]
    #[inline]
    pub fn reversed(self) -> Self {
        Self(self.0.map(|byte| !byte))
    }

    /// How many first bytes `self` and `other` share, up to as many as a node can tell.
    pub(crate) fn shared(&self, other: &Self) -> usize {
        let same = self.0.iter().zip(&other.0).take_while(|(a, b)| a == b);
        same.count().min(MAX_TRUNCATED)
    }

    /// The digest of a key with this prefix in a node whose keys begin with the first `length` bytes
    /// of `begin`: the four bytes that follow those, or the least or the greatest digest if the key
    /// is before or after all keys that begin so. None if `length` is more than a node can keep.
    #[inline(always)]
    pub(crate) fn digest_after(&self, begin: &[u8; NODE_BYTES], length: u8) -> Option<u32> {
        let length = usize::from(length);
        let begins_so = match length {
            0 => true,
            1..8 => {
                let differing = first_word(&self.0) ^ first_word(begin);
                differing >> (64 - 8 * length) == 0
            }
            8..=MAX_TRUNCATED => self.begins_with(begin, length),
            _ => return None,
        };
        match begins_so {
            true => self.0[length..]
                .first_chunk()
                .map(|following| u32::from_be_bytes(*following)),
            false => Some(self.digest_outside(begin)),
        }
    }

    /// Whether the first `length` bytes, 8 or more, are those of `begin`.
    #[inline(always)]
    fn begins_with(&self, begin: &[u8; NODE_BYTES], length: usize) -> bool {
        let is_same = |at: usize| self.0[at..at + 8] == begin[at..at + 8];
        // Whole words, of which the last may overlap the one before.
        let mut at = 0;
        while at + 8 < length {
            if !is_same(at) {
                return false;
            }
            at += 8;
        }
        is_same(length - 8)
    }

    /// The digest of a key that does not begin as `begin` does.
    #[cold]
    fn digest_outside(&self, begin: &[u8; NODE_BYTES]) -> u32 {
        match self.0[..NODE_BYTES] < begin[..] {
            true => 0,
            false => u32::MAX,
        }
    }
}

/// The first eight bytes as a number that compares as they do.
#[inline(always)]
fn first_word(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first))
}

/// What the keys of a node are known, or guessed, to begin with: the first bytes of a prefix.
///
/// A key's digest is the four bytes after them. A guess may be wrong: then the digest of a key that
/// is before all keys with these first bytes is the least there is, and the greatest if it is after
/// them. So digests never contradict the order of keys, whichever keys a node comes to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Truncated {
    /// A prefix's first bytes, and zeros beyond the first `length`.
    pub(crate) bytes: [u8; NODE_BYTES],
    pub(crate) length: u8,
}

impl Truncated {
    /// No bytes.
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; NODE_BYTES],
        length: 0,
    };

    /// The first `length` bytes of `prefix`, or as many as a node can keep.
    pub(crate) fn of(prefix: &Prefix, length: usize) -> Self {
        let length = length.min(MAX_TRUNCATED);
        let mut bytes = [0; NODE_BYTES];
        bytes[..length].copy_from_slice(&prefix.0[..length]);
        Self {
            bytes,
            length: u8::try_from(length).unwrap_or(0),
        }
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> usize {
        self.length.into()
    }

    /// Whether a key with this prefix begins so.
    pub(crate) fn fits(&self, prefix: &Prefix) -> bool {
        Self::of(prefix, self.length()) == *self
    }

    /// The digest of a key with this prefix.
    pub(crate) fn digest(&self, prefix: &Prefix) -> u32 {
        // Always there, as no more bytes are kept than a node can.
        prefix.digest_after(&self.bytes, self.length).unwrap_or(0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(key: &[u8], bytes: usize) -> u32 {
        let prefix = Prefix::of_bytes(key);
        Truncated::of(&prefix, bytes).digest(&prefix)
    }

    #[test]
    fn a_digest_is_the_four_bytes_after_what_is_common() {
        let key: Vec<u8> = (1..=50).collect();
        for common in 0..=MAX_TRUNCATED {
            let expected = u32::from_be_bytes(key[common..common + 4].try_into().unwrap());
            assert_eq!(digest(&key, common), expected, "after {common} bytes");
        }
        assert_eq!(digest(b"abcdef", 4), 0x6566_0000);
        assert_eq!(digest(b"abcdef", 8), 0);
    }

    #[test]
    fn a_key_that_begins_otherwise_has_the_least_digest_or_the_greatest() {
        let key: Vec<u8> = (1..=50).collect();
        for common in 1..=MAX_TRUNCATED {
            let truncated = Truncated::of(&Prefix::of_bytes(&key), common);
            for at in 0..common {
                let mut other = key.clone();
                other[at] -= 1;
                let before = Prefix::of_bytes(&other);
                other[at] += 2;
                let after = Prefix::of_bytes(&other);
                let digests = (truncated.digest(&before), truncated.digest(&after));
                assert_eq!(digests, (0, u32::MAX), "byte {at} of {common}");
                assert!(!truncated.fits(&before) && !truncated.fits(&after));
            }
        }
    }

    #[test]
    fn shared_bytes_are_counted_up_to_what_a_node_can_keep() {
        let long = [7; 60];
        let prefix = Prefix::of_bytes(&long);
        assert_eq!(prefix.shared(&prefix), MAX_TRUNCATED);
        for at in 0..MAX_TRUNCATED {
            let mut other = long;
            other[at] = 8;
            let other = Prefix::of_bytes(&other);
            assert_eq!((prefix.shared(&other), other.shared(&prefix)), (at, at));
        }
    }

    #[test]
    fn prefixes_never_contradict_the_order_of_bytes() {
        let keys: [&[u8]; 9] = [
            b"",
            b"\0",
            b"\0\0",
            b"\0a",
            b"a",
            b"a\0b",
            b"ab",
            b"\xff",
            b"\xff\xff",
        ];
        assert!(keys.is_sorted());
        for pair in keys.windows(2) {
            let (a, b) = (Prefix::of_bytes(pair[0]), Prefix::of_bytes(pair[1]));
            assert!(a <= b && a.reversed() >= b.reversed(), "{pair:?}");
        }
    }
}

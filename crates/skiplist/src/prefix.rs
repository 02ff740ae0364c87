//! The first bytes of a key, in a form whose order agrees with the keys'.

use std::cmp::Ordering;
use std::fmt;

use strata_coding::leading_words;

/// How many words a prefix has.
const WORDS: usize = 6;

/// How many of its bytes a node can have in common; the head that follows them has four more.
pub(crate) const MAX_COMMON: usize = Prefix::BYTES - 8;

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
pub struct Prefix([u64; WORDS]);

impl Prefix {
    /// How many bytes a prefix has.
    pub const BYTES: usize = WORDS * 8;

    /// The first bytes of `key`, for keys that are ordered as byte strings.
    #[must_use]
    #[inline]
    pub fn of_bytes(key: &[u8]) -> Self {
        Self(leading_words(key))
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
        Self(words)
    }

    /// The prefix of a key in the reverse order.
    #[must_use]
    #[inline]
    pub fn reversed(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// How many first bytes `self` and `other` share, up to as many as a node can.
    pub(crate) fn common(&self, other: &Self) -> usize {
        let mut bytes = 0;
        for (a, b) in self.0.iter().zip(&other.0) {
            let differing = a ^ b;
            bytes += (differing.leading_zeros() / 8) as usize;
            if differing != 0 {
                break;
            }
        }
        bytes.min(MAX_COMMON)
    }

    /// The four bytes after the first `common` ones, which are at most [`MAX_COMMON`].
    #[inline(always)]
    pub(crate) fn head(&self, common: usize) -> u32 {
        let (word, shift) = (common / 8, common % 8 * 8);
        // The following word's bytes count only if the head reaches into it.
        let following = self.0.get(word + 1).copied().unwrap_or(0);
        let bytes = (u128::from(self.0[word]) << 64 | u128::from(following)) << shift;
        (bytes >> 96) as u32
    }
}

/// What the keys of a node are known, or guessed, to have in common: the first bytes of a prefix.
///
/// A key's head is the four bytes after them. A guess may be wrong: then the head of a key that is
/// before all keys with these first bytes is the least there is, and the greatest if it is after
/// them. So heads never contradict the order of keys, whichever keys a node comes to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Common {
    /// A prefix's first words. Bytes beyond the common ones are zeros.
    words: [u64; MAX_COMMON / 8],
    bytes: u8,
}

impl Common {
    /// Nothing in common.
    pub(crate) const NOTHING: Self = Self {
        words: [0; MAX_COMMON / 8],
        bytes: 0,
    };

    /// The first `bytes` bytes of `prefix`, or as many as a node can keep.
    pub(crate) fn first_of(prefix: &Prefix, bytes: usize) -> Self {
        let bytes = bytes.min(MAX_COMMON);
        let mut common = Self::NOTHING;
        for (i, (word, from)) in common.words.iter_mut().zip(&prefix.0).enumerate() {
            *word = match bytes.saturating_sub(8 * i) {
                0 => 0,
                1..8 => from & !(u64::MAX >> (8 * (bytes - 8 * i))),
                _ => *from,
            };
        }
        common.bytes = u8::try_from(bytes).unwrap_or(0);
        common
    }

    /// The words and the number of bytes, as a node keeps them.
    pub(crate) fn into_parts(self) -> ([u64; MAX_COMMON / 8], u8) {
        (self.words, self.bytes)
    }

    /// What [`into_parts`](Common::into_parts) took apart.
    #[inline]
    pub(crate) fn from_parts(words: [u64; MAX_COMMON / 8], bytes: u8) -> Self {
        Self { words, bytes }
    }

    /// How many bytes are common.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.into()
    }

    /// Whether a key with this prefix begins with the common bytes.
    pub(crate) fn fits(&self, prefix: &Prefix) -> bool {
        compare(&self.words, self.bytes(), prefix) == Ordering::Equal
    }

    /// The head, after the common bytes, of a key with this prefix.
    pub(crate) fn head(&self, prefix: &Prefix) -> u32 {
        head_after(&self.words, self.bytes(), prefix)
    }
}

/// As [`Common::head`], of a common prefix in parts.
#[inline(always)]
pub(crate) fn head_after(words: &[u64; MAX_COMMON / 8], bytes: usize, prefix: &Prefix) -> u32 {
    match compare(words, bytes, prefix) {
        Ordering::Less => 0,
        Ordering::Equal => prefix.head(bytes),
        Ordering::Greater => u32::MAX,
    }
}

/// How the first bytes of `prefix` compare with those of `words`.
#[inline(always)]
fn compare(words: &[u64; MAX_COMMON / 8], bytes: usize, prefix: &Prefix) -> Ordering {
    let mut left = bytes;
    for (word, common) in prefix.0.iter().zip(words) {
        if left == 0 {
            break;
        }
        if left < 8 {
            let beyond = 64 - 8 * left;
            return (word >> beyond).cmp(&(common >> beyond));
        }
        if word != common {
            return word.cmp(common);
        }
        left -= 8;
    }
    Ordering::Equal
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prefix(")?;
        for word in self.0 {
            write!(f, "{}", word.to_be_bytes().escape_ascii())?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_the_four_bytes_after_what_is_common() {
        let key: Vec<u8> = (1..=50).collect();
        let prefix = Prefix::of_bytes(&key);
        for common in 0..=MAX_COMMON {
            let expected = u32::from_be_bytes(key[common..common + 4].try_into().unwrap());
            assert_eq!(prefix.head(common), expected, "after {common} bytes");
        }
        assert_eq!(Prefix::of_bytes(b"abcdef").head(4), 0x6566_0000);
        assert_eq!(Prefix::of_bytes(b"abcdef").head(8), 0);
    }

    #[test]
    fn common_bytes_are_counted_up_to_what_a_node_can_keep() {
        let long = [7; 60];
        assert_eq!(
            Prefix::of_bytes(&long).common(&Prefix::of_bytes(&long)),
            MAX_COMMON
        );
        for at in 0..MAX_COMMON {
            let mut other = long;
            other[at] = 8;
            let (a, b) = (Prefix::of_bytes(&long), Prefix::of_bytes(&other));
            assert_eq!((a.common(&b), b.common(&a)), (at, at));
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

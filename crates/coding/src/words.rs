//! The first bytes of a string as numbers that compare as it does.

/// The first bytes of `bytes` as big-endian words, zeros where it is shorter.
///
/// If the words of two strings differ, the strings are in the order of the words.
///
/// ```
/// use strata_coding::leading_words;
///
/// let word = u64::from_be_bytes(*b"abcdefgh");
/// assert_eq!(leading_words(b"abcdefghij"), [word, 0x696a << 48]);
/// assert_eq!(leading_words(b"abcdefghij"), [word]);
/// assert!(leading_words::<1>(b"a") < leading_words(b"b"));
/// // Padding can't be told from zeros.
/// assert_eq!(leading_words::<1>(b"a"), leading_words(b"a\0"));
/// ```
#[inline]
#[must_use]
pub fn leading_words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut words = [0; N];
    let (whole, rest) = bytes.as_chunks::<8>();
    for (word, bytes) in words.iter_mut().zip(whole) {
        *word = u64::from_be_bytes(*bytes);
    }
    if let Some(word) = words.get_mut(whole.len()) {
        for (i, &byte) in rest.iter().enumerate() {
            *word |= u64::from(byte) << (56 - 8 * i);
        }
    }
    words
}

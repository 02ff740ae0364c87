//! The first bytes of a string as numbers that compare as it does, and comparing what is after them.

use std::cmp::Ordering;

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
    std::array::from_fn(|i| match bytes.get(8 * i..) {
        None => 0,
        Some(rest) => match rest.first_chunk() {
            Some(chunk) => u64::from_be_bytes(*chunk),
            None => last_word(bytes, rest),
        },
    })
}

/// The last bytes of a string, fewer than 8, as a word.
#[inline]
fn last_word(bytes: &[u8], rest: &[u8]) -> u64 {
    if rest.is_empty() {
        return 0;
    }
    // Of a longer string the last 8 bytes are read at once.
    let word = match bytes.last_chunk() {
        Some(last) => u64::from_be_bytes(*last),
        None => rest
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    word << (64 - 8 * rest.len())
}

/// How two strings compare whose first `shared` bytes are known to be the same, as far as both have
/// so many.
///
/// ```
/// use std::cmp::Ordering;
/// use strata_coding::compare_after;
///
/// assert_eq!(compare_after(b"key1", b"key2", 3), Ordering::Less);
/// assert_eq!(compare_after(b"key", b"ke", 8), Ordering::Greater);
/// ```
#[inline]
#[must_use]
pub fn compare_after(a: &[u8], b: &[u8], shared: usize) -> Ordering {
    let shared = shared.min(a.len()).min(b.len());
    debug_assert!(a[..shared] == b[..shared], "{shared} bytes are the same");
    let (rest_a, rest_b) = (&a[shared..], &b[shared..]);
    if rest_a.is_empty() || rest_b.is_empty() {
        return a.len().cmp(&b.len());
    }
    rest_a.cmp(rest_b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_length_are_the_bytes_padded_with_zeros() {
        let bytes: Vec<u8> = (1..=40).collect();
        for length in 0..=bytes.len() {
            let mut padded = [0; 32];
            let kept = length.min(padded.len());
            padded[..kept].copy_from_slice(&bytes[..kept]);
            let expected: Vec<u64> = padded
                .as_chunks::<8>()
                .0
                .iter()
                .map(|chunk| u64::from_be_bytes(*chunk))
                .collect();
            assert_eq!(leading_words::<4>(&bytes[..length]).to_vec(), expected);
        }
    }

    #[test]
    fn what_is_shared_changes_no_comparison() {
        let strings: [&[u8]; 6] = [b"", b"a", b"a\0", b"ab", b"abc", b"b"];
        for a in strings {
            for b in strings {
                let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
                for shared in 0..=same {
                    assert_eq!(
                        compare_after(a, b, shared),
                        a.cmp(b),
                        "{a:?} {b:?} {shared}"
                    );
                }
                if same == a.len().min(b.len()) {
                    assert_eq!(compare_after(a, b, 10), a.cmp(b), "{a:?} {b:?}");
                }
            }
        }
    }
}

//! The keys that web pages give to IndexedDB, as Chromium writes them.
//!
//! A key is a byte for its type and its value: a number or a date (8 bytes, the bits of an `f64`,
//! little-endian), a string (its length in UTF-16 units as a varint, and these, big-endian), binary
//! data behind its length, or an array: how many keys, and these. Two types have no value and stand
//! for the ends of a range: one is before, and one after, all others.

use std::cmp::Ordering;

use strata_coding::{get_varint64, leading_words};

/// A key, or the beginning of an array: the types in their order.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Element<'a> {
    /// Before all others: type 5.
    Min,
    /// Type 3; not NaN, nor is a date.
    Number(f64),
    /// Type 2.
    Date(f64),
    /// Type 1: UTF-16BE, whose bytes have the order of its units.
    Text(&'a [u8]),
    /// Type 6.
    Binary(&'a [u8]),
    /// Type 4: as many keys follow. Of two arrays, the keys decide before the number of keys.
    Array(usize),
    /// After all others: type 0.
    Max,
}

/// The key or the beginning of an array that `bytes` begin with, and what follows it.
fn split_element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    match kind {
        0 => Some((Element::Max, rest)),
        1 => split_string(rest).map(|(text, rest)| (Element::Text(text), rest)),
        2 => split_double(rest).map(|(date, rest)| (Element::Date(date), rest)),
        3 => split_double(rest).map(|(number, rest)| (Element::Number(number), rest)),
        4 => split_length(rest).map(|(count, rest)| (Element::Array(count), rest)),
        5 => Some((Element::Min, rest)),
        6 => {
            let (length, rest) = split_length(rest)?;
            let (bytes, rest) = rest.split_at_checked(length)?;
            Some((Element::Binary(bytes), rest))
        }
        _ => None,
    }
}

/// A string that `bytes` begin with, in UTF-16BE behind the number of its units, and what follows.
pub(crate) fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (units, rest) = split_length(bytes)?;
    rest.split_at_checked(units.checked_mul(2)?)
}

/// A varint that can be a length of what follows it.
fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = get_varint64(bytes).ok()?;
    let length = usize::try_from(length).ok()?;
    (length <= rest.len()).then_some((length, rest))
}

fn split_double(bytes: &[u8]) -> Option<(f64, &[u8])> {
    let (double, rest) = bytes.split_first_chunk()?;
    let double = f64::from_le_bytes(*double);
    (!double.is_nan()).then_some((double, rest))
}

/// What follows the key that `bytes` begin with; `None` if they don't begin with one.
pub(crate) fn skip_key(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    // How many keys are still to come, of all arrays that have begun.
    let mut pending: usize = 1;
    while pending > 0 {
        pending -= 1;
        let (element, after) = split_element(rest)?;
        if let Element::Array(count) = element {
            // No key is empty.
            pending = pending.checked_add(count)?;
            if pending > after.len() {
                return None;
            }
        }
        rest = after;
    }
    Some(rest)
}

/// Compares the keys that `a` and `b` begin with, and goes behind them if they are equal. Both are
/// keys, as [`skip_key`] says.
pub(crate) fn compare_keys(a: &mut &[u8], b: &mut &[u8]) -> Ordering {
    let mut pending: usize = 1;
    // What the lengths say of the innermost of the arrays whose lengths differ, once all keys that
    // both have are equal. What comes behind that array counts no more.
    let mut lengths = Ordering::Equal;
    while pending > 0 {
        pending -= 1;
        let (Some((element, rest_a)), Some((other, rest_b))) = (split_element(a), split_element(b))
        else {
            return Ordering::Equal;
        };
        (*a, *b) = (rest_a, rest_b);
        match (element, other) {
            (Element::Array(count), Element::Array(other)) if count == other => {
                pending = pending.saturating_add(count);
            }
            (Element::Array(count), Element::Array(other)) => {
                pending = count.min(other);
                lengths = count.cmp(&other);
            }
            _ => match element.partial_cmp(&other) {
                Some(Ordering::Equal) | None => {}
                Some(order) => return order,
            },
        }
    }
    lengths
}

/// Adds to words that hold the numbers before a key those that begin as the key does: its type to
/// the third, its first 24 bytes or its value behind that.
pub(crate) fn key_words(key: &[u8], words: &mut [u64; 6]) {
    let Some((element, _)) = split_element(key) else {
        return;
    };
    let (rank, leading): (u64, [u64; 3]) = match element {
        Element::Min => (1, [0; 3]),
        Element::Number(number) => (2, [ascending(number), 0, 0]),
        Element::Date(date) => (3, [ascending(date), 0, 0]),
        Element::Text(text) => (4, leading_words(text)),
        Element::Binary(bytes) => (5, leading_words(bytes)),
        Element::Array(_) => (6, [0; 3]),
        Element::Max => (7, [0; 3]),
    };
    words[2] |= rank;
    words[3..].copy_from_slice(&leading);
}

/// Bits that ascend as doubles do, the same for both zeros.
fn ascending(double: f64) -> u64 {
    // Minus zero and zero are zero.
    let bits = (double + 0.0).to_bits();
    match bits >> 63 {
        0 => bits | 1 << 63,
        _ => !bits,
    }
}

//! Entries as a memtable of LevelDB's or RocksDB's lays them out, and their order.
//!
//! ```text
//! varint32 user key length + 8 | user key | tag, 8 bytes little-endian | varint32 value length | value
//! ```

use std::cmp::Ordering;
use std::mem::MaybeUninit;
use std::slice;

use strata_dbformat::{Comparator, Tag};

/// The most bytes of a varint32.
const MOST_VARINT_BYTES: usize = 5;

/// An entry in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) user_key: &'a [u8],
    pub(crate) tag: u64,
    rest: *const u8,
}

/// How many bytes an entry takes.
pub(super) fn entry_bytes(user_key: &[u8], value: &[u8]) -> usize {
    let key_bytes = user_key.len() + Tag::LENGTH;
    varint_bytes(key_bytes) + key_bytes + varint_bytes(value.len()) + value.len()
}

/// Writes an entry to the beginning of `room`, and returns how many bytes it took.
///
/// # Panics
///
/// If `room` is too small.
#[inline]
pub(crate) fn encode_entry(
    room: &mut [MaybeUninit<u8>],
    user_key: &[u8],
    tag: u64,
    value: &[u8],
) -> usize {
    let whole = room.len();
    let room = put_varint(room, user_key.len() + Tag::LENGTH);
    let room = put(room, user_key);
    let room = put(room, &tag.to_le_bytes());
    let room = put_varint(room, value.len());
    whole - put(room, value).len()
}

/// Writes bytes to the beginning of `room`, and returns the rest.
#[inline]
fn put<'a>(room: &'a mut [MaybeUninit<u8>], bytes: &[u8]) -> &'a mut [MaybeUninit<u8>] {
    let (taken, rest) = room.split_at_mut(bytes.len());
    taken.write_copy_of_slice(bytes);
    rest
}

/// Writes a number to the beginning of `room`, and returns the rest.
#[inline]
fn put_varint(room: &mut [MaybeUninit<u8>], mut number: usize) -> &mut [MaybeUninit<u8>] {
    let mut rest = room;
    while number >= 0x80 {
        rest = put(rest, &[number.to_le_bytes()[0] | 0x80]);
        number >>= 7;
    }
    put(rest, &[number.to_le_bytes()[0]])
}

fn varint_bytes(number: usize) -> usize {
    match number {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => MOST_VARINT_BYTES,
    }
}

/// The varint32 at this address, and the address behind it.
///
/// # Safety
///
/// A varint32 that [`put_varint`] wrote lies there.
#[inline]
unsafe fn varint_at(at: *const u8) -> (usize, *const u8) {
    // SAFETY: a varint has at least one byte.
    let first = unsafe { at.read() };
    // SAFETY: the end of a byte that is there.
    let behind = unsafe { at.add(1) };
    if first < 0x80 {
        return (usize::from(first), behind);
    }
    // SAFETY: the caller's promise.
    unsafe { long_varint_at(at) }
}

/// # Safety
///
/// As [`varint_at`].
#[cold]
unsafe fn long_varint_at(mut at: *const u8) -> (usize, *const u8) {
    let (mut number, mut shift) = (0, 0);
    loop {
        // SAFETY: the bytes before this one had their highest bits set, so the varint goes on.
        let byte = unsafe { at.read() };
        // SAFETY: the end of a byte that is there.
        at = unsafe { at.add(1) };
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return (number, at);
        }
        shift += 7;
    }
}

impl<'a> Entry<'a> {
    /// The entry at this address.
    ///
    /// # Safety
    ///
    /// An entry that [`encode_entry`] wrote lies there, and stays unchanged for `'a`.
    #[inline]
    pub(super) unsafe fn at(at: *const u8) -> Self {
        // SAFETY: an entry begins with a varint.
        let (key_bytes, key) = unsafe { varint_at(at) };
        // SAFETY: that many bytes follow, which the tag ends; they stay for `'a`.
        let user_key = unsafe { slice::from_raw_parts(key, key_bytes - Tag::LENGTH) };
        // SAFETY: the tag follows the user key.
        let tag_at = unsafe { key.add(user_key.len()) };
        // SAFETY: the tag is 8 bytes, at any alignment.
        let tag = unsafe { tag_at.cast::<[u8; Tag::LENGTH]>().read() };
        // SAFETY: the length of the value follows the tag.
        let rest = unsafe { tag_at.add(Tag::LENGTH) };
        Self {
            user_key,
            tag: u64::from_le_bytes(tag),
            rest,
        }
    }

    /// The entry's value.
    #[inline]
    pub(crate) fn value(self) -> &'a [u8] {
        // SAFETY: whoever made this found a whole entry, so `rest` is where the varint of the
        // value's length lies.
        let (bytes, value) = unsafe { varint_at(self.rest) };
        // SAFETY: that many bytes follow, and stay for `'a`.
        unsafe { slice::from_raw_parts(value, bytes) }
    }

    /// This entry's place beside that of a version of a user key: user keys ascending, then tags
    /// descending.
    #[inline]
    pub(super) fn compare<C: Comparator>(
        self,
        comparator: &C,
        user_key: &[u8],
        tag: u64,
    ) -> Ordering {
        comparator
            .compare(self.user_key, user_key)
            .then_with(|| tag.cmp(&self.tag))
    }
}

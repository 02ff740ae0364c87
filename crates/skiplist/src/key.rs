//! The types of key a list can hold, and their bytes in the arena.

use std::alloc::Layout;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use strata_coding::{MAX_VARINT32_LENGTH, encode_varint32, varint_length};

/// A type of key that a list can hold: every sized type, `[u8]` and [`KeyValue`].
///
/// Its `Order` is what keys are compared by: the keys themselves, or of a [`KeyValue`] the bytes of
/// its key, so that no comparison looks at a value.
///
/// Keys that own memory are dropped with the list; for keys that do not, nothing is done then.
pub trait Key: Stored {}

impl<K> Key for K {}
impl Key for [u8] {}
impl Key for KeyValue {}

/// How a key is stored. Sealed: its module is private.
pub trait Stored {
    /// The alignment of a key.
    const ALIGN: usize;

    /// Whether a key must be dropped.
    const NEEDS_DROP: bool;

    /// What keys are compared by.
    type Order: ?Sized;

    /// The key that begins at `start`.
    ///
    /// # Safety
    ///
    /// A whole key was written there by a [`NewKey`] of this type.
    unsafe fn at(start: NonNull<u8>) -> NonNull<Self>;

    /// What the key that begins at `start` is compared by, which lies within it.
    ///
    /// # Safety
    ///
    /// As [`at`](Stored::at).
    unsafe fn order_at(start: NonNull<u8>) -> NonNull<Self::Order>;
}

impl<K> Stored for K {
    const ALIGN: usize = align_of::<K>();

    const NEEDS_DROP: bool = std::mem::needs_drop::<K>();

    type Order = K;

    #[inline]
    unsafe fn at(start: NonNull<u8>) -> NonNull<Self> {
        start.cast()
    }

    #[inline]
    unsafe fn order_at(start: NonNull<u8>) -> NonNull<Self> {
        start.cast()
    }
}

/// `| length: varint32 | the bytes |`
impl Stored for [u8] {
    const ALIGN: usize = 1;

    const NEEDS_DROP: bool = false;

    type Order = [u8];

    #[inline]
    unsafe fn at(start: NonNull<u8>) -> NonNull<Self> {
        // SAFETY: the caller's: a `Joined` wrote a length there.
        let (length, prefix) = unsafe { decode_length(start) };
        // SAFETY: the caller's: the key's bytes follow the length.
        let bytes = unsafe { start.add(prefix) };
        NonNull::slice_from_raw_parts(bytes, length)
    }

    #[inline]
    unsafe fn order_at(start: NonNull<u8>) -> NonNull<Self> {
        // SAFETY: the caller's.
        unsafe { Self::at(start) }
    }
}

impl Stored for KeyValue {
    const ALIGN: usize = 1;

    const NEEDS_DROP: bool = false;

    type Order = [u8];

    #[inline]
    unsafe fn at(start: NonNull<u8>) -> NonNull<Self> {
        // SAFETY: the caller's: a `Pair` wrote a length there.
        let (key, prefix) = unsafe { decode_length(start) };
        // SAFETY: the caller's: the key's bytes follow the length, and the value's length follows
        // them.
        let value = unsafe { start.add(prefix + key) };
        // SAFETY: as above.
        let (value, value_prefix) = unsafe { decode_length(value) };
        let whole = NonNull::slice_from_raw_parts(start, prefix + key + value_prefix + value);
        // SAFETY: not null, as `start` is not.
        unsafe { NonNull::new_unchecked(whole.as_ptr() as *mut Self) }
    }

    #[inline]
    unsafe fn order_at(start: NonNull<u8>) -> NonNull<[u8]> {
        // SAFETY: the caller's: a `Pair` wrote the key as a byte string is written.
        unsafe { <[u8]>::at(start) }
    }
}

/// The length that a varint32 at `start` says, and how many bytes that takes.
///
/// # Safety
///
/// A whole varint32 is there.
#[inline]
unsafe fn decode_length(start: NonNull<u8>) -> (usize, usize) {
    // SAFETY: the caller's: a varint has at least one byte.
    let first = unsafe { start.read() };
    if first < 0x80 {
        return (usize::from(first), 1);
    }
    // SAFETY: the caller's.
    unsafe { decode_long_length(start) }
}

/// # Safety
///
/// As [`decode_length`].
unsafe fn decode_long_length(start: NonNull<u8>) -> (usize, usize) {
    let (mut length, mut at) = (0, 0);
    loop {
        // SAFETY: the caller's: every byte before this one says that another follows.
        let next = unsafe { start.add(at) };
        // SAFETY: as above.
        let byte = unsafe { next.read() };
        length |= usize::from(byte & 0x7f) << (7 * at);
        at += 1;
        if byte < 0x80 {
            return (length, at);
        }
    }
}

/// A key and a value that is kept beside it: what the list is ordered by, and what is found.
///
/// They lie one after the other, each with its length before it: an entry of LevelDB's memtable,
/// if the key is an internal key.
///
/// ```text
/// | key's length: varint32 | key | value's length: varint32 | value |
/// ```
///
/// A list of them is ordered by the bytes of their keys.
///
/// ```
/// use strata_skiplist::{Bytewise, KeyValue, SkipList};
///
/// let list = SkipList::<KeyValue, Bytewise>::default();
/// list.insert_key_value(&b"pear"[..], &[b"pe", b"ar"], b"green")?;
/// let entry = list.get(&b"pear"[..]).unwrap();
/// assert_eq!((entry.key(), entry.value()), (&b"pear"[..], &b"green"[..]));
/// assert_eq!(entry.as_bytes(), b"\x04pear\x05green");
/// # Ok::<(), strata_skiplist::InsertError>(())
/// ```
#[derive(PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct KeyValue([u8]);

impl KeyValue {
    /// The key.
    #[must_use]
    #[inline]
    pub fn key(&self) -> &[u8] {
        let start = NonNull::from(&self.0).cast();
        // SAFETY: K1: the bytes are a key and a value as `Pair` wrote them.
        let key = unsafe { <[u8]>::at(start) };
        // SAFETY: K1: the key lies within `self`.
        unsafe { key.as_ref() }
    }

    /// The value.
    #[must_use]
    #[inline]
    pub fn value(&self) -> &[u8] {
        let key = self.key();
        let end = key.as_ptr().addr() + key.len() - self.0.as_ptr().addr();
        let rest = &self.0[end..];
        if let [_, value @ ..] = rest
            && value.len() < 0x80
        {
            // Its length takes one byte.
            return value;
        }
        // SAFETY: K1: the value's length and the value follow the key.
        let value = unsafe { <[u8]>::at(NonNull::from(rest).cast()) };
        // SAFETY: K1: the value lies within `self`.
        unsafe { value.as_ref() }
    }

    /// How many bytes [`as_bytes`](KeyValue::as_bytes) gives of a key and a value of these lengths;
    /// none if either is too long to be stored.
    ///
    /// ```
    /// use strata_skiplist::KeyValue;
    ///
    /// assert_eq!(KeyValue::encoded_length(3, 200), Some(1 + 3 + 2 + 200));
    /// assert_eq!(KeyValue::encoded_length(0, 1 << 32), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn encoded_length(key: usize, value: usize) -> Option<usize> {
        prefixed(key)?.checked_add(prefixed(value)?)
    }

    /// Both, with their lengths.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = (self.key().escape_ascii(), self.value().escape_ascii());
        write!(f, "KeyValue('{key}' => '{value}')")
    }
}

/// A key to be stored.
///
/// # Safety
///
/// `layout` is that of the bytes that `write` writes, and what it writes is a whole key, to be
/// read by [`Stored::at`].
pub(crate) unsafe trait NewKey<K: ?Sized> {
    /// What the key takes, or `None` if it is too long to be stored.
    fn layout(&self) -> Option<Layout>;

    /// Writes the key to the beginning of `memory`.
    ///
    /// # Panics
    ///
    /// If that is too small, or not aligned as the layout says.
    fn write(self, memory: &mut [MaybeUninit<u8>]);
}

/// A sized key.
pub(crate) struct Whole<K>(pub(crate) K);

// SAFETY: a `K` is written whole, and read as one.
unsafe impl<K> NewKey<K> for Whole<K> {
    #[inline]
    fn layout(&self) -> Option<Layout> {
        Some(Layout::new::<K>())
    }

    #[inline]
    fn write(self, memory: &mut [MaybeUninit<u8>]) {
        let is_aligned = memory.as_ptr().addr().is_multiple_of(align_of::<K>());
        assert!(memory.len() >= size_of::<K>() && is_aligned);
        // SAFETY: the memory has room for a `K`, aligned, as was just checked.
        unsafe { memory.as_mut_ptr().cast::<K>().write(self.0) };
    }
}

/// A byte string that is these parts, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Joined<'a>(pub(crate) &'a [&'a [u8]]);

#[inline]
fn write_length(memory: &mut [MaybeUninit<u8>], length: usize) -> &mut [MaybeUninit<u8>] {
    match u8::try_from(length) {
        Ok(byte @ ..0x80) => write_part(memory, &[byte]),
        _ => write_long_length(memory, length),
    }
}

fn write_long_length(memory: &mut [MaybeUninit<u8>], length: usize) -> &mut [MaybeUninit<u8>] {
    let Ok(length) = u32::try_from(length) else {
        unreachable!("a longer key has no layout")
    };
    let mut varint = [0; MAX_VARINT32_LENGTH];
    let prefix = encode_varint32(&mut varint, length);
    write_part(memory, &varint[..prefix])
}

#[inline]
fn write_part<'m>(memory: &'m mut [MaybeUninit<u8>], part: &[u8]) -> &'m mut [MaybeUninit<u8>] {
    let (bytes, rest) = memory.split_at_mut(part.len());
    bytes.write_copy_of_slice(part);
    rest
}

/// How many bytes a byte string of `length` takes with its length before it, if that fits one.
#[inline]
pub(crate) fn prefixed(length: usize) -> Option<usize> {
    if length < 0x80 {
        return Some(1 + length);
    }
    let length = u32::try_from(length).ok()?;
    varint_length(length.into()).checked_add(length as usize)
}

// SAFETY: a length and as many bytes are written, and read as that.
unsafe impl NewKey<[u8]> for Joined<'_> {
    #[inline]
    fn layout(&self) -> Option<Layout> {
        Layout::array::<u8>(prefixed(self.length()?)?).ok()
    }

    #[inline]
    fn write(self, memory: &mut [MaybeUninit<u8>]) {
        self.write_to(memory);
    }
}

/// A byte string that is some bytes and, after them, `N` more.
#[derive(Clone, Copy)]
pub(crate) struct Ended<'a, const N: usize>(pub(crate) &'a [u8], pub(crate) [u8; N]);

/// The key of a [`Pair`], in parts.
pub(crate) trait Parts: Copy {
    /// How long the key is; none if it is longer than anything.
    fn length(self) -> Option<usize>;

    /// Writes the length and the parts, and returns what is left of the memory.
    fn write_to(self, memory: &mut [MaybeUninit<u8>]) -> &mut [MaybeUninit<u8>];
}

impl Parts for Joined<'_> {
    #[inline]
    fn length(self) -> Option<usize> {
        let mut lengths = self.0.iter().map(|part| part.len());
        lengths.try_fold(0usize, usize::checked_add)
    }

    #[inline]
    fn write_to(self, memory: &mut [MaybeUninit<u8>]) -> &mut [MaybeUninit<u8>] {
        let length = self.0.iter().map(|part| part.len()).sum();
        let mut rest = write_length(memory, length);
        for part in self.0 {
            rest = write_part(rest, part);
        }
        rest
    }
}

impl<const N: usize> Parts for Ended<'_, N> {
    #[inline(always)]
    fn length(self) -> Option<usize> {
        self.0.len().checked_add(N)
    }

    #[inline(always)]
    fn write_to(self, memory: &mut [MaybeUninit<u8>]) -> &mut [MaybeUninit<u8>] {
        let rest = write_length(memory, self.0.len() + N);
        write_part(write_part(rest, self.0), &self.1)
    }
}

/// A key, in parts, and its value.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a, P> {
    pub(crate) key: P,
    pub(crate) value: &'a [u8],
}

// SAFETY: a key with its length and a value with its length are written, and read as that.
unsafe impl<P: Parts> NewKey<KeyValue> for Pair<'_, P> {
    #[inline(always)]
    fn layout(&self) -> Option<Layout> {
        let length = KeyValue::encoded_length(self.key.length()?, self.value.len())?;
        Layout::array::<u8>(length).ok()
    }

    #[inline(always)]
    fn write(self, memory: &mut [MaybeUninit<u8>]) {
        let rest = self.key.write_to(memory);
        write_part(write_length(rest, self.value.len()), self.value);
    }
}

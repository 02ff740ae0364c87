//! What a memtable is asked with.

use std::fmt;

use strata_coding::{MAX_VARINT32_LENGTH, encode_varint32};

use crate::{SequenceNumber, Tag, UserKeyTooLong, escape};

/// How long a lookup key may be to need no heap: LevelDB's number.
///
/// LevelDB sets aside 5 bytes for the length however few it takes, and so does this: the longest
/// user key without heap has 200 - 5 - 8 = 187 bytes.
const INLINE_LENGTH: usize = 200;

/// A user key and a snapshot, in one buffer that can be seen as three kinds of key.
///
/// ```text
/// varint32 (user key + 8) | user key | tag (snapshot, FOR_SEEK)
/// ^ memtable key          ^ internal key, user key
/// ```
///
/// Up to 187 bytes of user key it allocates nothing.
///
/// ```
/// use strata_dbformat::{LookupKey, SequenceNumber};
///
/// let key = LookupKey::new(b"abc", SequenceNumber::new(123).unwrap())?;
/// assert_eq!(key.memtable_key(), b"\x0babc\x01\x7b\0\0\0\0\0\0");
/// assert_eq!(key.internal_key(), b"abc\x01\x7b\0\0\0\0\0\0");
/// assert_eq!(key.user_key(), b"abc");
/// # Ok::<(), strata_dbformat::UserKeyTooLong>(())
/// ```
#[derive(Clone)]
pub struct LookupKey {
    buffer: Buffer,
    /// Where the user key begins: the length of the varint before it.
    user_key_start: usize,
    snapshot: SequenceNumber,
}

#[derive(Clone)]
enum Buffer {
    Inline {
        bytes: [u8; INLINE_LENGTH],
        length: usize,
    },
    Heap(Vec<u8>),
}

impl LookupKey {
    /// The key to look up the newest version of `user_key` that `snapshot` sees.
    ///
    /// # Errors
    ///
    /// [`UserKeyTooLong`] if the internal key's length does not fit a `u32`.
    pub fn new(user_key: &[u8], snapshot: SequenceNumber) -> Result<Self, UserKeyTooLong> {
        let internal_key_length = u32::try_from(user_key.len())
            .ok()
            .and_then(|length| length.checked_add(u64::BITS / u8::BITS))
            .ok_or(UserKeyTooLong {
                length: user_key.len(),
            })?;
        let mut varint = [0; MAX_VARINT32_LENGTH];
        let user_key_start = encode_varint32(&mut varint, internal_key_length);
        let parts = [
            &varint[..user_key_start],
            user_key,
            &Tag::for_seek(snapshot).to_bytes(),
        ];

        let buffer = if MAX_VARINT32_LENGTH + internal_key_length as usize <= INLINE_LENGTH {
            let mut bytes = [0; INLINE_LENGTH];
            let mut length = 0;
            for part in parts {
                bytes[length..length + part.len()].copy_from_slice(part);
                length += part.len();
            }
            Buffer::Inline { bytes, length }
        } else {
            Buffer::Heap(parts.concat())
        };
        Ok(Self {
            buffer,
            user_key_start,
            snapshot,
        })
    }

    /// The whole: the internal key behind its length, as a memtable entry begins.
    #[must_use]
    pub fn memtable_key(&self) -> &[u8] {
        match &self.buffer {
            Buffer::Inline { bytes, length } => &bytes[..*length],
            Buffer::Heap(bytes) => bytes,
        }
    }

    /// The internal key: what to seek an internal iterator with.
    #[must_use]
    pub fn internal_key(&self) -> &[u8] {
        &self.memtable_key()[self.user_key_start..]
    }

    /// The user key.
    #[must_use]
    pub fn user_key(&self) -> &[u8] {
        let internal_key = self.internal_key();
        &internal_key[..internal_key.len() - Tag::LENGTH]
    }

    /// The snapshot the lookup is made at.
    #[must_use]
    pub const fn snapshot(&self) -> SequenceNumber {
        self.snapshot
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LookupKey('{}' @ {})",
            escape(self.user_key()),
            self.snapshot
        )
    }
}

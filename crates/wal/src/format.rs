//! Blocks, headers, record types and the masked checksum.

use strata_checksum::{append, crc32c, mask};
use strata_coding::get_fixed32;

/// How many bytes a block has: a log is a sequence of blocks, and no fragment crosses from one
/// into the next.
pub const BLOCK_SIZE: usize = 32768;

/// How many bytes stand before a fragment's payload: checksum (4), length (2) and type (1).
pub const HEADER_SIZE: usize = 7;

/// What a fragment is of its record.
///
/// A record that fits what is left of its block is one [`Full`](Self::Full) fragment; any other is
/// a [`First`](Self::First), as many [`Middle`](Self::Middle) as it takes, and a
/// [`Last`](Self::Last).
///
/// ```
/// use strata_wal::RecordType;
///
/// assert_eq!(RecordType::from_byte(4), Some(RecordType::Last));
/// assert_eq!(RecordType::from_byte(5), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordType {
    /// No record: space that was set aside and never written.
    Zero = 0,
    /// A whole record.
    Full = 1,
    /// The first fragment of a record; it ends where its block ends.
    First = 2,
    /// A fragment between the first and the last; it fills its block.
    Middle = 3,
    /// The last fragment of a record; it begins where its block begins.
    Last = 4,
}

impl RecordType {
    /// The type that a header's last byte stands for, if it stands for one.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Zero),
            1 => Some(Self::Full),
            2 => Some(Self::First),
            3 => Some(Self::Middle),
            4 => Some(Self::Last),
            _ => None,
        }
    }
}

/// A fragment's header, as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) masked_checksum: u32,
    /// The length of the payload. The checksum does not cover it.
    pub(crate) length: u16,
    /// The type, which may be none that is known.
    pub(crate) kind: u8,
}

impl Header {
    /// The header at the front of `bytes`, if there are bytes enough for one.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (masked_checksum, rest) = get_fixed32(bytes).ok()?;
        let &[low, high, kind, ..] = rest else {
            return None;
        };
        Some(Self {
            masked_checksum,
            length: u16::from_le_bytes([low, high]),
            kind,
        })
    }

    /// Header and payload together, in bytes.
    pub(crate) fn extent(&self) -> usize {
        HEADER_SIZE + usize::from(self.length)
    }

    /// Whether its type is that of a fragment.
    pub(crate) fn is_fragment(&self) -> bool {
        !matches!(
            RecordType::from_byte(self.kind),
            Some(RecordType::Zero) | None
        )
    }

    /// Whether the checksum is that of this type and `payload`.
    pub(crate) fn proves(&self, payload: &[u8]) -> bool {
        self.masked_checksum == mask(checksum(self.kind, payload))
    }
}

/// Appends a fragment, header and payload, to `buffer`. The payload is at most what a block holds.
pub(crate) fn put_fragment(buffer: &mut Vec<u8>, record_type: RecordType, payload: &[u8]) {
    debug_assert!(HEADER_SIZE + payload.len() <= BLOCK_SIZE);
    let kind = record_type as u8;
    let [low, high, ..] = payload.len().to_le_bytes();
    strata_coding::put_fixed32(buffer, mask(checksum(kind, payload)));
    buffer.extend_from_slice(&[low, high, kind]);
    buffer.extend_from_slice(payload);
}

fn checksum(kind: u8, payload: &[u8]) -> u32 {
    append(crc32c(&[kind]), payload)
}

//! What proves that bytes are a log, a manifest or a table.

use strata_coding::{
    get_fixed32, get_fixed64, get_length_prefixed_slice, get_varint32, get_varint64,
};
use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Reader, RecordType};

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// A write batch.
    Batch,
    /// A version edit.
    Edit,
    /// Neither.
    Other,
}

/// A last fragment without payload, which ends any record that has begun.
fn last_fragment() -> [u8; HEADER_SIZE] {
    let kind = RecordType::Last as u8;
    let [a, b, c, d] = mask(crc32c::crc32c(&[kind])).to_le_bytes();
    [a, b, c, d, 0, 0, kind]
}

/// What the first records hold that are proved by their checksums, and where the first of them
/// begins. `head` is whole blocks unless it is the whole file.
///
/// A record that is neither a batch nor an edit leaves it to the next.
pub(crate) fn first_record(head: &[u8], is_whole: bool) -> Option<(Recorded, u64)> {
    let mut bytes = head.to_vec();
    if !is_whole {
        // A record that is longer than the head ends here: its payload is proved as far as it goes.
        bytes.extend_from_slice(&last_fragment());
    }
    let mut reader = Reader::new(&bytes[..]).salvage(true);
    let mut first = None;
    let mut found = Recorded::Other;
    // Reading from memory does not fail.
    while let Ok(Some(record)) = reader.read_record(&mut |_| {}) {
        let is_cut = record.end > head.len() as u64;
        first.get_or_insert(record.offset);
        let data = record.data;
        // Of an edit that is cut any beginning will do, so that a batch is to be ruled out first.
        if is_cut && is_batch(data, true) {
            found = Recorded::Batch;
        } else if is_edit(data, is_cut) {
            found = Recorded::Edit;
        } else if is_batch(data, is_cut) {
            found = Recorded::Batch;
        } else {
            continue;
        }
        break;
    }
    first.map(|offset| (found, offset))
}

/// Whether `data` is a write batch, or the beginning of one: sequence number (8 bytes, of which
/// the highest is 0), count (4), and as many operations.
fn is_batch(data: &[u8], is_cut: bool) -> bool {
    let Ok((sequence, rest)) = get_fixed64(data) else {
        return false;
    };
    let Ok((count, mut rest)) = get_fixed32(rest) else {
        return false;
    };
    if sequence >> 56 != 0 {
        return false;
    }
    for _ in 0..count {
        let operation = match rest.split_first() {
            Some((0, rest)) => get_length_prefixed_slice(rest),
            Some((1, rest)) => get_length_prefixed_slice(rest)
                .and_then(|(_, rest)| get_length_prefixed_slice(rest)),
            Some(_) => return false,
            None => return is_cut,
        };
        match operation {
            Ok((_, after)) => rest = after,
            Err(_) => return is_cut,
        }
    }
    rest.is_empty() && !is_cut
}

/// Whether `data` is a version edit, or the beginning of one: fields behind their numbers.
fn is_edit(data: &[u8], is_cut: bool) -> bool {
    let mut rest = data;
    while !rest.is_empty() {
        match after_field(rest) {
            Some(after) => rest = after,
            None => return is_cut && rest.len() < data.len(),
        }
    }
    !data.is_empty()
}

/// What follows the field of a version edit that `bytes` begin with.
fn after_field(bytes: &[u8]) -> Option<&[u8]> {
    let number = |bytes| get_varint64(bytes).ok().map(|(_, rest)| rest);
    let slice = |bytes| get_length_prefixed_slice(bytes).ok().map(|(_, rest)| rest);
    let level = |bytes| match get_varint32(bytes) {
        Ok((0..=6, rest)) => Some(rest),
        _ => None,
    };
    let (field, rest) = get_varint32(bytes).ok()?;
    match field {
        // The comparator's name.
        1 => match get_length_prefixed_slice(rest).ok()? {
            (name, rest) if !name.is_empty() => Some(rest),
            _ => None,
        },
        // The log, the next file, the last sequence number, the previous log.
        2 | 3 | 4 | 9 => number(rest),
        // Where a level's next compaction begins.
        5 => slice(level(rest)?),
        // A file that is gone.
        6 => number(level(rest)?),
        // A new file: level, number, length, smallest and largest key.
        7 => slice(slice(number(number(level(rest)?)?)?)?),
        _ => None,
    }
}

/// Whether `head` begins as a log does: with a fragment's header and as much of a batch as there
/// is, at least to its first operation. There is no proof in that.
pub(crate) fn looks_like_batch(head: &[u8]) -> bool {
    let Some((header, payload)) = head.split_first_chunk::<HEADER_SIZE>() else {
        return false;
    };
    let &[_, _, _, _, low, high, kind] = header;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let begins = matches!(
        RecordType::from_byte(kind),
        Some(RecordType::Full | RecordType::First)
    );
    let payload = &payload[..payload.len().min(length)];
    begins
        && HEADER_SIZE + length <= BLOCK_SIZE
        && payload.len() > BATCH_HEADER
        && payload[..BATCH_HEADER].iter().any(|&byte| byte != 0)
        && payload[7] == 0
        && payload[8..BATCH_HEADER] != [0; 4]
        && payload[BATCH_HEADER] <= 1
}

/// A batch's sequence number and count.
const BATCH_HEADER: usize = 12;

/// What a table ends with.
const TABLE_MAGIC: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();

/// The handles of two blocks, padded, and the magic number.
const FOOTER_SIZE: usize = 48;

/// Whether a table's footer stands at the end.
pub(crate) fn ends_with_footer(tail: &[u8]) -> bool {
    tail.ends_with(&TABLE_MAGIC)
}

/// Whether a footer stands anywhere, with handles that can be.
pub(crate) fn has_footer(tail: &[u8]) -> bool {
    tail.windows(FOOTER_SIZE)
        .any(|footer| ends_with_footer(footer) && has_handles(footer))
}

/// Whether a footer has two handles, one after the other, and zeros up to the magic number.
fn has_handles(footer: &[u8]) -> bool {
    let mut rest = &footer[..FOOTER_SIZE - TABLE_MAGIC.len()];
    for _ in 0..4 {
        match get_varint64(rest) {
            Ok((_, after)) => rest = after,
            Err(_) => return false,
        }
    }
    rest.iter().all(|&byte| byte == 0)
}

/// The fewest bytes that a block has: one restart point, and how many there are.
const SHORTEST_BLOCK: usize = 8;

/// Whether `head` begins with a block of a table: some bytes, the number of a compression, and
/// their masked checksum.
///
/// One pass. That a block is found where there is none has a chance of one to several millions.
pub(crate) fn begins_with_block(head: &[u8]) -> bool {
    let mut checksum = 0;
    for (at, &byte) in head.iter().enumerate() {
        checksum = crc32c::crc32c_append(checksum, &[byte]);
        let is_compression = matches!(byte, 0 | 1 | 2 | 4);
        if is_compression
            && at >= SHORTEST_BLOCK
            && get_fixed32(&head[at + 1..]).is_ok_and(|(stored, _)| stored == mask(checksum))
        {
            return true;
        }
    }
    false
}

/// What LevelDB stores a checksum as.
const fn mask(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

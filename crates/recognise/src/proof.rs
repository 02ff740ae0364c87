//! The proofs that bytes are a log, a manifest or a table.

use strata_checksum::{append, crc32c, mask};
use strata_coding::{get_fixed32, get_length_prefixed_slice, get_varint64};
use strata_manifest::{EditFault, VersionEdit};
use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Reader, RecordType};
use strata_write_batch::{BatchFault, WriteBatchView};

/// The contents of a record.
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
    let [a, b, c, d] = mask(crc32c(&[kind])).to_le_bytes();
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
        found = what_is(record.data, is_cut);
        if found != Recorded::Other {
            break;
        }
    }
    first.map(|offset| (found, offset))
}

fn what_is(data: &[u8], is_cut: bool) -> Recorded {
    let edit = VersionEdit::decode(data);
    match edit {
        Ok(_) if !is_cut && !data.is_empty() => Recorded::Edit,
        _ if is_batch(data, is_cut) => Recorded::Batch,
        Ok(_) if !data.is_empty() => Recorded::Edit,
        // RocksDB's, which begins as LevelDB's does.
        Err(_) if names_comparator(data) => Recorded::Edit,
        // The record's end is beyond what was read. Where it is not, its checksum holds, and what
        // is no edit then is a batch that was damaged before it was written.
        Err(error) if is_cut && error.offset > 0 => match error.fault {
            EditFault::UnknownTag(_) => Recorded::Other,
            _ => Recorded::Edit,
        },
        _ => Recorded::Other,
    }
}

/// Whether `data` begins as a manifest does: with a tag of 1 and the name of a comparator.
fn names_comparator(data: &[u8]) -> bool {
    let name = data.strip_prefix(&[1]).map(get_length_prefixed_slice);
    matches!(name, Some(Ok((name, _))) if !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
}

/// Whether `data` is a write batch, or the beginning of one.
fn is_batch(data: &[u8], is_cut: bool) -> bool {
    let Ok(batch) = WriteBatchView::new(data) else {
        return false;
    };
    let fault = batch.check().map_err(|malformed| malformed.fault);
    let is_whole_or_cut = match fault {
        Ok(()) => true,
        Err(fault) => is_cut && fault != BatchFault::UnknownTag,
    };
    batch.sequence().is_ok() && is_whole_or_cut
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

/// The magic number at a table's end.
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
        checksum = append(checksum, &[byte]);
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

//! A reader of a whole log in memory, in two passes, as LevelDB's rules read when one is in no
//! hurry. It shares nothing with the reader but the reasons.

use strata_wal::{BLOCK_SIZE, Reason};

use crate::support::{Options, Records, crc32c};

/// What LevelDB makes of a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Naive {
    pub(crate) records: Records,
    /// How many bytes were dropped, and why.
    pub(crate) drops: Vec<(u64, Reason)>,
}

/// What the first pass makes of the bytes.
enum Item {
    Fragment {
        kind: u8,
        offset: u64,
        payload: Vec<u8>,
    },
    /// Bytes that make the rest of their block unreadable: where, and what is said of them.
    Bad {
        offset: u64,
        drop: Option<(u64, Reason)>,
    },
    /// A fragment before the initial offset.
    Before,
}

fn unmask(masked: u32) -> u32 {
    masked.wrapping_sub(0xa282_ead8).rotate_left(15)
}

/// The items of one block. In the last one, bytes that a fragment lacks are no damage.
fn items_of_block(block: &[u8], start: u64, options: Options) -> Vec<Item> {
    let mut items = Vec::new();
    let mut at = 0;
    while block.len() - at >= 7 {
        let rest = &block[at..];
        let offset = start + at as u64;
        let drop = |reason| Item::Bad {
            offset,
            drop: Some((rest.len() as u64, reason)),
        };
        let length = usize::from(rest[4]) + 256 * usize::from(rest[5]);
        if 7 + length > rest.len() {
            if block.len() == BLOCK_SIZE {
                items.push(drop(Reason::BadRecordLength));
            }
            return items;
        }
        if rest[6] == 0 && length == 0 {
            // LevelDB drops nothing here, whatever follows; ours says so if something does.
            items.push(if rest.iter().all(|&byte| byte == 0) {
                Item::Bad { offset, drop: None }
            } else {
                drop(Reason::DataBehindZeroHeader)
            });
            return items;
        }
        let stored = unmask(u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]));
        if !options.no_checksums && stored != crc32c(&rest[6..7 + length]) {
            items.push(drop(Reason::ChecksumMismatch));
            return items;
        }
        items.push(if offset < options.initial_offset {
            Item::Before
        } else {
            Item::Fragment {
                kind: rest[6],
                offset,
                payload: rest[7..7 + length].to_vec(),
            }
        });
        at += 7 + length;
    }
    items
}

fn items(log: &[u8], options: Options) -> Vec<Item> {
    let initial = options.initial_offset;
    let mut first_block = initial / BLOCK_SIZE as u64;
    if initial % BLOCK_SIZE as u64 > BLOCK_SIZE as u64 - 6 {
        first_block += 1;
    }
    (0u64..)
        .zip(log.chunks(BLOCK_SIZE))
        .filter(|(number, _)| *number >= first_block)
        .flat_map(|(number, block)| items_of_block(block, number * BLOCK_SIZE as u64, options))
        .collect()
}

/// The records and drops of `log`.
pub(crate) fn read(log: &[u8], options: Options) -> Naive {
    let mut naive = Naive::default();
    let mut resyncing = options.initial_offset > 0;
    let mut partial: Option<(u64, Vec<u8>)> = None;
    for item in items(log, options) {
        let (kind, offset, payload) = match item {
            Item::Fragment {
                kind,
                offset,
                payload,
            } => (kind, offset, payload),
            Item::Before => {
                resyncing = false;
                continue;
            }
            Item::Bad { offset, drop } => {
                resyncing = false;
                naive
                    .drops
                    .extend(drop.filter(|_| offset >= options.initial_offset));
                if let Some((_, bytes)) = partial.take() {
                    naive
                        .drops
                        .push((bytes.len() as u64, Reason::BadBeforeLast));
                }
                continue;
            }
        };
        if resyncing && kind == 3 {
            continue;
        }
        if std::mem::take(&mut resyncing) && kind == 4 {
            continue;
        }
        let size = payload.len() as u64;
        match (kind, partial.take()) {
            (1 | 2, before) => {
                if let Some((_, bytes)) = before.filter(|(_, bytes)| !bytes.is_empty()) {
                    let reasons = [Reason::FullBeforeLast, Reason::FirstBeforeLast];
                    naive
                        .drops
                        .push((bytes.len() as u64, reasons[usize::from(kind) - 1]));
                }
                if kind == 1 {
                    naive.records.push((offset, payload));
                } else {
                    partial = Some((offset, payload));
                }
            }
            (3, Some((start, bytes))) => partial = Some((start, [bytes, payload].concat())),
            (4, Some((start, bytes))) => naive.records.push((start, [bytes, payload].concat())),
            (3, None) => naive.drops.push((size, Reason::MiddleWithoutFirst)),
            (4, None) => naive.drops.push((size, Reason::LastWithoutFirst)),
            (_, before) => {
                let before = before.map_or(0, |(_, bytes)| bytes.len() as u64);
                naive
                    .drops
                    .push((before + size, Reason::UnknownRecordType(kind)));
            }
        }
    }
    naive
}

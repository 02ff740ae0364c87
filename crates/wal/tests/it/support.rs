//! Writing logs, reading them whole, and accounting for every byte.

use std::io::Read;
use std::sync::LazyLock;

use strata_wal::{
    BLOCK_SIZE, Dropped, HEADER_SIZE, Mended, PassedOver, Reader, Reason, Report, Writer,
};

pub(crate) type Records = Vec<(u64, Vec<u8>)>;

/// A log of these records.
pub(crate) fn log_of<T: AsRef<[u8]>>(records: &[T]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for record in records {
        writer.add_record(record.as_ref()).unwrap();
    }
    assert_eq!(writer.offset(), writer.get_ref().len() as u64);
    writer.into_inner()
}

/// `length` bytes made of repetitions of `part`: LevelDB's `BigString`.
pub(crate) fn big(part: &str, length: usize) -> Vec<u8> {
    part.bytes().cycle().take(length).collect()
}

/// `length` bytes that differ between seeds and hold no runs.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) no_checksums: bool,
    pub(crate) initial_offset: u64,
    pub(crate) salvage: bool,
}

pub(crate) const SALVAGE: Options = Options {
    no_checksums: false,
    initial_offset: 0,
    salvage: true,
};

pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    // Each entry is eight steps of the division, one bit each.
    static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|byte| {
            (0..8).fold(u32::try_from(byte).unwrap(), |crc, _| {
                (crc >> 1) ^ (0x82f6_3b78 * (crc & 1))
            })
        })
    });
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)]
    })
}

/// Puts the right checksum into the header before `length` bytes of payload.
pub(crate) fn fix_checksum(log: &mut [u8], header: usize, length: usize) {
    let crc = crc32c(&log[header + 6..header + HEADER_SIZE + length]);
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    log[header..header + 4].copy_from_slice(&masked.to_le_bytes());
}

/// A fragment of any type, with the right checksum.
pub(crate) fn fragment(kind: u8, payload: &[u8]) -> Vec<u8> {
    let [low, high] = u16::try_from(payload.len()).unwrap().to_le_bytes();
    let mut fragment = [&[0, 0, 0, 0, low, high, kind], payload].concat();
    fix_checksum(&mut fragment, 0, payload.len());
    fragment
}

pub(crate) fn starting_at(initial_offset: u64) -> Options {
    Options {
        initial_offset,
        ..Options::default()
    }
}

/// All that a reader gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) records: Records,
    /// Where each record ends.
    pub(crate) ends: Vec<u64>,
    /// The records that were found by a search.
    pub(crate) searched: Vec<Vec<u8>>,
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) passed_over: Vec<PassedOver>,
    pub(crate) mended: Vec<Mended>,
}

impl Outcome {
    pub(crate) fn data(&self) -> Vec<&[u8]> {
        self.records.iter().map(|(_, data)| &data[..]).collect()
    }

    pub(crate) fn dropped_bytes(&self) -> u64 {
        self.dropped.iter().map(|dropped| dropped.bytes).sum()
    }

    pub(crate) fn drops(&self) -> Vec<(u64, Reason)> {
        self.dropped.iter().map(|d| (d.bytes, d.reason)).collect()
    }

    pub(crate) fn note(&mut self, report: Report) {
        match report {
            Report::Dropped(dropped) => self.dropped.push(dropped),
            Report::PassedOver(passed_over) => self.passed_over.push(passed_over),
            Report::Mended(mended) => self.mended.push(mended),
            other => panic!("unexpected {other}"),
        }
    }
}

pub(crate) fn reader_with<R: Read>(source: R, options: Options) -> Reader<R> {
    Reader::new(source)
        .verify_checksums(!options.no_checksums)
        .initial_offset(options.initial_offset)
        .salvage(options.salvage)
}

pub(crate) fn read_from<R: Read>(source: R, options: Options) -> Outcome {
    let mut reader = reader_with(source, options);
    let mut outcome = Outcome::default();
    while let Some(record) = reader
        .read_record(&mut |report| outcome.note(report))
        .unwrap()
    {
        let (end, searched) = (record.end, record.searched);
        let record = (record.offset, record.data.to_vec());
        outcome.ends.push(end);
        if searched {
            outcome.searched.push(record.1.clone());
        }
        outcome.records.push(record);
    }
    let mut silent = |report: Report| panic!("{report} after the end");
    assert_eq!(reader.read_record(&mut silent).unwrap(), None);
    outcome
}

pub(crate) fn read(log: &[u8]) -> Outcome {
    read_from(log, Options::default())
}

pub(crate) fn salvage(log: &[u8]) -> Outcome {
    read_from(log, SALVAGE)
}

/// The fragments that a record of `length` bytes at `offset` takes: offset and payload length.
pub(crate) fn layout(offset: u64, length: usize) -> Vec<(usize, usize)> {
    let mut at = usize::try_from(offset).unwrap();
    let mut left = length;
    let mut fragments = Vec::new();
    loop {
        if BLOCK_SIZE - at % BLOCK_SIZE < HEADER_SIZE {
            at = at.next_multiple_of(BLOCK_SIZE);
        }
        let payload = left.min(BLOCK_SIZE - at % BLOCK_SIZE - HEADER_SIZE);
        fragments.push((at, payload));
        at += HEADER_SIZE + payload;
        left -= payload;
        if left == 0 {
            return fragments;
        }
    }
}

/// Panics unless each byte of a log of `length` bytes is in one record, one dropped range or one
/// range passed over, or in the trailer of a block.
pub(crate) fn account(outcome: &Outcome, length: usize, context: &str) {
    for (start, end) in unaccounted(outcome, length, context) {
        let to_block_end = start.next_multiple_of(BLOCK_SIZE as u64) - start;
        let is_trailer = to_block_end < HEADER_SIZE as u64 && end - start <= to_block_end;
        assert!(
            is_trailer,
            "{context}: {start}..{end} of {length} bytes is unaccounted for"
        );
    }
}

/// The ranges of a log of `length` bytes that are in no record and in no report. Panics if any byte
/// is in two.
pub(crate) fn unaccounted(outcome: &Outcome, length: usize, context: &str) -> Vec<(u64, u64)> {
    let offsets = outcome.records.iter().map(|(offset, _)| *offset);
    let mut ranges: Vec<(u64, u64)> = offsets.zip(outcome.ends.iter().copied()).collect();
    ranges.extend(outcome.dropped.iter().map(|d| (d.offset, d.end)));
    ranges.extend(
        outcome
            .passed_over
            .iter()
            .map(|p| (p.offset, p.offset + p.bytes)),
    );
    ranges.sort_unstable();
    ranges.push((length as u64, length as u64));
    let mut gaps = Vec::new();
    let mut accounted = 0;
    for &(start, end) in &ranges {
        assert!(
            start >= accounted,
            "{context}: {start}..{end} overlaps {accounted}\n{outcome:?}"
        );
        if start > accounted {
            gaps.push((accounted, start));
        }
        accounted = end;
    }
    assert_eq!(accounted, length as u64, "{context}");
    gaps
}

/// Whether `part` is `whole` with some of its records left out.
pub(crate) fn is_subsequence<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|record| whole.any(|other| other == record))
}

/// LevelDB's random numbers, so that its cases can be told with its data.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u32) -> Self {
        Self(u64::from(seed & 0x7fff_ffff))
    }

    pub(crate) fn uniform(&mut self, n: u64) -> u64 {
        self.0 = self.0 * 16807 % 0x7fff_ffff;
        self.0 % n
    }

    pub(crate) fn skewed(&mut self, max_log: u64) -> u64 {
        let log = self.uniform(max_log + 1);
        self.uniform(1 << log)
    }
}

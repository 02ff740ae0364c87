//! All that a reader gives, and the account of every byte.

use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Reader, Report};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub verify_checksums: bool,
    pub initial_offset: u64,
    pub salvage: bool,
}

#[derive(Debug, Default)]
pub struct Outcome {
    /// Where each record begins, and its bytes.
    pub records: Vec<(u64, Vec<u8>)>,
    /// What is in a record, dropped or passed over, in the order it was told.
    ranges: Vec<(u64, u64)>,
}

pub fn read(log: &[u8], options: Options) -> Outcome {
    let mut reader = Reader::new(log)
        .verify_checksums(options.verify_checksums)
        .initial_offset(options.initial_offset)
        .salvage(options.salvage);
    let Outcome {
        mut records,
        mut ranges,
    } = Outcome::default();
    let mut note = |report: Report| {
        assert!(!report.to_string().is_empty());
        match report {
            Report::Dropped(dropped) => ranges.push((dropped.offset, dropped.end)),
            Report::PassedOver(passed) => {
                ranges.push((passed.offset, passed.offset + passed.bytes))
            }
            // What is mended is then in a record, or reported besides.
            Report::Mended(mended) => {
                assert!(options.salvage && mended.length != mended.stored_length)
            }
            other => panic!("an unknown report: {other}"),
        }
    };
    let mut ends = Vec::new();
    while let Some(record) = reader.read_record(&mut note).unwrap() {
        ends.push((record.offset, record.end));
        records.push((record.offset, record.data.to_vec()));
        assert!(
            records.len() <= log.len() / HEADER_SIZE,
            "more records than headers"
        );
    }
    assert_eq!(
        reader
            .read_record(&mut |report| panic!("{report}, after the end"))
            .unwrap(),
        None
    );
    assert!(ends.is_sorted_by(|a, b| a.1 <= b.0), "records overlap");
    ranges.extend(ends);
    let outcome = Outcome { records, ranges };
    // From any initial offset, no byte is in two ranges.
    outcome.gaps(log.len() as u64);
    outcome
}

impl Outcome {
    /// Panics if a byte is in two ranges; gives what is in none.
    fn gaps(&self, length: u64) -> Vec<(u64, u64)> {
        let mut ranges = self.ranges.clone();
        ranges.sort_unstable();
        ranges.push((length, length));
        let mut gaps = Vec::new();
        let mut accounted = 0;
        for (start, end) in ranges {
            assert!(
                start >= accounted && end >= start,
                "{start}..{end} overlaps {accounted}"
            );
            if start > accounted {
                gaps.push((accounted, start));
            }
            accounted = end;
        }
        assert_eq!(accounted, length, "a range ends past the log");
        gaps
    }

    /// Panics if a byte is in no range and not in a trailer: at the end of a block, or zeros where
    /// salvage found blocks to be shifted.
    pub fn account(&self, log: &[u8]) {
        for (start, end) in self.gaps(log.len() as u64) {
            let block_end = start.next_multiple_of(BLOCK_SIZE as u64);
            let [from, to] = [start, end].map(|offset| usize::try_from(offset).unwrap());
            let is_short = to - from < HEADER_SIZE;
            assert!(
                is_short && (end <= block_end || log[from..to].iter().all(|&byte| byte == 0)),
                "{start}..{end} of {} bytes is not accounted for",
                log.len()
            );
        }
    }
}

/// Whether `part` is `whole` with some left out.
pub fn is_subsequence<T: PartialEq>(
    part: impl IntoIterator<Item = T>,
    whole: impl IntoIterator<Item = T>,
) -> bool {
    let mut whole = whole.into_iter();
    part.into_iter()
        .all(|item| whole.any(|other| other == item))
}

/// `length` bytes that differ between seeds, hold no runs and, for all that matters, no fragments.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

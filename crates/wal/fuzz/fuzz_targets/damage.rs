//! A log that was written, whoever continued it, and then damaged in place and cut short: whatever
//! the reader recovers was written, in that order, though records hold logs. Undamaged, it recovers
//! everything. Salvage recovers no less, and, where no record holds a log, nothing else either.

#![no_main]

mod outcome;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use outcome::{Options, Outcome, is_subsequence, noise, read};
use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Writer};

/// So long that records of several fragments fit, and no longer, for speed.
const LONGEST_LOG: usize = 6 * BLOCK_SIZE;

#[derive(Arbitrary, Debug)]
enum Record<'a> {
    /// Bytes of the fuzzer's, which may have learnt what a fragment is.
    Bytes(&'a [u8]),
    Noise(u16),
    /// Just about what its block has left.
    ToBlockEnd(u8),
    /// The log so far, or the beginning of it.
    Log(u16),
}

#[derive(Arbitrary, Debug)]
enum Damage {
    Bit(u32, u8),
    Byte(u32, u8),
    Zeros(u32, u16),
    Noise(u32, u16),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    records: Vec<(Record<'a>, bool)>,
    damages: Vec<Damage>,
    /// How many bytes are missing at the end.
    cut: Option<u16>,
}

/// The log, the records in it, and whether none of them can hold a log.
fn write(records: &[(Record<'_>, bool)]) -> (Vec<u8>, Vec<Vec<u8>>, bool) {
    let mut writer = Writer::new(Vec::new());
    let mut written = Vec::new();
    let mut plain = true;
    for (i, (record, reopens)) in (1..).zip(records) {
        let left = BLOCK_SIZE - writer.get_ref().len() % BLOCK_SIZE;
        let record = match *record {
            Record::Bytes(bytes) => bytes.to_vec(),
            Record::Noise(length) => noise(i, usize::from(length)),
            Record::ToBlockEnd(less) => noise(
                i,
                (left + 4).saturating_sub(HEADER_SIZE + usize::from(less % 16)),
            ),
            Record::Log(length) => {
                let log = writer.get_ref();
                log[..log.len().min(usize::from(length))].to_vec()
            }
        };
        plain &= !matches!(records[written.len()].0, Record::Bytes(_) | Record::Log(_));
        if writer.get_ref().len() + record.len() > LONGEST_LOG {
            break;
        }
        writer.add_record(&record).unwrap();
        written.push(record);
        if *reopens {
            let offset = writer.offset();
            writer = Writer::continuing(writer.into_inner(), offset);
        }
    }
    assert_eq!(writer.offset(), writer.get_ref().len() as u64);
    (writer.into_inner(), written, plain)
}

fn damage(log: &mut [u8], damage: &Damage) {
    let length = log.len();
    let range = |at: u32, most: u16| {
        let at = at as usize % length;
        at..length.min(at + usize::from(most))
    };
    match *damage {
        _ if log.is_empty() => {}
        Damage::Bit(at, bit) => log[at as usize % length] ^= 1 << (bit % 8),
        Damage::Byte(at, byte) => log[at as usize % length] = byte,
        Damage::Zeros(at, most) => log[range(at, most)].fill(0),
        Damage::Noise(at, most) => {
            let range = range(at, most);
            let noise = noise(u64::from(at) + 1_000_000, range.len());
            log[range].copy_from_slice(&noise);
        }
    }
}

fn data(outcome: &Outcome) -> impl Iterator<Item = &[u8]> {
    outcome.records.iter().map(|(_, data)| &data[..])
}

fuzz_target!(|input: Input<'_>| {
    let (mut log, written, plain) = write(&input.records);
    let written = || written.iter().map(|record| &record[..]);
    let options = |salvage| Options {
        verify_checksums: true,
        initial_offset: 0,
        salvage,
    };
    for salvage in [false, true] {
        assert!(
            data(&read(&log, options(salvage))).eq(written()),
            "of an undamaged log"
        );
    }

    for hit in input.damages.iter().take(8) {
        damage(&mut log, hit);
    }
    log.truncate(log.len() - usize::from(input.cut.unwrap_or(0)).min(log.len()));
    let (default, salvaged) = (read(&log, options(false)), read(&log, options(true)));
    assert!(
        is_subsequence(data(&default), written()),
        "the default made something up"
    );
    if plain {
        assert!(
            is_subsequence(data(&salvaged), written()),
            "salvage made something up"
        );
    }
    assert!(is_subsequence(&default.records, &salvaged.records));
    default.account(&log);
    salvaged.account(&log);
});

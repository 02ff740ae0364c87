//! Salvage: what it goes on with, what it does not fall for, and where that ends.

use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Mended, Reason};

use crate::support::{
    Options, account, big, fragment, layout, log_of, noise, read, read_from, salvage,
};

/// Salvaging `log` gives these records, and drops so many bytes at each of these offsets.
pub(crate) fn check(log: &[u8], records: &[&[u8]], drops: &[(usize, usize, Reason)]) {
    let outcome = salvage(log);
    account(&outcome, log.len(), "");
    assert_eq!(outcome.data(), records);
    let got: Vec<(usize, usize, Reason)> = outcome
        .dropped
        .iter()
        .map(|d| {
            (
                usize::try_from(d.offset).unwrap(),
                usize::try_from(d.bytes).unwrap(),
                d.reason,
            )
        })
        .collect();
    assert_eq!(got, drops);
}

#[test]
fn a_flipped_payload_costs_its_record_alone() {
    let mut log = log_of(&["foo", "bar", "baz"]);
    log[17] ^= 0x40;
    check(
        &log,
        &[b"foo", b"baz"],
        &[(10, 10, Reason::ChecksumMismatch)],
    );
    assert_eq!(read(&log).drops(), [(20, Reason::ChecksumMismatch)]);
}

#[test]
fn a_length_with_a_flipped_bit_is_mended_and_costs_nothing() {
    let records = [noise(1, 57), noise(2, 57), noise(3, 57), noise(4, 57)];
    let clean = log_of(&records);
    for bit in 0..16 {
        for number in 0..8 {
            let header = number % 4 * 64;
            let mut log = clean.clone();
            // Preallocated space behind the last record is no hindrance.
            log.resize(clean.len() + number / 4 * 500, 0);
            log[header + 4 + bit / 8] ^= 1 << (bit % 8);
            let outcome = salvage(&log);
            assert_eq!(outcome.data(), records, "bit {bit} of record {number}");
            assert_eq!(
                (outcome.dropped.len(), outcome.passed_over.len()),
                (0, number / 4)
            );
            let mended = Mended {
                offset: header as u64,
                stored_length: 57 ^ (1 << bit),
                length: 57,
            };
            assert_eq!(outcome.mended, [mended]);
            assert_eq!(
                mended.to_string(),
                format!(
                    "mended the length of the fragment at offset {header}: 57 bytes, not {}",
                    57 ^ (1 << bit)
                )
            );
        }
    }
}

#[test]
fn a_checksum_that_holds_under_another_length_is_not_enough() {
    let bad = |kind, after: &[u8]| {
        let mut log = [&fragment(kind, &noise(1, 57)), after].concat();
        log[4] ^= 64;
        log
    };
    let record = fragment(1, b"foo");
    assert_eq!(salvage(&bad(1, &record)).mended.len(), 1);

    // Nothing that can follow a fragment follows.
    let outcome = salvage(&bad(1, &[0xee; 200]));
    assert_eq!(outcome.mended, []);
    assert_eq!(outcome.drops(), [(264, Reason::ChecksumMismatch)]);

    // There is nothing to mend in a record of no known type.
    for kind in [0, 9] {
        let after = [&record[..], &fragment(1, &noise(2, 200))].concat();
        let outcome = salvage(&bad(kind, &after));
        assert_eq!(outcome.mended, []);
        assert_eq!(outcome.data(), [b"foo", &noise(2, 200)[..]]);
        assert_eq!(outcome.drops(), [(64, Reason::ChecksumMismatch)]);
    }
}

#[test]
fn a_first_fragment_that_does_not_end_its_block_is_no_place_to_go_on() {
    let mut log = [
        fragment(1, b"foo"),
        fragment(2, b"stray"),
        fragment(1, b"bar"),
    ]
    .concat();
    log[8] ^= 1;
    check(&log, &[b"bar"], &[(0, 22, Reason::ChecksumMismatch)]);
}

/// What follows is found by its checksum, and then the bad one's checksum says that it does follow.
#[test]
fn a_length_damaged_in_several_bits_is_mended_by_what_follows() {
    let records = [noise(1, 57), noise(2, 300), noise(3, 57), noise(4, 57)];
    let clean = log_of(&records);
    let bad = 64;
    for stored in [0u16, 5, 310, 0x5a5a, 0x7fff, 0xffff] {
        let mut log = clean.clone();
        log[bad + 4..bad + 6].copy_from_slice(&stored.to_le_bytes());
        let outcome = salvage(&log);
        assert_eq!(outcome.data(), records, "{stored}");
        assert_eq!((outcome.dropped.len(), outcome.passed_over.len()), (0, 0));
        assert_eq!(outcome.mended.len(), 1);
        assert_eq!(outcome.searched.len(), 0, "it is where the checksum says");

        // With a payload that is damaged, too, the record is lost.
        log[bad + 20] ^= 1;
        let outcome = salvage(&log);
        assert_eq!(outcome.data(), [&records[0], &records[2], &records[3]]);
        assert_eq!(outcome.dropped_bytes(), 307);
        assert_eq!(outcome.searched, records[2..]);
    }
}

#[test]
fn a_length_that_reaches_past_the_file_is_a_torn_tail_if_nothing_is_found_behind_it() {
    let mut log = log_of(&[noise(1, 57), noise(2, 300)]);
    log[64 + 4..64 + 6].copy_from_slice(&0x5a5a_u16.to_le_bytes());
    let outcome = salvage(&log);
    assert_eq!(outcome, read(&log));
    assert_eq!(outcome.passed_over[0].offset, 64);
}

#[test]
fn several_bad_records_of_a_block_cost_themselves_alone() {
    let records: Vec<Vec<u8>> = (0..20).map(|i| noise(i + 1, 50)).collect();
    let clean = log_of(&records);
    let mut log = clean.clone();
    let kept = |lost: &[usize]| -> Vec<&[u8]> {
        (0..20)
            .filter(|i| !lost.contains(i))
            .map(|i| &records[i][..])
            .collect()
    };
    // Payloads: the lengths are right.
    for record in [3, 7, 8, 15] {
        log[record * 57 + 20] ^= 1;
    }
    let mismatch =
        |record: usize, records: usize| (record * 57, records * 57, Reason::ChecksumMismatch);
    check(
        &log,
        &kept(&[3, 7, 8, 15]),
        &[mismatch(3, 1), mismatch(7, 2), mismatch(15, 1)],
    );
    // A whole header gone after that: what comes before it has no way to the end of the block.
    log[11 * 57..11 * 57 + 7].fill(0xee);
    check(
        &log,
        &kept(&[3, 7, 8, 11, 15]),
        &[
            mismatch(3, 1),
            mismatch(7, 2),
            (11 * 57, 57, Reason::BadRecordLength),
            mismatch(15, 1),
        ],
    );
    // Two headers gone: what is between them is found by its checksum.
    log[9 * 57..9 * 57 + 7].fill(0xee);
    check(
        &log,
        &kept(&[3, 7, 8, 9, 11, 15]),
        &[
            mismatch(3, 1),
            mismatch(7, 3),
            (11 * 57, 57, Reason::BadRecordLength),
            mismatch(15, 1),
        ],
    );
}

#[test]
fn records_behind_a_hole_of_zeros_are_found() {
    let records: Vec<Vec<u8>> = (0..300).map(|i| noise(i + 1, 93)).collect();
    let mut log = log_of(&records);
    log[4096..8192].fill(0);
    let first_lost = 4096 / 100;
    let next = 8192usize.div_ceil(100);
    let outcome = salvage(&log);
    let kept: Vec<&[u8]> = (0..300)
        .filter(|i| !(first_lost..next).contains(i))
        .map(|i| &records[i][..])
        .collect();
    assert_eq!(outcome.data(), kept);
    assert_eq!(outcome.dropped_bytes(), (next - first_lost) as u64 * 100);
    // The same with a tail that was torn when the page was lost.
    log.truncate(log.len() - 10);
    assert_eq!(salvage(&log).data(), kept[..kept.len() - 1]);
    account(&salvage(&log), log.len(), "");
}

#[test]
fn an_empty_record_is_trusted_where_lengths_lead_to_it_and_not_where_it_is_found() {
    let records: [&[u8]; 4] = [b"foo", b"bar", b"", b"baz"];
    let mut log = log_of(&records);
    log[17] ^= 1;
    check(
        &log,
        &[b"foo", b"", b"baz"],
        &[(10, 10, Reason::ChecksumMismatch)],
    );
    log[14..16].copy_from_slice(&[0xff, 0xff]);
    check(
        &log,
        &[b"foo", b"baz"],
        &[(10, 17, Reason::BadRecordLength)],
    );
}

/// A fragmented record with bad records before it, inside it and after it.
#[test]
fn fragments_are_put_together_beside_a_bad_record_and_never_across_one() {
    let long = noise(1, 70_000);
    let clean = log_of(&[b"foo", &long[..], b"bar", b"baz"]);
    let parts = layout(10, long.len());
    assert_eq!(parts.len(), 3);

    // Before: by default the whole block is lost, and with it the first fragment.
    let mut log = clean.clone();
    log[8] ^= 1;
    check(
        &log,
        &[&long, b"bar", b"baz"],
        &[(0, 10, Reason::ChecksumMismatch)],
    );
    assert_eq!(read(&log).data(), [b"bar", b"baz"]);

    // After.
    let bar = parts[2].0 + HEADER_SIZE + parts[2].1;
    let mut log = clean.clone();
    log[bar + 8] ^= 1;
    check(
        &log,
        &[b"foo", &long, b"baz"],
        &[(bar, 10, Reason::ChecksumMismatch)],
    );

    // Each of its own: the record is lost, and what remains of it is not joined.
    for (part, &(offset, payload)) in parts.iter().enumerate() {
        let mut log = clean.clone();
        log[offset + HEADER_SIZE + 5] ^= 1;
        let outcome = salvage(&log);
        account(&outcome, log.len(), "");
        assert_eq!(outcome.data(), [b"foo", b"bar", b"baz"], "part {part}");
        let bad = (offset as u64, (HEADER_SIZE + payload) as u64);
        let dropped = outcome
            .dropped
            .iter()
            .find(|d| d.reason == Reason::ChecksumMismatch);
        assert_eq!(dropped.map(|d| (d.offset, d.bytes)), Some(bad));
    }
}

#[test]
fn the_ends_of_two_records_are_not_joined_when_what_is_between_them_is_bad() {
    let mut log = fragment(2, &noise(1, BLOCK_SIZE - 7));
    let bad = log.len();
    log.extend(fragment(1, b"between"));
    log.extend(fragment(4, b"the end of another"));
    log.extend(fragment(1, b"foo"));
    log[bad + 9] ^= 1;
    // By default the rest of the block is lost. A last fragment is no place to go on, so it is
    // looked for further on.
    let first = (0, BLOCK_SIZE - 7, Reason::BadBeforeLast);
    let second = (bad, 14 + 25, Reason::ChecksumMismatch);
    check(&log, &[b"foo"], &[second, first]);
}

#[test]
fn salvage_goes_on_without_checksums_too() {
    let mut log = log_of(&[noise(1, 57), noise(2, 300), noise(3, 57)]);
    log[64 + 4..64 + 6].copy_from_slice(&0xffff_u16.to_le_bytes());
    let options = Options {
        no_checksums: true,
        salvage: true,
        ..Options::default()
    };
    let outcome = read_from(&log[..], options);
    assert_eq!(outcome.data(), [noise(1, 57), noise(2, 300), noise(3, 57)]);
    log[70] ^= 0xff;
    let outcome = read_from(&log[..], options);
    assert_eq!(outcome.data(), [noise(1, 57), noise(3, 57)]);
}

/// Every other position looks like a header, of a payload that nearly fills the block, and from
/// each the lengths lead to the end.
#[test]
fn a_block_that_is_made_to_be_slow_is_still_done_with() {
    let mut block = vec![1; BLOCK_SIZE];
    for at in (0..BLOCK_SIZE - 8).step_by(2) {
        let room = BLOCK_SIZE - at - HEADER_SIZE - 1;
        block[at + 5] = u8::try_from(room / 256).unwrap();
    }
    block[4..6].copy_from_slice(&[0xff, 0xff]);
    let outcome = salvage(&block);
    assert_eq!(
        outcome.drops(),
        [(BLOCK_SIZE as u64, Reason::BadRecordLength)]
    );
    let outcome = salvage(&[block, log_of(&[big("foo", 100)])].concat());
    assert_eq!(outcome.data(), [big("foo", 100)]);
}

//! What LevelDB says nothing of: torn tails and zeros; and what it should have said something of.

use strata_wal::{BLOCK_SIZE, Cause, HEADER_SIZE, PassedOver, Reason, Writer};

use crate::support::{
    Options, account, big, fragment, log_of, noise, read, read_from, reader_with, salvage,
};

/// Neither mode drops anything, and both pass over this.
fn check(log: &[u8], records: usize, expected: &[(u64, u64, Cause)]) {
    let outcome = read(log);
    account(&outcome, log.len(), "");
    assert_eq!(outcome.records.len(), records);
    assert_eq!(outcome.dropped, []);
    let expected: Vec<PassedOver> = expected
        .iter()
        .map(|&(offset, bytes, cause)| PassedOver {
            offset,
            bytes,
            cause,
        })
        .collect();
    assert_eq!(outcome.passed_over, expected);
    assert_eq!(salvage(log), outcome);
}

#[test]
fn a_torn_tail_is_passed_over_from_where_its_record_begins() {
    let log = log_of(&["foo", "bar"]);
    check(&log[..13], 1, &[(10, 3, Cause::TornTail)]);
    check(&log[..18], 1, &[(10, 8, Cause::TornTail)]);

    let log = log_of(&[b"foo".to_vec(), big("bar", 2 * BLOCK_SIZE)]);
    for length in [
        BLOCK_SIZE,
        BLOCK_SIZE + 3,
        BLOCK_SIZE + 100,
        2 * BLOCK_SIZE,
        log.len() - 1,
    ] {
        check(
            &log[..length],
            1,
            &[(10, length as u64 - 10, Cause::TornTail)],
        );
    }
}

#[test]
fn a_log_truncated_to_where_its_torn_tail_begins_can_be_continued() {
    let log = log_of(&[b"foo".to_vec(), big("bar", 2 * BLOCK_SIZE)]);
    let mut log = log[..BLOCK_SIZE + 20].to_vec();
    let [tail] = read(&log).passed_over[..] else {
        panic!("no tail");
    };
    log.truncate(usize::try_from(tail.offset).unwrap());
    Writer::continuing(&mut log, tail.offset)
        .add_record(b"baz")
        .unwrap();
    check(&log, 2, &[]);
    assert_eq!(read(&log).data(), [b"foo", b"baz"]);
}

#[test]
fn a_cut_trailer_is_no_torn_tail() {
    let log = log_of(&[big("foo", BLOCK_SIZE - HEADER_SIZE - 6), b"bar".to_vec()]);
    for length in BLOCK_SIZE - 6..=BLOCK_SIZE {
        check(&log[..length], 1, &[]);
    }
    check(
        &log[..=BLOCK_SIZE],
        1,
        &[(BLOCK_SIZE as u64, 1, Cause::TornTail)],
    );
}

#[test]
fn preallocated_space_is_passed_over_once_however_many_blocks_it_has() {
    for length in [
        7,
        8,
        100,
        BLOCK_SIZE - 10,
        BLOCK_SIZE,
        5 * BLOCK_SIZE + 3,
        5 * BLOCK_SIZE + 900,
    ] {
        let mut log = log_of(&["foo"]);
        log.resize(10 + length, 0);
        check(&log, 1, &[(10, length as u64, Cause::Zeros)]);
        check(&vec![0; length], 0, &[(0, length as u64, Cause::Zeros)]);
    }
    for length in 1..7 {
        let mut log = log_of(&["foo"]);
        log.resize(10 + length, 0);
        check(&log, 1, &[(10, length as u64, Cause::Zeros)]);
    }
}

#[test]
fn zeros_between_records_are_reported_before_what_follows_them() {
    let mut log = log_of(&["foo"]);
    log.resize(2 * BLOCK_SIZE, 0);
    log.extend(log_of(&["bar"]));
    log.resize(3 * BLOCK_SIZE, 0);
    log.extend(&log_of(&["torn"])[..9]);
    let block = BLOCK_SIZE as u64;
    check(
        &log,
        2,
        &[
            (10, 2 * block - 10, Cause::Zeros),
            (2 * block + 10, block - 10, Cause::Zeros),
            (3 * block, 9, Cause::TornTail),
        ],
    );
    let options = Options {
        initial_offset: block + 5,
        ..Options::default()
    };
    let outcome = read_from(&log[..], options);
    assert_eq!(outcome.data(), [b"bar"]);
    let first = outcome.passed_over[0];
    assert_eq!(
        (first.offset, first.bytes),
        (block + 5, block - 5),
        "only what lies behind it"
    );
}

#[test]
fn zeros_inside_a_fragmented_record_drop_what_there_is_of_it() {
    let mut log = log_of(&[big("foo", 2 * BLOCK_SIZE)]);
    log[BLOCK_SIZE..2 * BLOCK_SIZE].fill(0);
    let outcome = read(&log);
    let block = BLOCK_SIZE as u64;
    account(&outcome, log.len(), "");
    assert_eq!(
        outcome.drops(),
        [
            (block - 7, Reason::BadBeforeLast),
            (14, Reason::LastWithoutFirst)
        ]
    );
    assert_eq!(
        (outcome.dropped[0].offset, outcome.dropped[0].end),
        (0, block)
    );
    let zeros = PassedOver {
        offset: block,
        bytes: block,
        cause: Cause::Zeros,
    };
    assert_eq!(outcome.passed_over, [zeros]);
}

/// Zeros are known to end only when something follows them; they are still told before it, and
/// after the record that they interrupt.
#[test]
fn zeros_are_told_in_their_place() {
    let mut log = log_of(&[big("foo", 2 * BLOCK_SIZE), b"bar".to_vec()]);
    log[BLOCK_SIZE..2 * BLOCK_SIZE].fill(0);
    log.extend(vec![0; 100]);
    let mut said = Vec::new();
    let mut reader = reader_with(&log[..], Options::default());
    let mut next = |said: &mut Vec<String>| {
        let record = reader
            .read_record(&mut |report| said.push(report.to_string()))
            .unwrap();
        record.map(|record| record.data.to_vec())
    };
    assert_eq!(next(&mut said), Some(b"bar".to_vec()));
    assert_eq!(
        said,
        [
            "dropped 32761 bytes at offset 0: error in middle of record",
            "passed over 32768 bytes at offset 32768: zeros",
            "dropped 14 bytes at offset 65536: missing start of fragmented record(2)",
        ]
    );
    said.clear();
    assert_eq!(next(&mut said), None);
    assert_eq!(said, ["passed over 100 bytes at offset 65567: zeros"]);

    let mut log = vec![0; BLOCK_SIZE];
    log.extend(log_of(&["foo"]));
    let mut said = Vec::new();
    let mut reader = reader_with(&log[..], Options::default());
    reader
        .read_record(&mut |report| said.push(report.to_string()))
        .unwrap();
    assert_eq!(said, ["passed over 32768 bytes at offset 0: zeros"]);
}

/// LevelDB leaves the second record out without a word.
#[test]
fn data_behind_a_zeroed_header_is_dropped_and_not_in_silence() {
    let mut log = log_of(&["foo", "bar", "baz"]);
    log[10..20].fill(0);
    let outcome = read(&log);
    assert_eq!(outcome.data(), [b"foo"]);
    assert_eq!(outcome.drops(), [(20, Reason::DataBehindZeroHeader)]);
    account(&outcome, log.len(), "");

    let outcome = salvage(&log);
    assert_eq!(outcome.data(), [b"foo", b"baz"]);
    assert_eq!(outcome.drops(), [(10, Reason::DataBehindZeroHeader)]);
    account(&outcome, log.len(), "");
}

#[test]
fn what_stands_in_a_trailer_does_not_matter() {
    let mut log = log_of(&[big("foo", BLOCK_SIZE - HEADER_SIZE - 6), b"bar".to_vec()]);
    log[BLOCK_SIZE - 6..BLOCK_SIZE].fill(b'?');
    check(&log, 2, &[]);
}

/// What old versions of LevelDB wrote at the end of a block.
#[test]
fn a_first_fragment_of_no_bytes_that_is_not_continued_is_passed_over() {
    let first = big("foo", BLOCK_SIZE - 2 * HEADER_SIZE);
    let last = BLOCK_SIZE as u64 - 7;
    for next in [noise(1, 5), noise(2, BLOCK_SIZE)] {
        let log = [log_of(&[&first]), fragment(2, b""), log_of(&[&next])].concat();
        check(&log, 2, &[(last, 7, Cause::EmptyStart)]);
        assert_eq!(read(&log).data(), [first.clone(), next]);
    }
}

/// 5 and 6 are LevelDB's own marks for the end of the file and for a bad record, and it falls for
/// them: under a checksum that holds, a 5 ends its log in silence.
#[test]
fn types_five_and_six_are_unknown_like_any_other() {
    for kind in [0, 5, 6, 7, 128, 255] {
        let log = [fragment(kind, b"what"), fragment(1, b"foo")].concat();
        let outcome = read(&log);
        assert_eq!(outcome.data(), [b"foo"]);
        assert_eq!(outcome.drops(), [(4, Reason::UnknownRecordType(kind))]);
        account(&outcome, log.len(), "");
        assert_eq!(salvage(&log), outcome);
    }
}

#[test]
fn a_fragment_of_unknown_type_takes_the_record_around_it_with_it() {
    let mut log = fragment(2, &noise(1, BLOCK_SIZE - 7));
    log.extend(fragment(9, b"what"));
    log.extend(fragment(4, b"end"));
    log.extend(fragment(1, b"foo"));
    let outcome = read(&log);
    assert_eq!(outcome.data(), [b"foo"]);
    assert_eq!(
        outcome.drops(),
        [
            (BLOCK_SIZE as u64 - 7 + 4, Reason::UnknownRecordType(9)),
            (3, Reason::LastWithoutFirst)
        ]
    );
    account(&outcome, log.len(), "");
}

#[test]
fn without_checksums_a_flipped_payload_is_returned_as_it_is() {
    let mut log = log_of(&["foo", "bar"]);
    log[7] = b'g';
    let options = Options {
        no_checksums: true,
        ..Options::default()
    };
    let outcome = read_from(&log[..], options);
    assert_eq!(outcome.data(), [b"goo", b"bar"]);
    assert_eq!(outcome.dropped, []);
}

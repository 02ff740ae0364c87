//! The 38 cases LevelDB's `log_test` holds, in our words. Each names LevelDB's.

use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Writer};

use crate::source::{Failing, Step};
use crate::support::{
    Options, Outcome, Random, big, fix_checksum, log_of, read, read_from, reader_with, starting_at,
};

/// The messages of all drops, one after the other.
pub(crate) fn message(outcome: &Outcome) -> String {
    outcome
        .dropped
        .iter()
        .map(|d| d.reason.to_string())
        .collect()
}

/// Reading `log` gives these records, and drops so many bytes with a message that contains this.
fn check(log: &[u8], records: &[&[u8]], dropped: u64, text: &str) {
    let outcome = read(log);
    assert_eq!(outcome.data(), records);
    assert_eq!(outcome.dropped_bytes(), dropped);
    assert!(message(&outcome).contains(text), "{outcome:?}");
    if text.is_empty() {
        assert_eq!(message(&outcome), "");
    }
}

fn check_clean<T: AsRef<[u8]>>(log: &[u8], records: &[T]) {
    let records: Vec<&[u8]> = records.iter().map(AsRef::as_ref).collect();
    check(log, &records, 0, "");
    assert_eq!(read(log).passed_over, []);
}

/// `Empty`.
#[test]
fn an_empty_log_has_no_records() {
    check_clean(b"", &[] as &[&str]);
}

/// `ReadWrite`.
#[test]
fn records_are_read_as_written() {
    let records = ["foo", "bar", "", "xxxx"];
    check_clean(&log_of(&records), &records);
}

/// `ManyBlocks`.
#[test]
fn a_log_of_many_blocks_is_read_as_written() {
    let records: Vec<String> = (0..100_000).map(|i| format!("{i}.")).collect();
    check_clean(&log_of(&records), &records);
}

/// `Fragmentation`.
#[test]
fn long_records_are_fragmented_and_put_together() {
    let records = [
        b"small".to_vec(),
        big("medium", 50_000),
        big("large", 100_000),
    ];
    check_clean(&log_of(&records), &records);
}

/// `MarginalTrailer`.
#[test]
fn a_trailer_as_long_as_a_header_holds_an_empty_record() {
    let foo = big("foo", BLOCK_SIZE - 2 * HEADER_SIZE);
    assert_eq!(log_of(&[&foo]).len(), BLOCK_SIZE - HEADER_SIZE);
    let records = [foo, vec![], b"bar".to_vec()];
    check_clean(&log_of(&records), &records);
}

/// `MarginalTrailer2`.
#[test]
fn a_trailer_as_long_as_a_header_begins_a_record() {
    let records = [big("foo", BLOCK_SIZE - 2 * HEADER_SIZE), b"bar".to_vec()];
    check_clean(&log_of(&records), &records);
}

/// `ShortTrailer`.
#[test]
fn a_trailer_shorter_than_a_header_holds_nothing() {
    let foo = big("foo", BLOCK_SIZE - 2 * HEADER_SIZE + 4);
    assert_eq!(log_of(&[&foo]).len(), BLOCK_SIZE - HEADER_SIZE + 4);
    let records = [foo, vec![], b"bar".to_vec()];
    check_clean(&log_of(&records), &records);
}

/// `AlignedEof`.
#[test]
fn a_log_may_end_where_a_trailer_would_begin() {
    let records = [big("foo", BLOCK_SIZE - 2 * HEADER_SIZE + 4)];
    check_clean(&log_of(&records), &records);
}

/// `OpenForAppend`.
#[test]
fn a_log_can_be_continued() {
    let mut log = log_of(&["hello"]);
    let length = log.len() as u64;
    Writer::continuing(&mut log, length)
        .add_record(b"world")
        .unwrap();
    check_clean(&log, &["hello", "world"]);
}

/// `RandomRead`.
#[test]
fn records_of_skewed_lengths_are_read_as_written() {
    let mut random = Random::new(301);
    let records: Vec<Vec<u8>> = (0..500)
        .map(|i| {
            big(
                &format!("{i}."),
                usize::try_from(random.skewed(17)).unwrap(),
            )
        })
        .collect();
    check_clean(&log_of(&records), &records);
}

/// `ReadError`.
#[test]
fn a_read_error_drops_a_block_and_ends_the_log() {
    let log = log_of(&["foo"]);
    let source = Failing::new(&log, &[Step::Fail]);
    let mut reader = reader_with(source, Options::default());
    let mut outcome = Outcome::default();
    reader
        .read_record(&mut |report| outcome.note(report))
        .unwrap_err();
    assert_eq!(outcome.dropped_bytes(), BLOCK_SIZE as u64);
    assert!(message(&outcome).contains("read error"));
    let mut again = |report| outcome.note(report);
    assert_eq!(reader.read_record(&mut again).unwrap(), None);
    assert_eq!(outcome.dropped.len(), 1);
}

/// `BadRecordType`.
#[test]
fn a_record_of_unknown_type_is_dropped() {
    let mut log = log_of(&["foo"]);
    log[6] += 100;
    fix_checksum(&mut log, 0, 3);
    check(&log, &[], 3, "unknown record type");
}

/// `TruncatedTrailingRecordIsIgnored`.
#[test]
fn a_header_that_the_end_of_the_file_cuts_is_no_damage() {
    let log = log_of(&["foo"]);
    check(&log[..log.len() - 4], &[], 0, "");
}

/// `BadLength`.
#[test]
fn a_length_past_the_block_drops_the_block_and_no_more() {
    let mut log = log_of(&[big("bar", BLOCK_SIZE - HEADER_SIZE), b"foo".to_vec()]);
    log[4] += 1;
    check(&log, &[b"foo"], BLOCK_SIZE as u64, "bad record length");
}

/// `BadLengthAtEndIsIgnored`.
#[test]
fn a_payload_that_the_end_of_the_file_cuts_is_no_damage() {
    let log = log_of(&["foo"]);
    check(&log[..log.len() - 1], &[], 0, "");
}

/// `ChecksumMismatch`.
#[test]
fn a_wrong_checksum_drops_the_rest_of_the_block() {
    let mut log = log_of(&["foo"]);
    log[0] = log[0].wrapping_add(10);
    check(&log, &[], 10, "checksum mismatch");
}

/// `UnexpectedMiddleType`.
#[test]
fn a_middle_without_a_first_is_dropped() {
    let mut log = log_of(&["foo"]);
    log[6] = 3;
    fix_checksum(&mut log, 0, 3);
    check(&log, &[], 3, "missing start");
}

/// `UnexpectedLastType`.
#[test]
fn a_last_without_a_first_is_dropped() {
    let mut log = log_of(&["foo"]);
    log[6] = 4;
    fix_checksum(&mut log, 0, 3);
    check(&log, &[], 3, "missing start");
}

/// `UnexpectedFullType`.
#[test]
fn a_first_before_a_full_is_dropped() {
    let mut log = log_of(&["foo", "bar"]);
    log[6] = 2;
    fix_checksum(&mut log, 0, 3);
    check(&log, &[b"bar"], 3, "partial record without end");
}

/// `UnexpectedFirstType`.
#[test]
fn a_first_before_a_first_is_dropped() {
    let bar = big("bar", 100_000);
    let mut log = log_of(&[b"foo", &bar[..]]);
    log[6] = 2;
    fix_checksum(&mut log, 0, 3);
    check(&log, &[&bar], 3, "partial record without end");
}

/// `MissingLastIsIgnored`.
#[test]
fn a_record_without_its_last_at_the_end_of_the_file_is_no_damage() {
    let log = log_of(&[big("bar", BLOCK_SIZE)]);
    check(&log[..log.len() - 14], &[], 0, "");
}

/// `PartialLastIsIgnored`.
#[test]
fn a_record_whose_last_the_end_of_the_file_cuts_is_no_damage() {
    let log = log_of(&[big("bar", BLOCK_SIZE)]);
    check(&log[..log.len() - 1], &[], 0, "");
}

/// `SkipIntoMultiRecord`.
#[test]
fn starting_inside_a_fragmented_record_passes_over_its_rest_in_silence() {
    let log = log_of(&[&big("foo", 3 * BLOCK_SIZE)[..], b"correct"]);
    let outcome = read_from(&log[..], starting_at(BLOCK_SIZE as u64));
    assert_eq!(outcome.data(), [b"correct"]);
    assert_eq!(
        (outcome.dropped_bytes(), message(&outcome)),
        (0, String::new())
    );
}

/// `ErrorJoinsRecords`.
#[test]
fn two_records_are_not_joined_across_a_wiped_block() {
    let mut log = log_of(&[
        &big("foo", BLOCK_SIZE)[..],
        &big("bar", BLOCK_SIZE),
        b"correct",
    ]);
    log[BLOCK_SIZE..2 * BLOCK_SIZE].fill(b'x');
    let outcome = read(&log);
    assert_eq!(outcome.data(), [b"correct"]);
    assert!(
        (65536..=65636).contains(&outcome.dropped_bytes()),
        "{outcome:?}"
    );
}

/// Length and offset of the records that the cases of an initial offset are about.
pub(crate) const RECORDS: [(usize, u64); 6] = [
    (10_000, 0),
    (10_000, 10_007),
    (64_536, 20_014),
    (1, 84_571),
    (13_716, 84_579),
    (32_761, 98_304),
];

fn initial_offset_log() -> Vec<u8> {
    let records: Vec<Vec<u8>> = (b'a'..)
        .zip(RECORDS)
        .map(|(byte, (length, _))| vec![byte; length])
        .collect();
    log_of(&records)
}

/// Starting at `initial_offset` gives the records from number `expected` on.
pub(crate) fn check_initial_offset(initial_offset: u64, expected: usize) {
    let outcome = read_from(&initial_offset_log()[..], starting_at(initial_offset));
    let got: Vec<(u8, usize, u64)> = outcome
        .records
        .iter()
        .map(|(offset, data)| (data[0], data.len(), *offset))
        .collect();
    let all: Vec<(u8, usize, u64)> = (b'a'..)
        .zip(RECORDS)
        .map(|(byte, (length, offset))| (byte, length, offset))
        .collect();
    assert_eq!(got, all[expected..]);
}

pub(crate) fn check_past_end(by: u64) {
    let log = initial_offset_log();
    let outcome = read_from(&log[..], starting_at(log.len() as u64 + by));
    assert_eq!(outcome, Outcome::default());
}

macro_rules! initial_offset_cases {
    ($($(#[doc = $leveldb:literal])* $name:ident: $offset:expr => $expected:literal;)*) => {
        $(
            $(#[doc = $leveldb])*
            #[test]
            fn $name() {
                check_initial_offset($offset, $expected);
            }
        )*
    };
}

initial_offset_cases! {
    /// `ReadStart`.
    starting_at_0_gives_the_first_record: 0 => 0;
    /// `ReadSecondOneOff`.
    starting_one_byte_in_gives_the_second: 1 => 1;
    /// `ReadSecondTenThousand`.
    starting_in_the_payload_of_the_first_gives_the_second: 10_000 => 1;
    /// `ReadSecondStart`.
    starting_at_the_second_gives_the_second: 10_007 => 1;
    /// `ReadThirdOneOff`.
    starting_one_byte_into_the_second_gives_the_third: 10_008 => 2;
    /// `ReadThirdStart`.
    starting_at_the_third_gives_the_third: 20_014 => 2;
    /// `ReadFourthOneOff`.
    starting_one_byte_into_the_third_gives_the_fourth: 20_015 => 3;
    /// `ReadFourthFirstBlockTrailer`.
    starting_in_the_thirds_first_block_gives_the_fourth: 32_764 => 3;
    /// `ReadFourthMiddleBlock`.
    starting_in_the_thirds_middle_block_gives_the_fourth: 32_769 => 3;
    /// `ReadFourthLastBlock`.
    starting_in_the_thirds_last_block_gives_the_fourth: 65_537 => 3;
    /// `ReadFourthStart`. LevelDB computes the offset from 1000 where it means 10000, so it lies
    /// within the third record's last block; the record's own offset is tried below.
    starting_where_leveldb_has_the_fourth_gives_the_fourth: 2 * 1_007 + 64_536 + 21 => 3;
    /// `ReadInitialOffsetIntoBlockPadding`.
    starting_in_a_trailer_gives_the_next_blocks_record: 98_301 => 5;
}

/// `ReadEnd`.
#[test]
fn starting_at_the_end_gives_nothing() {
    check_past_end(0);
}

/// `ReadPastEnd`.
#[test]
fn starting_past_the_end_gives_nothing() {
    check_past_end(5);
}

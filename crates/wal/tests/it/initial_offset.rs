//! Where an initial offset makes the reader begin, beyond LevelDB's own cases.

use strata_wal::{BLOCK_SIZE, HEADER_SIZE, Reason};

use crate::leveldb::{RECORDS, check_initial_offset, check_past_end, message};
use crate::naive;
use crate::support::{big, fragment, log_of, read_from, starting_at};

#[test]
fn starting_at_a_record_gives_it_and_one_byte_further_the_next() {
    for (number, (_, offset)) in RECORDS.into_iter().enumerate() {
        check_initial_offset(offset, number);
        check_initial_offset(offset + 1, number + 1);
    }
    check_past_end(BLOCK_SIZE as u64);
    check_past_end(u64::MAX - 200_000);
}

/// A block is skipped if fewer than six bytes of it lie behind the initial offset. In one that is
/// not, the record before the offset ends the resynchronisation, and what follows is reported.
#[test]
fn resynchronisation_begins_and_ends_where_leveldbs_does() {
    let log = log_of(&[b"foo", &big("bar", 100_000)[..], b"baz"]);
    let block = BLOCK_SIZE as u64;
    for (initial_offset, text) in [
        (block - 7, "missing start of fragmented record(1)"),
        (block - 6, "missing start of fragmented record(1)"),
        (block - 5, ""),
        (block, ""),
        (block + 1, "missing start of fragmented record(1)"),
        (2 * block + 1, "missing start of fragmented record(2)"),
        (3 * block - 5, ""),
        (3 * block, ""),
    ] {
        let outcome = read_from(&log[..], starting_at(initial_offset));
        assert_eq!(outcome.data(), [b"baz"]);
        let message = message(&outcome);
        assert!(message.starts_with(text), "{initial_offset}: {message}");
        assert_eq!(
            message.is_empty(),
            text.is_empty(),
            "{initial_offset}: {message}"
        );
        let naive = naive::read(&log, starting_at(initial_offset));
        assert_eq!(outcome.drops(), naive.drops, "{initial_offset}");
    }
}

/// Once the record that was begun before the initial offset has ended, another without a start is
/// damage.
#[test]
fn only_the_record_that_the_initial_offset_cuts_is_passed_over_in_silence() {
    for between in [4, 1] {
        let log = [
            fragment(2, &big("foo", BLOCK_SIZE - HEADER_SIZE)),
            fragment(3, &big("foo", BLOCK_SIZE - HEADER_SIZE)),
            fragment(between, b"end"),
            fragment(3, b"stray"),
            fragment(4, b"stray"),
            fragment(1, b"baz"),
        ]
        .concat();
        let options = starting_at(BLOCK_SIZE as u64);
        let outcome = read_from(&log[..], options);
        let naive = naive::read(&log, options);
        assert_eq!(
            (&outcome.records, outcome.drops()),
            (&naive.records, naive.drops)
        );
        assert_eq!(
            outcome.drops(),
            [
                (5, Reason::MiddleWithoutFirst),
                (5, Reason::LastWithoutFirst)
            ]
        );
    }
}

//! From logs to memtables, by LevelDB's rules.

use std::io::{self, Read};

use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::ImmutableMemTable;
use strata_wal::Report;
use strata_write_batch::{BatchFault, InsertError, MalformedBatch};
use strata_write_buffer::{
    DropReason, Flush, FlushError, LogReport, Recovery, RecoveryError, RecoveryOptions,
};

use crate::outcome::{Comparator, Entries, Flushed, batch, log, options, recover, with_logs};
use strata_files::testing::FaultyDirectory;

#[test]
fn logs_are_replayed_in_the_order_of_their_numbers_from_the_first_asked_for() {
    let records = |first| [batch(first, &[(b"k", b"v")])];
    let directory = with_logs(&[(3, &records(1)), (10, &records(3))]);
    directory.put("9.log", &log(&records(2)));
    directory.put("000004.ldb", b"no log");
    directory.put("CURRENT", b"MANIFEST-000002\n");

    let outcome = recover(&directory, 0, options(1 << 20, false));
    assert_eq!(outcome.recovered.logs, [3, 9, 10]);
    assert_eq!(outcome.sequences(), [1, 2, 3]);
    assert_eq!(outcome.memtables.len(), 1, "one memtable for several logs");
    assert_eq!(outcome.memtables[0].0, 3, "the oldest of them");

    for first in [4, 9] {
        let outcome = recover(&directory, first, options(1 << 20, false));
        assert_eq!(outcome.recovered.logs, [9, 10]);
        assert_eq!(outcome.sequences(), [2, 3]);
        assert_eq!(outcome.memtables[0].0, 9);
    }
}

#[test]
fn nothing_is_recovered_of_nothing() {
    for directory in [with_logs(&[]), with_logs(&[(3, &[]), (4, &[])])] {
        let outcome = recover(&directory, 0, RecoveryOptions::default());
        assert!(outcome.recovered.memtable.is_none());
        assert_eq!(outcome.recovered.last_sequence, SequenceNumber::ZERO);
        assert_eq!(outcome.recovered.sequences, None);
        assert_eq!(outcome.texts(), [""; 0]);
    }
}

#[test]
fn a_memtable_is_flushed_after_the_record_that_exceeds_the_buffer_with_its_oldest_log() {
    let value = vec![b'v'; 40_000];
    let put = |sequence| batch(sequence, &[(b"k", &value)]);
    let directory = with_logs(&[
        (3, &[put(1)]),
        (5, &[put(2), put(3)]),
        (7, &[put(4), put(5)]),
    ]);
    let outcome = recover(&directory, 0, options(64 << 10, false));
    let sequences = |entries: &Entries| entries.keys().map(|key| key.1).collect::<Vec<_>>();
    let memtables: Vec<_> = outcome
        .memtables
        .iter()
        .map(|(log, entries)| (*log, sequences(entries)))
        .collect();
    assert_eq!(memtables, [(3, vec![1, 2]), (5, vec![3, 4]), (7, vec![5])]);
}

#[test]
fn repeated_sequence_numbers_begin_a_memtable() {
    let directory = with_logs(&[
        (3, &[batch(1, &[(b"k", b"old")])]),
        (4, &[batch(1, &[(b"k", b"new")]), batch(2, &[(b"l", b"")])]),
    ]);
    let outcome = recover(&directory, 0, RecoveryOptions::default());
    let key = (b"k".to_vec(), 1, false);
    assert_eq!(outcome.memtables.len(), 2);
    assert_eq!((outcome.memtables[0].0, outcome.memtables[1].0), (3, 4));
    assert_eq!(outcome.memtables[0].1[&key], b"old");
    assert_eq!(outcome.memtables[1].1[&key], b"new");
    assert_eq!(outcome.recovered.entries, 3);
    assert_eq!(outcome.texts(), [""; 0]);
}

#[test]
fn records_that_are_no_batches_are_dropped_in_leveldbs_words() {
    let mut malformed = batch(2, &[(b"a", b"1"), (b"b", b"2")]);
    malformed[17] = 9;
    let directory = with_logs(&[(
        3,
        &[
            batch(1, &[(b"k", b"v")]),
            b"too small".to_vec(),
            malformed,
            batch(4, &[(b"k", b"v")]),
        ],
    )]);
    for salvage in [false, true] {
        let outcome = recover(&directory, 0, options(1 << 20, salvage));
        assert_eq!(
            outcome.texts(),
            [
                "000003.log: 9 bytes at offset 24 dropped: log record too small",
                "000003.log: 22 bytes at offset 40 dropped: unknown WriteBatch tag at byte 17 \
                 of the batch",
            ]
        );
        let LogReport::Dropped(dropped) = &outcome.reports[1] else {
            panic!("{:?}", outcome.reports);
        };
        let fault = MalformedBatch {
            fault: BatchFault::UnknownTag,
            offset: 17,
        };
        let reason = DropReason::Batch(InsertError::Malformed(fault));
        assert_eq!((dropped.reason, dropped.end), (reason, 69));
        let sequences = if salvage { vec![1, 2, 4] } else { vec![1, 4] };
        assert_eq!(outcome.sequences(), sequences);
        assert_eq!(outcome.recovered.records, 4);
        assert_eq!(outcome.recovered.batches, sequences.len() as u64);
    }
}

#[test]
fn the_last_sequence_is_what_headers_say_was_given_out() {
    let last = |records: &[Vec<u8>], salvage| {
        let directory = with_logs(&[(3, records)]);
        let outcome = recover(&directory, 0, options(1 << 20, salvage));
        outcome.recovered.last_sequence.get()
    };
    let sound = batch(5, &[(b"k", b"v")]);
    assert_eq!(last(std::slice::from_ref(&sound), false), 5);

    // Dropped, and its header counts all the same.
    let mut malformed = batch(6, &[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]);
    malformed[12] = 9;
    assert_eq!(last(&[sound.clone(), malformed], false), 8);

    // An empty batch says which number would have been next.
    assert_eq!(last(&[sound.clone(), batch(8, &[])], false), 7);
    assert_eq!(last(&[sound.clone(), batch(0, &[])], false), 5);

    // More records than announced: those that are salvaged have numbers, too.
    let mut miscounted = batch(6, &[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]);
    miscounted[8] = 1;
    assert_eq!(last(&[sound.clone(), miscounted.clone()], false), 6);
    assert_eq!(last(&[sound.clone(), miscounted], true), 8);

    // A number that none is can't have been given out, nor one too few that have.
    let mut beyond = sound.clone();
    beyond[7] = 1;
    assert_eq!(last(&[sound.clone(), beyond], false), 5);
    let largest = SequenceNumber::MAX.get();
    let reaching_beyond = batch(largest, &[(b"a", b"1"), (b"b", b"2")]);
    assert_eq!(last(&[sound.clone(), reaching_beyond], false), 5);
    assert_eq!(
        last(&[sound, batch(largest, &[(b"a", b"1")])], false),
        largest
    );
}

#[test]
fn damage_and_tails_are_told_with_the_readers_own_words() {
    let records = [batch(1, &[(b"k", b"v")]), batch(2, &[(b"l", b"v")])];
    let whole = log(&records);
    let recovered = |log: &[u8]| {
        let directory = FaultyDirectory::default();
        directory.put("000003.log", log);
        recover(&directory, 0, RecoveryOptions::default())
    };

    let outcome = recovered(&whole[..40]);
    assert_eq!(
        outcome.texts(),
        ["000003.log: at offset 24, 16 bytes passed over: a record that the end of the file cuts"]
    );
    let LogReport::Mentioned(mention) = &outcome.reports[0] else {
        panic!("{:?}", outcome.reports);
    };
    assert!(matches!(mention.report, Report::PassedOver(passed) if passed.bytes == 16));

    let mut flipped = whole.clone();
    flipped[30] ^= 1;
    let outcome = recovered(&flipped);
    assert_eq!(
        outcome.texts(),
        ["000003.log: 24 bytes at offset 24 dropped: checksum mismatch"]
    );
    assert_eq!(outcome.sequences(), [1]);

    // Zeros to the end are space that was set aside; before anything else, a loss.
    let mut zeros = whole.clone();
    zeros.resize(70_000, 0);
    let mention = "000003.log: at offset 48, 69952 bytes passed over: zeros";
    assert_eq!(recovered(&zeros).texts(), [mention]);
    zeros.resize(3 * 32_768, 0);
    let mention = "000003.log: at offset 48, 98256 bytes passed over: zeros";
    assert_eq!(recovered(&zeros).texts(), [mention]);
    zeros.extend_from_slice(&whole);
    let outcome = recovered(&zeros);
    assert_eq!(
        outcome.texts(),
        ["000003.log: 98256 bytes at offset 48 dropped: zeros in the middle of the log"]
    );
}

/// A source that gives the bytes it has, and then fails.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.is_empty() {
            true => Err(io::Error::other("the disk is gone")),
            false => self.0.read(buffer),
        }
    }
}

#[test]
fn errors_say_which_log_and_where() {
    let value = vec![b'v'; 70_000];
    let records = [
        batch(1, &[(b"k", b"v")]),
        batch(2, &[(b"k", &value)]),
        batch(3, &[(b"k", b"v")]),
    ];
    let mut log = log(&records);
    // The reader reads whole blocks, and makes nothing of one that it can't read to its end.
    log.resize(log.len().next_multiple_of(strata_wal::BLOCK_SIZE), 0);
    let recovery = || Recovery::new(BytewiseComparator, options(64 << 10, false));
    let mut flushed = Flushed::default();

    let error = recovery()
        .replay(3, "000003.log", Failing(&log), &mut flushed, &mut |_| {})
        .unwrap_err();
    let expected = format!(
        "can't read 000003.log from offset {} on: the disk is gone",
        log.len()
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(flushed.0.len(), 1, "what was flushed before is flushed");

    /// It fails.
    struct Full;
    impl Flush<Comparator> for Full {
        fn flush(&mut self, _: &ImmutableMemTable<Comparator>, _: u64) -> Result<(), FlushError> {
            Err("the disk is full".into())
        }
    }
    let error = recovery()
        .replay(3, "000003.log", &log[..], &mut Full, &mut |_| {})
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't flush the memtable that was full at offset 24 of 000003.log: the disk is full"
    );

    let directory = with_logs(&[(3, &records)]);
    directory.fail_after(0, 1);
    let replayed = recovery().replay_directory(&directory, 0, &mut flushed, &mut |_| {});
    assert!(matches!(replayed, Err(RecoveryError::List { .. })));
    directory.fail_after(1, 1);
    let replayed = recovery().replay_directory(&directory, 0, &mut flushed, &mut |_| {});
    assert!(matches!(replayed, Err(RecoveryError::Open { file, .. }) if file == "000003.log"));
}

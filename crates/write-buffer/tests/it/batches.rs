//! The batches of a log, read without memtables.

use std::io::{self, ErrorKind, Read};

use strata_wal::{Cause, PassedOver, Report};
use strata_write_buffer::{LogBatches, LogMention, LogReport, RecoveryOptions};

use crate::outcome::{batch, log, options, recover, with_logs};

/// A batch as it came: where its record begins and ends, what it holds, and whether it is whole.
type Got = (u64, u64, Vec<u8>, bool);

fn read(
    log: &[u8],
    set: impl Fn(LogBatches<&[u8]>) -> LogBatches<&[u8]>,
) -> (Vec<Got>, Vec<String>) {
    let mut batches = set(LogBatches::new("000003.log", log));
    let (mut read, mut texts) = (Vec::new(), Vec::new());
    while let Some(next) = batches
        .next_batch(&mut |report| texts.push(report.to_string()))
        .unwrap()
    {
        read.push((
            next.offset,
            next.end,
            next.batch.contents().to_vec(),
            next.is_whole,
        ));
    }
    (read, texts)
}

#[test]
fn sound_batches_come_with_their_offsets_and_the_others_are_reported() {
    let mut malformed = batch(2, &[(b"a", b"1"), (b"b", b"2")]);
    malformed[17] = 9;
    let part = batch(2, &[(b"a", b"1")]);
    let past_the_end = batch((1 << 56) - 1, &[(b"a", b"1"), (b"b", b"2")]);
    let mut no_sequence = batch(0, &[(b"a", b"1")]);
    no_sequence[7] = 1;
    let (first, last) = (batch(1, &[(b"k", b"v")]), batch(4, &[]));
    let records = [
        first,
        b"short".to_vec(),
        malformed,
        past_the_end,
        no_sequence,
        last,
    ];
    let bytes = log(&records);
    let offsets: Vec<u64> = records
        .iter()
        .scan(0, |at, record| {
            let offset = *at;
            *at += 7 + record.len() as u64;
            Some(offset)
        })
        .collect();
    let whole = |i: usize| {
        (
            offsets[i],
            offsets[i] + 7 + records[i].len() as u64,
            records[i].clone(),
            true,
        )
    };

    let (got, texts) = read(&bytes, |batches| batches);
    assert_eq!(got, [whole(0), whole(5)]);
    let (salvaged, salvaged_texts) = read(&bytes, |batches| batches.salvage(true));
    let part = (offsets[2], offsets[3], part, false);
    assert_eq!(salvaged, [whole(0), part, whole(5)]);
    assert_eq!(
        texts, salvaged_texts,
        "what is kept of a batch changes no report"
    );
    assert_eq!(texts.len(), 4);
    for (text, offset) in texts.iter().zip(&offsets[1..]) {
        assert!(
            text.contains(&format!(" at offset {offset} dropped: ")),
            "{text}"
        );
    }

    let mut batches = LogBatches::new("", &bytes[..]);
    while batches.next_batch(&mut |_| ()).unwrap().is_some() {}
    assert_eq!(
        (batches.records(), batches.bytes_read()),
        (6, bytes.len() as u64)
    );
    assert_eq!(
        batches.last_sequence().get(),
        3,
        "of the malformed batch's header"
    );
}

#[test]
fn a_recovery_keeps_what_the_reader_gives() {
    let mut malformed = batch(2, &[(b"a", b"1"), (b"b", b"2")]);
    malformed[17] = 9;
    let records = [
        batch(1, &[(b"k", b"v")]),
        malformed,
        batch(9, &[(b"k", b"v"), (b"l", b"w")]),
    ];
    let mut bytes = log(&records);
    let end = bytes.len();
    bytes[end - 1] ^= 1;
    for salvage in [false, true] {
        for ignore_checksums in [false, true] {
            let (got, texts) = read(&bytes, |batches| {
                batches.salvage(salvage).verify_checksums(!ignore_checksums)
            });
            let directory = with_logs(&[]);
            directory.put("000003.log", &bytes);
            let options = RecoveryOptions {
                ignore_checksums,
                ..options(1 << 20, salvage)
            };
            let outcome = recover(&directory, 0, options);
            assert_eq!(outcome.recovered.batches, got.len() as u64);
            assert_eq!(outcome.texts(), texts);
            let kept = 1 + usize::from(salvage) + usize::from(ignore_checksums);
            assert_eq!(got.len(), kept);
        }
    }
}

#[test]
fn a_read_error_is_returned_and_ends_the_batches() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(ErrorKind::PermissionDenied))
        }
    }
    let mut batches = LogBatches::new("000003.log", Failing);
    let mut texts = Vec::new();
    let error = batches
        .next_batch(&mut |report| texts.push(report.to_string()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(batches.next_batch(&mut |_| ()).unwrap().is_none());
    assert_eq!(
        texts,
        ["000003.log: 32768 bytes at offset 0 dropped: read error: permission denied"]
    );
}

/// What walks a database on another thread can take it there.
#[test]
fn batches_can_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&LogBatches::new("", &b""[..]));
}

/// The sequence number of a batch's first entry.
fn first(got: &Got) -> u64 {
    u64::from_le_bytes(got.2[..8].try_into().unwrap())
}

/// A log of ten batches of one put each with these sequence numbers, of which the fifth's value is
/// `inner`, and whose fifth record lost its header and the beginning of its batch.
fn with_value(sequences: impl Iterator<Item = u64>, inner: &[u8]) -> Vec<u8> {
    let put = |(i, sequence)| {
        let value: &[u8] = if i == 4 { inner } else { b"value" };
        batch(sequence, &[(b"key", value)])
    };
    let records: Vec<Vec<u8>> = (0..).zip(sequences).take(10).map(put).collect();
    let lost: usize = records[..4].iter().map(|record| 7 + record.len()).sum();
    let mut bytes = log(&records);
    bytes[lost..lost + 10].fill(0xee);
    bytes
}

#[test]
fn of_what_a_search_found_only_what_fits_between_its_neighbours_is_kept() {
    let jumps = |i: u64| 100 + i * i * 1_000_000;
    for first_inner in [1, 105, 1_000_000_000_000] {
        let inner: Vec<Vec<u8>> = (0..4)
            .map(|i| batch(first_inner + i, &[(b"x", b"y")]))
            .collect();
        let bytes = with_value((0..).map(jumps), &log(&inner));
        let (got, texts) = read(&bytes, |batches| batches.salvage(true));
        let own: Vec<u64> = (0..10).filter(|&i| i != 4).map(jumps).collect();
        assert_eq!(got.iter().map(first).collect::<Vec<_>>(), own);
        let refused = texts
            .iter()
            .filter(|text| text.contains("do not fit"))
            .count();
        assert_eq!(refused, 4, "{texts:?}");
    }
}

/// Nothing but what is behind it could say so.
#[test]
fn what_fits_is_kept_though_a_value_held_it_and_the_last_sequence_is_of_what_is_kept() {
    let inner = log(&[batch(7777, &[(b"x", b"y")])]);
    let records = [
        batch(5, &[(b"key", b"value")]),
        batch(6, &[(b"key", &inner)]),
    ];
    let mut bytes = log(&records);
    let lost = 7 + records[0].len();
    bytes[lost..lost + 10].fill(0xee);
    let (got, _) = read(&bytes, |batches| batches.salvage(true));
    assert_eq!(got.iter().map(first).collect::<Vec<_>>(), [5, 7777]);

    let inner = log(&[batch(3, &[(b"x", b"y")])]);
    let mut bytes = log(&[records[0].clone(), batch(6, &[(b"key", &inner)])]);
    bytes[lost..lost + 10].fill(0xee);
    let mut batches = LogBatches::new("", &bytes[..]).salvage(true);
    while batches.next_batch(&mut |_| ()).unwrap().is_some() {}
    assert_eq!((batches.records(), batches.last_sequence().get()), (2, 5));
}

/// Bytes inserted into a log make a search of all that follows: more than is held at once.
#[test]
fn a_long_log_into_which_bytes_were_inserted_comes_back() {
    let count = 30_000;
    let value = vec![7; 100];
    let records: Vec<Vec<u8>> = (1..=count)
        .map(|i| batch(i * 3, &[(b"key", &value)]))
        .collect();
    let mut bytes = log(&records);
    bytes.splice(50_000..50_000, [9; 77]);
    let (got, texts) = read(&bytes, |batches| batches.salvage(true));
    assert_eq!(got.len() as u64, count - 1, "{texts:?}");
    assert!(got.is_sorted_by_key(first));
    assert_eq!(texts.len(), 1, "{texts:?}");
}

/// A log whose first record the end of the file cuts, and what is no log at all, look alike.
#[test]
fn a_log_that_begins_with_a_torn_record_and_holds_no_whole_one_can_be_told() {
    let torn = &log(&[batch(1, &[(b"key", &[7; 100])])])[..60];
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";
    for bytes in [torn, pointer] {
        for salvage in [false, true] {
            let mut batches = LogBatches::new("000003.log", bytes).salvage(salvage);
            let mut reports = Vec::new();
            assert!(
                batches
                    .next_batch(&mut |report| reports.push(report))
                    .unwrap()
                    .is_none()
            );
            let tail = PassedOver {
                offset: 0,
                bytes: bytes.len() as u64,
                cause: Cause::TornTail,
            };
            let mention = LogMention {
                file: "000003.log".to_owned(),
                report: Report::PassedOver(tail),
            };
            assert_eq!(reports, [LogReport::Mentioned(mention)]);
            assert_eq!(batches.records(), 0);
        }
    }
}

/// A page of zeros inside a large record: the others come, and with checksums ignored it does, too.
#[test]
fn a_page_of_zeros_inside_a_record_costs_it_unless_checksums_are_ignored() {
    let value: Vec<u8> = (0..60_000u32).map(|i| i.to_le_bytes()[0] | 1).collect();
    let records = [1, 2, 3].map(|i| batch(i, &[(b"key", &value)]));
    let mut bytes = log(&records);
    let page = 20 * 4096;
    bytes[page..page + 4096].fill(0);
    for salvage in [false, true] {
        let (got, texts) = read(&bytes, |batches| batches.salvage(salvage));
        assert_eq!(
            got.iter().map(first).collect::<Vec<_>>(),
            [1, 3],
            "{texts:?}"
        );
        assert!(!texts.is_empty());
        let (got, texts) = read(&bytes, |batches| {
            batches.salvage(salvage).verify_checksums(false)
        });
        assert_eq!(got.iter().map(first).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(texts, [""; 0]);
    }
}

//! The batches of a log, read without memtables.

use std::io::{self, ErrorKind, Read};

use strata_write_buffer::{LogBatches, RecoveryOptions};

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

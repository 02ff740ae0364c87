//! Salvage where a value holds a log, whose records are as good as the log's own.

use strata_wal::{HEADER_SIZE, Reason};

use crate::salvage::check;
use crate::support::{log_of, noise, read, salvage};

/// The offset of each record's header.
fn offsets(log: &[u8]) -> Vec<usize> {
    let offsets = read(log).records.into_iter().map(|(offset, _)| offset);
    offsets
        .map(|offset| usize::try_from(offset).unwrap())
        .collect()
}

/// A log whose second record is a value that holds a log, and `after` it.
fn nested(after: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let inner = log_of(&["inner one", "inner two", "", "inner three"]);
    let records = vec![
        b"foo".to_vec(),
        [b"put key ", &inner[..], after].concat(),
        b"bar".to_vec(),
        noise(9, 80),
    ];
    (log_of(&records), records)
}

#[test]
fn records_inside_a_value_are_not_taken_for_the_logs_own() {
    for after in [&b""[..], b"!", b"and then some"] {
        let (clean, records) = nested(after);
        let bad = offsets(&clean)[1];
        let others = [&records[0][..], &records[2], &records[3]];
        for byte in bad..offsets(&clean)[2] {
            for bit in 0..8 {
                let mut log = clean.clone();
                log[byte] ^= 1 << bit;
                let outcome = salvage(&log);
                if (bad + 4..bad + 6).contains(&byte) {
                    assert_eq!(outcome.data(), records, "bit {bit} of byte {byte}");
                } else {
                    assert_eq!(outcome.data(), others, "bit {bit} of byte {byte}");
                }
            }
        }
        for length in bad..=clean.len() {
            let outcome = salvage(&clean[..length]);
            let is_own = |data: &&Vec<u8>| records.contains(data);
            let found = outcome.records.iter().map(|(_, data)| data);
            let strange: Vec<&Vec<u8>> = found.filter(|data| !is_own(data)).collect();
            assert!(
                strange.iter().all(|data| outcome.searched.contains(data)),
                "{length} bytes: what a torn value holds is marked"
            );
        }
    }
}

/// The lengths say that the block ends with the record, so nothing is looked for inside it.
#[test]
fn records_inside_the_last_value_of_a_log_are_not_taken_for_the_logs_own() {
    for (after, zeros) in [(&b""[..], 0), (b"", 300), (b"!", 0), (b"and then some", 7)] {
        let (mut clean, records) = nested(after);
        let [_, bad, end, _] = offsets(&clean)[..] else {
            panic!("four records");
        };
        clean.truncate(end);
        clean.resize(end + zeros, 0);
        for byte in (bad..end).filter(|byte| !(bad + 4..bad + 6).contains(byte)) {
            let mut log = clean.clone();
            log[byte] ^= 0x10;
            let outcome = salvage(&log);
            assert_eq!(outcome.data(), [&records[0][..]], "byte {byte}");
            assert_eq!(outcome, read(&log), "byte {byte}");
        }
    }
}

/// The limit that is documented: nothing tells these from the log's own, but the mark.
#[test]
fn records_inside_a_value_are_found_when_its_header_is_gone_and_marked() {
    for (after, left) in [(&b""[..], 0), (b"and then some", 13)] {
        let (mut log, records) = nested(after);
        let [_, bad, next, _] = offsets(&log)[..] else {
            panic!("four records");
        };
        log[bad..bad + 9].fill(0xee);
        let inner: [&[u8]; 4] = [b"inner one", b"inner two", b"", b"inner three"];
        let rest = [&records[2][..], &records[3]];
        let expected = [&[&records[0][..]], &inner[..], &rest].concat();
        let first = (bad, HEADER_SIZE + 8, Reason::BadRecordLength);
        // The inner log's end is no header.
        let second = (next - left, left, Reason::BadRecordLength);
        let drops = if left == 0 {
            vec![first]
        } else {
            vec![first, second]
        };
        check(&log, &expected, &drops);
        assert_eq!(salvage(&log).searched, [&inner[..], &rest].concat());
    }
}

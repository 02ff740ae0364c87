//! When a memtable is frozen before it is full.

use std::sync::mpsc::channel;
use std::time::Duration;

use strata_memtable::ImmutableMemTable;
use strata_write_buffer::{AdviceOptions, FlushReason, Flusher, Wait, WriteBufferOptions};

use crate::scripted::{Buffer, SMALL, Sink, batch, both, flush, small};

fn advised(advice: AdviceOptions) -> [Buffer; 2] {
    both(&WriteBufferOptions { advice, ..small() })
}

#[test]
fn without_options_only_size_is_a_reason() {
    for buffer in advised(AdviceOptions::default()) {
        for i in 0..200_u32 {
            buffer.delete(&i.to_be_bytes()).unwrap();
            buffer.put(b"key", &[0; 50]).unwrap();
            buffer.cursor(..).seek_to_first().unwrap();
        }
        assert_eq!(buffer.flush_advice(), None);
        loop {
            let bytes = buffer.memory().reserved_bytes;
            let expected = (bytes > SMALL).then_some(FlushReason::Size { bytes });
            assert_eq!(buffer.flush_advice(), expected);
            if expected.is_some() {
                break;
            }
            buffer.put(b"key", &[0; 50]).unwrap();
        }
    }
}

#[test]
fn tombstones_count_by_their_share_of_entries() {
    let advice = AdviceOptions {
        tombstone_percent: Some(40),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        for i in 0..60_u8 {
            buffer.put(&[i], &[0; 200]).unwrap();
        }
        for i in 0..40_u8 {
            assert_eq!(buffer.flush_advice(), None);
            buffer.delete(&[i]).unwrap();
        }
        assert_eq!(
            buffer.flush_advice(),
            Some(FlushReason::Tombstones { percent: 40 })
        );
        buffer.freeze(Wait::Never).unwrap();
        assert_eq!(buffer.flush_advice(), None, "it is about the active one");
    }
}

#[test]
fn shadowed_versions_count_by_their_share_of_bytes() {
    let advice = AdviceOptions {
        shadowed_percent: Some(90),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        // A small entry, many times, and a large one once.
        for _ in 0..100 {
            buffer.put(b"a", b"").unwrap();
        }
        buffer.put(b"b", &[0; 1000]).unwrap();
        for _ in 0..9 {
            assert_eq!(buffer.flush_advice(), None);
            buffer.put(b"c", &[0; 1000]).unwrap();
        }
        for _ in 0..30 {
            buffer.put(b"b", &[0; 1000]).unwrap();
        }
        let usage = buffer.memory();
        let all = usage.key_bytes + usage.value_bytes + usage.encoding_bytes;
        let percent = u8::try_from(usage.shadowed_bytes * 100 / all).unwrap();
        assert!(percent >= 90, "{percent}");
        assert_eq!(
            buffer.flush_advice(),
            Some(FlushReason::Shadowed { percent })
        );
    }
}

#[test]
fn shares_of_little_are_not_considered() {
    let advice = AdviceOptions {
        tombstone_percent: Some(1),
        shadowed_percent: Some(1),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        while buffer.flush_advice().is_none() {
            assert!(buffer.memory().reserved_bytes < SMALL / 16);
            buffer.delete(b"key").unwrap();
        }
        assert!(buffer.memory().reserved_bytes >= SMALL / 16);
        assert!(buffer.memtables()[0].entries > 1);
    }
}

#[test]
fn what_scans_pass_over_is_counted() {
    let advice = AdviceOptions {
        skipped: Some(15),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        for i in 0..7_u8 {
            buffer.delete(&[i]).unwrap();
        }
        buffer.put(b"z", b"").unwrap();
        let scan = || {
            let mut cursor = buffer.cursor(..);
            cursor.seek_to_first().unwrap();
            assert_eq!(cursor.entry().unwrap().user_key, b"z");
        };
        scan();
        scan();
        assert_eq!(buffer.memtables()[0].skipped, 14);
        assert_eq!(buffer.flush_advice(), None);
        scan();
        assert_eq!(
            buffer.flush_advice(),
            Some(FlushReason::Skipped { entries: 21 })
        );
        // Without a share there is no size from which on it is considered.
        assert!(buffer.memory().reserved_bytes < SMALL / 8);
    }
}

#[test]
fn age_is_that_of_the_first_entry() {
    let advice = AdviceOptions {
        age: Some(Duration::ZERO),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        assert_eq!(buffer.flush_advice(), None, "it is empty");
        assert_eq!(buffer.memtables()[0].age, None);
        buffer.put(b"key", b"").unwrap();
        assert!(matches!(
            buffer.flush_advice(),
            Some(FlushReason::Age { .. })
        ));
    }
    let advice = AdviceOptions {
        age: Some(Duration::from_secs(3600)),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        buffer.put(b"key", b"").unwrap();
        let younger = buffer.memtables()[0].age.unwrap();
        std::thread::sleep(Duration::from_millis(2));
        buffer.put(b"key", b"").unwrap();
        let older = buffer.memtables()[0].age.unwrap();
        assert!(older >= younger + Duration::from_millis(2));
        assert_eq!(buffer.flush_advice(), None);
    }
}

#[test]
fn advice_is_taken_within_256_sequence_numbers() {
    let advice = AdviceOptions {
        tombstone_percent: Some(10),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        for round in 0..2 {
            while buffer.flush_advice().is_none() {
                buffer.put(b"key", &[0; 100]).unwrap();
                buffer.delete(b"key").unwrap();
            }
            let mut writes = 0;
            while buffer.memtables().len() == 1 {
                buffer.delete(b"key").unwrap();
                writes += 1;
                // One marks it, and the next one finds that.
                assert!(writes <= 257, "round {round}");
            }
            assert!(buffer.memtables()[1].memory.reserved_bytes < SMALL);
            assert!(flush(&buffer));
        }
    }
}

#[test]
fn who_is_advised_does_not_wait_for_room() {
    let advice = AdviceOptions {
        age: Some(Duration::ZERO),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        for _ in 0..600 {
            buffer.put(b"key", b"").unwrap();
        }
        // There is no place for a third memtable, and the second is far from full.
        assert_eq!(buffer.memtables().len(), 2);
        assert_eq!(buffer.stalls(), Default::default());
    }
}

#[test]
fn a_flusher_freezes_what_is_old_though_nobody_writes() {
    let advice = AdviceOptions {
        age: Some(Duration::from_millis(20)),
        ..AdviceOptions::default()
    };
    for buffer in advised(advice) {
        let (sender, flushed) = channel();
        let sink = Sink(move |memtable: &ImmutableMemTable<_>, _| Ok(sender.send(memtable.len())?));
        let flusher = Flusher::spawn(buffer.clone(), sink).unwrap();
        for _ in 0..2 {
            buffer.write(&batch(b"key", 10)).unwrap();
            assert_eq!(flushed.recv_timeout(Duration::from_secs(20)), Ok(1));
        }
        drop(flusher);
    }
}

#[test]
fn reasons_are_sentences() {
    let reasons = [
        (FlushReason::Size { bytes: 7 }, "it has taken 7 bytes"),
        (
            FlushReason::Shadowed { percent: 7 },
            "7 % of its bytes are older versions",
        ),
        (
            FlushReason::Tombstones { percent: 7 },
            "7 % of its entries are tombstones",
        ),
        (
            FlushReason::Skipped { entries: 7 },
            "scans had to pass over 7 entries",
        ),
        (
            FlushReason::Age {
                age: Duration::from_secs(7),
            },
            "its first entry is 7s old",
        ),
    ];
    for (reason, sentence) in reasons {
        assert_eq!(reason.to_string(), sentence);
    }
}

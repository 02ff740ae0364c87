//! The writer: what it refuses, and destinations that are slow or fail.

use std::io::{self, ErrorKind, Write};

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, InternalKeyError, ReverseBytewiseComparator, ValueType};
use strata_table::{Compression, Entry, TableError, TableOptions, TableWriter};

use crate::support::{entry, expected, key, list, open, options, sequence, small, sort, write};

fn writer() -> TableWriter<Vec<u8>, BytewiseComparator> {
    TableWriter::new(Vec::new(), BytewiseComparator, TableOptions::default()).unwrap()
}

/// Adds all of [`small`], after each asks for what must be refused, and gives the table.
fn write_with(refused: impl Fn(&mut TableWriter<Vec<u8>, BytewiseComparator>)) -> Vec<u8> {
    let mut writer = writer();
    for entry in small() {
        writer
            .add(entry.internal_key.encode(), &entry.value)
            .unwrap();
        refused(&mut writer);
    }
    writer.finish().unwrap().0
}

#[test]
fn a_refused_entry_leaves_no_trace() {
    let (expected, _) = write(&small(), BytewiseComparator, &TableOptions::default());
    let refused = |internal_key: &[u8]| {
        let bytes = write_with(|writer| {
            writer.add(internal_key, b"value").unwrap_err();
        });
        assert_eq!(bytes, expected, "{internal_key:?}");
    };
    refused(b"");
    refused(b"short");
    refused(b"zebra\x02\0\0\0\0\0\0\0");
    // The first key, so never after the last one.
    refused(key(b"", 9, ValueType::Value).encode());
    refused(key(b"", 10, ValueType::Value).encode());
}

#[test]
fn a_key_that_does_not_ascend_is_refused() {
    let mut writer = writer();
    writer
        .add(key(b"b", 5, ValueType::Value).encode(), b"")
        .unwrap();
    for refused in [
        key(b"b", 5, ValueType::Value),
        key(b"b", 6, ValueType::Deletion),
        key(b"a", 1, ValueType::Value),
    ] {
        let error = writer.add(refused.encode(), b"").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{refused} can't be added: it is not after the last key, 'b' @ 5 : 1, in the order \
                 of leveldb.BytewiseComparator"
            )
        );
    }
    for accepted in [
        key(b"b", 5, ValueType::Deletion),
        key(b"b", 0, ValueType::Value),
    ] {
        writer.add(accepted.encode(), b"").unwrap();
    }
    assert_eq!(writer.entries(), 3);
}

#[test]
fn a_malformed_key_is_refused() {
    let error = writer().add(b"1234567", b"value").unwrap_err();
    assert!(matches!(
        error,
        TableError::MalformedKey(InternalKeyError::TooShort { length: 7 })
    ));
    let error = writer()
        .add(b"key\x07\0\0\0\0\0\0\0", b"value")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the entry has a malformed key: unknown value type 7: 0 (deletion) or 1 (value) was expected"
    );
}

/// The memory is zero and never touched, so the system need not find it.
#[cfg(target_pointer_width = "64")]
#[test]
fn an_entry_beyond_32_bits_is_refused() {
    let long = vec![0; (1 << 32) - 60];
    let (expected, _) = write(&small(), BytewiseComparator, &TableOptions::default());
    let bytes = write_with(|writer| {
        let key = key(b"zebra", 1, ValueType::Value);
        let error = writer.add(key.encode(), &long).unwrap_err();
        assert!(matches!(
            error,
            TableError::TooLarge {
                block: "data block",
                bytes: 0xffff_ffff..
            }
        ));
    });
    assert_eq!(bytes, expected);
}

#[test]
fn options_out_of_bounds_are_refused() {
    let default = TableOptions::default;
    let bad = [
        (
            TableOptions {
                block_size: 0,
                ..default()
            },
            "block_size is 0: 1 to 4194304",
        ),
        (
            TableOptions {
                block_size: (4 << 20) + 1,
                ..default()
            },
            "block_size is 4194305: 1 to 4194304",
        ),
        (
            TableOptions {
                restart_interval: 0,
                ..default()
            },
            "restart_interval is 0: 1 to",
        ),
        (
            TableOptions {
                bloom_bits_per_key: Some(0),
                ..default()
            },
            "bloom_bits_per_key is 0: 1 to 100",
        ),
        (
            TableOptions {
                bloom_bits_per_key: Some(101),
                ..default()
            },
            "bloom_bits_per_key is 101: 1 to 100",
        ),
    ];
    for (options, text) in bad {
        let error = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
    }
    let widest = TableOptions {
        block_size: TableOptions::LARGEST_BLOCK_SIZE,
        restart_interval: TableOptions::LARGEST_RESTART_INTERVAL,
        bloom_bits_per_key: Some(100),
        ..default()
    };
    let (bytes, summary) = write(&small(), BytewiseComparator, &widest);
    let table = open(&bytes, BytewiseComparator).unwrap();
    assert_eq!(table.verify().unwrap(), summary);
}

/// Takes one byte at a time and is interrupted before each.
#[derive(Default)]
struct Slow {
    bytes: Vec<u8>,
    interrupted: bool,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        self.bytes.extend(bytes.first());
        Ok(bytes.len().min(1))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_destination_that_takes_a_byte_at_a_time_gets_them_all() {
    let options = options(Compression::Snappy, Some(10), 50);
    let (expected, summary) = write(&small(), BytewiseComparator, &options);
    let mut writer = TableWriter::new(Slow::default(), BytewiseComparator, options).unwrap();
    for entry in small() {
        writer
            .add(entry.internal_key.encode(), &entry.value)
            .unwrap();
    }
    let (slow, slow_summary) = writer.finish().unwrap();
    assert_eq!((slow.bytes, slow_summary), (expected, summary));
}

/// Takes so many bytes, then fails; then, if it is asked again, takes more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.0;
        if room == 0 {
            self.0 = usize::MAX;
            return Err(ErrorKind::StorageFull.into());
        }
        self.0 = room.saturating_sub(bytes.len());
        Ok(room.min(bytes.len()))
    }
    fn flush(&mut self) -> io::Result<()> {
        if self.0 == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

#[test]
fn a_destination_that_fails_is_reported_wherever_it_does() {
    let options = options(Compression::None, Some(10), 50);
    let (bytes, _) = write(&small(), BytewiseComparator, &options);
    // With room for exactly all bytes it is the flush that fails.
    for room in 0..=bytes.len() {
        let mut writer = TableWriter::new(Full(room), BytewiseComparator, options.clone()).unwrap();
        let mut failures = 0;
        for entry in small() {
            match writer.add(entry.internal_key.encode(), &entry.value) {
                Ok(()) => assert_eq!(failures, 0, "room for {room}"),
                Err(TableError::Io { .. }) if failures == 0 => failures += 1,
                Err(TableError::Abandoned) if failures == 1 => {}
                Err(error) => panic!("room for {room}: {error}"),
            }
        }
        match writer.finish() {
            Err(TableError::Io { source, .. }) if failures == 0 => {
                assert_eq!(source.kind(), ErrorKind::StorageFull);
            }
            Err(TableError::Abandoned) if failures == 1 => {}
            other => panic!("room for {room}: {:?}", other.map(|_| ())),
        }
    }
}

/// The compression type after the first block, whose contents are `length` bytes in the file.
fn first_block(value: &[u8]) -> (usize, u8) {
    let entries = [entry(b"k", 1, Some(value))];
    let (raw, _) = write(
        &entries,
        BytewiseComparator,
        &options(Compression::None, None, 1),
    );
    let (snappy, _) = write(
        &entries,
        BytewiseComparator,
        &options(Compression::Snappy, None, 1),
    );
    assert_eq!(
        list(&open(&snappy, BytewiseComparator).unwrap()).unwrap(),
        entries
    );
    // What follows the first block is the same in both.
    let saved = raw.len() - snappy.len();
    // Three lengths, the longest of two bytes; key, tag and value; the restart points.
    let length = 4 + 9 + value.len() + 8;
    (saved, snappy[length - saved])
}

#[test]
fn a_block_is_compressed_only_if_that_saves_an_eighth() {
    let noise: Vec<u8> = (1..=800_u32)
        .map(|i| u8::try_from(i.wrapping_mul(2_654_435_769) >> 24).unwrap())
        .collect();
    assert_eq!(first_block(&noise), (0, 0), "nothing to save");
    let mut compressed = Vec::new();
    for run in 0..300 {
        // Noise, then a run of one byte, which snappy makes very short.
        let value = [&noise[..800 - run], &vec![b'x'; run]].concat();
        let (saved, compression) = first_block(&value);
        let block = value.len() + 21;
        match compression {
            0 => assert_eq!(saved, 0),
            1 => assert!(saved > block / 8, "{saved} of {block} bytes saved"),
            other => panic!("compression {other}"),
        }
        compressed.push(compression == 1);
    }
    // It begins with runs that are worth it, not before and not much later.
    let first = compressed.iter().position(|&yes| yes).unwrap();
    assert!(
        (100..140).contains(&first),
        "compressed from a run of {first} bytes"
    );
    assert!(compressed[first..].iter().all(|&yes| yes));
}

type Random = Vec<(Vec<u8>, u8, Option<Vec<u8>>)>;

/// Few letters, so that keys share prefixes and have versions.
fn entries_of(random: Random) -> Vec<Entry> {
    let mut entries: Vec<Entry> = random
        .iter()
        .map(|(letters, number, value)| {
            let user_key: Vec<u8> = letters
                .iter()
                .take(6)
                .map(|byte| [0, b'a', b'b', 255][usize::from(byte % 4)])
                .collect();
            entry(&user_key, u64::from(*number), value.as_deref())
        })
        .collect();
    sort(&mut entries, BytewiseComparator);
    entries.dedup_by(|a, b| a.internal_key == b.internal_key);
    entries
}

#[test]
fn what_is_written_is_read_with_any_options() {
    fn property(random: Random, options: (u8, u8, bool, u8), reverse: bool) -> bool {
        let (block_size, restart_interval, snappy, bloom) = options;
        let options = TableOptions {
            block_size: usize::from(block_size) + 1,
            restart_interval: usize::from(restart_interval % 20) + 1,
            compression: if snappy {
                Compression::Snappy
            } else {
                Compression::None
            },
            bloom_bits_per_key: (1..=100).contains(&bloom).then_some(u32::from(bloom)),
        };
        let mut entries = entries_of(random);
        let comparator: Box<dyn strata_dbformat::Comparator> = if reverse {
            Box::new(ReverseBytewiseComparator)
        } else {
            Box::new(BytewiseComparator)
        };
        sort(&mut entries, &comparator);
        let (bytes, summary) = write(&entries, &comparator, &options);
        let table = open(&bytes, &comparator).unwrap();
        let right = |user_key: &[u8], number: u64| expected(&entries, user_key, number);
        let lookups: Vec<_> = entries
            .iter()
            .flat_map(|entry| {
                let parsed = entry.internal_key.parsed().unwrap();
                let number = parsed.sequence.get();
                [number.saturating_sub(1), number, number + 1]
                    .map(|number| (parsed.user_key.to_vec(), number))
            })
            .collect();
        table.verify().unwrap() == summary
            && list(&table).unwrap() == entries
            && lookups.iter().all(|(key, number)| {
                table.get(key, sequence(*number)).unwrap() == right(key, *number)
            })
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(60, 21))
        .tests(1000)
        .quickcheck(property as fn(Random, (u8, u8, bool, u8), bool) -> bool);
}

#[test]
fn writers_and_tables_can_be_sent_to_other_threads() {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<TableWriter<Vec<u8>, BytewiseComparator>>();
    send_and_sync::<strata_table::Table<std::fs::File, BytewiseComparator>>();
    send_and_sync::<strata_table::TableFile<BytewiseComparator>>();
    send_and_sync::<strata_table::PendingTable>();
    send_and_sync::<TableError>();
}

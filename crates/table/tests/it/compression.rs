//! Every kind of compression: written and read, as others write it, and left out.

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_table::{BlockFault, Compression, Entry, Lookup, TableError, TableOptions, TableWriter};

use crate::craft::block_fault;
use crate::support::{Random, available, entry, list, open, options, write};

/// Some that compress, some that don't, and one that is longer than what libraries work on at a
/// time.
fn mixed() -> Vec<Entry> {
    let mut random = Random::new(9);
    let mut noise = |length| -> Vec<u8> {
        let byte = |_| u8::try_from(random.uniform(256)).unwrap();
        (0..length).map(byte).collect()
    };
    let mut entries: Vec<Entry> = (0..200)
        .map(|i| {
            let key = format!("key{i:05}");
            match i % 4 {
                0 => entry(key.as_bytes(), 1, None),
                1 => entry(key.as_bytes(), 1, Some(&noise(100 + i * 10))),
                _ => entry(
                    key.as_bytes(),
                    1,
                    Some("to be or not ".repeat(i).as_bytes()),
                ),
            }
        })
        .collect();
    let mut long = b"a long value, ".repeat(40_000);
    long.extend(noise(200_000));
    entries.push(entry(b"long", 1, Some(&long)));
    entries
}

#[test]
fn tables_of_every_compression_are_written_read_and_told_apart() {
    let entries = mixed();
    let (raw, _) = write(
        &entries,
        BytewiseComparator,
        &options(Compression::None, None, 4096),
    );
    for compression in available() {
        for block_size in [1, 4096, 1 << 20] {
            let options = options(compression, Some(10), block_size);
            let (bytes, summary) = write(&entries, BytewiseComparator, &options);
            let table = open(&bytes, BytewiseComparator).unwrap();
            assert_eq!(table.verify().unwrap(), summary, "{compression}");
            assert_eq!(list(&table).unwrap(), entries, "{compression}");
            for entry in &entries {
                let key = entry.internal_key.parsed().unwrap();
                let found = table.get_entry(key.user_key, key.sequence).unwrap();
                assert_eq!(found.as_ref(), Some(entry));
            }
            let expected = [Compression::None, compression].into_iter().collect();
            assert_eq!(table.compressions(), expected);
            if compression != Compression::None && block_size == 4096 {
                let percent = bytes.len() * 100 / raw.len();
                assert!(percent < 60, "{compression}: {percent} % of the raw table");
            }
        }
    }
}

#[test]
fn each_block_says_how_it_is_compressed() {
    let value = b"to be or not to be ".repeat(40);
    for compression in available() {
        let table = write(
            &[entry(b"a", 1, Some(&value))],
            BytewiseComparator,
            &options(compression, None, 4096),
        )
        .0;
        // The trailer of the only data block is before that of the metaindex, of 8 bytes.
        let metaindex = table
            .windows(13)
            .position(|bytes| bytes == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 0xf2, 0xa1, 0xb0])
            .unwrap();
        assert_eq!(table[metaindex - 5], compression.number(), "{compression}");
        match compression {
            // Magic, a descriptor that says the content size takes 4 bytes, window, content size.
            Compression::Zstd => {
                assert_eq!(table[..5], [0x28, 0xb5, 0x2f, 0xfd, 0b10 << 6]);
                let size = u32::from_le_bytes(table[6..10].try_into().unwrap());
                assert_eq!(size as usize, value.len() + 3 + 1 + 9 + 8);
            }
            Compression::Zlib => assert_eq!(table[..2], [0x78, 0x9c]),
            _ => {}
        }
    }
}

#[cfg(feature = "zlib")]
#[test]
fn tables_compressed_as_mojangs_leveldb_does_are_read() {
    let tables: [(&[u8], Compression, usize); 2] = [
        (
            include_bytes!("../data/mojang_zlib.ldb"),
            Compression::Zlib,
            50,
        ),
        (
            include_bytes!("../data/mojang_deflate.ldb"),
            Compression::RawDeflate,
            50,
        ),
    ];
    for (bytes, compression, entries) in tables {
        let table = open(bytes, BytewiseComparator).unwrap();
        table.verify().unwrap();
        assert_eq!(list(&table).unwrap().len(), entries, "{compression}");
        assert!(table.compressions().contains(compression));
    }
}

/// `tests/data/make_zstd.py` says what is in it.
#[cfg(feature = "zstd")]
#[test]
fn frames_of_every_level_of_the_reference_implementation_are_read() {
    let table = open(include_bytes!("../data/zstd.ldb"), BytewiseComparator).unwrap();
    let summary = table.verify().unwrap();
    assert_eq!((summary.entries, summary.data_blocks), (50, 5));
    let key = |i: usize| format!("{}/{}", i / 10, i % 10);
    let expected: Vec<Entry> = (0..50)
        .map(|i| {
            entry(
                key(i).as_bytes(),
                i as u64 + 1,
                Some(key(i).repeat(20).as_bytes()),
            )
        })
        .collect();
    assert_eq!(list(&table).unwrap(), expected);
    assert_eq!(table.compressions().to_string(), "none, zstd");
}

#[test]
fn a_compression_that_was_left_out_is_named_with_its_feature() {
    let stored = |compression: Compression| -> &[u8] {
        match compression {
            Compression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00],
            Compression::Zlib => &[0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01],
            _ => &[0x03, 0x00],
        }
    };
    for compression in Compression::ALL {
        let Some(feature) = compression.feature() else {
            continue;
        };
        let table = TableOptions {
            compression,
            ..TableOptions::default()
        };
        if compression.is_available() {
            table.validate().unwrap();
            continue;
        }
        let expected = BlockFault::CompressionLeftOut { compression };
        assert_eq!(
            block_fault(stored(compression), compression.number()),
            expected
        );
        assert!(expected.to_string().contains(&format!("'{feature}'")));
        let error = TableWriter::new(Vec::new(), BytewiseComparator, table).unwrap_err();
        assert_eq!(error.to_string(), expected.to_string());
        assert!(matches!(error, TableError::CompressionLeftOut { .. }));
    }
    assert_eq!(
        TableOptions::default().compression == Compression::Snappy,
        Compression::Snappy.is_available()
    );
}

/// Keys that share so much that, compressed, a reader would refuse them: stored as they are, so
/// what is written can always be read.
#[test]
fn blocks_whose_keys_compress_out_of_proportion_are_stored_as_they_are() {
    let key = |i: u32| [&vec![0; 200_000][..], &i.to_be_bytes()].concat();
    let entries: Vec<Entry> = (0..900).map(|i| entry(&key(i), 1, Some(b""))).collect();
    for compression in available() {
        let options = TableOptions {
            restart_interval: TableOptions::LARGEST_RESTART_INTERVAL,
            block_size: TableOptions::LARGEST_BLOCK_SIZE,
            ..options(compression, None, 4096)
        };
        let (bytes, summary) = write(&entries, BytewiseComparator, &options);
        let table = open(&bytes, BytewiseComparator).unwrap();
        assert_eq!(table.verify().unwrap(), summary, "{compression}");
        let mut cursor = table.cursor();
        cursor.seek(&key(899), SequenceNumber::MAX).unwrap();
        assert_eq!(
            table.get(&key(500), SequenceNumber::MAX).unwrap(),
            Lookup::Value(Vec::new())
        );
        let found = cursor.entry().unwrap().internal_key;
        let expected = crate::support::key(&key(899), 1, ValueType::Value);
        assert_eq!(found, expected.encode());
    }
}

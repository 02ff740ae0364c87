//! Every kind of compression: written and read, as others write it, left out, and hostile.

use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_table::{
    Compression, CompressionSet, Entry, Fault, Lookup, TableError, TableOptions, TableWriter,
};

use crate::craft::block_fault;
use crate::support::{Random, available, entry, list, open, options, write};

#[cfg(any(feature = "zstd", feature = "zlib"))]
use {
    crate::craft::{Craft, block, encode, fault, ikey},
    crate::support::longest_block,
    strata_table::Table,
};

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
        let expected = Fault::CompressionLeftOut { compression };
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

#[test]
fn a_block_of_method_2_that_begins_as_neither_zstd_nor_zlib_is_an_error() {
    let frames: [&[u8]; 7] = [
        b"",
        b"\x28",
        b"\x28\xb5\x2f",
        b"\x28\xb5\x2f\xfc",
        b"\x78",
        b"\x78\x9d",
        // A preset dictionary.
        b"\x78\x20\xbb\xbb\xbb\xbb",
    ];
    for frame in frames {
        assert_eq!(block_fault(frame, 2), Fault::UnknownFrame, "{frame:?}");
    }
}

#[test]
fn names_and_numbers_are_told_apart() {
    for compression in Compression::ALL {
        assert_eq!(
            Compression::from_name(&compression.to_string()),
            Some(compression)
        );
        let alone: CompressionSet = [compression].into_iter().collect();
        assert!(alone.iter().eq([compression]));
    }
    assert_eq!(Compression::from_name("lz4"), None);
    assert!(CompressionSet::default().is_empty());
    assert_eq!(format!("{:>8}", Compression::Zstd), "    zstd");
}

#[cfg(any(feature = "zstd", feature = "zlib"))]
fn reason(stored: &[u8], number: u8) -> String {
    match block_fault(stored, number) {
        Fault::Compressed { reason, .. } => reason,
        fault => fault.to_string(),
    }
}

/// The stored bytes of a data block that is compressed in this way.
#[cfg(any(feature = "zstd", feature = "zlib"))]
fn stored(compression: Compression) -> Vec<u8> {
    let value = b"to be or not to be ".repeat(40);
    let (table, _) = write(
        &[entry(b"a", 1, Some(&value))],
        BytewiseComparator,
        &options(compression, None, 4096),
    );
    let metaindex = table
        .windows(13)
        .position(|bytes| bytes == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 0xf2, 0xa1, 0xb0])
        .unwrap();
    table[..metaindex - 5].to_vec()
}

/// Behind right checksums; cut anywhere, or with any bit flipped, it never becomes another block
/// without an error if it has a checksum of its own, and never panics.
#[cfg(any(feature = "zstd", feature = "zlib"))]
#[test]
fn damaged_frames_behind_right_checksums_are_errors_or_blocks() {
    for compression in available().filter(|one| one.number() >= 2) {
        let sound = stored(compression);
        let read = |stored: &[u8]| {
            let mut craft = Craft::default();
            let data = craft.block(stored, compression.number());
            let metaindex = craft.block(&block(&[]), 0);
            let index = craft.block(&block(&[(&ikey("z", 1), &encode(data))]), 0);
            let table = craft.finish(metaindex, index);
            list(&open(&table, BytewiseComparator).unwrap())
        };
        assert_eq!(read(&sound).unwrap().len(), 1);
        for length in 0..sound.len() {
            read(&sound[..length]).unwrap_err();
        }
        for bit in 0..sound.len() * 8 {
            let mut damaged = sound.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = read(&damaged);
            if compression == Compression::Zlib {
                // Some bits are padding.
                assert!(found.is_err() || found.unwrap() == read(&sound).unwrap());
            }
        }
    }
}

/// Blocks of 128 KiB of one byte, in 4 bytes each.
#[cfg(feature = "zstd")]
fn zstd_bomb(blocks: usize, header: &[u8]) -> Vec<u8> {
    let mut frame = [&[0x28, 0xb5, 0x2f, 0xfd], header].concat();
    for i in 0..blocks {
        // Last block, type 1 (one byte, repeated), size.
        let header = u32::from(i + 1 == blocks) | 1 << 1 | (128 << 10) << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

#[cfg(feature = "zstd")]
#[test]
fn what_a_zstd_frame_says_of_its_size_is_not_trusted() {
    // No content size, a window of 1 MiB; a content size of 2^60 in 8 bytes, a window of 2^41.
    let honest = zstd_bomb(2, &[0x00, 10 << 3]);
    assert!(matches!(block_fault(&honest, 2), Fault::Restarts { .. }));
    let windowed = [&[0xc0, 0xf8][..], &(1_u64 << 60).to_le_bytes()].concat();
    assert_eq!(
        reason(&zstd_bomb(1, &windowed), 2),
        "it says that it is 1152921504606846976 bytes long, and is 131072"
    );
    // One segment: the window is the content size.
    let single = [&[0xe0][..], &(1_u64 << 40).to_le_bytes()].concat();
    assert_eq!(
        reason(&zstd_bomb(1, &single), 2),
        "it says that it is 1099511627776 bytes long, and is 131072"
    );
    let followed = [&honest[..], b"more"].concat();
    assert_eq!(reason(&followed, 2), "4 bytes follow the frame");
    assert_eq!(
        block_fault(&zstd_bomb(0, &[0x00, 10 << 3]), 2).to_string(),
        {
            let reason = reason(&zstd_bomb(0, &[0x00, 10 << 3]), 2);
            format!("the block can't be decompressed with zstd: {reason}")
        }
    );
}

/// 40 kB that are 1.3 GB: decompressed no further than is read.
#[cfg(feature = "zstd")]
#[test]
fn a_block_is_decompressed_no_further_than_the_longest_that_is_read() {
    let mut craft = Craft::default();
    let data = craft.block(&zstd_bomb(10_000, &[0x00, 10 << 3]), 2);
    let metaindex = craft.block(&block(&[]), 0);
    let index = craft.block(&block(&[(&ikey("z", 1), &encode(data))]), 0);
    let table = craft.finish(metaindex, index);
    let most = 1 << 20;
    let options = longest_block(most);
    let table = Table::open_with(table, BytewiseComparator, &options).unwrap();
    let found = table.get(b"a", SequenceNumber::MAX).unwrap_err();
    let length = most + 1;
    assert_eq!(fault(found), Fault::BlockTooLong { length, most });
}

#[cfg(feature = "zlib")]
#[test]
fn deflate_is_bounded_cut_short_and_densest() {
    let value = vec![0; 4 << 20];
    let entries = [entry(b"zeros", 1, Some(&value))];
    for compression in [Compression::Zlib, Compression::RawDeflate] {
        let (bytes, _) = write(
            &entries,
            BytewiseComparator,
            &options(compression, None, 4096),
        );
        assert!(bytes.len() < value.len() / 900, "{} bytes", bytes.len());
        let table = open(&bytes, BytewiseComparator).unwrap();
        assert_eq!(list(&table).unwrap(), entries);
        let options = longest_block(1 << 20);
        let table = Table::open_with(bytes, BytewiseComparator, &options).unwrap();
        let found = fault(table.get(b"zeros", SequenceNumber::MAX).unwrap_err());
        assert!(matches!(found, Fault::BlockTooLong { most, .. } if most == 1 << 20));
    }
    let whole = stored(Compression::RawDeflate);
    assert_eq!(reason(&whole[..whole.len() - 1], 4), "it ends too soon");
    assert!(!reason(&[0xff; 8], 4).is_empty());
    assert_eq!(
        reason(&[&whole[..], b"more"].concat(), 4),
        "4 bytes follow it"
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

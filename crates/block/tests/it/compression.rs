//! Every kind of compression: written and read, left out, and hostile.

use strata_block::{BlockFault, BlockWriter, Compression, CompressionSet};

#[cfg(any(feature = "snappy", feature = "zstd", feature = "zlib"))]
use crate::support::reason;
use crate::support::{available, entry, list, only, read, source, write};
#[cfg(any(feature = "zstd", feature = "zlib"))]
use {
    crate::support::fault,
    strata_block::{BlockSource, ReadOptions},
};

/// One value that compresses, in one block.
fn stored(compression: Compression) -> Vec<u8> {
    let entries = [entry(b"a", &b"to be or not to be ".repeat(40))];
    let mut file = write(&entries, 16, compression);
    let file_source = source(&file);
    let block = file_source.read_block(only(&file)).unwrap();
    assert_eq!(list(&block).unwrap(), entries);
    assert!(file_source.compressions().iter().eq([compression]));
    assert_eq!(file[file.len() - 5], compression.number());
    file.truncate(file.len() - 5);
    file
}

#[test]
fn each_block_says_how_it_is_compressed() {
    let raw = stored(Compression::None).len();
    for compression in available() {
        let stored = stored(compression);
        assert_eq!(
            Compression::of(compression.number(), &stored),
            Ok(compression)
        );
        assert!(compression.can_begin_with_zero(&stored), "{compression}");
        assert!(compression == Compression::None || stored.len() < raw / 4);
    }
}

#[test]
fn what_would_not_save_an_eighth_is_stored_as_it_is() {
    // Neither repeats nor is of few letters.
    let noise: Vec<u8> = (0..200_u32)
        .map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    for compression in available() {
        let file = write(&[entry(b"a", &noise)], 16, compression);
        assert_eq!(file[file.len() - 5], 0, "{compression}");
    }
}

/// Keys that share so much that, compressed, a reader would refuse them.
#[test]
fn blocks_whose_keys_compress_out_of_proportion_are_stored_as_they_are() {
    let key = |i: u32| [&vec![0; 200_000][..], &i.to_be_bytes()].concat();
    let entries: Vec<_> = (0..900).map(|i| entry(&key(i), b"")).collect();
    for compression in available() {
        let file = write(&entries, 1024, compression);
        let block = source(&file).read_block(only(&file)).unwrap();
        assert_eq!(list(&block).unwrap().len(), 900, "{compression}");
    }
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
        let written = BlockWriter::new(Vec::new(), compression);
        if compression.is_available() {
            written.unwrap();
            continue;
        }
        let expected = BlockFault::CompressionLeftOut { compression };
        assert_eq!(
            read(stored(compression), compression.number()),
            Err(expected.clone())
        );
        let feature = compression.feature().unwrap();
        assert!(expected.to_string().contains(&format!("'{feature}'")));
        assert_eq!(written.unwrap_err(), expected);
    }
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
        assert_eq!(read(frame, 2), Err(BlockFault::UnknownFrame), "{frame:?}");
    }
}

#[test]
fn names_and_numbers_are_told_apart() {
    for compression in Compression::ALL {
        assert_eq!(
            Compression::from_name(&compression.to_string()),
            Some(compression)
        );
        assert!(Compression::is_number(compression.number()));
        let alone: CompressionSet = [compression].into_iter().collect();
        assert!(alone.iter().eq([compression]));
    }
    assert_eq!(Compression::from_name("lz4"), None);
    assert!(CompressionSet::default().is_empty());
    assert_eq!(format!("{:>8}", Compression::Zstd), "    zstd");
    assert_eq!(
        Compression::default() == Compression::Snappy,
        Compression::Snappy.is_available()
    );
}

#[cfg(feature = "snappy")]
#[test]
fn snappy_that_does_not_decompress_is_an_error() {
    // Five bytes that claim to be 4 GiB: nothing is allocated for them.
    assert_eq!(
        reason(&[0xff, 0xff, 0xff, 0xff, 0x0f], 1),
        "it says that it is 4294967295 bytes long, and its 5 bytes can be 110 at most"
    );
    assert!(reason(&[], 1).contains("empty"));
    assert!(
        !reason(&[0xff; 12], 1).is_empty(),
        "a length beyond 32 bits"
    );
    assert!(
        !reason(&[8, 0xf0], 1).is_empty(),
        "a literal without its bytes"
    );
    assert!(
        !reason(&[8, 0x01, 0x01], 1).is_empty(),
        "a copy from before the beginning"
    );
}

/// The most that snappy can compress: a byte, then copies of 64 bytes, each in three.
#[cfg(feature = "snappy")]
#[test]
fn the_densest_block_is_within_the_bound() {
    let entries = [entry(b"zeros", &vec![0; 1 << 20])];
    let file = write(&entries, 16, Compression::Snappy);
    assert!(file.len() < (1 << 20) / 20, "{} bytes", file.len());
    let block = source(&file).read_block(only(&file)).unwrap();
    assert_eq!(list(&block).unwrap(), entries);
}

/// Behind right checksums; cut anywhere, or with any bit flipped, it never becomes another block
/// without an error if it has a checksum of its own, and never panics.
#[test]
fn damaged_frames_behind_right_checksums_are_errors_or_blocks() {
    for compression in available().filter(|one| one.number() >= 2) {
        let sound = stored(compression);
        let read = |stored: &[u8]| read(stored, compression.number());
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
    let found = read(&honest, 2).unwrap_err();
    assert!(matches!(found, BlockFault::Restarts { .. }));
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
    let none = zstd_bomb(0, &[0x00, 10 << 3]);
    assert_eq!(
        read(&none, 2).unwrap_err().to_string(),
        format!(
            "the block can't be decompressed with zstd: {}",
            reason(&none, 2)
        )
    );
}

/// The fault of a block when none is read that is longer than 1 MiB.
#[cfg(any(feature = "zstd", feature = "zlib"))]
fn fault_within_a_mebibyte(file: &[u8]) -> BlockFault {
    #[allow(clippy::needless_update, reason = "a feature adds a field")]
    let options = ReadOptions {
        longest_block: 1 << 20,
        ..ReadOptions::default()
    };
    let source = BlockSource::new(file, &options).unwrap();
    fault(source.read(only(file)).unwrap_err())
}

/// 40 kB that are 1.3 GB: decompressed no further than is read.
#[cfg(feature = "zstd")]
#[test]
fn a_block_is_decompressed_no_further_than_the_longest_that_is_read() {
    let file = crate::support::sealed(&zstd_bomb(10_000, &[0x00, 10 << 3]), 2);
    let most = 1 << 20;
    let length = most + 1;
    assert_eq!(
        fault_within_a_mebibyte(&file),
        BlockFault::TooLong { length, most }
    );
}

#[cfg(feature = "zlib")]
#[test]
fn deflate_is_bounded_cut_short_and_densest() {
    let value = vec![0; 4 << 20];
    let entries = [entry(b"zeros", &value)];
    for compression in [Compression::Zlib, Compression::RawDeflate] {
        let file = write(&entries, 16, compression);
        assert!(file.len() < value.len() / 900, "{} bytes", file.len());
        let block = source(&file).read_block(only(&file)).unwrap();
        assert_eq!(list(&block).unwrap(), entries);
        let found = fault_within_a_mebibyte(&file);
        assert!(matches!(found, BlockFault::TooLong { most, .. } if most == 1 << 20));
    }
    let whole = stored(Compression::RawDeflate);
    assert_eq!(reason(&whole[..whole.len() - 1], 4), "it ends too soon");
    assert!(!reason(&[0xff; 8], 4).is_empty());
    assert_eq!(
        reason(&[&whole[..], b"more"].concat(), 4),
        "4 bytes follow it"
    );
}

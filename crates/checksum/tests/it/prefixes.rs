//! Checksums, whole and of parts.

use strata_checksum::{Prefixes, append, crc32c, mask, unmask};

use crate::support::Random;

/// From the definition: eight steps of a division for each byte.
fn bit_by_bit(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc: u32, _| {
            (crc >> 1) ^ (0x82f6_3b78 * (crc & 1))
        })
    })
}

/// The values of RFC 3720, which LevelDB's tests have, too.
#[test]
fn known_checksums() {
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    let ascending: Vec<u8> = (0..32).collect();
    assert_eq!(crc32c(&ascending), 0x46dd_794e);
}

#[test]
fn masks_are_undone_and_are_not_idle() {
    let checksum = crc32c(b"foo");
    assert_ne!(checksum, mask(checksum));
    assert_ne!(checksum, mask(mask(checksum)));
    assert_eq!(checksum, unmask(mask(checksum)));
    assert_eq!(checksum, unmask(unmask(mask(mask(checksum)))));
}

#[test]
fn every_part_of_a_small_buffer() {
    let bytes = Random::new(1).bytes(70, 255);
    let prefixes = Prefixes::new(&bytes);
    for start in 0..=bytes.len() {
        for end in start..=bytes.len() {
            let expected = bit_by_bit(&bytes[start..end]);
            assert_eq!(prefixes.checksum(start..end), expected, "{start}..{end}");
            assert_eq!(crc32c(&bytes[start..end]), expected);
            let half = start.midpoint(end);
            let joined = append(crc32c(&bytes[start..half]), &bytes[half..end]);
            assert_eq!(joined, expected);
        }
    }
}

#[test]
fn parts_of_large_buffers_that_are_refilled() {
    let mut random = Random::new(2);
    let mut prefixes = Prefixes::new(&[]);
    assert_eq!(prefixes.checksum(0..0), 0);
    for length in [100, 255, 256, 257, 100_000, 32_768, 511, 300_000] {
        let bytes = random.bytes(length, 255);
        prefixes.refill(&bytes);
        for _ in 0..200 {
            let end = random.below(length + 1);
            let start = random.below(end + 1);
            let expected = crc32c(&bytes[start..end]);
            assert_eq!(prefixes.checksum(start..end), expected, "{start}..{end}");
        }
        assert_eq!(prefixes.checksum(0..length), crc32c(&bytes));
    }
}

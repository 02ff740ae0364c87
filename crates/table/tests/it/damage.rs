//! Damage: every truncation and every flipped bit of a small table, and bytes that never were one.

use quickcheck::{Gen, QuickCheck};
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_table::{Entry, Fault, Lookup, TableError};

use crate::support::{expected, list, open, small, small_tables};
use crate::walk::{everywhere, walk_damaged};

/// Reads a table in every way there is. What does not fail must be right; says whether `verify`
/// finds nothing wrong, and whether all entries are read.
fn read(bytes: &[u8], entries: &[Entry]) -> (bool, bool) {
    let Ok(table) = open(bytes, BytewiseComparator) else {
        return (false, false);
    };
    let verified = table.verify().is_ok();
    assert!(!verified || table.filter_fault().is_none());
    let listed = list(&table).is_ok_and(|listed| {
        assert_eq!(listed, entries);
        true
    });
    for entry in entries {
        let parsed = entry.internal_key.parsed().unwrap();
        if let Ok(found) = table.get(parsed.user_key, parsed.sequence) {
            assert_eq!(
                found,
                expected(entries, parsed.user_key, parsed.sequence.get())
            );
        }
    }
    if let Ok(found) = table.get(b"banana", SequenceNumber::ZERO) {
        assert_eq!(found, Lookup::Absent);
    }
    (verified, listed)
}

#[test]
fn an_undamaged_table_is_read() {
    for table in small_tables() {
        assert_eq!(read(&table, &small()), (true, true));
    }
}

#[test]
fn every_truncation_is_an_error() {
    for table in small_tables() {
        for length in 0..table.len() {
            let error = open(&table[..length], BytewiseComparator).unwrap_err();
            let TableError::Corrupt { fault, .. } = error else {
                panic!("{length} bytes: {error}");
            };
            match fault {
                Fault::TooShort { .. } => assert!(length < 48),
                Fault::Magic { .. } => assert!(length >= 48),
                _ => panic!("{length} bytes: {fault}"),
            }
        }
    }
}

#[test]
fn verifying_notices_every_flipped_bit() {
    for table in small_tables() {
        for bit in 0..table.len() * 8 {
            let mut damaged = table.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (verified, _) = read(&damaged, &small());
            assert!(!verified, "bit {} of byte {}", bit % 8, bit / 8);
        }
    }
}

/// Nor does LevelDB look at the padding. What is wrong with a filter or the metaindex costs
/// nothing but speed, and is told.
#[test]
fn listing_notices_every_flipped_bit_but_those_of_the_padding_and_the_filter() {
    for table in small_tables() {
        let mut filter_faults = 0;
        for bit in 0..table.len() * 8 {
            let mut damaged = table.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (_, listed) = read(&damaged, &small());
            filter_faults += usize::from(is_without_filter(&damaged));
            assert_eq!(listed, costs_nothing(&table, &damaged, bit), "bit {bit}");
        }
        // At least those of the metaindex, which has 8 bytes, and of its trailer.
        assert!(filter_faults >= 13 * 8, "{filter_faults}");
    }
}

fn is_without_filter(damaged: &[u8]) -> bool {
    open(damaged, BytewiseComparator).is_ok_and(|table| table.filter_fault().is_some())
}

fn costs_nothing(table: &[u8], damaged: &[u8], bit: usize) -> bool {
    padding(table).contains(&bit) || is_without_filter(damaged)
}

/// The bits of the footer between the handles and the magic number, and the one before them: if
/// it says that the last varint goes on, then it goes on with a zero from the padding.
fn padding(table: &[u8]) -> std::ops::Range<usize> {
    let mut rest = &table[table.len() - 48..];
    for _ in 0..4 {
        (_, rest) = strata_coding::get_varint64(rest).unwrap();
    }
    (table.len() - rest.len()) * 8 - 1..(table.len() - 8) * 8
}

#[test]
fn walking_notices_every_flipped_bit_but_those_of_the_padding_and_the_filter() {
    let entries = small();
    for table in small_tables() {
        for bit in 0..table.len() * 8 {
            let mut damaged = table.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let steps = everywhere(&entries);
            let sound = walk_damaged(&damaged, &BytewiseComparator, &entries, steps);
            assert_eq!(sound, costs_nothing(&table, &damaged, bit), "bit {bit}");
        }
    }
}

#[test]
fn every_inserted_and_every_dropped_byte_is_noticed() {
    for table in small_tables() {
        for at in 0..table.len() {
            let mut longer = table.clone();
            longer.insert(at, 0);
            let mut shorter = table.clone();
            shorter.remove(at);
            for damaged in [longer, shorter] {
                let (verified, _) = read(&damaged, &small());
                assert!(!verified, "byte {at}");
            }
        }
    }
}

#[test]
fn arbitrary_bytes_never_panic() {
    fn property(bytes: Vec<u8>, footer: (Vec<u8>, bool)) -> bool {
        let (mut handles, is_table) = footer;
        handles.resize(40, 0);
        let mut bytes = [bytes, handles].concat();
        if is_table {
            bytes.extend_from_slice(&[0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]);
        }
        read(&bytes, &[]);
        true
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(200, 5))
        .tests(20_000)
        .quickcheck(property as fn(Vec<u8>, (Vec<u8>, bool)) -> bool);
}

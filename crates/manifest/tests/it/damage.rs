//! Damaged manifests: reported, never taken for whole, and nothing made up.

use strata_manifest::{EditRecord, Unusable};

use crate::support::{FILES, fold, read};

/// Records that were read are among those that were written, in order.
fn are_among(read: &[EditRecord], written: &[EditRecord]) -> bool {
    let mut written = written.iter();
    read.iter()
        .all(|record| written.any(|whole| whole.edit == record.edit))
}

#[test]
fn every_truncation_is_a_torn_tail_or_a_shorter_manifest() {
    for (name, manifest) in FILES {
        let (whole, reports) = read(manifest);
        assert_eq!(reports, [""; 0], "{name}");
        for length in 0..=manifest.len() {
            let cut = &manifest[..length];
            let (records, _) = read(cut);
            let ends_before = |record: &&EditRecord| record.end <= length as u64;
            let expected: Vec<_> = whole.iter().take_while(ends_before).cloned().collect();
            assert_eq!(records, expected, "{name}, {length}");

            let (folded, reports) = fold(cut);
            let end = records.last().map_or(0, |record| record.end);
            let is_torn = end < length as u64;
            assert_eq!(folded.torn_at, is_torn.then_some(end), "{name}, {length}");
            assert_eq!(reports.len(), usize::from(is_torn), "{name}, {length}");
            // The numbers that LevelDB asks for are in the first edit, or the second.
            let has_numbers = records
                .iter()
                .any(|record| record.edit.as_ref().unwrap().last_sequence.is_some());
            assert_eq!(folded.unusable.is_none(), has_numbers, "{name}, {length}");
        }
    }
}

#[test]
fn every_flipped_bit_is_reported_and_makes_up_nothing() {
    for (name, manifest) in FILES {
        let (whole, _) = read(manifest);
        let mut damaged = manifest.to_vec();
        for bit in 0..damaged.len() * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (records, reports) = read(&damaged);
            assert!(!reports.is_empty(), "{name}, bit {bit}");
            assert!(are_among(&records, &whole), "{name}, bit {bit}");
            assert!(records.len() < whole.len(), "{name}, bit {bit}");
            let (folded, folded_reports) = fold(&damaged);
            assert_eq!(folded_reports, reports);
            assert_eq!(folded.edits, records.len() as u64);
            // A length that reaches past the file's end looks like a torn tail, to LevelDB, too.
            assert!(
                folded.unusable.is_some() || folded.torn_at.is_some(),
                "{name}, bit {bit}"
            );
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_page_of_zeros_in_front_of_edits_is_no_version() {
    let manifest = crate::support::file("compacted");
    // Zeros to the end of the block, and then edits again.
    let mut damaged = manifest[..50].to_vec();
    damaged.resize(strata_wal::BLOCK_SIZE, 0);
    damaged.extend_from_slice(manifest);
    let (folded, reports) = fold(&damaged);
    let first_zeros = "passed over 32718 bytes at offset 50: zeros";
    assert_eq!(reports, [first_zeros]);
    let unusable = folded.unusable.unwrap();
    assert!(matches!(unusable, Unusable::Zeros(zeros) if zeros.offset == 50));
    assert_eq!(
        unusable.to_string(),
        format!("{first_zeros}, where edits should be")
    );

    // At the end they are what a file system may leave behind.
    let mut damaged = manifest.to_vec();
    damaged.resize(manifest.len() + 4096, 0);
    let (folded, reports) = fold(&damaged);
    assert_eq!((folded.unusable, reports.len()), (None, 1));
}

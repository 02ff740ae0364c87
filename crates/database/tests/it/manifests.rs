//! Damaged manifests: what is said to be the database's version is one that the database had.

use strata_dbformat::{InternalKey, SequenceNumber, ValueType};
use strata_manifest::{FileMetadata, Level, ManifestWriter, Version, VersionEdit};

use crate::faults::Damaged;
use crate::random::Random;

/// How many manifests are damaged.
const MANIFESTS: u64 = 600;

fn key(random: &mut Random) -> InternalKey {
    let sequence = SequenceNumber::new(random.next() >> 20).unwrap();
    InternalKey::new(&random.bytes(12), sequence, ValueType::Value)
}

/// An edit as a flush or a compaction makes it: files that are there go, others come.
fn edit(random: &mut Random, version: &Version, number: u64) -> VersionEdit {
    let mut edit = VersionEdit {
        log_number: Some(number),
        next_file_number: Some(number + 1),
        last_sequence: SequenceNumber::new(number * 100).ok(),
        ..VersionEdit::default()
    };
    if random.one_of(3) {
        let files = version.files().map(|(level, file)| (level, file.number));
        edit.deleted_files = files.filter(|_| random.one_of(4)).collect();
        let level = Level::new(u8::try_from(random.below(7)).unwrap()).unwrap();
        edit.compact_pointers.push((level, key(random)));
    }
    for file in 0..random.below(4) as u64 {
        let level = Level::new(u8::try_from(random.below(7)).unwrap()).unwrap();
        let file = FileMetadata {
            number: number * 10 + file,
            bytes: random.next() >> 40,
            smallest: key(random),
            largest: key(random),
        };
        edit.new_files.push((level, file));
    }
    edit
}

/// A manifest of up to 300 edits: its bytes, where each record ends, and the version after each.
fn manifest(random: &mut Random) -> (Vec<u8>, Vec<usize>, Vec<Version>) {
    let mut version = Version::default();
    let (mut ends, mut versions) = (Vec::new(), Vec::new());
    let mut bytes = Vec::new();
    let mut writer = ManifestWriter::new(&mut bytes);
    let mut length = 0;
    for number in 1..2 + random.below(300) as u64 {
        let mut edit = edit(random, &version, number);
        if number == 1 {
            edit.comparator = Some(b"leveldb.BytewiseComparator".to_vec());
            edit.previous_log_number = Some(0);
        }
        writer.add(&edit).unwrap();
        length = record_end(length, edit.encode().unwrap().len());
        version.apply(edit);
        ends.push(length);
        versions.push(version.clone());
    }
    drop(writer);
    assert_eq!(ends.last(), Some(&bytes.len()));
    (bytes, ends, versions)
}

/// Where a record of this length ends that is written behind `begin` bytes of a log.
fn record_end(begin: usize, length: usize) -> usize {
    let mut writer = strata_wal::Writer::continuing(std::io::sink(), begin as u64);
    writer.add_record(&vec![0; length]).unwrap();
    usize::try_from(writer.offset()).unwrap()
}

#[test]
fn damaged_manifests_give_a_version_that_was_or_none() {
    let mut usable = 0;
    for seed in 0..MANIFESTS {
        let mut random = Random::new(seed);
        let (bytes, ends, versions) = manifest(&mut random);
        let mut begins = vec![0];
        begins.extend(&ends[..ends.len() - 1]);
        let parts: Vec<_> = begins.iter().zip(&ends).map(|(&a, &b)| a..b).collect();
        // Two whole records that change places are what no checksum shows.
        let all = 0..bytes.len();
        let damaged = Damaged::random(&bytes, std::slice::from_ref(&all), &mut random);
        let context = format!("seed {seed}: {:?}", damaged.faults);
        let mut reports = 0;
        let folded = Version::read(&damaged.bytes[..], &mut |_| reports += 1).unwrap();
        // The records at the beginning that are where they were written.
        let whole = parts
            .iter()
            .take_while(|part| damaged.place_of(part) == Some(part.start))
            .count();
        if folded.unusable.is_some() {
            assert!(
                whole < parts.len() || reports > 0,
                "{context}: nothing is amiss, and it is refused"
            );
            continue;
        }
        usable += 1;
        let edits = usize::try_from(folded.edits).unwrap();
        assert!(
            edits >= whole,
            "{context}: {edits} edits, and {whole} are whole"
        );
        assert!(
            Some(&folded.version) == versions.get(edits.wrapping_sub(1)),
            "{context}: what {edits} edits of {} give was never the version",
            versions.len()
        );
        let ends_whole = damaged.bytes.len() == ends[edits - 1];
        assert!(
            edits == versions.len() || reports > 0 || ends_whole,
            "{context}: {edits} edits of {}, and no report",
            versions.len()
        );
    }
    assert!(usable > 50, "{usable} in all");
}

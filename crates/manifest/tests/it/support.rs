//! Manifests to read, and edits at random.

use quickcheck::{Arbitrary, Gen, QuickCheck, Testable};
use strata_dbformat::{InternalKey, SequenceNumber, ValueType};
use strata_manifest::{
    EditRecord, FileMetadata, FoldedManifest, Level, ManifestReader, ManifestWriter, Version,
    VersionEdit,
};

/// The manifests in `tests/data`: all but `bedrock`, which Mojang's LevelDB wrote, are of LevelDB
/// 1.22.
pub(crate) const FILES: &[(&str, &[u8])] = &[
    ("bedrock", include_bytes!("../data/bedrock")),
    ("compacted", include_bytes!("../data/compacted")),
    ("idb-cmp1", include_bytes!("../data/idb-cmp1")),
    ("missing-table", include_bytes!("../data/missing-table")),
    ("obsolete-table", include_bytes!("../data/obsolete-table")),
    ("reopened", include_bytes!("../data/reopened")),
    ("rotated", include_bytes!("../data/rotated")),
    ("simple", include_bytes!("../data/simple")),
    (
        "unfinished-compaction-output",
        include_bytes!("../data/unfinished-compaction-output"),
    ),
];

pub(crate) fn file(name: &str) -> &'static [u8] {
    let found = FILES.iter().find(|(file, _)| *file == name);
    found.unwrap().1
}

/// The records of a manifest, and what is reported.
pub(crate) fn read(manifest: &[u8]) -> (Vec<EditRecord>, Vec<String>) {
    let mut reports = Vec::new();
    let mut records = Vec::new();
    let mut reader = ManifestReader::new(manifest);
    while let Some(record) = reader
        .next_edit(&mut |report| reports.push(report.to_string()))
        .unwrap()
    {
        records.push(record);
    }
    (records, reports)
}

/// What a manifest's edits add up to, and what is reported.
pub(crate) fn fold(manifest: &[u8]) -> (FoldedManifest, Vec<String>) {
    let mut reports = Vec::new();
    let folded = Version::read(manifest, &mut |report| reports.push(report.to_string()));
    (folded.unwrap(), reports)
}

pub(crate) fn manifest_of<'a>(edits: impl IntoIterator<Item = &'a VersionEdit>) -> Vec<u8> {
    let mut writer = ManifestWriter::new(Vec::new());
    for edit in edits {
        writer.add(edit).unwrap();
    }
    writer.into_inner()
}

pub(crate) fn key(user_key: &[u8], sequence: u64) -> InternalKey {
    InternalKey::new(
        user_key,
        SequenceNumber::new(sequence).unwrap(),
        ValueType::Value,
    )
}

pub(crate) fn level(level: u8) -> Level {
    Level::new(level).unwrap()
}

pub(crate) fn file_of(number: u64) -> FileMetadata {
    FileMetadata {
        number,
        bytes: number * 1000,
        smallest: key(b"a", number),
        largest: key(b"z", number),
    }
}

/// An edit that has all the numbers a manifest must have.
pub(crate) fn numbers() -> VersionEdit {
    VersionEdit {
        comparator: Some(b"leveldb.BytewiseComparator".to_vec()),
        log_number: Some(7),
        next_file_number: Some(9),
        last_sequence: Some(SequenceNumber::new(100).unwrap()),
        ..VersionEdit::default()
    }
}

/// Runs a property on draws that are the same every time.
pub(crate) fn check<P: Testable>(size: usize, tests: u64, property: P) {
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(size, 11))
        .tests(tests)
        .quickcheck(property);
}

/// An edit with any of its parts.
#[derive(Clone, Debug)]
pub(crate) struct AnyEdit(pub(crate) VersionEdit);

impl Arbitrary for AnyEdit {
    fn arbitrary(g: &mut Gen) -> Self {
        let sequence = Option::<u64>::arbitrary(g);
        let count = usize::from(u8::arbitrary(g) % 4);
        Self(VersionEdit {
            comparator: Option::arbitrary(g),
            log_number: Option::arbitrary(g),
            previous_log_number: Option::arbitrary(g),
            next_file_number: Option::arbitrary(g),
            last_sequence: sequence.map(|sequence| SequenceNumber::new(sequence >> 8).unwrap()),
            compact_pointers: (0..count).map(|_| (any_level(g), any_key(g))).collect(),
            deleted_files: (0..count).map(|_| (any_level(g), any_number(g))).collect(),
            new_files: (0..count).map(|_| (any_level(g), any_file(g))).collect(),
        })
    }
}

fn any_level(g: &mut Gen) -> Level {
    level(u8::arbitrary(g) % 7)
}

/// Few numbers, so that files meet, and sometimes any.
fn any_number(g: &mut Gen) -> u64 {
    match u8::arbitrary(g) {
        0..200 => u64::arbitrary(g) % 6,
        _ => u64::arbitrary(g),
    }
}

fn any_key(g: &mut Gen) -> InternalKey {
    let sequence = SequenceNumber::new(u64::arbitrary(g) >> 8).unwrap();
    let value_type = if bool::arbitrary(g) {
        ValueType::Value
    } else {
        ValueType::Deletion
    };
    InternalKey::new(&Vec::arbitrary(g), sequence, value_type)
}

fn any_file(g: &mut Gen) -> FileMetadata {
    FileMetadata {
        number: any_number(g),
        bytes: u64::arbitrary(g),
        smallest: any_key(g),
        largest: any_key(g),
    }
}

//! Manifests that LevelDB wrote: read, shown, and written again byte for byte.

use strata_files::FileKind;
use strata_manifest::VersionEdit;

use crate::support::{FILES, file, fold, key, manifest_of, read};

#[test]
fn real_manifests_come_out_byte_for_byte() {
    for (name, manifest) in FILES {
        let (records, reports) = read(manifest);
        assert_eq!(reports, [""; 0], "{name}");
        let edits: Vec<VersionEdit> = records
            .into_iter()
            .map(|record| record.edit.unwrap())
            .collect();
        assert_eq!(manifest_of(&edits), *manifest, "{name}");
    }
}

#[test]
fn real_manifests_are_shown_as_leveldbutil_shows_them() {
    for (name, dump) in [
        ("compacted", include_str!("../data/compacted.dump")),
        ("reopened", include_str!("../data/reopened.dump")),
        ("idb-cmp1", include_str!("../data/idb-cmp1.dump")),
        ("bedrock", include_str!("../data/bedrock.dump")),
    ] {
        let (records, _) = read(file(name));
        let shown: String = records.iter().map(ToString::to_string).collect();
        assert_eq!(shown, dump, "{name}");
    }
}

#[test]
fn real_manifests_add_up_to_the_files_that_were_there() {
    for (name, comparator, tables, log) in [
        ("bedrock", "leveldb.BytewiseComparator", &[(2, 5)][..], 8),
        (
            "compacted",
            "leveldb.BytewiseComparator",
            &[(0, 81), (1, 79), (2, 5)],
            80,
        ),
        ("idb-cmp1", "idb_cmp1", &[], 3),
        (
            "missing-table",
            "leveldb.BytewiseComparator",
            &[(2, 7), (2, 9)],
            10,
        ),
        ("obsolete-table", "leveldb.BytewiseComparator", &[(2, 9)], 8),
        (
            "reopened",
            "leveldb.BytewiseComparator",
            &[(0, 5), (0, 8)],
            9,
        ),
        (
            "rotated",
            "leveldb.BytewiseComparator",
            &[(1, 7), (2, 5)],
            6,
        ),
        ("simple", "leveldb.BytewiseComparator", &[], 3),
        (
            "unfinished-compaction-output",
            "leveldb.BytewiseComparator",
            &[(2, 5)],
            4,
        ),
    ] {
        let (folded, _) = fold(file(name));
        assert_eq!(folded.torn_at, None, "{name}");
        let version = folded.into_usable().unwrap();
        assert_eq!(version.comparator.as_deref(), Some(comparator.as_bytes()));
        let found: Vec<_> = version
            .files()
            .map(|(level, file)| (level.get(), file.number))
            .collect();
        assert_eq!(found, tables, "{name}");
        assert_eq!(version.is_live(FileKind::Log, log), Some(true), "{name}");
        let before = version.is_live(FileKind::Log, log - 1);
        assert_eq!(before, Some(false), "{name}");
    }
}

#[test]
fn the_details_of_a_real_version_are_read() {
    let version = fold(file("compacted")).0.into_usable().unwrap();
    assert_eq!(version.log_number, 80);
    assert_eq!(version.previous_log_number, 0);
    assert_eq!(version.next_file_number, 82);
    assert_eq!(version.last_sequence.get(), 18_526);
    let (_, newest) = version.files().next().unwrap();
    assert_eq!((newest.number, newest.bytes), (81, 46_424));
    assert_eq!(newest.largest, key(b"05996", 18_289));
    assert_eq!(
        newest.smallest.to_string(),
        "'\\x00bin\\xff0024' @ 18430 : 0"
    );
    let pointer = version.compact_pointer(strata_manifest::Level::ZERO);
    assert_eq!(pointer, Some(&key(b"05998", 16_025)));
    assert!(
        !version
            .level(strata_manifest::Level::new(3).unwrap())
            .any(|_| true)
    );
}

//! What edits add up to, and when that is the database.

use std::io;

use strata_files::FileKind;
use strata_manifest::{Version, VersionEdit};
use strata_wal::Writer;

use crate::support::{file_of, fold, level, manifest_of, numbers};

#[test]
fn files_are_deleted_before_files_are_added() {
    let mut version = Version::default();
    let mut edit = numbers();
    edit.new_files = vec![(level(0), file_of(4)), (level(0), file_of(5))];
    version.apply(edit);
    version.apply(VersionEdit {
        deleted_files: [(level(0), 4), (level(0), 5), (level(3), 9)].into(),
        new_files: vec![(level(0), file_of(5)), (level(1), file_of(4))],
        ..VersionEdit::default()
    });
    let files: Vec<_> = version
        .files()
        .map(|(level, file)| (level.get(), file.number))
        .collect();
    assert_eq!(files, [(0, 5), (1, 4)]);
}

#[test]
fn logs_from_the_log_number_on_are_live_and_the_previous_one() {
    let mut version = Version::default();
    version.apply(VersionEdit {
        previous_log_number: Some(3),
        ..numbers()
    });
    let live: Vec<u64> = (0..12)
        .filter(|number| version.is_live(FileKind::Log, *number) == Some(true))
        .collect();
    assert_eq!(live, [3, 7, 8, 9, 10, 11]);
    assert_eq!(version.is_live(FileKind::Temporary, 7), Some(false));
    assert_eq!(version.is_live(FileKind::Manifest, 7), None);
}

#[test]
fn a_manifest_without_a_number_that_leveldb_asks_for_is_unusable() {
    let without = |edit: VersionEdit| {
        let (folded, reports) = fold(&manifest_of([&edit]));
        assert_eq!(reports, [""; 0]);
        folded.into_usable().unwrap_err().to_string()
    };
    assert_eq!(
        without(VersionEdit {
            next_file_number: None,
            ..numbers()
        }),
        "no meta-nextfile entry in descriptor"
    );
    assert_eq!(
        without(VersionEdit {
            log_number: None,
            ..numbers()
        }),
        "no meta-lognumber entry in descriptor"
    );
    assert_eq!(
        without(VersionEdit {
            last_sequence: None,
            ..numbers()
        }),
        "no last-sequence-number entry in descriptor"
    );
    let (empty, _) = fold(b"");
    assert_eq!(
        empty.into_usable().unwrap_err().to_string(),
        "no meta-nextfile entry in descriptor"
    );
}

#[test]
fn comparator_and_previous_log_may_be_missing() {
    let edit = VersionEdit {
        comparator: None,
        ..numbers()
    };
    let version = fold(&manifest_of([&edit])).0.into_usable().unwrap();
    assert_eq!((version.comparator, version.previous_log_number), (None, 0));
}

#[test]
fn two_comparators_are_one_too_many() {
    let other = VersionEdit {
        comparator: Some(b"idb_cmp1".to_vec()),
        ..VersionEdit::default()
    };
    let (folded, _) = fold(&manifest_of([&numbers(), &numbers(), &other]));
    assert_eq!(folded.edits, 3);
    assert_eq!(
        folded.into_usable().unwrap_err().to_string(),
        "idb_cmp1 does not match existing comparator leveldb.BytewiseComparator: the edit at \
         offset 82"
    );
}

#[test]
fn a_record_that_is_no_edit_costs_itself_and_makes_the_version_unusable() {
    let mut log = Writer::new(Vec::new());
    log.add_record(&numbers().encode().unwrap()).unwrap();
    log.add_record(b"\x02\x05\x0a").unwrap();
    let last = VersionEdit {
        log_number: Some(8),
        ..VersionEdit::default()
    };
    log.add_record(&last.encode().unwrap()).unwrap();
    let (folded, reports) = fold(&log.into_inner());
    let said = "unknown tag 10: at byte 2 of the edit, a tag, 1 to 7 or 9, was expected";
    assert_eq!(reports, [format!("dropped 10 bytes at offset 41: {said}")]);
    assert_eq!((folded.edits, folded.version.log_number), (2, 8));
    assert_eq!(
        folded.unusable.unwrap().to_string(),
        format!("the record at offset 41 is no edit: {said}")
    );
}

#[test]
fn a_source_that_fails_is_an_error() {
    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let mut reports = 0;
    let error = Version::read(Failing, &mut |_| reports += 1).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), reports),
        ("the disk is on fire", 1)
    );
}

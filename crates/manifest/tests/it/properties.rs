//! Any edits: written and read, applied and said again.

use std::collections::BTreeMap;

use strata_files::FileKind;
use strata_manifest::{FileMetadata, Level, Version};

use crate::support::{AnyEdit, check, fold, manifest_of, numbers, read};

#[test]
fn what_is_written_is_read() {
    check(
        20,
        500,
        (|edits| {
            let manifest = manifest_of(edits.iter().map(|edit| &edit.0));
            let (records, reports) = read(&manifest);
            assert_eq!(reports, [""; 0]);
            let read: Vec<_> = records
                .into_iter()
                .map(|record| record.edit.unwrap())
                .collect();
            read.iter().eq(edits.iter().map(|edit| &edit.0))
        }) as fn(Vec<AnyEdit>) -> bool,
    );
}

#[test]
fn a_version_is_what_a_map_of_files_would_be() {
    check(
        8,
        500,
        (|edits| {
            let mut files: BTreeMap<(Level, u64), FileMetadata> = BTreeMap::new();
            for AnyEdit(edit) in &edits {
                files.retain(|file, _| !edit.deleted_files.contains(file));
                for (level, file) in &edit.new_files {
                    files.insert((*level, file.number), file.clone());
                }
            }
            let mut version = Version::default();
            for AnyEdit(edit) in edits.clone() {
                version.apply(edit);
            }
            let found: Vec<_> = version.files().collect();
            let expected: Vec<_> = files
                .iter()
                .map(|((level, _), file)| (*level, file))
                .collect();
            assert_eq!(found, expected);
            for level in Level::all() {
                let found: Vec<_> = version.level(level).collect();
                let expected: Vec<_> = files
                    .iter()
                    .filter(|((at, _), _)| *at == level)
                    .map(|(_, file)| file)
                    .collect();
                assert_eq!(found, expected);
            }
            for number in 0..8 {
                let is_live = files.keys().any(|(_, file)| *file == number);
                assert_eq!(version.is_live(FileKind::Table, number), Some(is_live));
            }
            let pointers = edits.iter().flat_map(|edit| &edit.0.compact_pointers);
            let pointers: BTreeMap<_, _> = pointers.cloned().collect();
            Level::all().all(|level| version.compact_pointer(level) == pointers.get(&level))
        }) as fn(Vec<AnyEdit>) -> bool,
    );
}

#[test]
fn a_snapshot_makes_the_same_version_again() {
    check(
        8,
        300,
        (|edits| {
            let mut version = Version::default();
            version.apply(numbers());
            for AnyEdit(mut edit) in edits {
                edit.comparator = None;
                version.apply(edit);
            }
            let (folded, reports) = fold(&manifest_of([&version.snapshot()]));
            assert_eq!(reports, [""; 0]);
            folded.into_usable() == Ok(version)
        }) as fn(Vec<AnyEdit>) -> bool,
    );
}

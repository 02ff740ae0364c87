//! Any bytes as a manifest, and any records in one. What is read comes out again as it was read;
//! what is not is reported; the version is what a plain list of edits makes of it; and one that is
//! called usable is made again by its snapshot.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use strata_files::FileKind;
use strata_manifest::{
    FileMetadata, Level, ManifestReader, ManifestWriter, Version, VersionEdit, parse_current,
};
use strata_wal::Writer;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(current) = parse_current(bytes) {
        assert_eq!(bytes, format!("{}\n", current.name).as_bytes());
    }
    fold(bytes);

    // The fuzzer can't make checksums: its bytes are records, each behind its length.
    let mut log = Writer::new(Vec::new());
    let mut rest = bytes;
    while let Some((&length, after)) = rest.split_first() {
        let (record, after) = after.split_at(after.len().min(usize::from(length)));
        log.add_record(record).unwrap();
        rest = after;
    }
    fold(&log.into_inner());
});

/// What the edits say, one after the other.
fn check_version(version: &Version, edits: &[VersionEdit]) {
    let mut files: BTreeMap<(Level, u64), &FileMetadata> = BTreeMap::new();
    for edit in edits {
        files.retain(|place, _| !edit.deleted_files.contains(place));
        for (level, file) in &edit.new_files {
            files.insert((*level, file.number), file);
        }
    }
    let all = files.iter().map(|((level, _), file)| (*level, *file));
    assert!(version.files().eq(all));
    for number in files.keys().map(|(_, number)| number).chain([&0, &7]) {
        let is_live = files.keys().any(|(_, other)| other == number);
        assert_eq!(version.is_live(FileKind::Table, *number), Some(is_live));
        assert_eq!(version.file(*number).is_some(), is_live);
    }
    let said = |number: fn(&VersionEdit) -> Option<u64>| edits.iter().rev().find_map(number);
    let numbers = [
        (version.log_number, said(|edit| edit.log_number)),
        (
            version.previous_log_number,
            said(|edit| edit.previous_log_number),
        ),
        (version.next_file_number, said(|edit| edit.next_file_number)),
        (
            version.last_sequence.get(),
            said(|edit| Some(edit.last_sequence?.get())),
        ),
    ];
    for (number, said) in numbers {
        assert_eq!(number, said.unwrap_or(0));
    }
    let comparator = edits.iter().rev().find_map(|edit| edit.comparator.as_ref());
    assert_eq!(version.comparator.as_ref(), comparator);
    for level in Level::all() {
        let pointers = edits.iter().flat_map(|edit| &edit.compact_pointers);
        let pointer = pointers.filter(|(of, _)| *of == level).last();
        assert_eq!(version.compact_pointer(level), pointer.map(|(_, key)| key));
    }
}

fn fold(manifest: &[u8]) {
    let mut reports = 0;
    let folded = Version::read(manifest, &mut |report| {
        assert!(!report.to_string().is_empty());
        reports += 1;
    })
    .unwrap();
    let mut version = Version::default();
    let mut edits = Vec::new();
    let mut reader = ManifestReader::new(manifest);
    while let Some(record) = reader.next_edit(&mut |_| {}).unwrap() {
        assert!(record.offset < record.end && record.end <= manifest.len() as u64);
        assert!(record.to_string().ends_with('\n'));
        match record.edit {
            Ok(edit) => {
                let again = edit.encode().unwrap();
                assert_eq!(VersionEdit::decode(&again).as_ref(), Ok(&edit));
                edits.push(edit.clone());
                version.apply(edit);
            }
            Err(_) => assert!(folded.unusable.is_some() && reports > 0),
        }
    }
    assert_eq!(
        (&folded.version, folded.edits),
        (&version, edits.len() as u64)
    );
    check_version(&version, &edits);
    if folded.unusable.is_none() {
        let mut writer = ManifestWriter::new(Vec::new());
        writer.add(&version.snapshot()).unwrap();
        let again = Version::read(&writer.into_inner()[..], &mut |report| panic!("{report}"));
        assert_eq!(again.unwrap().into_usable(), Ok(version));
    }
}

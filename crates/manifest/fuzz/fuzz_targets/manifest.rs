//! Any bytes as a manifest, and any records in one. What is read comes out again as it was read;
//! what is not is reported; a version that is called usable is made again by its snapshot.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strata_manifest::{ManifestReader, ManifestWriter, Version, VersionEdit, parse_current};
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

fn fold(manifest: &[u8]) {
    let mut reports = 0;
    let folded = Version::read(manifest, &mut |report| {
        assert!(!report.to_string().is_empty());
        reports += 1;
    })
    .unwrap();
    let mut version = Version::default();
    let mut edits = 0;
    let mut reader = ManifestReader::new(manifest);
    while let Some(record) = reader.next_edit(&mut |_| {}).unwrap() {
        assert!(record.offset < record.end && record.end <= manifest.len() as u64);
        assert!(record.to_string().ends_with('\n'));
        match record.edit {
            Ok(edit) => {
                let again = edit.encode().unwrap();
                assert_eq!(VersionEdit::decode(&again).as_ref(), Ok(&edit));
                version.apply(edit);
                edits += 1;
            }
            Err(_) => assert!(folded.unusable.is_some() && reports > 0),
        }
    }
    assert_eq!((&folded.version, folded.edits), (&version, edits));
    if folded.unusable.is_none() {
        let mut writer = ManifestWriter::new(Vec::new());
        writer.add(&version.snapshot()).unwrap();
        let again = Version::read(&writer.into_inner()[..], &mut |report| panic!("{report}"));
        assert_eq!(again.unwrap().into_usable(), Ok(version));
    }
}

//! Manifests that are written.

use std::io::{self, ErrorKind, Write};

use strata_dbformat::InternalKey;
use strata_manifest::{Level, ManifestWriter, VersionEdit};

use crate::support::{file, manifest_of, numbers, read};

#[test]
fn an_edit_that_can_not_be_encoded_leaves_the_manifest_as_it_was() {
    let mut writer = ManifestWriter::new(Vec::new());
    writer.add(&numbers()).unwrap();
    let bad = VersionEdit {
        compact_pointers: vec![(Level::ZERO, InternalKey::default())],
        ..VersionEdit::default()
    };
    let error = writer.add(&bad).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "the edit has an empty internal key, which no LevelDB reads"
    );
    writer.add(&numbers()).unwrap();
    assert_eq!(writer.into_inner(), manifest_of([&numbers(), &numbers()]));
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("no space"));
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = ManifestWriter::new(Full(20));
    assert_eq!(writer.add(&numbers()).unwrap_err().to_string(), "no space");
    assert!(writer.add(&numbers()).is_err());
    assert_eq!(writer.into_inner().0, 0);
}

#[test]
fn an_edit_larger_than_a_block_is_one_edit() {
    let (records, _) = read(file("compacted"));
    let mut large = numbers();
    for record in records.iter().cycle().take(4_000) {
        large
            .new_files
            .extend(record.edit.clone().unwrap().new_files);
    }
    let manifest = manifest_of([&large, &numbers()]);
    assert!(manifest.len() > 3 * strata_wal::BLOCK_SIZE);
    let (records, reports) = read(&manifest);
    assert_eq!((records.len(), reports.len()), (2, 0));
    assert_eq!(records[0].edit, Ok(large));
}

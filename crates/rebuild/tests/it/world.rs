//! Small databases, made as LevelDB lays them out.

use std::fs;
use std::path::Path;

use strata_database::{Arrangement, Database, ReadOptions, Report};
use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_files::{FileDirectory, log_file_name, table_file_name};
use strata_manifest::{FileMetadata, Level, VersionEdit, create_manifest, set_current};
use strata_table::{Compression, TableOptions, TableWriter};
use strata_wal::Writer;
use strata_write_batch::WriteBatch;

/// An entry: user key, sequence number, and its value or that it is deleted.
pub(crate) type Written = (Vec<u8>, u64, Option<Vec<u8>>);

pub(crate) fn put(key: &str, sequence: u64, value: &str) -> Written {
    (key.into(), sequence, Some(value.into()))
}

pub(crate) fn delete(key: &str, sequence: u64) -> Written {
    (key.into(), sequence, None)
}

/// Writes a table of these entries, which are in order, and says what a manifest says of it.
pub(crate) fn table(directory: &Path, number: u64, entries: &[Written]) -> FileMetadata {
    let options = TableOptions {
        block_size: 64,
        compression: Compression::None,
        ..TableOptions::default()
    };
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    for (key, sequence, value) in entries {
        let value_type = match value {
            Some(_) => ValueType::Value,
            None => ValueType::Deletion,
        };
        let sequence = SequenceNumber::new(*sequence).unwrap();
        let key = InternalKey::new(key, sequence, value_type);
        writer
            .add(key.encode(), value.as_deref().unwrap_or_default())
            .unwrap();
    }
    let (bytes, summary) = writer.finish().unwrap();
    fs::write(directory.join(table_file_name(number)), &bytes).unwrap();
    FileMetadata {
        number,
        bytes: bytes.len() as u64,
        smallest: summary.smallest,
        largest: summary.largest,
    }
}

/// Writes a log of these entries, each in a batch of its own.
pub(crate) fn log(directory: &Path, number: u64, entries: &[Written]) {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    for (key, sequence, value) in entries {
        let mut batch = WriteBatch::new();
        batch.set_sequence(SequenceNumber::new(*sequence).unwrap());
        match value {
            Some(value) => batch.put(key, value).unwrap(),
            None => batch.delete(key).unwrap(),
        }
        writer.add_record(batch.contents()).unwrap();
    }
    fs::write(directory.join(log_file_name(number)), bytes).unwrap();
}

/// Writes a manifest and `CURRENT` for these tables; logs from `log_number` on are live.
pub(crate) fn manifest(directory: &Path, log_number: u64, tables: &[(u8, FileMetadata)]) {
    let edit = VersionEdit {
        comparator: Some(b"leveldb.BytewiseComparator".to_vec()),
        log_number: Some(log_number),
        next_file_number: Some(100),
        last_sequence: Some(SequenceNumber::new(50).unwrap()),
        new_files: tables
            .iter()
            .map(|(level, file)| (Level::new(*level).unwrap(), file.clone()))
            .collect(),
        ..VersionEdit::default()
    };
    let directory = FileDirectory::new(directory);
    create_manifest(&directory, 2, [edit]).unwrap();
    set_current(&directory, 2).unwrap();
}

/// A database with two overlapping tables, a table beneath, an obsolete table and a log.
pub(crate) fn small_world(directory: &Path) {
    let beneath: Vec<Written> = (0..40)
        .map(|i| put(&format!("key{i:02}"), i + 1, &format!("old{i}")))
        .collect();
    let tables = [
        (1, table(directory, 4, &beneath)),
        (
            0,
            table(
                directory,
                6,
                &[
                    put("key03", 43, "newer"),
                    put("key05", 41, "new"),
                    delete("key07", 42),
                ],
            ),
        ),
        (
            0,
            table(
                directory,
                8,
                &[put("key03", 45, "newest"), delete("key05", 44)],
            ),
        ),
    ];
    table(directory, 5, &[put("secret", 12, "deleted long ago")]);
    log(
        directory,
        9,
        &[
            put("key07", 46, "again"),
            put("late", 47, "log"),
            delete("key00", 48),
        ],
    );
    log(directory, 3, &[put("ancient", 1, "obsolete")]);
    manifest(directory, 9, &tables);
}

/// What a reader of `small_world` sees.
pub(crate) fn small_world_visible() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut visible: Vec<(Vec<u8>, Vec<u8>)> = (1..40)
        .filter(|i| *i != 5)
        .map(|i| {
            let value = match i {
                3 => "newest".to_owned(),
                7 => "again".to_owned(),
                _ => format!("old{i}"),
            };
            (format!("key{i:02}").into_bytes(), value.into_bytes())
        })
        .collect();
    visible.push((b"late".to_vec(), b"log".to_vec()));
    visible
}

/// What reading gave: entries, and what was reported.
pub(crate) fn read(
    directory: &Path,
    read: &ReadOptions,
    arrangement: Arrangement,
) -> (Vec<Written>, Vec<Report>) {
    let database = Database::open(directory).unwrap();
    let mut reports = Vec::new();
    let mut report = |event| reports.push(event);
    database.report_findings(&mut report);
    let mut entries = database.entries(read, arrangement, &mut report).unwrap();
    let mut all = Vec::new();
    while let Some(entry) = entries.next(&mut report).unwrap() {
        let value = (!entry.is_tombstone()).then(|| entry.value.to_vec());
        all.push((entry.user_key.to_vec(), entry.sequence().get(), value));
    }
    (all, reports)
}

/// The newest version of each key, of sorted entries, but for deleted ones.
pub(crate) fn visible(entries: &[Written]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut visible = Vec::new();
    let mut last: Option<&[u8]> = None;
    for (key, _, value) in entries {
        if last != Some(key)
            && let Some(value) = value
        {
            visible.push((key.clone(), value.clone()));
        }
        last = Some(key);
    }
    visible
}

//! Directories as LevelDB and accidents leave them, made of a few entries.

use std::fs;
use std::path::{Path, PathBuf};

use strata_dbformat::{BytewiseComparator, InternalKey, SequenceNumber, ValueType};
use strata_table::{Compression, TableOptions, TableWriter};
use strata_wal::Writer;
use strata_write_batch::WriteBatch;
use tempfile::TempDir;

/// A sequence number, a key, and a value or a deletion.
pub(crate) type Written<'a> = (u64, &'a str, Option<&'a str>);

/// The name of LevelDB's own order.
pub(crate) const BYTEWISE: &str = "leveldb.BytewiseComparator";

/// A directory being made; it is removed when this is dropped.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A copy of a directory, without the folders in it.
    pub(crate) fn copy_of(source: &Path) -> Self {
        let folder = Self::new();
        for entry in fs::read_dir(source).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let name = entry.file_name().into_string().unwrap();
                folder.add(&name, &fs::read(entry.path()).unwrap());
            }
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn text(&self) -> &str {
        crate::text(self.path())
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn add(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    /// Changes a file's bytes.
    pub(crate) fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.file(name)).unwrap();
        change(&mut bytes);
        self.add(name, &bytes);
    }

    /// `CURRENT`, and the manifest that it names: these edits, each a record.
    pub(crate) fn manifest(&self, number: u64, edits: &[Vec<u8>]) {
        self.add(&format!("MANIFEST-{number:06}"), &log_of(edits));
        self.add("CURRENT", format!("MANIFEST-{number:06}\n").as_bytes());
    }
}

/// A log with a record for each of these.
pub(crate) fn log_of<T: AsRef<[u8]>>(records: &[T]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for record in records {
        writer.add_record(record.as_ref()).unwrap();
    }
    writer.into_inner()
}

/// A log with a batch for each write.
pub(crate) fn log(writes: &[Written<'_>]) -> Vec<u8> {
    let batch = |&(sequence, key, value): &Written<'_>| {
        let mut batch = WriteBatch::new();
        match value {
            Some(value) => batch.put(key.as_bytes(), value.as_bytes()).unwrap(),
            None => batch.delete(key.as_bytes()).unwrap(),
        }
        batch.set_sequence(SequenceNumber::new(sequence).unwrap());
        batch.contents().to_vec()
    };
    log_of(&writes.iter().map(batch).collect::<Vec<_>>())
}

pub(crate) fn internal_key(sequence: u64, key: &str, value_type: ValueType) -> Vec<u8> {
    let sequence = SequenceNumber::new(sequence).unwrap();
    InternalKey::new(key.as_bytes(), sequence, value_type)
        .encode()
        .to_vec()
}

/// A table of writes that stand in its order, with blocks of 512 bytes, stored as they are.
pub(crate) fn table(writes: &[Written<'_>], bloom_bits_per_key: Option<u32>) -> Vec<u8> {
    let options = TableOptions {
        block_size: 512,
        compression: Compression::None,
        bloom_bits_per_key,
        ..TableOptions::default()
    };
    let mut writer = TableWriter::new(Vec::new(), BytewiseComparator, options).unwrap();
    for &(sequence, key, value) in writes {
        let value_type = match value {
            Some(_) => ValueType::Value,
            None => ValueType::Deletion,
        };
        let internal_key = internal_key(sequence, key, value_type);
        let value = value.unwrap_or_default().as_bytes();
        writer.add(&internal_key, value).unwrap();
    }
    writer.finish().unwrap().0
}

/// So many keys in order, as `sequence` onwards, whose values begin with `prefix`.
pub(crate) fn run(sequence: u64, prefix: &str, count: u64) -> Vec<(u64, String, Option<String>)> {
    let write = |number| {
        (
            sequence + number,
            format!("{prefix}{number:04}"),
            Some(format!("{prefix} value {number:04}, {}", "-".repeat(40))),
        )
    };
    (0..count).map(write).collect()
}

/// The same, borrowed.
pub(crate) fn borrowed(run: &[(u64, String, Option<String>)]) -> Vec<Written<'_>> {
    run.iter()
        .map(|(sequence, key, value)| (*sequence, key.as_str(), value.as_deref()))
        .collect()
}

/// A version edit as the manifest has it, field by field.
#[derive(Clone, Default)]
pub(crate) struct Edit(Vec<u8>);

impl Edit {
    /// What each manifest begins with.
    pub(crate) fn first(comparator: &str, log: u64, next: u64, last_sequence: u64) -> Self {
        let mut edit = Self::default();
        edit.number(1).bytes(comparator.as_bytes());
        edit.numbers(log, next, last_sequence)
    }

    pub(crate) fn numbers(mut self, log: u64, next: u64, last_sequence: u64) -> Self {
        for (tag, value) in [(2, log), (9, 0), (3, next), (4, last_sequence)] {
            self.number(tag).number(value);
        }
        self
    }

    /// A new table at level 2, with the versions of its smallest and largest key.
    pub(crate) fn new_table(
        self,
        number: u64,
        bytes: usize,
        smallest: (u64, &str),
        largest: (u64, &str),
    ) -> Self {
        let keys = [smallest, largest]
            .map(|(sequence, key)| internal_key(sequence, key, ValueType::Value));
        self.new_table_of(2, number, bytes, &keys[0], &keys[1])
    }

    /// A new table at a level, with its smallest and largest internal key.
    pub(crate) fn new_table_of(
        mut self,
        level: u64,
        number: u64,
        bytes: usize,
        smallest: &[u8],
        largest: &[u8],
    ) -> Self {
        self.number(7).number(level).number(number);
        self.number(u64::try_from(bytes).unwrap());
        self.bytes(smallest).bytes(largest);
        self
    }

    pub(crate) fn deleted_table(mut self, number: u64) -> Self {
        self.number(6).number(2).number(number);
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn number(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.0.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        self.0.push(u8::try_from(value).unwrap());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(u64::try_from(bytes.len()).unwrap());
        self.0.extend_from_slice(bytes);
        self
    }
}

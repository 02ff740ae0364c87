//! Directories that an input describes: tables, logs and a manifest made of one history of writes,
//! then damaged, misnamed, missing, or joined by any bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use strata_database::Order;
use strata_dbformat::{
    BytewiseComparator, IndexedDbComparator, InternalKey, InternalKeyComparator,
    ReverseBytewiseComparator, SequenceNumber, ValueType,
};
use strata_files::{CURRENT, log_file_name, manifest_file_name, table_file_name};
use strata_manifest::{FileMetadata, Level, ManifestWriter, VersionEdit};
use strata_table::{Compression, TableOptions, TableWriter};
use strata_wal::{BLOCK_SIZE, Writer};
use strata_write_batch::WriteBatch;

/// So many writes and files there are at most, for a run to take a millisecond or so.
const MOST_WRITES: usize = 100;
const MOST_FILES: usize = 8;

#[derive(Arbitrary, Debug)]
pub struct World<'a> {
    /// A key and the length of a value, or that the key is deleted, from each two bytes; the place
    /// in the list is the sequence number.
    writes: &'a [u8],
    files: Vec<File<'a>>,
    manifest: Option<Manifest<'a>>,
    order: u8,
}

#[derive(Arbitrary, Debug)]
struct File<'a> {
    /// One of 16 holds any bytes, one of 8 is missing, and a half are tables.
    kind: u8,
    /// Which of the writes.
    from: u8,
    count: u8,
    /// Of a table, and its last bits are how many writes a batch of a log has.
    compression: u8,
    block_size: u8,
    bytes: &'a [u8],
    number: u8,
    name: u8,
    level: u8,
    is_listed: bool,
    faults: Vec<Fault<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Fault<'a> {
    Flip(u16, u8),
    Fill(u16, u16, u8),
    Remove(u16, u16),
    Insert(u16, &'a [u8]),
    Swap(u16, u16, u16),
    Truncate(u16),
}

#[derive(Arbitrary, Debug)]
struct Manifest<'a> {
    /// Which comparator it names: mostly that of the tables.
    comparator: u8,
    log_number: u8,
    /// Whether it says something wrong of the keys of each table.
    has_wrong_keys: bool,
    is_one_edit: bool,
    /// Files that are taken away again.
    deleted: Vec<u8>,
    faults: Vec<Fault<'a>>,
    /// Once in 16 times `CURRENT` has other bytes.
    is_current: u8,
    current: &'a [u8],
}

/// A user key, its sequence number, and its value, if it is not deleted.
pub type Version = (Vec<u8>, u64, Option<Vec<u8>>);

/// What was written to a directory.
#[derive(Debug, Default)]
pub struct Made {
    /// All that was ever written; the sequence number is the place, from 1.
    pub history: Vec<Version>,
    /// By file name.
    pub files: BTreeMap<String, MadeFile>,
    /// Whether the directory may have entries that were never written.
    pub has_foreign: bool,
    /// Whether the manifest says what is so of each table's keys, and the right comparator.
    pub is_placed_right: bool,
}

#[derive(Debug)]
pub struct MadeFile {
    pub versions: Vec<Version>,
    pub is_log: bool,
    /// Whether it lies as it was written.
    pub is_sound: bool,
    bytes: Vec<u8>,
}

/// The bytes for what goes into files: no checksum of a file in the corpus holds in them.
fn no_block(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0xa5).collect()
}

/// A value: half of it can be compressed, and nothing in it can be taken for a record.
fn value(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    let mut value: Vec<u8> = std::iter::repeat_with(next).take(length / 2).collect();
    value.resize(length, b'-');
    value
}

fn user_key(number: u8) -> Vec<u8> {
    match number % 32 {
        0 => Vec::new(),
        n @ 1..=8 => vec![0xff; n.into()],
        // As keys of an IndexedDB begin: a database, an object store, an index, a string.
        n @ 9..=16 => vec![0, 1, 1, 1, 1, 1, 0, n],
        n => format!("key/{n:02}").into_bytes(),
    }
}

fn harm(bytes: &mut Vec<u8>, fault: &Fault<'_>) {
    let length = bytes.len();
    let range = |at: u16, count: u16| {
        let at = usize::from(at) % (length + 1);
        at..length.min(at + usize::from(count))
    };
    match *fault {
        Fault::Flip(at, mask) => bytes[range(at, 1)]
            .iter_mut()
            .for_each(|byte| *byte ^= mask),
        Fault::Fill(at, count, with) => bytes[range(at, count)].fill(with),
        Fault::Remove(at, count) => drop(bytes.drain(range(at, count))),
        Fault::Insert(at, inserted) => {
            let at = range(at, 0).start;
            bytes.splice(at..at, no_block(inserted));
        }
        Fault::Swap(one, other, count) => {
            let (one, other) = (range(one, count), range(other, count));
            if one.len() == other.len() && one.end <= other.start {
                let (head, tail) = bytes.split_at_mut(other.start);
                head[one].swap_with_slice(&mut tail[..other.len()]);
            }
        }
        Fault::Truncate(at) => bytes.truncate(range(at, 0).start),
    }
}

fn harm_all(bytes: &mut Vec<u8>, faults: &[Fault<'_>]) {
    for fault in faults.iter().take(6) {
        harm(bytes, fault);
    }
}

fn internal_key((key, sequence, value): &Version) -> InternalKey {
    let value_type = match value {
        Some(_) => ValueType::Value,
        None => ValueType::Deletion,
    };
    InternalKey::new(key, SequenceNumber::new(*sequence).unwrap(), value_type)
}

/// A table of these versions, and what a manifest says of it but for the number.
fn table(versions: &mut [Version], order: Order, options: TableOptions) -> (Vec<u8>, FileMetadata) {
    let by_key = InternalKeyComparator::new(order);
    versions.sort_by(|a, b| by_key.compare_keys(&internal_key(a), &internal_key(b)));
    let mut writer = TableWriter::new(Vec::new(), order, options).unwrap();
    for version in versions {
        let value = version.2.as_deref().unwrap_or_default();
        writer.add(internal_key(version).encode(), value).unwrap();
    }
    let (bytes, summary) = writer.finish().unwrap();
    let metadata = FileMetadata {
        number: 0,
        bytes: bytes.len() as u64,
        smallest: summary.smallest,
        largest: summary.largest,
    };
    (bytes, metadata)
}

/// A log of as many of these versions as one block has room for: a record of which a part is lost
/// can be joined with a part of another, as the format is.
fn log(versions: &mut Vec<Version>, batch_size: usize) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let mut written = 0;
    for some in versions.chunks(batch_size) {
        let mut batch = WriteBatch::new();
        batch.set_sequence(SequenceNumber::new(some[0].1).unwrap());
        for (key, _, value) in some {
            match value {
                Some(value) => batch.put(key, value).unwrap(),
                None => batch.delete(key).unwrap(),
            }
        }
        if writer.get_ref().len() + batch.contents().len() + 7 > BLOCK_SIZE {
            break;
        }
        writer.add_record(batch.contents()).unwrap();
        written += some.len();
    }
    versions.truncate(written);
    writer.into_inner()
}

impl World<'_> {
    pub fn order(&self) -> Order {
        order(self.order)
    }

    fn history(&self) -> Vec<Version> {
        let (writes, _) = self.writes.as_chunks();
        let version = |(&[key, length], sequence): (&[u8; 2], u64)| {
            let value = (length < 0xe0).then(|| value(sequence, length.into()));
            (user_key(key), sequence, value)
        };
        writes
            .iter()
            .take(MOST_WRITES)
            .zip(1..)
            .map(version)
            .collect()
    }

    /// Writes the directory.
    pub fn make(&self, directory: &Path) -> Made {
        let mut made = Made {
            history: self.history(),
            ..Made::default()
        };
        let mut listed = Vec::new();
        for file in self.files.iter().take(MOST_FILES) {
            let metadata = self.make_file(file, &mut made);
            if file.is_listed
                && let Some(metadata) = metadata
            {
                listed.push((Level::new(file.level % 7).unwrap(), metadata));
            }
        }
        for (name, file) in &made.files {
            fs::write(directory.join(name), &file.bytes).unwrap();
        }
        if let Some(manifest) = &self.manifest {
            let with_number = |number| {
                let files = self.files.iter().take(MOST_FILES);
                files.filter(|file| file.number() == number).count()
            };
            made.is_placed_right = !manifest.has_wrong_keys
                && manifest.order(self.order).name() == self.order().name()
                && listed.iter().all(|(_, file)| with_number(file.number) == 1);
            manifest.make(self.order, listed, directory);
        }
        made
    }

    /// What a manifest says of the file, if it is a table.
    fn make_file(&self, file: &File<'_>, made: &mut Made) -> Option<FileMetadata> {
        let from = usize::from(file.from) % (made.history.len() + 1);
        let mut versions = made.history[from..].to_vec();
        versions.truncate(file.count.into());
        let mut metadata = None;
        let mut bytes = match file.kind % 16 {
            0 => {
                made.has_foreign = true;
                versions.clear();
                file.bytes.to_vec()
            }
            1..=8 => {
                let (bytes, of_table) = table(&mut versions, self.order(), file.options());
                // One without keys can't be listed.
                metadata = (!versions.is_empty()).then_some(of_table);
                bytes
            }
            _ => log(&mut versions, usize::from(file.compression % 5) + 1),
        };
        let whole = bytes.clone();
        harm_all(&mut bytes, &file.faults);
        let number = file.number();
        let name = file.name(number);
        if file.kind < 0xe0 {
            let file = MadeFile {
                is_sound: bytes == whole,
                is_log: file.kind % 16 > 8,
                versions,
                bytes,
            };
            made.files.insert(name, file);
        }
        metadata.map(|metadata| FileMetadata { number, ..metadata })
    }
}

impl File<'_> {
    fn number(&self) -> u64 {
        u64::from(self.number % 16)
    }

    fn options(&self) -> TableOptions {
        TableOptions {
            compression: Compression::ALL[usize::from(self.compression) % 5],
            block_size: usize::from(self.block_size) * 8 + 1,
            bloom_bits_per_key: (self.compression >= 0x80).then_some(10),
            ..TableOptions::default()
        }
    }

    fn name(&self, number: u64) -> String {
        match self.name % 16 {
            0 => format!("{number:06}.sst"),
            1 => format!("{number:06}.LDB"),
            2 => format!("{number:06} (1).ldb"),
            3 => format!("f{number}.bak"),
            4 => format!("{number:06}.dbtmp"),
            5 => manifest_file_name(number),
            // The one under the name of the other.
            6 => log_file_name(number),
            7 => table_file_name(number),
            _ if self.kind % 16 <= 8 => table_file_name(number),
            _ => log_file_name(number),
        }
    }
}

fn order(choice: u8) -> Order {
    match choice % 8 {
        0 => &ReverseBytewiseComparator,
        1 => &IndexedDbComparator,
        _ => &BytewiseComparator,
    }
}

impl Manifest<'_> {
    /// The order that it names.
    fn order(&self, of_tables: u8) -> Order {
        match self.comparator {
            choice @ 0..16 => order(choice),
            _ => order(of_tables),
        }
    }

    fn make(&self, of_tables: u8, mut listed: Vec<(Level, FileMetadata)>, directory: &Path) {
        /// No file has this number, and a log may have any below.
        const NUMBER: u64 = 20;
        let name = match self.comparator {
            16 => Some(b"somebody's own".to_vec()),
            17 => None,
            _ => Some(self.order(of_tables).name().as_bytes().to_vec()),
        };
        if self.has_wrong_keys {
            for (_, file) in &mut listed {
                std::mem::swap(&mut file.smallest, &mut file.largest);
            }
        }
        let head = VersionEdit {
            comparator: name,
            // A log of another number than 0 has to be there.
            log_number: Some(u64::from(self.log_number.saturating_sub(0xc0) % 16)),
            next_file_number: Some(NUMBER + 1),
            last_sequence: SequenceNumber::new(5).ok(),
            ..VersionEdit::default()
        };
        let mut edits = vec![head];
        for file in listed {
            if !self.is_one_edit {
                edits.push(VersionEdit::default());
            }
            edits.last_mut().unwrap().new_files.push(file);
        }
        for &deleted in self.deleted.iter().take(4) {
            let file = (
                Level::new(deleted / 16 % 7).unwrap(),
                u64::from(deleted % 16),
            );
            edits.push(VersionEdit {
                deleted_files: [file].into(),
                ..VersionEdit::default()
            });
        }
        let mut writer = ManifestWriter::new(Vec::new());
        for edit in &edits {
            writer.add(edit).unwrap();
        }
        let mut bytes = writer.into_inner();
        harm_all(&mut bytes, &self.faults);
        let name = manifest_file_name(NUMBER);
        fs::write(directory.join(&name), bytes).unwrap();
        let current = format!("{name}\n").into_bytes();
        let current = match self.is_current % 16 {
            0 => no_block(self.current),
            _ => current,
        };
        fs::write(directory.join(CURRENT), current).unwrap();
    }
}

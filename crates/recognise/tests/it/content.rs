//! Files of every kind, whole, cut and damaged, and what each is taken for.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use strata_recognise::{Content, recognise};
use strata_wal::Writer;

fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    std::fs::read(path).unwrap()
}

fn content(bytes: &[u8]) -> Content {
    recognise(Cursor::new(bytes), bytes.len() as u64).unwrap()
}

fn says(bytes: &[u8], word: &str) {
    let content = content(bytes);
    assert!(
        matches!(content, Content::Foreign(_)),
        "{word}: {content:?}"
    );
    assert!(content.to_string().contains(word), "{word}: {content}");
}

fn log(records: &[&[u8]]) -> Vec<u8> {
    let mut log = Vec::new();
    let mut writer = Writer::new(&mut log);
    for record in records {
        writer.add_record(record).unwrap();
    }
    log
}

/// A batch with one put.
fn batch(sequence: u64, key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut batch = sequence.to_le_bytes().to_vec();
    batch.extend_from_slice(&[1, 0, 0, 0, 1]);
    strata_coding::put_length_prefixed_slice(&mut batch, key).unwrap();
    strata_coding::put_length_prefixed_slice(&mut batch, value).unwrap();
    batch
}

/// An edit that adds `files` files, and no comparator.
fn edit(files: u64) -> Vec<u8> {
    let mut edit = vec![2, 3, 9, 0, 3, 7, 4, 9];
    for number in 0..files {
        edit.extend_from_slice(&[7, 0]);
        strata_coding::put_varint64(&mut edit, number);
        strata_coding::put_varint64(&mut edit, 1000);
        strata_coding::put_length_prefixed_slice(&mut edit, b"a\x01\x01\0\0\0\0\0\0").unwrap();
        strata_coding::put_length_prefixed_slice(&mut edit, b"z\x01\x02\0\0\0\0\0\0").unwrap();
    }
    edit
}

#[test]
fn leveldbs_files_are_known_whatever_they_are_called() {
    for name in ["log", "log-torn", "log-bedrock"] {
        assert_eq!(content(&data(name)), Content::Log, "{name}");
    }
    for name in ["table", "table-small", "table-zlib"] {
        assert_eq!(content(&data(name)), Content::Table, "{name}");
    }
    for name in ["manifest", "manifest-idb", "manifest-bedrock"] {
        assert_eq!(content(&data(name)), Content::Manifest, "{name}");
    }
    assert_eq!(content(&data("current")), Content::Current);
    assert_eq!(content(b"MANIFEST-000001"), Content::Current);
    assert_eq!(content(b"MANIFEST-000001\r\n"), Content::Current);
    assert_eq!(content(&data("messages")), Content::InfoLog);
    assert_eq!(content(b""), Content::Empty);
}

#[test]
fn files_of_other_formats_are_named() {
    says(&data("lfs"), "git lfs pull");
    says(&data("log.gz"), "gzip");
    says(&data("sqlite"), "SQLite 3");
    says(b"PK\x03\x04\x14\0\0\0", "zip");
    says(b"\x28\xb5\x2f\xfd\x04\x58\x59", "zstd");
    says(b"BZh91AY&SY", "bzip2");
    says(b"\xfd7zXZ\0\0\x04", "xz");
    says(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image");
    says(b"\xff\xd8\xff\xe0\0\x10JFIF", "image");
    says(b"RIFF\x10\0\0\0WEBPVP8 ", "image");
    says(b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ", "macOS");
    says(b"<!DOCTYPE html>\n<html>", "HTML");
    says("Grüße, and a line\n\tmore\r\n".as_bytes(), "text");
    says(b"\xff\xfea\0b\0", "UTF-16");
    let mut tar = vec![0; 512];
    tar[..10].copy_from_slice(b"000003.log");
    tar[257..263].copy_from_slice(b"ustar\0");
    says(&tar, "tar");
    let mut rocksdb = data("table");
    let magic = rocksdb.len() - 8;
    rocksdb[magic..].copy_from_slice(&0x88e2_41b7_85f4_cff7_u64.to_le_bytes());
    says(&rocksdb, "RocksDB");
}

#[test]
fn long_text_is_text_where_it_is_cut_inside_a_character() {
    for shift in 0..3 {
        let text = format!("{}{}", "x".repeat(shift), "€".repeat(50_000));
        says(text.as_bytes(), "text");
    }
    let mut text = "€".repeat(50_000).into_bytes();
    let last = text.len() - 100;
    text[last] = 0;
    assert_eq!(content(&text), Content::Unknown);
}

#[test]
fn zeros_are_zeros() {
    assert_eq!(content(&[0; 3]), Content::Zeros);
    assert_eq!(content(&[0; 200_000]), Content::Zeros);
    let mut bytes = vec![0; 200_000];
    bytes[199_999] = 1;
    assert_eq!(content(&bytes), Content::Unknown);
}

#[test]
fn a_log_cut_anywhere_is_a_log_as_long_as_it_has_a_whole_record() {
    let log = data("log");
    for length in 1..log.len() {
        let expected = match length {
            // The first record ends at 29; its operations begin at 19.
            29.. => Content::Log,
            20.. => Content::TornLog,
            _ => Content::Unknown,
        };
        assert_eq!(content(&log[..length]), expected, "{length}");
    }
}

#[test]
fn a_log_damaged_anywhere_in_its_first_record_is_a_log() {
    let whole = data("log");
    for at in 0..29 {
        for bit in 0..8 {
            let mut log = whole.clone();
            log[at] ^= 1 << bit;
            assert_eq!(content(&log), Content::Log, "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_log_whose_first_block_is_lost_is_a_log() {
    let records: Vec<Vec<u8>> = (1..2000).map(|i| batch(i, b"key", &[b'v'; 100])).collect();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let mut log = log(&records);
    log[..32768].fill(0);
    assert_eq!(content(&log), Content::Log);
    log[..32768].fill(0xa7);
    assert_eq!(content(&log), Content::Log);
}

#[test]
fn a_record_longer_than_what_is_read_is_known_by_its_beginning() {
    let huge = vec![b'v'; 300_000];
    assert_eq!(content(&log(&[&batch(2, b"key", &huge)])), Content::Log);
    assert_eq!(content(&log(&[&batch(1, &huge, b"")])), Content::Log);
    assert_eq!(content(&log(&[&edit(20_000)])), Content::Manifest);
    let mut with_comparator = b"\x01\x1aleveldb.BytewiseComparator".to_vec();
    with_comparator.extend_from_slice(&edit(20_000));
    assert_eq!(content(&log(&[&with_comparator])), Content::Manifest);
    let torn = log(&[&batch(2, b"key", &huge)]);
    assert_eq!(
        content(&torn[..200_000]),
        Content::Log,
        "its first blocks prove it"
    );
}

#[test]
fn a_batch_that_is_cut_is_one_though_it_begins_as_an_edit_could() {
    // Log 5, previous log 3, last sequence number 1, next file 0, a file at level 2; or a sequence
    // number, a count and a put.
    let mut ambiguous = vec![2, 5, 9, 3, 4, 1, 3, 0, 7, 2, 0, 0];
    ambiguous.extend_from_slice(&batch(0, b"key", &[b'v'; 300_000])[12..]);
    assert_eq!(content(&log(&[&ambiguous])), Content::Log);
}

#[test]
fn a_cut_record_that_can_be_no_batch_is_not_taken_for_a_log() {
    let mut torn = log(&[&batch(1, b"key", &[b'v'; 300])]);
    torn.truncate(100);
    assert_eq!(content(&torn), Content::TornLog);
    for at in [6, 14, 15, 19] {
        // The fragment's type, the sequence number's highest byte, the count, the operation.
        let mut other = torn.clone();
        other[at] = if at == 15 { 0 } else { 9 };
        assert_eq!(content(&other), Content::Unknown, "{at}");
    }
}

#[test]
fn a_manifest_whose_first_record_is_damaged_is_a_manifest() {
    let mut manifest = log(&[b"\x01\x08idb_cmp1\x02\x03\x09\0\x03\x04\x04\0", &edit(2)]);
    assert_eq!(content(&manifest), Content::Manifest);
    manifest[9] ^= 1;
    assert_eq!(content(&manifest), Content::Manifest);
}

#[test]
fn a_log_of_other_records_is_a_log() {
    assert_eq!(
        content(&log(&[b"neither a batch nor an edit"])),
        Content::Log
    );
    assert_eq!(content(&log(&[b""])), Content::Log);
    let mut counts_wrong = batch(1, b"key", b"value");
    counts_wrong[8] = 2;
    assert_eq!(content(&log(&[&counts_wrong])), Content::Log);
    // RocksDB's manifests begin as LevelDB's do, and go on with tags of their own.
    let rocksdb = b"\x01\x1aleveldb.BytewiseComparator\xc8\x01\x00";
    assert_eq!(content(&log(&[rocksdb])), Content::Manifest);
    assert_eq!(content(&log(&[b"\x02\x03hello, hello"])), Content::Log);
    assert_eq!(content(&log(&[b"", &edit(1)])), Content::Manifest);
}

/// A value may be a table: what stands first says what the file is.
#[test]
fn a_log_that_ends_with_a_table_is_a_log_and_a_table_of_logs_a_table() {
    let log_of_table = log(&[&batch(1, b"key", &data("table"))]);
    assert!(log_of_table.ends_with(&data("table")[9000..]));
    assert_eq!(content(&log_of_table), Content::Log);

    let mut table = b"\0\x0b\x33key\x01\x01\0\0\0\0\0\0".to_vec();
    table.extend_from_slice(&data("log"));
    table.extend_from_slice(&data("table"));
    assert_eq!(content(&table), Content::Table);

    // Here the log is where a log's second block would be, and is found.
    let mut table = vec![0xee; 32768];
    table.extend_from_slice(&data("log"));
    assert_eq!(content(&table), Content::Log);
    table.extend_from_slice(&data("table"));
    assert_eq!(content(&table), Content::Table);
}

#[test]
fn a_table_cut_anywhere_behind_its_first_block_is_a_torn_table() {
    let table = data("table");
    let first_block_end = (20..table.len())
        .find(|&length| content(&table[..length]) == Content::TornTable)
        .unwrap();
    assert_eq!(first_block_end, 1794);
    for length in [first_block_end, first_block_end + 1, 8000, table.len() - 1] {
        assert_eq!(content(&table[..length]), Content::TornTable, "{length}");
    }
    assert_eq!(content(&table[..first_block_end - 1]), Content::Unknown);
    // Of a compressed one's single block not all is there.
    assert_eq!(content(&data("table-unfinished")), Content::Unknown);
}

#[test]
fn a_table_with_bytes_behind_its_footer_is_a_torn_table() {
    for behind in [&[0; 1][..], &[0; 4096], b"MORE"] {
        let mut carved = data("table-zlib");
        // Nothing but the footer says what it is.
        carved[..100].fill(0xee);
        carved.extend_from_slice(behind);
        assert_eq!(content(&carved), Content::TornTable, "{}", behind.len());
    }
}

#[test]
fn the_magic_number_alone_is_no_footer() {
    let mut bytes = vec![0xee; 100];
    bytes.extend_from_slice(&0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    bytes.push(0);
    assert_eq!(content(&bytes), Content::Unknown);
}

#[test]
fn no_bytes_make_it_panic_and_noise_is_nothing() {
    let mut state = 9_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..length).map(next).collect()
    };
    for length in (0..120).chain([4096, 32767, 32768, 65535, 65536, 65537, 100_000]) {
        let expected = if length == 0 {
            Content::Empty
        } else {
            Content::Unknown
        };
        let mut bytes = noise(length);
        if let Some(first) = bytes.first_mut() {
            *first |= 0x80;
        }
        let content = content(&bytes);
        assert_eq!(content, expected, "{length}");
    }
}

/// Counts what is read of a file of this length.
struct Measured {
    length: u64,
    at: u64,
    read: u64,
}

impl Read for Measured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let count = buffer.len().min(usize::try_from(left).unwrap()).min(1000);
        buffer[..count].fill(7);
        self.at += count as u64;
        self.read += count as u64;
        Ok(count)
    }
}

impl Seek for Measured {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        self.at = at;
        Ok(at)
    }
}

#[test]
fn at_most_96_kib_are_read() {
    let mut file = Measured {
        length: 1 << 40,
        at: 0,
        read: 0,
    };
    assert_eq!(recognise(&mut file, 1 << 40).unwrap(), Content::Unknown);
    assert_eq!(file.read, 96 << 10);
}

#[test]
fn a_file_that_has_shrunk_is_what_is_left() {
    let log = data("log");
    assert_eq!(recognise(Cursor::new(&log), 1 << 30).unwrap(), Content::Log);
    assert_eq!(
        recognise(Cursor::new(b""), 1 << 30).unwrap(),
        Content::Empty
    );
}

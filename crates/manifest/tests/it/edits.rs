//! Single edits: literal bytes, and what is wrong with others.

use strata_coding::SliceTooLong;
use strata_dbformat::{InternalKey, SequenceNumber};
use strata_manifest::{EditFault, EncodeError, Expected, FileMetadata, Level, VersionEdit};

use crate::support::{key, level};

/// One of everything, and its bytes.
fn whole() -> (VersionEdit, Vec<u8>) {
    let edit = VersionEdit {
        comparator: Some(b"cmp".to_vec()),
        log_number: Some(300),
        previous_log_number: Some(0),
        next_file_number: Some(u64::MAX),
        last_sequence: Some(SequenceNumber::MAX),
        compact_pointers: vec![(level(6), key(b"p", 1))],
        deleted_files: [(level(1), 9), (level(0), 10)].into(),
        new_files: vec![(
            level(2),
            FileMetadata {
                number: 128,
                bytes: 1 << 21,
                smallest: key(b"", 2),
                largest: key(b"zz", 3),
            },
        )],
    };
    let bytes = [
        &b"\x01\x03cmp"[..],
        b"\x02\xac\x02",
        b"\x09\x00",
        b"\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x04\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x05\x06\x09p\x01\x01\0\0\0\0\0\0",
        b"\x06\x00\x0a",
        b"\x06\x01\x09",
        b"\x07\x02\x80\x01\x80\x80\x80\x01\x08\x01\x02\0\0\0\0\0\0\x0azz\x01\x03\0\0\0\0\0\0",
    ];
    (edit, bytes.concat())
}

#[test]
fn one_of_everything_has_these_bytes() {
    let (edit, bytes) = whole();
    assert_eq!(edit.encode().unwrap(), bytes);
    assert_eq!(VersionEdit::decode(&bytes).unwrap(), edit);
    assert_eq!(VersionEdit::default().encode().unwrap(), b"");
    assert_eq!(VersionEdit::decode(b"").unwrap(), VersionEdit::default());
}

#[test]
fn one_of_everything_is_shown_as_leveldb_does() {
    let expected = "VersionEdit {
  Comparator: cmp
  LogNumber: 300
  PrevLogNumber: 0
  NextFile: 18446744073709551615
  LastSeq: 72057594037927935
  CompactPointer: 6 'p' @ 1 : 1
  RemoveFile: 0 10
  RemoveFile: 1 9
  AddFile: 2 128 2097152 '' @ 2 : 1 .. 'zz' @ 3 : 1
}
";
    assert_eq!(whole().0.to_string(), expected);
}

#[test]
fn what_can_not_be_shown_is_escaped() {
    let edit = VersionEdit {
        comparator: Some(b"\x1b[2J\xff".to_vec()),
        ..VersionEdit::default()
    };
    assert_eq!(
        edit.to_string(),
        "VersionEdit {\n  Comparator: \\x1b[2J\\xff\n}\n"
    );
}

#[test]
fn fields_come_in_any_order_and_the_last_of_a_kind_counts() {
    let edit = VersionEdit::decode(b"\x06\x01\x05\x02\x03\x06\x01\x05\x02\x04\x01\x00").unwrap();
    assert_eq!(edit.log_number, Some(4));
    assert_eq!(edit.comparator, Some(Vec::new()));
    assert_eq!(edit.deleted_files, [(level(1), 5)].into());
}

#[test]
fn each_fault_says_what_where_and_what_was_expected() {
    use EditFault as Fault;
    let key_type_2 = b"\x05\x00\x08\x02\0\0\0\0\0\0\0";
    let short_key = b"\x05\x00\x07\x01\0\0\0\0\0\0\0";
    let cases: &[(&[u8], Fault, usize, Expected)] = &[
        (b"\x01\x04cmp", Fault::Comparator, 1, Expected::Name),
        (b"\x02\x80", Fault::LogNumber, 1, Expected::Number),
        (b"\x09", Fault::PreviousLogNumber, 1, Expected::Number),
        (b"\x03", Fault::NextFileNumber, 1, Expected::Number),
        (b"\x04", Fault::LastSequence, 1, Expected::SequenceNumber),
        (
            b"\x04\x80\x80\x80\x80\x80\x80\x80\x80\x01",
            Fault::LastSequence,
            1,
            Expected::SequenceNumber,
        ),
        (b"\x05\x07", Fault::CompactPointer, 1, Expected::Level),
        (
            b"\x05\x00\x00",
            Fault::CompactPointer,
            2,
            Expected::InternalKey,
        ),
        (key_type_2, Fault::CompactPointer, 2, Expected::InternalKey),
        (short_key, Fault::CompactPointer, 2, Expected::InternalKey),
        (b"\x06\x80\x02\x01", Fault::DeletedFile, 1, Expected::Level),
        (b"\x06\x01", Fault::DeletedFile, 2, Expected::Number),
        (b"\x07\x00", Fault::NewFile, 2, Expected::Number),
        (b"\x07\x00\x05", Fault::NewFile, 3, Expected::Number),
        (
            b"\x07\x00\x05\x80\x01",
            Fault::NewFile,
            5,
            Expected::InternalKey,
        ),
        (b"\x00", Fault::UnknownTag(0), 0, Expected::Tag),
        (b"\x02\x01\x08\x01", Fault::UnknownTag(8), 2, Expected::Tag),
        (b"\x02\x01\x80", Fault::InvalidTag, 2, Expected::Tag),
        (
            b"\xff\xff\xff\xff\xff\x01",
            Fault::InvalidTag,
            0,
            Expected::Tag,
        ),
    ];
    for &(record, fault, offset, expected) in cases {
        let error = VersionEdit::decode(record).unwrap_err();
        assert_eq!(
            (error.fault, error.offset, error.expected),
            (fault, offset, expected),
            "{record:02x?}"
        );
    }
}

#[test]
fn an_empty_key_is_not_written() {
    let mut file = FileMetadata {
        number: 1,
        bytes: 1,
        smallest: key(b"a", 1),
        largest: InternalKey::default(),
    };
    for edit in [
        VersionEdit {
            compact_pointers: vec![(Level::ZERO, InternalKey::default())],
            ..VersionEdit::default()
        },
        VersionEdit {
            new_files: vec![(Level::ZERO, file.clone())],
            ..VersionEdit::default()
        },
    ] {
        assert_eq!(edit.encode(), Err(EncodeError::EmptyKey));
    }
    file.largest = key(b"b", 1);
    let edit = VersionEdit {
        new_files: vec![(Level::ZERO, file)],
        ..VersionEdit::default()
    };
    assert!(edit.encode().is_ok());
    let too_long = SliceTooLong { length: 1 << 32 };
    assert_eq!(
        EncodeError::from(too_long).to_string(),
        too_long.to_string()
    );
}

//! Literal bytes and texts.

use strata_dbformat::{
    DebugInternalKey, InternalKey, InternalKeyError, LookupKey, ParsedInternalKey, SequenceNumber,
    SequenceOutOfRange, Tag, UnknownValueType, ValueType, escape, extract_user_key,
};

fn sequence(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

#[test]
fn a_tag_is_the_sequence_above_the_type() {
    let tag = Tag::new(sequence(0x01_2345_6789_abcd), ValueType::Value);
    assert_eq!(
        tag.to_bytes(),
        [0x01, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01]
    );
    assert_eq!(
        Tag::MAX.to_bytes(),
        [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    );
    assert_eq!(Tag::MIN.to_bytes(), [0; 8]);
    assert_eq!(format!("{tag:?}"), "Tag(320255973501901 Value)");
}

#[test]
fn a_tag_of_an_unknown_type_is_refused() {
    for byte in 2..=255 {
        let bytes = [byte, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(Tag::from_bytes(bytes), Err(UnknownValueType { byte }));
        assert_eq!(
            InternalKey::decode(&bytes),
            Err(InternalKeyError::UnknownValueType(UnknownValueType {
                byte
            }))
        );
        assert_eq!(
            extract_user_key(&bytes),
            Ok(&[][..]),
            "the tag is not looked at"
        );
    }
}

#[test]
fn a_sequence_number_has_56_bits() {
    assert_eq!(SequenceNumber::new((1 << 56) - 1), Ok(SequenceNumber::MAX));
    for number in [1 << 56, u64::MAX] {
        assert_eq!(
            SequenceNumber::new(number),
            Err(SequenceOutOfRange { sequence: number })
        );
    }
    assert_eq!(SequenceNumber::MAX.checked_add(0), Ok(SequenceNumber::MAX));
    assert!(SequenceNumber::MAX.checked_add(1).is_err());
    assert!(sequence(1).checked_add(u64::MAX).is_err());
}

#[test]
fn an_internal_key_is_the_user_key_then_the_tag() {
    let key = InternalKey::new(b"abc", sequence(123), ValueType::Value);
    assert_eq!(key.encode(), b"abc\x01\x7b\0\0\0\0\0\0");
    let key = InternalKey::new(b"", sequence(256), ValueType::Deletion);
    assert_eq!(key.encode(), b"\x00\x00\x01\0\0\0\0\0");
}

#[test]
fn bytes_shorter_than_a_tag_are_no_internal_key() {
    for length in 0..8 {
        let bytes = vec![b'x'; length];
        let error = InternalKeyError::TooShort { length };
        assert_eq!(InternalKey::decode(&bytes), Err(error));
        assert_eq!(ParsedInternalKey::decode(&bytes), Err(error));
        assert_eq!(extract_user_key(&bytes), Err(error));
    }
}

#[test]
fn a_cleared_internal_key_is_no_key() {
    let mut key = InternalKey::new(b"abc", sequence(1), ValueType::Value);
    key.clear();
    assert_eq!(key, InternalKey::default());
    assert_eq!(
        (key.encode(), key.user_key(), key.parsed()),
        (&b""[..], None, None)
    );
    key.set_from(&ParsedInternalKey {
        user_key: b"d",
        sequence: sequence(2),
        value_type: ValueType::Deletion,
    });
    assert_eq!(
        key,
        InternalKey::new(b"d", sequence(2), ValueType::Deletion)
    );
}

/// 187 bytes of user key are the most that need no heap; the bytes are the same either way.
#[test]
fn a_lookup_key_is_one_buffer_with_three_views() {
    for length in [0, 1, 119, 120, 186, 187, 188, 200, 5000] {
        let user_key: Vec<u8> = (0..=250).cycle().take(length).collect();
        let key = LookupKey::new(&user_key, sequence(77)).unwrap();
        let internal = InternalKey::new(&user_key, sequence(77), ValueType::FOR_SEEK);
        assert_eq!(key.user_key(), user_key, "{length}");
        assert_eq!(key.internal_key(), internal.encode(), "{length}");
        let mut memtable_key = Vec::new();
        strata_coding::put_length_prefixed_slice(&mut memtable_key, internal.encode()).unwrap();
        assert_eq!(key.memtable_key(), memtable_key, "{length}");
        assert_eq!(key.snapshot(), sequence(77));
    }
}

#[test]
fn a_lookup_key_of_a_short_user_key_allocates_nothing() {
    for (length, allocations) in [(0, 0), (16, 0), (187, 0), (188, 1)] {
        let user_key = vec![b'k'; length];
        let info = allocation_counter::measure(|| {
            let key = LookupKey::new(&user_key, SequenceNumber::MAX).unwrap();
            assert_eq!(key.user_key().len(), length);
        });
        assert_eq!(info.count_total, allocations, "{length} bytes");
    }
}

#[test]
fn bytes_are_escaped_as_leveldb_escapes_them() {
    let plain = "plain 'quotes' \"and\" \\ stay";
    assert_eq!(escape(plain.as_bytes()).to_string(), plain);
    assert_eq!(
        escape(b"\x00\x1f ~\x7f\x80\xff").to_string(),
        r"\x00\x1f ~\x7f\x80\xff"
    );
    assert_eq!(DebugInternalKey(b"\xffbad").to_string(), r"(bad)\xffbad");
    assert_eq!(
        DebugInternalKey(b"bad type\x02\0\0\0\0\0\0\0").to_string(),
        r"(bad)bad type\x02\x00\x00\x00\x00\x00\x00\x00"
    );
}

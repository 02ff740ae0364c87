//! Bytes are an internal key if and only if there are eight of them or more and the eighth from
//! the end is a value type. Every way to take them apart says so alike, gives the parts that
//! arithmetic on the bytes gives, encodes to the same bytes again, and shows what LevelDB shows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strata_dbformat::{
    DebugInternalKey, InternalKey, InternalKeyError, LookupKey, ParsedInternalKey, Tag,
    UnknownValueType, ValueType, append_internal_key, extract_user_key, split_internal_key,
};

fn naive_escape(bytes: &[u8]) -> String {
    let show = |&byte: &u8| match byte {
        0x20..0x7f => String::from(char::from(byte)),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(show).collect()
}

/// User key, sequence number and value type.
fn naive_decode(bytes: &[u8]) -> Result<(&[u8], u64, u8), InternalKeyError> {
    let length = bytes.len();
    if length < 8 {
        return Err(InternalKeyError::TooShort { length });
    }
    let (user_key, tag) = bytes.split_at(length - 8);
    let sequence = (1..8).map(|i| u64::from(tag[i]) << (8 * (i - 1))).sum();
    match tag[0] {
        0 | 1 => Ok((user_key, sequence, tag[0])),
        byte => Err(UnknownValueType { byte }.into()),
    }
}

fn check_malformed(bytes: &[u8], error: InternalKeyError) {
    assert_eq!(ParsedInternalKey::decode(bytes), Err(error));
    assert_eq!(InternalKey::decode(bytes), Err(error));
    assert_eq!(split_internal_key(bytes), Err(error));
    let shown = format!("(bad){}", naive_escape(bytes));
    assert_eq!(DebugInternalKey(bytes).to_string(), shown);
    assert!(!error.to_string().is_empty());
}

fn check_well_formed(bytes: &[u8], user_key: &[u8], sequence: u64, value_type: u8) {
    let parsed = ParsedInternalKey::decode(bytes).unwrap();
    assert_eq!(parsed.user_key, user_key);
    assert_eq!(parsed.sequence.get(), sequence);
    assert_eq!(parsed.value_type as u8, value_type);
    assert_eq!(parsed.encoded_length(), bytes.len());
    assert_eq!(split_internal_key(bytes), Ok((user_key, parsed.tag())));
    assert_eq!(Tag::new(parsed.sequence, parsed.value_type), parsed.tag());

    let mut encoded = Vec::new();
    append_internal_key(&mut encoded, &parsed);
    assert_eq!(encoded, bytes);
    let key = InternalKey::decode(bytes).unwrap();
    assert_eq!(key.encode(), bytes);
    assert_eq!(key.parsed(), Some(parsed));
    assert_eq!(key.user_key(), Some(user_key));
    assert_eq!(key, InternalKey::from(parsed));

    let shown = format!("'{}' @ {sequence} : {value_type}", naive_escape(user_key));
    assert_eq!(DebugInternalKey(bytes).to_string(), shown);
    assert_eq!(key.to_string(), shown);
    assert_eq!(parsed.to_string(), shown);

    let lookup = LookupKey::new(user_key, parsed.sequence).unwrap();
    assert_eq!(lookup.user_key(), user_key);
    let sought = InternalKey::new(user_key, parsed.sequence, ValueType::FOR_SEEK);
    assert_eq!(lookup.internal_key(), sought.encode());
    assert!(lookup.memtable_key().ends_with(sought.encode()));
}

fuzz_target!(|bytes: &[u8]| {
    match naive_decode(bytes) {
        Ok((user_key, sequence, value_type)) => {
            check_well_formed(bytes, user_key, sequence, value_type);
        }
        Err(error) => check_malformed(bytes, error),
    }
    // The user key is there whatever the type is.
    let user_key = bytes.len().checked_sub(8).map(|length| &bytes[..length]);
    assert_eq!(extract_user_key(bytes).ok(), user_key);
});

//! A decoder that shares no code with the one under test, and what of both must agree.

use strata_manifest::{Level, VersionEdit};

use crate::support::{AnyEdit, FILES, check, read};

/// A value of a record: its tag, and the numbers and byte strings behind it.
pub(crate) type Field = (u64, Vec<u64>, Vec<Vec<u8>>);

/// The fields of a record, up to where it stops making sense: `false` then.
pub(crate) fn fields(mut record: &[u8]) -> (Vec<Field>, bool) {
    let mut fields = Vec::new();
    while !record.is_empty() {
        match field(&mut record) {
            Some(field) => fields.push(field),
            None => return (fields, false),
        }
    }
    (fields, true)
}

fn field(record: &mut &[u8]) -> Option<Field> {
    let tag = varint(record, 32)?;
    // How many numbers and how many byte strings follow, and whether a level is first.
    let (numbers, strings, has_level) = match tag {
        1 => (0, 1, false),
        2 | 3 | 4 | 9 => (1, 0, false),
        5 => (1, 1, true),
        6 => (2, 0, true),
        7 => (3, 2, true),
        _ => return None,
    };
    let mut read = (Vec::new(), Vec::new());
    for i in 0..numbers {
        let is_level = has_level && i == 0;
        let number = varint(record, if is_level { 32 } else { 64 })?;
        if is_level && number > 6 || tag == 4 && number >= 1 << 56 {
            return None;
        }
        read.0.push(number);
    }
    for _ in 0..strings {
        let length = usize::try_from(varint(record, 32)?).unwrap();
        if length > record.len() {
            return None;
        }
        let string = record[..length].to_vec();
        *record = &record[length..];
        // The byte 8 from the end is the type.
        if tag != 1 && (length < 8 || string[length - 8] > 1) {
            return None;
        }
        read.1.push(string);
    }
    Some((tag, read.0, read.1))
}

/// One bit at a time. The bits past `bits` are dropped, as LevelDB does.
fn varint(record: &mut &[u8], bits: u32) -> Option<u64> {
    let mut value = 0;
    for i in 0..bits.div_ceil(7) {
        let (&byte, rest) = record.split_first()?;
        *record = rest;
        for bit in 0..7 {
            let place = 7 * i + bit;
            if place < bits && byte & (1 << bit) != 0 {
                value |= 1 << place;
            }
        }
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

/// The fields that an edit stands for, in LevelDB's order.
fn fields_of(edit: &VersionEdit) -> Vec<Field> {
    let mut fields = Vec::new();
    let level = |level: &Level| u64::from(level.get());
    if let Some(name) = &edit.comparator {
        fields.push((1, vec![], vec![name.clone()]));
    }
    let last = edit.last_sequence.map(u64::from);
    for (tag, number) in [
        (2, edit.log_number),
        (9, edit.previous_log_number),
        (3, edit.next_file_number),
        (4, last),
    ] {
        fields.extend(number.map(|number| (tag, vec![number], vec![])));
    }
    for (at, key) in &edit.compact_pointers {
        fields.push((5, vec![level(at)], vec![key.encode().to_vec()]));
    }
    for (at, number) in &edit.deleted_files {
        fields.push((6, vec![level(at), *number], vec![]));
    }
    for (at, file) in &edit.new_files {
        let keys = [&file.smallest, &file.largest].map(|key| key.encode().to_vec());
        fields.push((7, vec![level(at), file.number, file.bytes], keys.to_vec()));
    }
    fields
}

/// Of fields of which the last counts, the last; deleted files once; all in LevelDB's order.
fn settled(fields: Vec<Field>) -> Vec<Field> {
    let of = |tag: u64| fields.iter().filter(move |field| field.0 == tag);
    let mut settled = Vec::new();
    for tag in [1, 2, 9, 3, 4] {
        settled.extend(of(tag).next_back().cloned());
    }
    settled.extend(of(5).cloned());
    let mut deleted: Vec<Field> = of(6).cloned().collect();
    deleted.sort();
    deleted.dedup();
    settled.extend(deleted);
    settled.extend(of(7).cloned());
    settled
}

/// Both decoders say the same of these bytes.
pub(crate) fn agree(record: &[u8]) {
    let (fields, is_whole) = fields(record);
    match VersionEdit::decode(record) {
        Ok(edit) => {
            assert!(is_whole, "{record:02x?}");
            assert_eq!(fields_of(&edit), settled(fields), "{record:02x?}");
        }
        Err(error) => {
            assert!(!is_whole, "{record:02x?}: {error}");
            assert!(error.offset <= record.len(), "{record:02x?}: {error:?}");
        }
    }
}

#[test]
fn the_decoders_agree_on_every_record_of_real_manifests_and_on_each_with_a_byte_changed() {
    for (name, manifest) in FILES {
        let (records, _) = read(manifest);
        assert!(!records.is_empty(), "{name}");
        for record in records {
            let mut bytes = record.edit.unwrap().encode().unwrap();
            agree(&bytes);
            for i in 0..bytes.len() {
                let byte = bytes[i];
                agree(&bytes[..i]);
                for changed in [0, 1, 8, 0x7f, 0x80, 0xff, byte ^ 1, byte ^ 0x80, byte ^ 4] {
                    bytes[i] = changed;
                    agree(&bytes);
                }
                bytes[i] = byte;
            }
        }
    }
}

#[test]
fn the_decoders_agree_on_any_bytes() {
    check(
        60,
        20_000,
        (|bytes| {
            agree(&bytes);
            true
        }) as fn(Vec<u8>) -> bool,
    );
}

#[test]
fn the_decoders_agree_on_any_edits_one_behind_the_other_with_a_byte_changed() {
    let property: fn(Vec<AnyEdit>, usize, u8) -> bool = |edits, at, byte| {
        let mut record: Vec<u8> = edits
            .iter()
            .flat_map(|edit| edit.0.encode().unwrap())
            .collect();
        agree(&record);
        if !record.is_empty() {
            let at = at % record.len();
            record[at] = byte;
            agree(&record);
        }
        true
    };
    check(12, 5_000, property);
}

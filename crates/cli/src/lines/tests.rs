//! Lines of each format, whole.

use serde_json::{Value, json};

use super::*;

fn style(format: Format, notation: Notation) -> Style {
    Style {
        format,
        notation,
        keys_only: false,
    }
}

fn put<'a>(key: &'a [u8], value: &'a [u8]) -> Item<'a> {
    Item {
        sequence: 7,
        is_deletion: false,
        key,
        value,
        file: "000003.log",
        offset: 40,
        live: Some(true),
    }
}

fn del(key: &[u8]) -> Item<'_> {
    Item {
        is_deletion: true,
        ..put(key, b"")
    }
}

fn lines(style: Style, items: &[Item<'_>]) -> String {
    let mut lines = Lines::new(Vec::new(), style);
    for item in items {
        lines.write(item).unwrap();
    }
    lines.flush().unwrap();
    String::from_utf8(lines.output).unwrap()
}

#[test]
fn text_is_key_sequence_type_and_value() {
    let shown = style(Format::Text, Notation::Shown);
    let items = [put(b"a'\\\0", b"v\xff"), del(b"b")];
    assert_eq!(
        lines(shown, &items),
        "'a\\'\\\\\\x00' @ 7 : put => 'v\\xff'\n'b' @ 7 : del\n"
    );
    let hex = style(Format::Text, Notation::Hex);
    assert_eq!(
        lines(hex, &items),
        "'61275c00' @ 7 : put => '76ff'\n'62' @ 7 : del\n"
    );
    let keys_only = Style {
        keys_only: true,
        ..shown
    };
    assert_eq!(lines(keys_only, &[put(b"a", b"v")]), "'a' @ 7 : put\n");
    assert_eq!(lines(shown, &[]), "");
}

#[test]
fn entries_of_other_files_are_labelled_in_text() {
    let shown = style(Format::Text, Notation::Shown);
    let mut item = put(b"k", b"v");
    (item.live, item.file) = (Some(false), "000005 (1)\n.ldb");
    assert_eq!(
        lines(shown, &[item]),
        "'k' @ 7 : put => 'v' (not live: 000005 (1)\\u{a}.ldb)\n"
    );
    item.live = None;
    assert_eq!(lines(shown, &[item]), "'k' @ 7 : put => 'v'\n");
}

#[test]
fn json_has_all_fields_in_order_and_any_file_name() {
    let json = style(Format::Json, Notation::Shown);
    assert_eq!(
        lines(json, &[put(b"a\xff", b"\0"), del(b"b")]),
        concat!(
            r#"{"sequence":7,"type":"put","key":"61ff","value":"00","file":"000003.log","offset":40,"live":true}"#,
            "\n",
            r#"{"sequence":7,"type":"del","key":"62","value":"","file":"000003.log","offset":40,"live":true}"#,
            "\n"
        )
    );
    let mut item = put(b"", b"");
    item.file = "a\"\\\u{1}\n\u{7f}ü🦀.ldb";
    (item.sequence, item.offset, item.live) = (u64::MAX, 0, None);
    let parsed: Value = serde_json::from_str(&lines(json, &[item])).unwrap();
    assert_eq!(
        parsed,
        json!({"sequence": u64::MAX, "type": "put", "key": "", "value": "", "file": item.file,
            "offset": 0, "live": null})
    );
    let keys_only = Style {
        keys_only: true,
        ..json
    };
    let line = lines(keys_only, &[put(b"a", b"v")]);
    let parsed: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(parsed.get("value"), None);
    assert_eq!(parsed["key"], "61");
}

#[test]
fn csv_quotes_what_needs_it() {
    let csv = style(Format::Csv, Notation::Shown);
    assert_eq!(
        lines(csv, &[put(b"a,b", b"say \"hi\"\n"), del(b"plain")]),
        "sequence,type,key,value,file,offset,live\n\
         7,put,\"a,b\",\"say \"\"hi\"\"\\x0a\",000003.log,40,true\n\
         7,del,plain,,000003.log,40,true\n"
    );
    let mut item = put(b"k", b"v");
    (item.file, item.live) = ("\"a\",\r\n", Some(false));
    assert_eq!(
        lines(csv, &[item]),
        "sequence,type,key,value,file,offset,live\n\
         7,put,k,v,\"\"\"a\"\",\r\n\",40,false\n"
    );
    item.live = None;
    let keys_only = Style {
        keys_only: true,
        ..csv
    };
    item.file = "f";
    assert_eq!(
        lines(keys_only, &[item]),
        "sequence,type,key,file,offset,live\n7,put,k,f,40,\n"
    );
    assert_eq!(
        lines(csv, &[]),
        "sequence,type,key,value,file,offset,live\n"
    );
}

/// The records of `text`, by RFC 4180 with line feeds.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    let mut is_inside = false;
    while let Some(character) = characters.next() {
        match character {
            '"' if is_inside && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => is_inside = !is_inside,
            ',' if !is_inside => record.push(std::mem::take(&mut field)),
            '\n' if !is_inside => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            _ => field.push(character),
        }
    }
    assert_eq!((is_inside, &field[..], record.len()), (false, "", 0));
    records
}

/// Keys and values with every byte and all lengths around those of a piece.
fn awkward() -> Vec<Vec<u8>> {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let mut cases = vec![
        vec![],
        all.clone(),
        vec![b','],
        vec![b'"'; 3],
        vec![1, b'"'],
    ];
    for length in [PART - 1, PART, PART + 1, 3 * PART + 7, 5 * WAITING] {
        cases.push(all.iter().copied().cycle().take(length).collect());
        cases.push(
            std::iter::once(1)
                .chain(all.iter().copied().cycle())
                .take(length)
                .collect(),
        );
        cases.push(
            std::iter::once(0)
                .chain(all.iter().copied().cycle())
                .take(length)
                .collect(),
        );
        cases.push([&b"_o\0\x01"[..], &vec![b'"'; length]].concat());
        cases.push([&b"_o,\0\x00"[..], &[b'a', 0].repeat(length)].concat());
    }
    cases
}

#[test]
fn what_is_written_reads_back_as_the_bytes_in_every_format_and_notation() {
    let cases = awkward();
    for (key, value) in cases.iter().zip(cases.iter().rev()) {
        let item = put(key, value);
        for notation in [Notation::Shown, Notation::Hex, Notation::Chrome] {
            let read = |text: &str| match notation {
                Notation::Shown => crate::notation::parse_shown(text.as_bytes()).unwrap(),
                Notation::Hex => crate::notation::parse_hex(text.as_bytes()).unwrap(),
                Notation::Chrome => crate::chrome::parse_chrome(text).unwrap(),
            };
            let quoted = |text: &str| match notation {
                Notation::Chrome => read(text),
                _ => read(text.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap()),
            };

            let text = lines(style(Format::Text, notation), &[item]);
            let (key_text, value_text) = text.trim_end().split_once(" @ 7 : put => ").unwrap();
            assert!(
                quoted(key_text) == *key && quoted(value_text) == *value,
                "{notation:?}"
            );

            let records = parse_csv(&lines(style(Format::Csv, notation), &[item]));
            assert_eq!(records.len(), 2);
            assert_eq!(records[1].len(), 7);
            assert!(read(&records[1][2]) == *key && read(&records[1][3]) == *value);

            let line = lines(style(Format::Json, notation), &[item]);
            let parsed: Value = serde_json::from_str(&line).unwrap();
            let field = |name: &str| {
                crate::notation::parse_hex(parsed[name].as_str().unwrap().as_bytes()).unwrap()
            };
            assert!(field("key") == *key && field("value") == *value);
            assert_eq!(
                parsed.get("key_text").is_some(),
                notation == Notation::Chrome
            );

            let mut alone = Vec::new();
            if write_value(&mut alone, value, notation).unwrap().is_none() {
                assert!(read(str::from_utf8(&alone).unwrap().trim_end_matches('\n')) == *value);
            }
        }
    }
}

#[test]
fn chromes_strings_are_decoded() {
    let key = b"_https://app.example\0\x01theme";
    let items = [
        put(key, b"\x01d\xe4rk"),
        del(key),
        put(b"META:https://app.example", b"\x08\x80"),
    ];
    assert_eq!(
        lines(style(Format::Text, Notation::Chrome), &items),
        "'_https://app.example\\x00'latin1'theme' @ 7 : put => latin1'därk'\n\
         '_https://app.example\\x00'latin1'theme' @ 7 : del\n\
         'META:https://app.example' @ 7 : put => '\\x08\\x80'\n"
    );
    let text = lines(style(Format::Json, Notation::Chrome), &items);
    let parsed: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        parsed[0]["key_text"],
        json!({"storage_key": "https://app.example", "encoding": "latin1", "text": "theme"})
    );
    assert_eq!(
        parsed[0]["value_text"],
        json!({"encoding": "latin1", "text": "därk"})
    );
    assert_eq!(parsed[1]["value_text"], json!(null));
    assert_eq!(parsed[2]["key_text"], json!(null));
    assert_eq!(
        parsed[2]["key"],
        "4d4554413a68747470733a2f2f6170702e6578616d706c65"
    );

    let lone = put(b"k", b"\0\x00\xd8\"\0");
    let line = lines(style(Format::Json, Notation::Chrome), &[lone]);
    let parsed: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        parsed["value_text"],
        json!({"encoding": "utf16", "text": "\u{fffd}\""})
    );
}

/// Counts what it is given, and flushes.
#[derive(Default)]
struct Meter {
    writes: usize,
    longest: usize,
    bytes: usize,
    flushes: usize,
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        self.longest = self.longest.max(bytes.len());
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes += 1;
        Ok(())
    }
}

#[test]
fn the_first_line_is_out_at_once_and_memory_is_bounded() {
    let mut lines = Lines::new(Meter::default(), style(Format::Text, Notation::Shown));
    lines.write(&put(b"a", b"v")).unwrap();
    assert_eq!((lines.output.bytes, lines.output.flushes), (21, 1));
    lines.write(&put(b"b", b"v")).unwrap();
    assert_eq!(lines.output.bytes, 21, "the second waits");

    let huge = vec![0xff; 5 << 20];
    lines.write(&put(&huge, &huge)).unwrap();
    assert!(
        lines.output.longest <= WAITING + 4 * PART,
        "{}",
        lines.output.longest
    );
    assert!(
        lines.buffer.capacity() <= 200 << 10,
        "{}",
        lines.buffer.capacity()
    );
    let before = lines.output.writes;
    for _ in 0..1000 {
        lines.write(&put(b"k", b"v")).unwrap();
    }
    assert!(
        lines.output.writes - before <= 2,
        "small lines are written together"
    );
    lines.flush().unwrap();
    assert_eq!(
        lines.output.bytes,
        2 * 21 + (8 * (5 << 20) + 19) + 1000 * 21
    );
}

#[test]
fn numbers_are_in_decimal() {
    for number in [0, 9, 10, 99, 100, 1 << 56, u64::MAX - 1, u64::MAX] {
        let mut text = Vec::new();
        put_decimal(&mut text, number);
        assert_eq!(String::from_utf8(text).unwrap(), number.to_string());
    }
}

#[test]
fn keys_of_the_localstorage_case_print_differently_and_are_read_back() {
    let keys = [
        &b"_https://app.example\0\x01theme"[..],
        b"_https://app.example\0\x01draft",
        b"\\x00literal",
        b"\0literal",
        b"META:https://app.example",
    ];
    for notation in [Notation::Shown, Notation::Chrome] {
        let mut printed: Vec<String> = Vec::new();
        for key in keys {
            let line = lines(style(Format::Text, notation), &[del(key)]);
            let text = line.strip_suffix(" @ 7 : del\n").unwrap();
            assert_eq!(crate::chrome::parse_chrome(text).unwrap(), key);
            let bare = text.strip_prefix('\'').unwrap().trim_end_matches('\'');
            if notation == Notation::Shown {
                assert_eq!(crate::notation::parse_shown(bare.as_bytes()).unwrap(), key);
            }
            printed.push(text.to_owned());
        }
        printed.sort();
        printed.dedup();
        assert_eq!(printed.len(), keys.len());
    }
}

#[test]
fn a_value_alone_is_chromes_text_as_it_is() {
    let alone = |value: &[u8]| {
        let mut text = Vec::new();
        let encoding = write_value(&mut text, value, Notation::Chrome).unwrap();
        (encoding, String::from_utf8(text).unwrap())
    };
    assert_eq!(
        alone(b"\x01{\"a\":\"\\\"\xfc'\"}"),
        (Some("latin1"), "{\"a\":\"\\\"ü'\"}\n".to_owned())
    );
    assert_eq!(
        alone(b"\0G\0r\0\xfc\0\xdf\0e\0 \0\xac "),
        (Some("utf16"), "Grüße €\n".to_owned())
    );
    assert_eq!(alone(b"\x08\x80"), (None, "'\\x08\\x80'\n".to_owned()));
}

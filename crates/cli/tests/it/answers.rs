//! What `dump`, `get` and `stats` answer.

use std::fs;

use crate::folder::Folder;
use crate::{data, dumped, raw, strata, text};

fn sample() -> String {
    text(&data("sample")).to_owned()
}

/// The sample's log without the manifest beside it.
fn lone_log() -> (Folder, String) {
    let folder = Folder::new();
    let log = fs::read(data("sample/000003.log")).unwrap();
    folder.add("000003.log", &log);
    let log = text(&folder.file("000003.log")).to_owned();
    (folder, log)
}

/// The sample's entries, all versions, as one table in a directory without a manifest.
fn table_of_sample() -> (Folder, String) {
    let out = Folder::new();
    let arguments = ["recover", &sample(), "--logs-only", "--out", out.text()];
    assert_eq!(strata(arguments).status, 0);
    let table = text(&out.file("000004.ldb")).to_owned();
    (out, table)
}

/// What `dump` lists, a line each; it must find nothing missing.
fn lines(input: &str, options: &[&str]) -> Vec<String> {
    let dump = strata(["dump", input].iter().chain(options).copied());
    assert_eq!(dump.status, 0, "{options:?}: {}", dump.stderr);
    dump.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_value_a_deleted_key_and_an_absent_one_are_told_apart() {
    for (arguments, status, answer) in [
        (&["apple"][..], 0, "62 kg\n"),
        (&["apple", "--at", "24"], 0, "40 kg\n"),
        (&["durian"], 4, "(deleted by sequence number 51)\n"),
        (&["durian", "--at", "50"], 0, "4 kg\n"),
        (&["papaya"], 5, "(absent)\n"),
        (&["apple", "--at", "0"], 5, "(absent)\n"),
        (&["6170706c65", "--hex"], 0, "3632206b67\n"),
        (&[r"\x61pple"], 0, "62 kg\n"),
    ] {
        let sample = sample();
        let got = strata(
            ["get", &sample]
                .into_iter()
                .chain(arguments.iter().copied()),
        );
        assert_eq!(
            (got.status, got.stdout.as_str()),
            (status, answer),
            "{arguments:?} {}",
            got.stderr
        );
    }
}

#[test]
fn wrong_usage_is_told_by_the_status() {
    let sample = sample();
    for arguments in [
        &["get"][..],
        &["recover", &sample],
        &["get", &sample, "apple", "--at", "72057594037927936"],
        &["recover", &sample, "--out", "x", "--bloom-bits", "0"],
        &[
            "recover",
            &sample,
            "--out",
            "x",
            "--comparator",
            "alphabetical",
        ],
        // Options without effect are refused.
        &[
            "recover",
            &sample,
            "--out",
            "x",
            "--write-buffer-size",
            "65536",
        ],
        &[
            "recover",
            &sample,
            "--out",
            "x",
            "--logs-only",
            "--all-versions",
        ],
        &["dump", &sample, "--json", "--csv"],
        &["dump", &sample, "--tables"],
        &["completions", "command.com"],
        &["unheard-of"],
    ] {
        let answer = strata(arguments.iter().copied());
        assert_eq!(answer.status, 2, "{arguments:?}");
        assert!(!answer.stderr.is_empty());
    }
}

#[test]
fn a_key_that_can_not_be_meant_is_refused_with_the_place() {
    let sample = sample();
    for (arguments, expected) in [
        (
            &["get", &sample, "xyz", "--hex"][..],
            "byte 1: the first of two hex digits was expected",
        ),
        (&["get", &sample, r"a\n"], "byte 2: "),
        (&["dump", &sample, "--prefix", r"\q"], "byte 1: "),
        (
            &["dump", &sample, "--from", "6", "--hex"],
            "byte 2: the second of two hex digits was expected",
        ),
    ] {
        let answer = strata(arguments.iter().copied());
        assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
        assert!(
            answer.stderr.contains(expected),
            "{arguments:?}: {}",
            answer.stderr
        );
    }
}

#[test]
fn help_teaches_and_succeeds() {
    let help = strata(["--help"]);
    assert_eq!(help.status, 0);
    for word in [
        "recover",
        "verify",
        "dump",
        "get",
        "stats",
        "completions",
        "man",
        "INPUT is a LevelDB directory",
        "strata recover world/db --out world/new",
        "Exit status",
    ] {
        assert!(help.stdout.contains(word), "{word} in\n{}", help.stdout);
    }
}

#[test]
fn a_dump_is_in_memtable_order_and_can_go_back_in_time() {
    let sample = sample();
    let all = lines(&sample, &[]);
    assert_eq!(all.len(), 190);
    assert_eq!(all[0], "'apple' @ 179 : put => '62 kg'");
    assert!(all.contains(&"'durian' @ 51 : del".to_owned()));
    assert_eq!(
        lines(&sample, &["--hex"])[0],
        "'6170706c65' @ 179 : put => '3632206b67'"
    );
    assert_eq!(lines(&sample, &["--at", "24"]).len(), 24);
    assert_eq!(lines(&sample, &["--visible"]).len(), 22);
    assert_eq!(lines(&sample, &["--visible", "--at", "24"]).len(), 24);
}

/// The fields, their names and their order are relied on by other programs.
#[test]
fn lines_for_machines_say_where_each_entry_was_found() {
    let sample = sample();
    let (_folder, log) = lone_log();
    let json = |live: &str| {
        format!(
            r#"{{"sequence":179,"type":"put","key":"6170706c65","value":"3632206b67","file":"000003.log","offset":5253,"live":{live}}}"#
        )
    };
    assert_eq!(lines(&sample, &["--json"])[0], json("true"));
    // Without a manifest nobody can say whether it is live.
    assert_eq!(lines(&log, &["--json"])[0], json("null"));
    let csv = lines(&sample, &["--csv"]);
    assert_eq!(csv[0], "sequence,type,key,value,file,offset,live");
    assert_eq!(csv[1], "179,put,apple,62 kg,000003.log,5253,true");
    assert_eq!(csv.len(), 1 + 190);
    assert_eq!(
        lines(&log, &["--csv"])[1],
        "179,put,apple,62 kg,000003.log,5253,"
    );
    let deleted = lines(&sample, &["--csv", "--prefix", "durian"]);
    assert!(
        deleted[1].starts_with("51,del,durian,,000003.log,"),
        "{}",
        deleted[1]
    );
    let hex = lines(&sample, &["--csv", "--hex"]);
    assert!(
        hex[1].starts_with("179,put,6170706c65,3632206b67,"),
        "{}",
        hex[1]
    );
}

#[test]
fn keys_alone_are_listed_in_each_form() {
    let sample = sample();
    let first = |options: &[&str]| {
        let options = [options, &["--keys-only", "--limit", "1"]].concat();
        lines(&sample, &options).join("\n")
    };
    assert_eq!(first(&[]), "'apple' @ 179 : put");
    assert_eq!(
        first(&["--json"]),
        r#"{"sequence":179,"type":"put","key":"6170706c65","file":"000003.log","offset":5253,"live":true}"#
    );
    assert_eq!(
        first(&["--csv"]),
        "sequence,type,key,file,offset,live\n179,put,apple,000003.log,5253,true"
    );
}

#[test]
fn entries_come_as_they_were_written_if_that_is_asked_for() {
    let sample = sample();
    let written = fs::read_to_string(data("sample/writes.tsv")).unwrap();
    let listed = strata(["dump", &sample, "--json", "--by-sequence"]);
    let as_written: Vec<u64> = written
        .lines()
        .map(|line| line.split('\t').next().unwrap().parse().unwrap())
        .collect();
    let sequences: Vec<u64> = dumped(&listed).iter().map(|entry| entry.0).collect();
    assert_eq!(sequences, as_written);
    let limited = lines(&sample, &["--by-sequence", "--limit", "2", "--prefix", "a"]);
    assert_eq!(limited.len(), 2);
    assert!(limited.iter().all(|line| line.starts_with("'a")));
}

#[test]
fn a_raw_value_is_its_bytes_and_nothing_else() {
    let folder = Folder::new();
    let value = "line\r\n\u{0}\u{7f}'\\";
    folder.add("000003.log", &crate::folder::log(&[(1, "k", Some(value))]));
    let got = raw(["get", folder.text(), "k", "--raw"]);
    assert_eq!((got.0, got.1.as_slice()), (0, value.as_bytes()));
    let shown = strata(["get", folder.text(), "k"]);
    assert_eq!(shown.stdout, "line\\x0d\\x0a\\x00\\x7f\\'\\\\\n");
    let absent = raw(["get", folder.text(), "other", "--raw"]);
    assert_eq!((absent.0, absent.1.as_slice()), (5, &b""[..]));
    let told = strata(["get", folder.text(), "other", "--raw"]);
    assert!(told.stderr.contains("(absent)"), "{}", told.stderr);
}

#[test]
fn shown_keys_are_unambiguous_and_can_be_given_back() {
    let folder = Folder::new();
    let keys = [
        "it's", r"it\'s", r"\x00", "\u{0}", r"\", "'", "tab\t", "Grüße",
    ];
    let writes: Vec<_> = (1..)
        .zip(keys)
        .map(|(sequence, key)| (sequence, key, Some(key)))
        .collect();
    folder.add("000003.log", &crate::folder::log(&writes));
    let listed = lines(folder.text(), &["--by-sequence"]);
    let shown: Vec<&str> = listed
        .iter()
        .map(|line| {
            let end = line.find("' @ ").unwrap();
            &line[1..end]
        })
        .collect();
    for (key, shown) in keys.into_iter().zip(&shown) {
        let got = raw(["get", folder.text(), shown, "--raw"]);
        assert_eq!((got.0, got.1.as_slice()), (0, key.as_bytes()), "{shown}");
    }
    let distinct: std::collections::BTreeSet<_> = shown.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn chromes_strings_are_shown_as_text() {
    let sample = text(&data("field-cases/localstorage")).to_owned();
    let shown = lines(&sample, &["--decode", "chrome"]);
    let plain = lines(&sample, &[]);
    assert_eq!(shown.len(), plain.len());
    assert!(
        plain.iter().any(|line| line.contains("\\x00")) && shown != plain,
        "{shown:#?}"
    );
    // Each key can be given back as it is shown.
    let first = shown
        .iter()
        .find(|line| line.contains(" : put => "))
        .unwrap();
    let (key, value) = first.split_once(" @ ").unwrap();
    let got = strata(["get", &sample, key, "--decode", "chrome"]);
    assert_eq!(got.status, 0, "{key}: {}", got.stderr);
    assert!(
        value.ends_with(&format!(" : put => {}", got.stdout.trim_end())),
        "{value} or {}",
        got.stdout
    );
    let json = lines(
        &sample,
        &[
            "--json",
            "--decode",
            "chrome",
            "--prefix",
            r"'_https://app.example\x00'latin1'theme'",
        ],
    );
    assert_eq!(json.len(), 1, "{json:?}");
    let line: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
    assert_eq!(
        line["key"],
        "5f68747470733a2f2f6170702e6578616d706c6500017468656d65"
    );
    assert_eq!(line["value"], "016461726b");
    let key = serde_json::json!({
        "storage_key": "https://app.example", "encoding": "latin1", "text": "theme"
    });
    assert_eq!(line["key_text"], key);
    let value = serde_json::json!({"encoding": "latin1", "text": "dark"});
    assert_eq!(line["value_text"], value);
}

#[test]
fn a_single_log_a_directory_and_its_table_say_the_same() {
    let (sample, log) = (sample(), text(&data("sample/000003.log")).to_owned());
    let (_out, table) = table_of_sample();
    let dump = |input: &str| dumped(&strata(["dump", input, "--json"]));
    assert_eq!(dump(&sample).len(), 190);
    assert_eq!(dump(&sample), dump(&log));
    assert_eq!(dump(&log), dump(&table));
    assert_eq!(strata(["get", &table, "durian"]).status, 4);
}

#[test]
fn files_that_are_no_part_of_the_database_are_named_beside_the_answer() {
    let dump = strata(["dump", &sample()]);
    assert_eq!(dump.status, 0);
    assert_eq!(dump.stderr, "strata: writes.tsv: ignored: it is text\n");
    let folder = Folder::copy_of(&data("sample"));
    folder.remove("writes.tsv");
    assert_eq!(strata(["dump", folder.text()]).stderr, "");
}

#[test]
fn the_reverse_order_is_the_reverse() {
    let sample = sample();
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let reverse = ["--comparator", "reverse-bytewise"];
    let recovered = strata(
        ["recover", &sample, "--out", text(&out)]
            .into_iter()
            .chain(reverse),
    );
    assert_eq!(recovered.status, 0, "{}", recovered.stderr);
    let table = out.join("000002.ldb");
    let keys = |input: &str, options: &[&str]| -> Vec<String> {
        let options = [options, &["--visible"]].concat();
        lines(input, &options)
            .iter()
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let mut backward = keys(&sample, &reverse);
    // The order is in the new manifest, and in the table itself where that is alone.
    assert_eq!(backward, keys(text(&out), &[]));
    assert_eq!(backward, keys(text(&table), &reverse));
    let alone = Folder::new();
    alone.add("000009.ldb", &fs::read(&table).unwrap());
    assert_eq!(backward, keys(alone.text(), &[]));
    assert_eq!(
        strata(["get", text(&table), "apple"].into_iter().chain(reverse)).stdout,
        "62 kg\n"
    );
    backward.reverse();
    assert_eq!(backward, keys(&sample, &[]));
}

#[test]
fn another_order_than_the_databases_is_told() {
    let told = "strata: the manifest says that the database sorts its keys by \
                leveldb.BytewiseComparator, not by strata.ReverseBytewiseComparator as --comparator has it";
    let (parent, sample) = (tempfile::tempdir().unwrap(), sample());
    let out = text(&parent.path().join("out")).to_owned();
    for command in [
        &["dump", &sample][..],
        &["get", &sample, "apple"],
        &["stats", &sample],
        &["recover", &sample, "--out", &out],
    ] {
        assert!(!strata(command.iter().copied()).stderr.contains("sorts"));
        let _ = fs::remove_dir_all(&out);
        let reverse = ["--comparator", "reverse-bytewise"];
        let answer = strata(command.iter().copied().chain(reverse));
        assert_eq!(answer.status, 0, "{command:?}: {}", answer.stderr);
        assert!(
            answer.stderr.contains(told),
            "{command:?}: {}",
            answer.stderr
        );
    }
}

#[test]
fn stats_count_what_is_there() {
    let sample = sample();
    let stats = strata(["stats", &sample, "--json"]).json();
    for (name, value) in [
        ("tables", 0),
        ("logs", 1),
        ("file_bytes", 5658),
        ("entries", 190),
        ("tombstones", 2),
        ("user_keys", 24),
        ("shadowed_versions", 166),
        ("shadowed_bytes", 1782),
        ("first_sequence", 1),
        ("last_sequence", 190),
    ] {
        assert_eq!(stats[name], value, "{name}");
    }
    assert_eq!(stats["key_sizes"]["count"], 190);
    assert_eq!(stats["value_sizes"]["count"], 188);
    assert_eq!(stats["dropped"], serde_json::json!([]));
    let shown = strata(["stats", &sample]);
    assert!(
        shown.stdout.contains("shadowed   166 versions"),
        "{}",
        shown.stdout
    );
}

#[test]
fn damage_is_told_beside_the_answer() {
    let damaged = text(&data("leveldb-fixtures/bit-flip/db")).to_owned();
    for (command, status) in [("dump", 3), ("stats", 3)] {
        let answer = strata([command, &damaged]);
        assert_eq!(answer.status, status);
        assert!(
            answer.stderr.contains("checksum mismatch"),
            "{}",
            answer.stderr
        );
    }
    let strict = strata(["dump", &damaged, "--strict"]);
    assert_eq!(strict.status, 1);
    assert_eq!(strict.stdout, strata(["dump", &damaged]).stdout);
    // A key that is there is found; but nobody can say of another one that it is absent.
    for (key, status) in [("0000000000000000", 0), ("nowhere", 3)] {
        let answer = strata(["get", &damaged, key]);
        assert_eq!(answer.status, status, "{}", answer.stderr);
        assert_eq!(answer.stdout.is_empty(), status == 3);
        for word in ["checksum mismatch", "could not be read may hold"] {
            assert!(answer.stderr.contains(word), "{word}: {}", answer.stderr);
        }
    }
}

#[test]
fn a_damaged_table_is_told_with_the_place_and_costs_no_other_file() {
    let (folder, table) = table_of_sample();
    folder.damage("000004.ldb", |bytes| bytes[100] ^= 0x10);
    let answer = strata(["dump", &table]);
    // Its one block holds all it has.
    assert_eq!((answer.status, answer.stdout.as_str()), (3, ""));
    let told = answer.stderr.lines().any(|line| {
        line.starts_with("strata: 000004.ldb: ")
            && line.contains(" bytes at offset 0 dropped: ")
            && line.contains("checksum")
    });
    assert!(told, "{}", answer.stderr);
    folder.add("000005.log", &fs::read(data("sample/000003.log")).unwrap());
    let answer = strata(["dump", folder.text()]);
    assert_eq!((answer.status, answer.stdout.lines().count()), (3, 190));
}

/// The first line comes before a table has been read whole: behind its first blocks and its index
/// nothing is needed for it.
#[cfg(unix)]
#[test]
fn the_first_line_comes_before_a_table_has_been_read() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = Folder::new();
    let writes = crate::folder::run(1, "key", 9_000);
    let table = crate::folder::table(&crate::folder::borrowed(&writes), None);
    folder.add("000005.ldb", &table);
    let mut child = Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(["dump", folder.text()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::with_capacity(1 << 10, child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("'key0000' @ 1 : put => "), "{line}");
    // The output is some 900 kB and a pipe holds 64 KiB: the program waits for its reader. What it
    // has not read by now is cut off, and it must notice.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let file = fs::OpenOptions::new()
        .write(true)
        .open(folder.file("000005.ldb"))
        .unwrap();
    file.set_len(table.len() as u64 / 2).unwrap();
    drop(file);
    let listed = 1 + output.lines().count();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{listed} lines: {said}");
    assert!((100..9_000).contains(&listed), "{listed}");
    assert!(said.contains("000005.ldb"), "{said}");
}

//! What `dump`, `get` and `stats` answer.

use std::fs;

use crate::{data, strata, text};

fn sample() -> String {
    text(&data("sample")).to_owned()
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
        &["unheard-of"],
    ] {
        let answer = strata(arguments.iter().copied());
        assert_eq!(answer.status, 2, "{arguments:?}");
        assert!(!answer.stderr.is_empty());
    }
    let wrong_hex = strata(["get", &sample, "xyz", "--hex"]);
    assert_eq!(wrong_hex.status, 1);
    assert!(
        wrong_hex
            .stderr
            .contains("byte 1: the first of two hex digits was expected"),
        "{}",
        wrong_hex.stderr
    );
}

#[test]
fn help_teaches_and_succeeds() {
    let help = strata(["--help"]);
    assert_eq!(help.status, 0);
    for word in [
        "recover",
        "dump",
        "get",
        "stats",
        "INPUT is a log",
        "Exit status",
    ] {
        assert!(help.stdout.contains(word), "{word} in\n{}", help.stdout);
    }
}

#[test]
fn a_dump_is_in_memtable_order_and_can_go_back_in_time() {
    let sample = sample();
    let lines = |arguments: &[&str]| -> Vec<String> {
        let dump = strata(
            ["dump", &sample]
                .into_iter()
                .chain(arguments.iter().copied()),
        );
        assert_eq!((dump.status, dump.stderr.as_str()), (0, ""));
        dump.stdout.lines().map(str::to_owned).collect()
    };
    let all = lines(&[]);
    assert_eq!(all.len(), 190);
    assert_eq!(all[0], "'apple' @ 179 : put => '62 kg'");
    assert!(all.contains(&"'durian' @ 51 : del".to_owned()));
    assert_eq!(
        lines(&["--hex"])[0],
        "'6170706c65' @ 179 : put => '3632206b67'"
    );
    assert_eq!(lines(&["--at", "24"]).len(), 24);
    assert_eq!(lines(&["--visible"]).len(), 22);
    assert_eq!(lines(&["--visible", "--at", "24"]).len(), 24);
    let json = lines(&["--json"]);
    assert_eq!(
        json[0],
        r#"{"sequence":179,"type":"put","key":"6170706c65","value":"3632206b67"}"#
    );
}

#[test]
fn a_single_log_a_directory_and_its_table_say_the_same() {
    let (sample, log) = (sample(), text(&data("sample/000003.log")).to_owned());
    let out = tempfile::tempdir().unwrap();
    assert_eq!(
        strata(["recover", &log, "--out", text(out.path())]).status,
        0
    );
    let table = out.path().join("000004.ldb");
    let dump = |input: &str| strata(["dump", input, "--json"]).stdout;
    assert!(dump(&sample) == dump(&log) && dump(&log) == dump(text(&table)));
    assert_eq!(strata(["get", text(&table), "durian"]).status, 4);
}

#[test]
fn the_reverse_order_is_the_reverse() {
    let sample = sample();
    let out = tempfile::tempdir().unwrap();
    let reverse = ["--comparator", "reverse-bytewise"];
    let recovered = strata(
        ["recover", &sample, "--out", text(out.path())]
            .into_iter()
            .chain(reverse),
    );
    assert_eq!(recovered.status, 0, "{}", recovered.stderr);
    let table = out.path().join("000004.ldb");
    let keys = |input: &str, options: &[&str]| -> Vec<String> {
        let dump = strata(
            ["dump", input, "--visible"]
                .into_iter()
                .chain(options.iter().copied()),
        );
        assert_eq!(dump.status, 0, "{}", dump.stderr);
        dump.stdout
            .lines()
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let mut backward = keys(text(&table), &reverse);
    assert_eq!(backward, keys(&sample, &reverse));
    backward.reverse();
    assert_eq!(backward, keys(&sample, &[]));
    assert_eq!(
        strata(["get", text(&table), "apple"].into_iter().chain(reverse)).stdout,
        "62 kg\n"
    );
}

#[test]
fn stats_count_what_is_there() {
    let sample = sample();
    let stats = strata(["stats", &sample, "--json"]).json();
    for (name, value) in [
        ("entries", 190),
        ("tombstones", 2),
        ("user_keys", 24),
        ("shadowed_versions", 166),
        ("first_sequence", 1),
        ("last_sequence", 190),
    ] {
        assert_eq!(stats[name], value, "{name}");
    }
    assert_eq!(stats["key_sizes"]["count"], 190);
    assert_eq!(stats["value_sizes"]["count"], 188);
    assert!(stats["bytes_used"].as_u64() <= stats["bytes_reserved"].as_u64());
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
    let found = strata(["get", &damaged, "0000000000000001", "--hex"]);
    assert_eq!(found.status, 5, "given in hex it is another key");
    assert!(
        found.stderr.contains("checksum mismatch"),
        "{}",
        found.stderr
    );
}

#[test]
fn a_damaged_table_is_refused_with_the_place() {
    let out = tempfile::tempdir().unwrap();
    assert_eq!(
        strata(["recover", &sample(), "--out", text(out.path())]).status,
        0
    );
    let table = out.path().join("000004.ldb");
    let mut bytes = fs::read(&table).unwrap();
    bytes[100] ^= 0x10;
    fs::write(&table, bytes).unwrap();
    let answer = strata(["dump", text(&table)]);
    assert_eq!((answer.status, answer.stdout.as_str()), (1, ""));
    assert!(
        answer.stderr.contains("000004.ldb") && answer.stderr.contains("checksum"),
        "{}",
        answer.stderr
    );
}

//! Small inputs of the kinds that people report, in `tests/data/field-cases`, and what each must give.
//!
//! None is anybody's data. What is live is what LevelDB itself shows, asked once through `plyvel` and
//! `amulet-leveldb`; the other figures were worked out with a reader that shares no code with ours.

use std::collections::BTreeSet;
use std::path::Path;

use crate::probe::{Line, case, dump, get, lines, names_all, recover, tells_drop};
use crate::{contents, raw, strata, text};

#[test]
fn an_empty_table_costs_nothing_else() {
    let folder = case("zero-length-ldb");
    let (listed, said) = dump(&folder, &[], 3);
    assert_eq!(listed.len(), 101);
    names_all(&said, &["000007.ldb"]);
    get(&folder, "inlog", &[], Ok("L"));
    get(&folder, "nothing", &[], Err(3));
    assert_eq!(recover(&folder, &[], 3).len(), 101);
}

#[test]
fn a_bad_block_costs_its_entries_alone() {
    let folder = case("one-bad-block");
    let (listed, said) = dump(&folder, &[], 3);
    let sequences: Vec<u64> = listed.iter().map(|line| line.sequence).collect();
    let expected: Vec<u64> = (1..=80).chain(101..=200).collect();
    assert_eq!(sequences, expected);
    tells_drop(&said, "000005.ldb", 7088);
    assert_eq!(said.matches(" dropped: ").count(), 1, "{said}");
    names_all(&said, &["'key00099'"]);
    get(&folder, "key00003", &[], Ok(&value_of("key00003")));
    get(&folder, "key00079", &[], Ok(&value_of("key00079")));
    get(&folder, "key00080", &[], Err(3));
    get(&folder, "key000855", &[], Err(3));
    get(&folder, "key00199", &[], Ok(&value_of("key00199")));
    let recovered = recover(&folder, &[], 3);
    assert_eq!(recovered.len(), 180);
    assert_eq!(
        recovered[&b"key00199"[..]],
        value_of("key00199").into_bytes()
    );
    let answer = strata(["verify", text(&folder)]);
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    names_all(&(answer.stdout + &answer.stderr), &["000005.ldb", "7088"]);
    // LevelDB's repair doesn't check, and gives the bad block's entries, too.
    assert_eq!(dump(&folder, &["--ignore-checksums"], 0).0.len(), 200);
}

fn value_of(key: &str) -> String {
    format!("value-{key}-{}", "x".repeat(60))
}

#[test]
fn a_table_that_is_cut_off_gives_its_whole_blocks() {
    let folder = case("truncated-table");
    for input in [folder.clone(), folder.join("000005.ldb")] {
        let (listed, said) = dump(&input, &["--salvage"], 3);
        let sequences: Vec<u64> = listed.iter().map(|line| line.sequence).collect();
        assert_eq!(sequences, (1..=140).collect::<Vec<u64>>());
        names_all(&said, &["000005.ldb"]);
    }
    assert_eq!(recover(&folder, &["--salvage"], 3).len(), 140);
    get(
        &folder,
        "key00003",
        &["--salvage"],
        Ok(&value_of("key00003")),
    );
    get(&folder, "key00150", &["--salvage"], Err(3));
    let answer = strata(["dump", text(&folder)]);
    assert!(matches!(answer.status, 1 | 3), "{}", answer.stderr);
    names_all(&answer.stderr, &["000005.ldb"]);
}

#[test]
fn a_half_written_table_of_a_healthy_database_is_named_and_costs_nothing() {
    let folder = case("unfinished-compaction-output");
    let (listed, said) = dump(&folder, &[], 0);
    assert_eq!(listed.len(), 55);
    assert!(listed.iter().all(|line| line.live == Some(true)));
    names_all(&said, &["000141.ldb"]);
    get(&folder, "key049", &[], Ok("value049"));
    get(&folder, "new004", &[], Ok("n"));
    get(&folder, "absent", &[], Err(5));
    assert_eq!(recover(&folder, &[], 0).len(), 55);
    let stats = strata(["stats", text(&folder)]);
    assert_eq!(stats.status, 0, "{}", stats.stderr);

    let all = strata(["dump", text(&folder), "--json", "--all-files"]);
    assert!(matches!(all.status, 0 | 3), "{}", all.stderr);
    let (live, other): (Vec<_>, Vec<_>) = lines(&all)
        .into_iter()
        .partition(|line| line.live == Some(true));
    assert_eq!(live, listed);
    assert!(other.iter().all(|line| line.file.ends_with("000141.ldb")));
}

#[test]
fn a_replaced_table_is_shown_on_request_and_labelled() {
    let folder = case("obsolete-table");
    let (listed, said) = dump(&folder, &[], 0);
    let keys: Vec<&[u8]> = listed.iter().map(|line| &line.key[..]).collect();
    assert_eq!(
        keys,
        [&b"k00"[..], b"k01", b"k02", b"k03", b"k04", b"later"]
    );
    assert!(listed.iter().all(|line| line.live == Some(true)));
    names_all(&said, &["000005.ldb"]);
    get(&folder, "secret", &[], Err(5));
    get(&folder, "later", &[], Ok("x"));

    let (all, _) = dump(&folder, &["--all-files"], 0);
    assert_eq!(all.len(), 7, "an entry that both tables have comes once");
    let secret = all.iter().find(|line| line.key == b"secret").unwrap();
    assert_eq!(
        (&secret.value[..], secret.live),
        (&b"deleted long ago"[..], Some(false))
    );
    let not_live = all.iter().filter(|line| line.live == Some(false));
    assert_eq!(
        not_live
            .filter(|line| line.file.ends_with("000005.ldb"))
            .count(),
        1
    );
    get(&folder, "secret", &["--all-files"], Ok("deleted long ago"));

    assert_eq!(recover(&folder, &[], 0).len(), 6);
    assert!(recover(&folder, &["--all-files"], 0).contains_key(&b"secret"[..]));
}

#[test]
fn a_missing_table_is_named_and_its_keys_are_not_absent() {
    let folder = case("missing-table");
    let (listed, said) = dump(&folder, &[], 3);
    assert_eq!(listed.len(), 5);
    names_all(&said, &["000009.ldb"]);
    get(&folder, "k00", &[], Ok("v"));
    get(&folder, "m00", &[], Err(3));
    get(&folder, "m0099", &[], Err(3));
    // The manifest says that 000009.ldb holds m00 to m04.
    get(&folder, "a", &[], Err(5));
    get(&folder, "zzz", &[], Err(5));
    assert_eq!(recover(&folder, &[], 3).len(), 5);
    assert_eq!(strata(["verify", text(&folder)]).status, 3);
}

#[test]
fn indexed_db_is_listed_in_its_own_order() {
    let folder = case("idb-cmp1");
    // -3, 1, 2, 256 and 1000, as doubles.
    let values = |listed: &[Line]| -> Vec<String> {
        let text = |line: &Line| String::from_utf8(line.value.clone()).unwrap();
        listed.iter().map(text).collect()
    };
    let in_order = ["v4", "v0", "v1", "v2", "v3"];
    for options in [&[][..], &["--strict"]] {
        let (listed, said) = dump(&folder, options, 0);
        assert_eq!(
            (&values(&listed)[..], &said[..]),
            (&in_order.map(String::from)[..], "")
        );
    }
    let answer = strata(["dump", text(&folder)]);
    let shown: Vec<&str> = answer
        .stdout
        .lines()
        .map(|line| &line[line.len() - 3..])
        .collect();
    assert_eq!(shown, in_order.map(|value| format!("{value}'")));
    let (listed, _) = dump(&folder, &["--limit", "2"], 0);
    assert_eq!(values(&listed), ["v4", "v0"]);

    // Of a log alone nobody knows the order: either it is found, or the warning is there.
    let file = folder.join("000003.log");
    let (listed, said) = dump(&file, &["--comparator", "idb-cmp1"], 0);
    assert_eq!(
        (&values(&listed)[..], &said[..]),
        (&in_order.map(String::from)[..], "")
    );
    let (listed, said) = dump(&file, &[], 0);
    assert_eq!(listed.len(), 5);
    assert!(
        values(&listed) == in_order || said.contains("omparator"),
        "{said}"
    );

    let pairs = recover(&folder, &[], 0);
    assert_eq!(pairs.len(), 5);
}

#[test]
fn what_is_recovered_of_indexed_db_keeps_its_comparator() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let answer = strata(["recover", text(&case("idb-cmp1")), "--out", text(&out)]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let manifest = contents(&out)
        .into_iter()
        .find(|(name, _)| name.starts_with("MANIFEST-"))
        .unwrap();
    assert!(manifest.1.windows(8).any(|part| part == b"idb_cmp1"));
    let (listed, _) = dump(&out, &[], 0);
    assert_eq!(
        (&listed[0].value[..], &listed[4].value[..]),
        (&b"v4"[..], &b"v3"[..])
    );
}

#[test]
fn mojangs_tables_are_read() {
    let file = case("bedrock/zlib-2/000005.ldb");
    for input in [case("bedrock/zlib-2"), file] {
        let (listed, said) = dump(&input, &[], 0);
        assert_eq!((listed.len(), said.contains("dropped")), (50, false));
        let value = format!("value-chunk00007-{}", "x".repeat(60));
        get(&input, "chunk00007", &[], Ok(&value));
        assert_eq!(recover(&input, &[], 0).len(), 50);
    }
}

#[test]
fn a_world_comes_out_with_its_new_values() {
    let world = case("bedrock/world");
    let (listed, said) = dump(&world, &[], 0);
    assert_eq!((listed.len(), &said[..]), (75, ""));
    let pairs = recover(&world, &[], 0);
    assert_eq!(pairs.len(), 50);
    for (number, (key, value)) in pairs.into_iter().enumerate() {
        assert_eq!(key, format!("chunk{number:05}").into_bytes());
        let expected = if number < 25 {
            b"new-yyyy"
        } else {
            b"old-xxxx"
        };
        assert_eq!(&value[..8], expected, "{number}");
    }
    let first = strata(["get", text(&world), "chunk00000"]);
    assert!(first.stdout.starts_with("new-"), "{}", first.stdout);
    let at_50 = strata(["get", text(&world), "chunk00000", "--at", "50"]);
    assert!(at_50.stdout.starts_with("old-"), "{}", at_50.stdout);
}

#[test]
fn files_are_known_by_what_they_hold() {
    let folder = case("wrong-files");
    let tables = ["000005.LDB", "table-named.log", "table-without-extension"];
    for (names, count) in [(&tables[..], 100), (&["000003.LOG", "log-named.ldb"], 3)] {
        for name in names {
            let (listed, said) = dump(&folder.join(name), &[], 0);
            assert_eq!((listed.len(), &said[..]), (count, ""), "{name}");
            assert!(listed.iter().all(|line| line.live.is_none()), "{name}");
        }
    }
    get(
        &folder.join("table-named.log"),
        "good00001",
        &[],
        Ok(&format!("value-good00001-{}", "x".repeat(60))),
    );
    get(&folder.join("log-named.ldb"), "a", &[], Err(4));
}

#[test]
fn what_is_neither_table_nor_log_is_an_error_that_says_what_it_is() {
    let folder = case("wrong-files");
    for (name, what) in [
        ("000003.log.gz", "gzip"),
        ("LOG", "LOG"),
        ("CURRENT", "CURRENT"),
        ("lfs/000009.log", "lfs"),
        ("lfs/000010.ldb", "lfs"),
        ("sqlite.log", "sqlite"),
    ] {
        let file = folder.join(name);
        for command in [
            &["dump", text(&file)][..],
            &["get", text(&file), "a"],
            &["stats", text(&file)],
            &["recover", text(&file), "--out", "never-made"],
        ] {
            let answer = strata(command.iter().copied());
            assert_eq!(answer.status, 1, "{command:?}: {}", answer.stderr);
            let said = answer.stderr.to_lowercase();
            assert!(said.contains(&what.to_lowercase()), "{command:?}: {said}");
            assert!(!said.contains("0 bytes dropped") && answer.stdout.is_empty());
            assert!(!Path::new("never-made").exists(), "{command:?}");
        }
    }
}

#[test]
fn a_manifest_is_listed_as_leveldbutil_does() {
    let answer = strata(["dump", text(&case("wrong-files/MANIFEST-000001"))]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let listed = [
        "leveldb.BytewiseComparator",
        "LogNumber: 3",
        "PrevLogNumber: 0",
        "NextFile: 4",
        "LastSeq: 2",
    ];
    names_all(&answer.stdout, &listed);
    let answer = strata(["dump", text(&case("missing-table/MANIFEST-000006"))]);
    names_all(
        &answer.stdout,
        &["AddFile: 2 9 170 'm00' @ 1 : 1 .. 'm04' @ 5 : 1"],
    );
}

/// A directory whose manifest names a log that is there in capitals alone; other names hold data, too.
#[test]
fn a_directory_of_wrong_names_reads_or_names_them_all() {
    let answer = strata(["dump", text(&case("wrong-files")), "--json"]);
    let listed = lines(&answer);
    let is_read = |name: &str| listed.iter().any(|line| line.file.ends_with(name));
    for name in [
        "000003.LOG",
        "000003.log.gz",
        "000005.LDB",
        "lfs",
        "log-named.ldb",
        "sqlite.log",
        "table-named.log",
        "table-without-extension",
    ] {
        let is_named = answer.stderr.contains(name);
        assert!(is_named || is_read(name), "{name}: {}", answer.stderr);
    }
    // Either the log in capitals is the one that the manifest means, or that one is missing.
    let expected = if is_read("000003.LOG") { 0 } else { 3 };
    assert_eq!(answer.status, expected, "{}", answer.stderr);
}

#[test]
fn carved_files_are_read_or_named_and_read_when_named() {
    let folder = case("carved-names");
    let (listed, said) = dump(&folder, &[], 0);
    let read: BTreeSet<&str> = listed
        .iter()
        .map(|line| line.file.rsplit(['/', '\\']).next().unwrap())
        .collect();
    for name in contents(&folder).into_keys() {
        assert!(
            read.contains(&name[..]) || said.contains(&name),
            "{name} is neither read nor named:\n{said}"
        );
    }
    assert!(read.contains("5.ldb"), "{read:?}");
    for (name, count) in [
        ("000003 (2).log", 3),
        ("000003.log.1", 3),
        ("000005 (1).ldb", 100),
        ("000005.ldb.bak", 100),
        ("5.ldb", 3),
        ("f0012345.ldb", 100),
    ] {
        assert_eq!(dump(&folder.join(name), &[], 0).0.len(), count, "{name}");
    }
}

#[test]
fn every_shown_key_finds_itself() {
    let folder = case("localstorage");
    let answer = strata(["dump", text(&folder)]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let keys: BTreeSet<&str> = answer
        .stdout
        .lines()
        .map(|line| &line[1..line.find("' @ ").unwrap()])
        .collect();
    let expected = [
        r"META:https://app.example",
        r"\\x00literal",
        r"\x00literal",
        r"_https://app.example\x00\x01draft",
        r"_https://app.example\x00\x01theme",
    ];
    assert_eq!(keys, BTreeSet::from(expected));
    let file = folder.join("000003.log");
    for (key, value) in expected.into_iter().zip([
        &b"\x08\x80"[..],
        b"backslash",
        b"nul",
        b"\0G\0r\0\xfc\0\xdf\0e\0 \0\xac ",
        b"\x01dark",
    ]) {
        for input in [&folder, &file] {
            let (status, stdout, stderr) = raw(["get", text(input), key, "--raw"]);
            assert_eq!((status, &stdout[..]), (0, value), "{key}: {stderr}");
        }
    }
    get(
        &folder,
        r"_https://app.example\x00\x01draft",
        &["--decode", "chrome"],
        Ok("Grüße €"),
    );
    get(
        &folder,
        r"_https://app.example\x00\x01theme",
        &["--decode", "chrome"],
        Ok("dark"),
    );
    for wrong in [r"\literal", r"\x0", r"\xzz", r"literal\"] {
        let answer = strata(["get", text(&folder), wrong]);
        assert!(matches!(answer.status, 1 | 2), "{wrong}: {}", answer.stderr);
    }
}

#[test]
fn values_are_written_exactly() {
    let whole = case("extension-log/whole");
    let (listed, said) = dump(&whole, &[], 0);
    assert_eq!((listed.len(), said.contains("dropped")), (3, false));
    for line in &listed {
        let key = String::from_utf8(line.key.clone()).unwrap();
        let (status, stdout, _) = raw(["get", text(&whole), &key, "--raw"]);
        assert_eq!((status, &stdout), (0, &line.value), "{key}");
    }
    assert_eq!(
        listed.iter().map(|line| line.value.len()).sum::<usize>(),
        41 + 22 + 918
    );
    let (status, stdout, _) = raw(["get", text(&case("extension-log/utf8")), "name", "--raw"]);
    assert_eq!(status, 0);
    assert_eq!(
        stdout,
        r#"{"name":"José","path":"C:\\Users\\x"}"#.as_bytes()
    );
}

#[test]
fn a_torn_log_gives_what_is_whole_and_says_so() {
    let torn = case("extension-log/torn");
    let (listed, said) = dump(&torn, &[], 0);
    let keys: Vec<&[u8]> = listed.iter().map(|line| &line.key[..]).collect();
    assert_eq!(keys, [&b"firstrun"[..], b"lastcheck"]);
    names_all(&said, &["000003.log", "124", "116 bytes"]);
    assert_eq!(recover(&torn, &[], 0).len(), 2);
}

#[test]
fn salvage_finds_every_record_that_its_checksum_proves() {
    let folder = case("bytes-inserted");
    let (listed, said) = dump(&folder, &["--salvage"], 3);
    let sequences: BTreeSet<u64> = listed.iter().map(|line| line.sequence).collect();
    // The record 179 is the only one of which bytes are gone.
    let expected: BTreeSet<u64> = (1..=400).filter(|&sequence| sequence != 179).collect();
    assert_eq!(sequences, expected);
    assert_eq!(listed.len(), 399);
    names_all(&said, &["000003.log"]);
    assert_eq!(recover(&folder, &["--salvage"], 3).len(), 399);
    // LevelDB, without it, goes on at the next block.
    assert_eq!(dump(&folder, &[], 3).0.len(), 330);
}

#[test]
fn a_page_of_zeros_costs_the_record_it_is_in() {
    let folder = case("zero-page-in-record");
    for options in [&[][..], &["--salvage"]] {
        let (listed, said) = dump(&folder, options, 3);
        let keys: Vec<&[u8]> = listed.iter().map(|line| &line.key[..]).collect();
        assert_eq!(keys, [&b"a"[..], b"z"]);
        tells_drop(&said, "000003.log", 32768);
    }
    let (listed, _) = dump(&folder, &["--ignore-checksums"], 0);
    let lengths: Vec<usize> = listed.iter().map(|line| line.value.len()).collect();
    assert_eq!(lengths, [1, 100_000, 2]);
    assert_eq!(recover(&folder, &["--ignore-checksums"], 0).len(), 3);
}

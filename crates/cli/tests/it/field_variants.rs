//! Variants of the kinds that people report, made here: what each must give.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::{BYTEWISE, Edit, Folder, borrowed, log, log_of, run, table};
use crate::probe::{
    Line, case, dump, get, lines, names_all, recover, shown_by_sound_database, tells_drop,
};
use crate::{Answer, strata, text};

/// A table of 100 entries, `good0000` to `good0099` at 1 to 100.
fn good_table() -> Vec<u8> {
    table(&borrowed(&run(1, "good", 100)), None)
}

/// A healthy database: the good table, and a log with `inlog` at 101 and `good0001` deleted at 102.
fn healthy() -> Folder {
    let folder = Folder::new();
    let table = good_table();
    let edits = [Edit::first(BYTEWISE, 8, 9, 100)
        .new_table(5, table.len(), (1, "good0000"), (100, "good0099"))
        .encode()];
    folder.manifest(6, &edits);
    folder.add("000005.ldb", &table);
    folder.add(
        "000008.log",
        &log(&[(101, "inlog", Some("L")), (102, "good0001", None)]),
    );
    folder
}

/// The program, which must end within a time: something in its way could be waited for.
fn strata_in_time(arguments: &[&str], input: &[u8]) -> Answer {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // What answers without reading all closes its end.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let stdout = thread::spawn(move || io::read_to_string(&mut stdout).unwrap());
    let stderr = thread::spawn(move || io::read_to_string(&mut stderr).unwrap());
    let until = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("{arguments:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    writer.join().unwrap();
    Answer {
        status: status.code().unwrap(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

fn all_live(listed: &[Line]) -> bool {
    listed.iter().all(|line| line.live == Some(true))
}

#[test]
fn of_a_healthy_database_nothing_is_said() {
    let folder = healthy();
    for name in ["LOCK", "LOG", "LOG.old"] {
        folder.add(
            name,
            if name == "LOCK" {
                b""
            } else {
                b"2024/01/02 Recovering log #3\n"
            },
        );
    }
    let (listed, said) = dump(folder.path(), &[], 0);
    assert_eq!(
        (listed.len(), all_live(&listed), &said[..]),
        (102, true, "")
    );
    get(folder.path(), "good0001", &[], Err(4));
    get(folder.path(), "nothing", &[], Err(5));
    get(folder.path(), "inlog", &[], Ok("L"));
    let (visible, _) = dump(folder.path(), &["--visible"], 0);
    assert_eq!(visible.len(), 100);
    assert_eq!(recover(folder.path(), &[], 0).len(), 100);
    assert_eq!(strata(["verify", folder.text()]).status, 0);
    for options in [
        &[][..],
        &["--csv"],
        &["--hex"],
        &["--keys-only"],
        &["--by-sequence"],
    ] {
        let answer = strata(["dump", folder.text()].iter().chain(options).copied());
        let header = usize::from(options == ["--csv"]);
        assert_eq!(
            (answer.status, answer.stdout.lines().count()),
            (0, 102 + header),
            "{options:?} {}",
            answer.stderr
        );
    }
}

#[test]
fn an_empty_log_is_what_leveldb_leaves() {
    let folder = healthy();
    folder.add("000009.log", b"");
    let (listed, said) = dump(folder.path(), &[], 0);
    assert_eq!((listed.len(), &said[..]), (102, ""));
    get(folder.path(), "nothing", &[], Err(5));
}

/// LevelDB leaves an empty table, too, if it is closed when it has just begun to compact.
#[test]
fn an_empty_table_that_the_manifest_does_not_name_costs_nothing_and_is_named() {
    let folder = healthy();
    folder.add("000009.ldb", b"");
    let (listed, said) = dump(folder.path(), &[], 0);
    assert_eq!((listed.len(), all_live(&listed)), (102, true));
    names_all(&said, &["000009.ldb"]);
    get(folder.path(), "nothing", &[], Err(5));
    assert_eq!(strata(["verify", folder.text()]).status, 0);
}

#[test]
fn two_bad_blocks_cost_their_entries_alone() {
    let folder = Folder::copy_of(&case("one-bad-block"));
    folder.damage("000005.ldb", |bytes| bytes[12_404 + 900] ^= 0x10);
    let (listed, said) = dump(folder.path(), &[], 3);
    let sequences: Vec<u64> = listed.iter().map(|line| line.sequence).collect();
    let expected: Vec<u64> = (1..=80).chain(101..=140).chain(161..=200).collect();
    assert_eq!(sequences, expected);
    for offset in [7088, 12_404] {
        tells_drop(&said, "000005.ldb", offset);
    }
    assert_eq!(said.matches(" dropped: ").count(), 2, "{said}");
    get(folder.path(), "key00150", &[], Err(3));
    get(folder.path(), "key00085", &[], Err(3));
    let value = format!("value-key00120-{}", "x".repeat(60));
    get(folder.path(), "key00120", &[], Ok(&value));
    assert_eq!(recover(folder.path(), &[], 3).len(), 160);
}

#[test]
fn a_bad_filter_costs_no_entry_and_no_answer() {
    let folder = Folder::new();
    let mut bytes = table(&borrowed(&run(1, "good", 100)), Some(10));
    // The block before the one that names the filter: its last bytes are offsets, before a trailer.
    let name = b"filter.leveldb.BuiltinBloomFilter2";
    let metaindex = bytes
        .windows(name.len())
        .position(|part| part == name)
        .unwrap()
        - 3;
    bytes[metaindex - 5 - 20] ^= 0x40;
    folder.add("000005.ldb", &bytes);
    assert_eq!(dump(folder.path(), &[], 0).0.len(), 100);
    for number in [0, 50, 99] {
        let key = format!("good{number:04}");
        let answer = strata(["get", folder.text(), &key]);
        assert_eq!(answer.status, 0, "{}", answer.stderr);
    }
    get(folder.path(), "good00995", &[], Err(5));
    let verified = strata(["verify", folder.text()]);
    assert_eq!(verified.status, 3, "{}{}", verified.stdout, verified.stderr);
    names_all(&(verified.stdout + &verified.stderr), &["000005.ldb"]);
    assert_eq!(recover(folder.path(), &[], 0).len(), 100);
}

#[test]
fn without_an_index_the_blocks_are_found() {
    for (what, from_end) in [("index", 48 + 5 + 8), ("metaindex", 48), ("magic", 3)] {
        let folder = Folder::new();
        folder.add("000005.ldb", &good_table());
        folder.add("000008.log", &log(&[(101, "inlog", Some("L"))]));
        folder.damage("000005.ldb", |bytes| {
            let at = bytes.len() - from_end;
            bytes[at] ^= 0x08;
        });
        // No entry is missing, and the file is not as it was: both statuses say something true.
        let answer = strata(["dump", folder.text(), "--json", "--salvage"]);
        assert!(matches!(answer.status, 0 | 3), "{what}: {}", answer.stderr);
        assert_eq!(lines(&answer).len(), 101, "{what}: {}", answer.stderr);
        if what != "metaindex" {
            names_all(&answer.stderr, &["000005.ldb"]);
        }
        let pairs = recover(folder.path(), &["--salvage"], answer.status);
        assert_eq!(pairs.len(), 101, "{what}");
        assert_eq!(strata(["verify", folder.text()]).status, 3, "{what}");
        get(folder.path(), "inlog", &["--salvage"], Ok("L"));
    }
}

#[test]
fn rubbish_in_place_of_a_table_costs_nothing_else() {
    let rubbish: Vec<u8> = (0..5000u32)
        .map(|n| ((n * n) >> 3).to_le_bytes()[0])
        .collect();
    for bytes in [&rubbish[..], &[0; 4096], b"not a table"] {
        let folder = Folder::new();
        folder.add("000005.ldb", &good_table());
        folder.add("000007.ldb", bytes);
        folder.add("000008.log", &log(&[(101, "inlog", Some("L"))]));
        let (listed, said) = dump(folder.path(), &[], 3);
        assert_eq!(listed.len(), 101, "{said}");
        names_all(&said, &["000007.ldb"]);
        get(folder.path(), "nothing", &[], Err(3));
        assert_eq!(recover(folder.path(), &[], 3).len(), 101);
    }
}

#[test]
fn a_missing_log_is_named_and_its_keys_are_not_absent() {
    let folder = healthy();
    folder.remove("000008.log");
    let (listed, said) = dump(folder.path(), &[], 3);
    assert_eq!(listed.len(), 100);
    names_all(&said, &["000008.log"]);
    get(folder.path(), "inlog", &[], Err(3));
    assert!(
        strata(["get", folder.text(), "good0002"])
            .stdout
            .starts_with("good value 0002")
    );
    assert_eq!(recover(folder.path(), &[], 3).len(), 100);
}

#[test]
fn a_log_older_than_the_manifests_is_not_live() {
    let folder = healthy();
    folder.add("000004.log", &log(&[(50, "stale", Some("old"))]));
    let (listed, said) = dump(folder.path(), &[], 0);
    assert_eq!(listed.len(), 102);
    names_all(&said, &["000004.log"]);
    get(folder.path(), "stale", &[], Err(5));
    get(folder.path(), "stale", &["--all-files"], Ok("old"));
}

#[cfg(unix)]
#[test]
fn fifos_and_sockets_are_passed_over_and_named() {
    for names in [["pipe", "SingletonSocket"], ["000007.ldb", "000009.log"]] {
        let folder = healthy();
        let made = Command::new("mkfifo").arg(folder.file(names[0])).status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(folder.file(names[1])).unwrap();
        let answer = strata_in_time(&["dump", folder.text(), "--json"], b"");
        assert!(matches!(answer.status, 0 | 3), "{}", answer.stderr);
        assert_eq!(lines(&answer).len(), 102);
        names_all(&answer.stderr, &names);
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("out");
        for command in [
            &["verify", folder.text()][..],
            &["stats", folder.text()],
            &["get", folder.text(), "inlog"],
            &["recover", folder.text(), "--out", text(&out)],
        ] {
            let answer = strata_in_time(command, b"");
            assert!(
                matches!(answer.status, 0 | 3),
                "{command:?} {}",
                answer.stderr
            );
        }
        assert_eq!(shown_by_sound_database(&out, "beside a FIFO").len(), 100);
    }
}

#[test]
fn folders_are_passed_over_and_named() {
    let folder = healthy();
    for name in ["sst_0", "000007.ldb", "lost"] {
        fs::create_dir(folder.file(name)).unwrap();
        fs::write(folder.file(name).join("000011.ldb"), good_table()).unwrap();
    }
    let (listed, said) = dump(folder.path(), &[], 0);
    assert_eq!(listed.len(), 102);
    names_all(&said, &["sst_0", "000007.ldb", "lost"]);
}

#[test]
fn other_names_are_read_or_named() {
    let folder = Folder::new();
    folder.add("000004.sst", &table(&borrowed(&run(200, "sst", 3)), None));
    let names = [
        "000005.LDB",
        "000006.Log",
        "backup.ldb",
        "000007.ldb~",
        "000008.ldb.part",
    ];
    for name in names {
        let log = log(&[(7, "log", Some("x"))]);
        let bytes = if name.ends_with("Log") {
            log
        } else {
            good_table()
        };
        folder.add(name, &bytes);
    }
    let answer = strata(["dump", folder.text(), "--json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let listed = lines(&answer);
    let count = |name: &str| {
        listed
            .iter()
            .filter(|line| line.file.ends_with(name))
            .count()
    };
    assert_eq!(count("000004.sst"), 3);
    for name in names {
        let is_said = answer.stderr.contains(name);
        assert!(count(name) > 0 || is_said, "{name}: {}", answer.stderr);
    }
}

/// What LevelDB leaves if it stops while the manifest's second edit is being written.
fn cut_manifest(keep: impl Fn(usize) -> usize) -> Folder {
    let folder = Folder::new();
    let writes = run(1, "good", 100);
    let table = table(&borrowed(&writes), None);
    let first = Edit::first(BYTEWISE, 3, 4, 0).encode();
    let second = Edit::default().numbers(6, 7, 100).new_table(
        5,
        table.len(),
        (1, "good0000"),
        (100, "good0099"),
    );
    let one = log_of(&[&first]).len();
    folder.manifest(2, &[first, second.encode()]);
    folder.damage("MANIFEST-000002", |bytes| bytes.truncate(keep(one)));
    folder.add("000003.log", &log(&borrowed(&writes)));
    folder.add("000005.ldb", &table);
    folder.add(
        "000006.log",
        &log(&[(101, "a", Some("1")), (102, "b", Some("2"))]),
    );
    folder
}

#[test]
fn a_manifest_with_a_torn_tail_means_what_leveldb_takes_it_for() {
    let folder = cut_manifest(|one| one + 20);
    let (listed, said) = dump(folder.path(), &[], 0);
    assert_eq!((listed.len(), all_live(&listed)), (102, true), "{said}");
    assert!(listed.iter().all(|line| line.file.ends_with(".log")));
    names_all(&said, &["000005.ldb"]);
    assert_eq!(recover(folder.path(), &[], 0).len(), 102);
}

#[test]
fn without_a_whole_edit_everything_there_is_read() {
    for keep in [0, 5, 20] {
        let folder = cut_manifest(|_| keep);
        let answer = strata(["dump", folder.text(), "--json"]);
        assert!(matches!(answer.status, 0 | 3), "{keep}: {}", answer.stderr);
        let listed = lines(&answer);
        assert_eq!(listed.len(), 102, "{keep}: {}", answer.stderr);
        assert!(listed.iter().all(|line| line.live.is_none()), "{keep}");
        names_all(&answer.stderr, &["MANIFEST-000002"]);
        get(folder.path(), "b", &[], Ok("2"));
    }
}

#[test]
fn a_manifest_damaged_in_the_middle_is_not_believed() {
    let folder = Folder::new();
    let table = good_table();
    let add = |number| {
        let bounds = ((1, "good0000"), (100, "good0099"));
        Edit::default()
            .numbers(8, 12, 100)
            .new_table(number, table.len(), bounds.0, bounds.1)
    };
    let edits = [
        Edit::first(BYTEWISE, 3, 4, 0).encode(),
        add(5).encode(),
        Edit::default().deleted_table(5).encode(),
        add(9).encode(),
    ];
    folder.manifest(6, &edits);
    let third = log_of(&edits[..2]).len();
    folder.damage("MANIFEST-000006", |bytes| bytes[third + 7] ^= 1);
    folder.add("000009.ldb", &table);
    folder.add("000010.log", &log(&[(101, "inlog", Some("L"))]));
    let answer = strata(["dump", folder.text(), "--json"]);
    assert!(matches!(answer.status, 0 | 3), "{}", answer.stderr);
    assert_eq!(lines(&answer).len(), 101, "{}", answer.stderr);
    names_all(&answer.stderr, &["MANIFEST-000006"]);
}

#[test]
fn a_current_that_leads_nowhere_costs_nothing() {
    for (current, named) in [
        (&b"MANIFEST-000099\n"[..], "MANIFEST-000099"),
        (b"", "CURRENT"),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "CURRENT"),
        (b"MANIFEST-000006", "CURRENT"),
        (b"../MANIFEST-000006\n", "CURRENT"),
        (b"000005.ldb\n", "CURRENT"),
    ] {
        let folder = healthy();
        folder.add("CURRENT", current);
        let shown = String::from_utf8_lossy(current);
        let answer = strata(["dump", folder.text(), "--json"]);
        assert!(
            matches!(answer.status, 0 | 3),
            "{shown:?}: {}",
            answer.stderr
        );
        assert_eq!(lines(&answer).len(), 102, "{shown:?}: {}", answer.stderr);
        names_all(&answer.stderr, &[named]);
        let value = strata(["get", folder.text(), "inlog"]);
        assert_eq!((value.status, &value.stdout[..]), (0, "L\n"), "{shown:?}");
    }
}

/// LevelDB's repair takes the table of the highest number for the newest.
#[test]
fn the_newest_version_wins_wherever_it_lies() {
    let folder = Folder::new();
    folder.add(
        "000005.ldb",
        &table(&[(10, "k", Some("new")), (3, "other", None)], None),
    );
    folder.add(
        "000009.ldb",
        &table(&[(5, "k", Some("old")), (2, "other", Some("x"))], None),
    );
    folder.add(
        "000012.log",
        &log(&[(7, "k", Some("older")), (1, "only", Some("y"))]),
    );
    get(folder.path(), "k", &[], Ok("new"));
    get(folder.path(), "k", &["--at", "9"], Ok("older"));
    get(folder.path(), "k", &["--at", "6"], Ok("old"));
    get(folder.path(), "k", &["--at", "4"], Err(5));
    get(folder.path(), "other", &[], Err(4));
    let expected = BTreeMap::from([
        (b"k".to_vec(), b"new".to_vec()),
        (b"only".to_vec(), b"y".to_vec()),
    ]);
    assert_eq!(recover(folder.path(), &[], 0), expected);
}

#[test]
fn all_versions_are_kept_on_request() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let folder = healthy();
    let arguments = [
        "recover",
        folder.text(),
        "--out",
        text(&out),
        "--all-versions",
    ];
    assert_eq!(strata(arguments).status, 0);
    assert_eq!(dump(&out, &[], 0).0.len(), 102);
    get(&out, "good0001", &[], Err(4));
    assert!(
        strata(["get", text(&out), "good0001", "--at", "101"])
            .stdout
            .starts_with("good value")
    );
}

#[test]
fn an_unknown_comparator_lists_and_refuses_what_needs_the_order() {
    let folder = Folder::new();
    folder.manifest(1, &[Edit::first("acme.Order", 3, 4, 0).encode()]);
    folder.add("000003.log", &log(&borrowed(&run(1, "k", 5))));
    for options in [&[][..], &["--strict"]] {
        let answer = strata(
            ["dump", folder.text(), "--json"]
                .iter()
                .chain(options)
                .copied(),
        );
        assert_eq!(lines(&answer).len(), 5, "{options:?} {}", answer.stderr);
        assert_eq!(answer.status, 0, "{options:?} {}", answer.stderr);
        names_all(&answer.stderr, &["acme.Order"]);
    }
    let answer = strata(["dump", folder.text()]);
    assert_eq!(answer.stdout.lines().count(), 5);
    names_all(&answer.stderr, &["acme.Order"]);
    for command in [
        &["get", folder.text(), "k0001"][..],
        &["recover", folder.text(), "--out", "never"],
    ] {
        let answer = strata(command.iter().copied());
        assert_eq!(answer.status, 1, "{command:?}: {}", answer.stderr);
        names_all(&answer.stderr, &["acme.Order", "--comparator"]);
    }
    get(
        folder.path(),
        "k0009",
        &["--comparator", "bytewise"],
        Err(5),
    );
}

#[test]
fn standard_input_is_known_by_what_it_holds() {
    let bytes = |name: &str| fs::read(case(name)).unwrap();
    for (name, status, count) in [
        ("wrong-files/table-named.log", 0, 100),
        ("wrong-files/log-named.ldb", 0, 3),
        ("one-bad-block/000005.ldb", 3, 180),
        ("bedrock/zlib-2/000005.ldb", 0, 50),
        ("bytes-inserted/000003.log", 3, 330),
    ] {
        let answer = strata_in_time(&["dump", "-", "--json"], &bytes(name));
        assert_eq!(
            (answer.status, answer.stdout.lines().count()),
            (status, count),
            "{name}: {}",
            answer.stderr
        );
    }
    let answer = strata_in_time(&["dump", "-"], &bytes("wrong-files/lfs/000009.log"));
    assert_eq!(
        (answer.status, &answer.stdout[..]),
        (1, ""),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.to_lowercase().contains("lfs"),
        "{}",
        answer.stderr
    );
    let answer = strata_in_time(&["dump", "-"], &bytes("missing-table/MANIFEST-000006"));
    names_all(&answer.stdout, &["AddFile: 2 9 170"]);
}

#[test]
fn a_log_of_nothing_but_a_torn_record_is_an_error_that_says_so() {
    let whole = log(&[(1, "key", Some(&"v".repeat(300)))]);
    let folder = Folder::new();
    folder.add("000003.log", &whole[..200]);
    let answer = strata(["dump", text(&folder.file("000003.log"))]);
    assert_eq!(
        (answer.status, &answer.stdout[..]),
        (1, ""),
        "{}",
        answer.stderr
    );
    names_all(&answer.stderr, &["000003.log"]);
}

#[test]
fn ranges_and_limits_choose_what_is_listed() {
    let folder = healthy();
    for (options, count) in [
        (&["--prefix", "good000"][..], 11),
        (&["--from", "good0090", "--to", "good0095"], 5),
        (&["--from", "good0090"], 11),
        (&["--to", "good0001"], 1),
        (&["--limit", "7"], 7),
        (&["--prefix", "nothing"], 0),
        (&["--at", "50"], 50),
        (&["--hex", "--prefix", "696e"], 1),
    ] {
        assert_eq!(
            dump(folder.path(), options, 0).0.len(),
            count,
            "{options:?}"
        );
    }
    let (listed, _) = dump(folder.path(), &["--by-sequence"], 0);
    assert!(listed.is_sorted_by_key(|line| line.sequence));
    let (listed, _) = dump(folder.path(), &[], 0);
    assert!(listed.is_sorted_by_key(|line| (line.key.clone(), u64::MAX - line.sequence)));
}

//! Inputs that reviewers made to break the program, a test each.

use strata_table::{Compression, TableOptions};

use crate::folder::{BYTEWISE, Edit, Folder, borrowed, log, log_of, run, table};
use crate::made;
use crate::random::Random;
use crate::{data, strata};

#[test]
fn a_table_that_the_cut_end_of_the_manifest_may_have_named_is_read() {
    let (old, new) = (run(1, "old", 3), run(10, "new", 3));
    let (old, new) = (table(&borrowed(&old), None), table(&borrowed(&new), None));
    let folder = Folder::new();
    folder.add("000005.ldb", &old);
    folder.add("000007.ldb", &new);
    folder.add("000008.log", b"");
    let first = Edit::first(BYTEWISE, 4, 6, 3)
        .new_table(5, old.len(), (1, "old0000"), (3, "old0002"))
        .encode();
    let second = Edit::default()
        .numbers(8, 9, 12)
        .new_table(7, new.len(), (10, "new0000"), (12, "new0002"))
        .encode();
    folder.manifest(2, &[&first[..], &second].map(<[u8]>::to_vec));
    let keys = |folder: &Folder| strata(["dump", folder.text(), "--keys-only"]).stdout;
    let whole = keys(&folder);
    assert_eq!(whole.lines().count(), 6);
    let manifest = log_of(&[first, second]);
    folder.add("MANIFEST-000002", &manifest[..manifest.len() - 1]);
    assert_eq!(keys(&folder), whole);
    let get = strata(["get", folder.text(), "new0001"]);
    assert_eq!(get.status, 0, "{}", get.stderr);
    assert!(get.stderr.contains("000007.ldb: read"), "{}", get.stderr);
}

#[cfg(unix)]
#[test]
fn too_many_open_files_are_no_damage() {
    let folder = Folder::new();
    // Each overlaps with each, so all are open at once.
    for number in 0..40_u64 {
        let run = run(number * 10 + 1, "key", 5);
        folder.add(
            &format!("{:06}.ldb", number + 5),
            &table(&borrowed(&run), None),
        );
    }
    let out = Folder::new();
    let recover = format!(
        "ulimit -n 30; exec '{}' recover '{}' --out '{}/new'",
        env!("CARGO_BIN_EXE_strata"),
        folder.text(),
        out.text()
    );
    let recovered = std::process::Command::new("sh")
        .args(["-c", &recover])
        .output()
        .unwrap();
    let said = String::from_utf8(recovered.stderr).unwrap();
    assert_eq!(recovered.status.code(), Some(1), "{said}");
    assert!(said.contains("can't open "), "{said}");
    assert!(!out.file("new").exists());
}

#[test]
fn a_table_whose_zstd_blocks_are_whole_is_read_though_its_end_is_lost() {
    let options = TableOptions {
        block_size: 1000,
        compression: Compression::Zstd,
        ..TableOptions::default()
    };
    let made = made::table(&mut Random::new(1), 1, &options);
    let whole: usize = made.parts.iter().map(|part| part.entries.len()).sum();
    let folder = Folder::new();
    folder.add("000005.ldb", &made.bytes[..made.bytes.len() - 20]);
    let dump = strata(["dump", folder.text(), "--keys-only"]);
    assert_eq!(dump.status, 3, "{}", dump.stderr);
    assert_eq!(dump.stdout.lines().count(), whole, "{}", dump.stderr);
}

#[test]
fn without_current_the_newest_manifest_still_says_how_keys_are_ordered() {
    let folder = Folder::new();
    folder.add("000003.log", &log(&[(1, "a", Some("1"))]));
    folder.manifest(1, &[Edit::first("idb_cmp1", 3, 4, 1).encode()]);
    folder.remove("CURRENT");
    let out = Folder::new();
    let recovered = strata(["recover", folder.text(), "--out", out.text(), "--json"]);
    assert_eq!(recovered.status, 0, "{}", recovered.stderr);
    assert_eq!(recovered.json()["comparator"], "idb_cmp1");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_part_of_the_database_and_cannot_be_read_is_no_loss() {
    let folder = Folder::copy_of(&data("sample"));
    for name in ["LOCK", "notes.txt", "000001.ldb"] {
        std::os::unix::fs::symlink("/nowhere/at/all", folder.file(name)).unwrap();
    }
    let get = strata(["get", folder.text(), "papaya"]);
    assert_eq!(get.status, 5, "{}", get.stderr);
    assert!(get.stderr.contains("notes.txt: "), "{}", get.stderr);
    // A log that is not there to be read could hold anything.
    std::os::unix::fs::symlink("/nowhere/at/all", folder.file("000004.log")).unwrap();
    assert_eq!(strata(["get", folder.text(), "papaya"]).status, 3);
}

#[test]
fn a_file_that_is_read_on_request_is_not_said_to_be_passed_over() {
    let folder = Folder::copy_of(&data("field-cases/obsolete-table"));
    let get = strata(["get", folder.text(), "secret", "--all-files"]);
    assert_eq!(get.status, 0, "{}", get.stderr);
    assert!(get.stderr.contains("obsolete"), "{}", get.stderr);
    assert!(!get.stderr.contains("not read"), "{}", get.stderr);
}

/// A sector of a log that was overwritten by another file's beginning.
#[test]
fn a_log_that_begins_as_an_image_does_is_read_behind_its_damage() {
    let bytes = log(&borrowed(&run(1, "key", 500)));
    let mut damaged = bytes.clone();
    damaged[..512].fill(0x55);
    damaged[..4].copy_from_slice(b"\xff\xd8\xff\xe0");
    let folder = Folder::new();
    folder.add("000003.log", &damaged);
    let answer = strata(["dump", folder.text(), "--salvage"]);
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    let lost = 500 - answer.stdout.lines().count();
    assert!(lost < 40, "{lost} of 500 records lost: {}", answer.stderr);
}

/// A crash leaves CURRENT full of zeros; what the manifest says is not forgotten by that.
#[test]
fn without_current_a_key_stays_deleted() {
    let folder = Folder::copy_of(&data("field-cases/obsolete-table"));
    for current in [&[0; 16][..], b""] {
        folder.add("CURRENT", current);
        let get = strata(["get", folder.text(), "secret"]);
        assert_eq!(get.status, 5, "{}", get.stderr);
        assert!(get.stderr.contains("MANIFEST-000007"), "{}", get.stderr);
        assert_eq!(strata(["get", folder.text(), "later"]).stdout, "x\n");
    }
}

#[test]
fn a_key_is_found_though_the_order_that_is_named_is_wrong() {
    let folder = Folder::new();
    folder.add("000005.ldb", &table(&borrowed(&run(1, "key", 300)), None));
    let wrong = ["--comparator", "reverse-bytewise"];
    let get = [&["get", folder.text(), "key0007"][..], &wrong].concat();
    assert_eq!(strata(get).status, 0);
    let dump = [&["dump", folder.text(), "--from", "key0200"][..], &wrong].concat();
    let dumped = strata(dump);
    assert_eq!((dumped.status, dumped.stdout.lines().count()), (0, 201));
    assert!(dumped.stdout.starts_with("'key0200'"));
}

#[test]
fn a_key_is_not_absent_while_a_record_that_is_cut_could_hold_it() {
    let bytes = log(&[(1, "whole", Some("1")), (2, "cut", Some(&"v".repeat(50)))]);
    let folder = Folder::new();
    folder.add("000003.log", &bytes[..bytes.len() - 10]);
    assert_eq!(strata(["get", folder.text(), "whole"]).status, 0);
    assert_eq!(strata(["get", folder.text(), "cut"]).status, 3);
}

/// A database that no LevelDB opens is not sound, though its tables are.
#[test]
fn verify_does_not_call_sound_what_does_not_open() {
    let folder = Folder::new();
    let parent = tempfile::tempdir().unwrap();
    let sound = Folder::copy_of(&data("field-cases/bedrock/world"));
    assert_eq!(strata(["verify", sound.text()]).status, 0);
    sound.add("CURRENT", b"");
    assert_eq!(strata(["verify", sound.text()]).status, 3);
    sound.remove("CURRENT");
    sound.remove("MANIFEST-000006");
    let answer = strata(["verify", sound.text()]);
    assert_eq!(answer.status, 3);
    assert!(
        answer.stdout.contains("strata recover"),
        "{}",
        answer.stdout
    );
    // An empty directory, and the directory above a database.
    assert_eq!(strata(["verify", folder.text()]).status, 1);
    let world = parent.path().join("db");
    std::fs::create_dir(&world).unwrap();
    std::fs::write(world.join("CURRENT"), "MANIFEST-000001\n").unwrap();
    let answer = strata(["verify", parent.path().to_str().unwrap()]);
    assert_eq!(answer.status, 1);
    assert!(
        answer.stderr.contains("looks like a database"),
        "{}",
        answer.stderr
    );
}

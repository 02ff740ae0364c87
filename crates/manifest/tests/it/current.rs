//! `CURRENT`: what it says, and that it is replaced at once.

use std::io::ErrorKind;

use strata_files::Directory;
use strata_files::testing::{FaultyDirectory, Kept};
use strata_manifest::{
    CurrentError, Version, create_manifest, parse_current, read_current, set_current,
};

use crate::support::numbers;

fn version(log_number: u64) -> Version {
    let mut version = Version::default();
    version.apply(numbers());
    version.log_number = log_number;
    version
}

#[test]
fn current_is_the_name_of_a_manifest_and_a_newline() {
    let directory = FaultyDirectory::default();
    create_manifest(&directory, 12, [version(3).snapshot()]).unwrap();
    set_current(&directory, 12).unwrap();
    assert_eq!(directory.contents()["CURRENT"], b"MANIFEST-000012\n");
    assert_eq!(directory.names(), ["CURRENT", "MANIFEST-000012"]);
    let current = read_current(&directory).unwrap();
    assert_eq!((&current.name[..], current.number), ("MANIFEST-000012", 12));
    assert_eq!(parse_current(b"MANIFEST-7\n").unwrap().name, "MANIFEST-7");
}

#[test]
fn a_current_that_names_no_manifest_is_refused() {
    for contents in [&b""[..], b"MANIFEST-000012", b"MANIFEST-0000"] {
        let error = parse_current(contents).unwrap_err();
        assert!(matches!(error, CurrentError::NoNewline { .. }), "{error}");
    }
    for contents in [
        &b"\n"[..],
        b"MANIFEST-000012\r\n",
        b"MANIFEST-000012\n\n",
        b"../MANIFEST-000012\n",
        b"000012.log\n",
        b"MANIFEST-\xff\n",
    ] {
        let error = parse_current(contents).unwrap_err();
        assert!(matches!(error, CurrentError::NoManifest { .. }), "{error}");
    }
    let error = parse_current(b"x'\x00\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "CURRENT names no manifest: MANIFEST-, a number and a newline were expected, and it holds \
         'x'\\x00\\x0a'"
    );
}

#[test]
fn no_current_and_an_endless_one_are_errors() {
    let directory = FaultyDirectory::default();
    let error = read_current(&directory).unwrap_err();
    let CurrentError::Unreadable(inner) = &error else {
        panic!("{error}");
    };
    assert_eq!(inner.kind(), ErrorKind::NotFound);
    directory.put("CURRENT", &vec![b'M'; 1 << 20]);
    let error = read_current(&directory).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[test]
fn a_temporary_file_of_a_process_that_died_is_no_hindrance() {
    let directory = FaultyDirectory::default();
    directory.put("000012.dbtmp", b"MANIF");
    set_current(&directory, 12).unwrap();
    assert_eq!(directory.names(), ["CURRENT"]);
}

#[test]
fn a_manifest_that_is_there_is_not_replaced() {
    let directory = FaultyDirectory::default();
    directory.put("MANIFEST-000012", b"somebody's");
    let error = create_manifest(&directory, 12, [version(3).snapshot()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(directory.contents()["MANIFEST-000012"], b"somebody's");
}

/// A directory whose manifest 5 is in use, its version having log number 3.
fn before() -> FaultyDirectory {
    let directory = FaultyDirectory::default();
    create_manifest(&directory, 5, [version(3).snapshot()]).unwrap();
    set_current(&directory, 5).unwrap();
    directory
}

fn replace(directory: &FaultyDirectory) -> std::io::Result<()> {
    create_manifest(directory, 6, [version(4).snapshot()])?;
    set_current(directory, 6)
}

/// The log number of the version that is found.
fn found(directory: &FaultyDirectory) -> u64 {
    let current = read_current(directory).unwrap();
    let manifest = directory.open(&current.name).unwrap();
    let folded = Version::read(manifest, &mut |report| panic!("{report}")).unwrap();
    folded.into_usable().unwrap().log_number
}

#[test]
fn after_a_power_failure_at_every_operation_one_of_the_two_manifests_is_whole_and_in_use() {
    let mut seen = Vec::new();
    for fault in 0.. {
        let directory = before();
        directory.stop_after(fault);
        let result = replace(&directory);
        let kept = (0..50).map(Kept::Some);
        for kept in kept.chain([Kept::Nothing, Kept::Everything]) {
            let log_number = found(&directory.crash(kept));
            assert!(
                log_number == 4 || result.is_err(),
                "fault {fault}, {kept:?}"
            );
            seen.push((fault, log_number));
        }
        if result.is_ok() {
            break;
        }
    }
    assert!(seen.contains(&(0, 3)));
    let last = seen.last().unwrap().0;
    assert!(
        last >= 8 && seen.contains(&(last - 1, 3)) && seen.contains(&(last - 1, 4)),
        "before the last sync either may be found"
    );
}

#[test]
fn what_fails_leaves_no_other_file_behind_and_can_be_tried_again() {
    for fault in 0.. {
        let directory = before();
        directory.fail_after(fault, 1);
        let result = replace(&directory);
        if result.is_ok() {
            assert!(!directory.has_failed());
            break;
        }
        let names = directory.names();
        assert!(
            !names.iter().any(|name| name.ends_with(".dbtmp")),
            "fault {fault}: {names:?}"
        );
        let log_number = found(&directory);
        if names.contains(&"MANIFEST-000006".to_owned()) {
            set_current(&directory, 6).unwrap();
        } else {
            assert_eq!(log_number, 3);
            replace(&directory).unwrap();
        }
        assert_eq!(found(&directory), 4, "fault {fault}");
    }
}

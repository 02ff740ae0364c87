//! The names of files.

use strata_files::{
    CURRENT, FileKind, INFO_LOG, LOCK, OLD_INFO_LOG, log_file_name, manifest_file_name,
    parse_file_name, table_file_name, temporary_file_name,
};

#[test]
fn names_tell_number_and_kind() {
    for (name, expected) in [
        ("000003.log", Some((3, FileKind::Log))),
        ("1234567.ldb", Some((1_234_567, FileKind::Table))),
        ("000012.sst", Some((12, FileKind::Table))),
        ("MANIFEST-000002", Some((2, FileKind::Manifest))),
        ("000007.dbtmp", Some((7, FileKind::Temporary))),
        ("000007.blob", None),
        ("000005.ldb.bak", None),
        ("000005 (1).ldb", None),
        ("000005.LDB", None),
        ("f0012345.ldb", None),
        ("5.ldb", Some((5, FileKind::Table))),
        ("18446744073709551615.log", Some((u64::MAX, FileKind::Log))),
        ("18446744073709551616.log", None),
        ("+000013.log", None),
        ("MANIFEST-+2", None),
        ("MANIFEST-", None),
        ("CURRENT", None),
        ("LOCK", None),
        ("LOG", None),
        ("LOG.old", None),
        (".log", None),
        ("x.log", None),
        ("-3.log", None),
    ] {
        assert_eq!(parse_file_name(name), expected, "{name}");
    }
    for number in [0, 3, 999_999, 1_000_000, u64::MAX] {
        let log = log_file_name(number);
        assert_eq!(parse_file_name(&log), Some((number, FileKind::Log)));
        let table = table_file_name(number);
        assert_eq!(parse_file_name(&table), Some((number, FileKind::Table)));
        let manifest = manifest_file_name(number);
        let expected = Some((number, FileKind::Manifest));
        assert_eq!(parse_file_name(&manifest), expected);
        let temporary = temporary_file_name(number);
        let expected = Some((number, FileKind::Temporary));
        assert_eq!(parse_file_name(&temporary), expected);
    }
}

#[test]
fn files_have_leveldbs_names() {
    assert_eq!(table_file_name(12), "000012.ldb");
    assert_eq!(log_file_name(1_234_567), "1234567.log");
    assert_eq!(manifest_file_name(2), "MANIFEST-000002");
    assert_eq!(temporary_file_name(2), "000002.dbtmp");
    assert_eq!(table_file_name(u64::MAX), "18446744073709551615.ldb");
    let unnumbered = [CURRENT, LOCK, INFO_LOG, OLD_INFO_LOG];
    assert_eq!(unnumbered, ["CURRENT", "LOCK", "LOG", "LOG.old"]);
}

//! The names of LevelDB's files.

/// The file that says which manifest is in use: its name and a newline.
pub const CURRENT: &str = "CURRENT";

/// The file that a process locks while it has the database open. It is empty.
pub const LOCK: &str = "LOCK";

/// What LevelDB writes down for people to read. It has nothing of the database.
pub const INFO_LOG: &str = "LOG";

/// The [`INFO_LOG`] of the time before the last.
pub const OLD_INFO_LOG: &str = "LOG.old";

/// LevelDB's name for the log with this number: at least six digits, then `.log`.
///
/// ```
/// assert_eq!(strata_files::log_file_name(3), "000003.log");
/// ```
#[must_use]
pub fn log_file_name(number: u64) -> String {
    format!("{number:06}.log")
}

/// LevelDB's name for the table with this number: at least six digits, then `.ldb`.
///
/// Older versions of LevelDB named tables `.sst`; they are the same.
///
/// ```
/// assert_eq!(strata_files::table_file_name(12), "000012.ldb");
/// ```
#[must_use]
pub fn table_file_name(number: u64) -> String {
    format!("{number:06}.ldb")
}

/// LevelDB's name for the manifest with this number: `MANIFEST-`, then at least six digits.
///
/// ```
/// assert_eq!(strata_files::manifest_file_name(2), "MANIFEST-000002");
/// ```
#[must_use]
pub fn manifest_file_name(number: u64) -> String {
    format!("MANIFEST-{number:06}")
}

/// LevelDB's name for a temporary file with this number: at least six digits, then `.dbtmp`.
///
/// LevelDB removes such files when it opens a directory.
///
/// ```
/// assert_eq!(strata_files::temporary_file_name(4), "000004.dbtmp");
/// ```
#[must_use]
pub fn temporary_file_name(number: u64) -> String {
    format!("{number:06}.dbtmp")
}

/// The kind of a numbered file, told by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `000003.log`.
    Log,
    /// `000005.ldb`, or `000005.sst` as older versions of LevelDB wrote it.
    Table,
    /// `MANIFEST-000002`.
    Manifest,
    /// `000004.dbtmp`: what was being written when a process died. It can be removed, and its
    /// number is nobody's.
    Temporary,
}

/// The number in a file's name, and what the name says the file is, by LevelDB's rules: any number
/// of digits up to `u64::MAX`. `None` for a name without a number, as [`CURRENT`], and for what is
/// none of LevelDB's, as `000005.ldb.bak`.
///
/// ```
/// use strata_files::{FileKind, parse_file_name};
///
/// assert_eq!(parse_file_name("000003.log"), Some((3, FileKind::Log)));
/// assert_eq!(parse_file_name("MANIFEST-000002"), Some((2, FileKind::Manifest)));
/// assert_eq!(parse_file_name("CURRENT"), None);
/// assert_eq!(parse_file_name("000005 (1).ldb"), None);
/// ```
#[must_use]
pub fn parse_file_name(name: &str) -> Option<(u64, FileKind)> {
    if let Some(number) = name.strip_prefix("MANIFEST-") {
        return Some((parse_number(number)?, FileKind::Manifest));
    }
    let (number, extension) = name.split_once('.')?;
    let kind = match extension {
        "log" => FileKind::Log,
        "ldb" | "sst" => FileKind::Table,
        "dbtmp" => FileKind::Temporary,
        _ => return None,
    };
    Some((parse_number(number)?, kind))
}

fn parse_number(digits: &str) -> Option<u64> {
    // Rust's numbers may have a sign, LevelDB's may not.
    let has_only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    has_only_digits.then(|| digits.parse().ok())?
}

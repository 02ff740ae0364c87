//! What LevelDB's files are called.

/// LevelDB's name for the log with this number: at least six digits, then `.log`.
///
/// ```
/// assert_eq!(strata_write_buffer::log_file_name(3), "000003.log");
/// ```
#[must_use]
pub fn log_file_name(number: u64) -> String {
    format!("{number:06}.log")
}

/// LevelDB's name for a temporary file with this number: at least six digits, then `.dbtmp`.
///
/// LevelDB removes such files when it opens a directory.
///
/// ```
/// assert_eq!(strata_write_buffer::temporary_file_name(4), "000004.dbtmp");
/// ```
#[must_use]
pub fn temporary_file_name(number: u64) -> String {
    format!("{number:06}.dbtmp")
}

/// What a numbered file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// Another extension, which does not say to us what the file is.
    Other,
}

/// The number in a file's name, and what the name says the file is; `None` for one without a
/// number, `CURRENT` for instance.
///
/// ```
/// use strata_write_buffer::{FileKind, parse_file_name};
///
/// assert_eq!(parse_file_name("000003.log"), Some((3, FileKind::Log)));
/// assert_eq!(parse_file_name("MANIFEST-000002"), Some((2, FileKind::Manifest)));
/// assert_eq!(parse_file_name("CURRENT"), None);
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
        _ => FileKind::Other,
    };
    Some((parse_number(number)?, kind))
}

fn parse_number(digits: &str) -> Option<u64> {
    // Rust's numbers may have a sign, LevelDB's may not.
    let has_only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    has_only_digits.then(|| digits.parse().ok())?
}

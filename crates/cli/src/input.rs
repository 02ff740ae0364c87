//! Which files INPUT stands for.

use std::fs;
use std::path::{Path, PathBuf};

use strata_coding::{get_length_prefixed_slice, get_varint32};
use strata_wal::Reader;

use crate::failure::Failure;

/// The kinds of LevelDB's files that matter here, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Log,
    Table,
    /// Some other numbered file, a manifest for instance.
    Other,
}

/// The number in a LevelDB file's name, and what the name says the file is.
pub(crate) fn parse_name(name: &str) -> Option<(u64, FileKind)> {
    if let Some(number) = name.strip_prefix("MANIFEST-") {
        return Some((number.parse().ok()?, FileKind::Other));
    }
    let (number, extension) = name.split_once('.')?;
    // Rust's numbers may have a sign, LevelDB's may not.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kind = match extension {
        "log" => FileKind::Log,
        "ldb" | "sst" => FileKind::Table,
        // A temporary file's number is nobody's.
        "dbtmp" => return None,
        _ => FileKind::Other,
    };
    Some((number.parse().ok()?, kind))
}

/// The numbered files of a directory, in number order.
pub(crate) fn numbered_files(directory: &Path) -> Result<Vec<(u64, FileKind, PathBuf)>, Failure> {
    let unreadable = |error| Failure::at("can't list", directory, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if let Some((number, kind)) = entry.file_name().to_str().and_then(parse_name) {
            files.push((number, kind, entry.path()));
        }
    }
    files.sort_by(|a, b| (a.0, &a.2).cmp(&(b.0, &b.2)));
    Ok(files)
}

/// The files INPUT stands for, each kind in number order.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) logs: Vec<PathBuf>,
    pub(crate) tables: Vec<PathBuf>,
    /// The directory that was named, or that the file that was named is in.
    pub(crate) directory: PathBuf,
    /// Whether a directory was named.
    pub(crate) is_directory: bool,
}

impl Input {
    /// Looks at what is there, without opening it.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        let metadata =
            fs::metadata(path).map_err(|error| Failure::at("can't read", path, error))?;
        if !metadata.is_dir() {
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            };
            let mut input = Self {
                directory,
                ..Self::default()
            };
            let is_table = path
                .extension()
                .is_some_and(|extension| extension == "ldb" || extension == "sst");
            if is_table {
                &mut input.tables
            } else {
                &mut input.logs
            }
            .push(path.to_owned());
            return Ok(input);
        }
        let mut input = Self {
            directory: path.to_owned(),
            is_directory: true,
            ..Self::default()
        };
        for (_, kind, path) in numbered_files(path)? {
            match kind {
                FileKind::Log => input.logs.push(path),
                FileKind::Table => input.tables.push(path),
                FileKind::Other => {}
            }
        }
        Ok(input)
    }

    /// How many bytes the logs have in all.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.logs
            .iter()
            .filter_map(|log| fs::metadata(log).ok())
            .map(|file| file.len())
            .sum()
    }
}

/// The name of the comparator that a database sorts its keys by, if its manifest says.
///
/// A manifest is a log whose first record begins with the name: field 1, length-prefixed.
pub(crate) fn comparator_name(database: &Path) -> Option<Vec<u8>> {
    let current = fs::read_to_string(database.join("CURRENT")).ok()?;
    let manifest = fs::File::open(database.join(current.trim_end())).ok()?;
    let mut reader = Reader::new(manifest);
    let record = reader.read_record(&mut |_| {}).ok()??;
    let (field, rest) = get_varint32(record.data).ok()?;
    let (name, _) = get_length_prefixed_slice(rest).ok()?;
    (field == COMPARATOR_FIELD).then(|| name.to_vec())
}

/// The field of a manifest's record that holds the comparator's name.
const COMPARATOR_FIELD: u32 = 1;

/// How a file is called in answers: by its name alone.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_number_and_kind() {
        for (name, expected) in [
            ("000003.log", Some((3, FileKind::Log))),
            ("1234567.ldb", Some((1_234_567, FileKind::Table))),
            ("000012.sst", Some((12, FileKind::Table))),
            ("MANIFEST-000002", Some((2, FileKind::Other))),
            ("000007.dbtmp", None),
            ("+000013.log", None),
            ("CURRENT", None),
            ("LOG.old", None),
            ("x.log", None),
            ("-3.log", None),
            ("99999999999999999999.log", None),
        ] {
            assert_eq!(parse_name(name), expected, "{name}");
        }
    }
}

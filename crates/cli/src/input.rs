//! Which files INPUT stands for.

use std::fs;
use std::path::{Path, PathBuf};

use strata_coding::{get_length_prefixed_slice, get_varint32};
use strata_files::{FileKind, parse_file_name};
use strata_wal::Reader;

use crate::failure::Failure;

/// The numbered files of a directory, in number order, but for temporary ones.
pub(crate) fn numbered_files(directory: &Path) -> Result<Vec<(u64, FileKind, PathBuf)>, Failure> {
    let unreadable = |error| Failure::at("can't list", directory, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        match entry.file_name().to_str().and_then(parse_file_name) {
            Some((_, FileKind::Temporary)) | None => {}
            Some((number, kind)) => files.push((number, kind, entry.path())),
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
                _ => {}
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

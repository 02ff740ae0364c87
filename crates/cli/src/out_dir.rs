//! The directory that tables are written to: all of them or none, and never over another file.

use std::fs;
use std::path::{Path, PathBuf};

use strata_files::table_file_name;
use strata_table::PendingTable;

use crate::failure::Failure;
use crate::input::{Input, numbered_files};

/// A directory that is as it was unless [`OutDir::keep`] is called.
#[derive(Debug)]
pub(crate) struct OutDir {
    path: PathBuf,
    /// The directories that had to be made, the outermost first.
    made: Vec<PathBuf>,
    /// The tables that have their final names.
    persisted: Vec<PathBuf>,
    is_kept: bool,
}

impl OutDir {
    /// Makes the directory if it is not there, and refuses one that holds a database, which may
    /// well be the input's.
    pub(crate) fn new(path: &Path, input: &Input) -> Result<Self, Failure> {
        refuse_within_input(path, input)?;
        let mut out = Self {
            path: path.to_owned(),
            made: Vec::new(),
            persisted: Vec::new(),
            is_kept: false,
        };
        let missing = path
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists());
        let mut missing: Vec<&Path> = missing.collect();
        missing.reverse();
        for directory in missing {
            fs::create_dir(directory)
                .map_err(|error| Failure::at("can't make", directory, error))?;
            out.made.push(directory.to_owned());
        }
        if !path.is_dir() {
            return Err(Failure::at("can't write to", path, "it is no directory"));
        }
        if path.join("CURRENT").exists() {
            return Err(Failure::at(
                "won't write to",
                path,
                "it holds a database, which would delete tables it does not know; \
                 give --out another directory",
            ));
        }
        Ok(out)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number after the largest of this directory's and of `other`'s files, if `count` follow
    /// it: tables that get these can be put beside them, and count as the newest.
    pub(crate) fn next_number(&self, other: &Path, count: u64) -> Result<u64, Failure> {
        let mut files = numbered_files(&self.path)?;
        files.extend(numbered_files(other)?);
        let largest = files.iter().map(|(number, ..)| *number).max().unwrap_or(0);
        match largest.checked_add(count) {
            Some(_) => Ok(largest.saturating_add(1)),
            None => Err(Failure::at(
                "no number is left for a table beside those in",
                other,
                largest,
            )),
        }
    }

    /// Gives a table its final name. Returns its file name.
    pub(crate) fn persist(&mut self, number: u64, table: PendingTable) -> Result<String, Failure> {
        let name = table_file_name(number);
        let path = self.path.join(&name);
        table.persist(&path)?;
        self.persisted.push(path);
        Ok(name)
    }

    /// Lets everything stay.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

/// The input is only read: not even a directory is made in it.
fn refuse_within_input(path: &Path, input: &Input) -> Result<(), Failure> {
    let unreadable = |error| Failure::at("can't read", &input.directory, error);
    let forbidden = input.directory.canonicalize().map_err(unreadable)?;
    let existing = path
        .ancestors()
        .find_map(|ancestor| match ancestor.as_os_str().is_empty() {
            true => Path::new(".").canonicalize().ok(),
            false => ancestor.canonicalize().ok(),
        });
    match existing {
        Some(existing) if input.is_directory && existing.starts_with(&forbidden) => {
            Err(Failure::at(
                "won't write to",
                path,
                "it is in the directory that is read; give --out another one",
            ))
        }
        _ => Ok(()),
    }
}

impl Drop for OutDir {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for table in &self.persisted {
            let _ = fs::remove_file(table);
        }
        // Only empty ones are removed: somebody else may have come meanwhile.
        for directory in self.made.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

//! The directory that tables are written to: all of them or none, and never over another file.

use std::fs;
use std::path::{Path, PathBuf};

use strata_database::Database;
use strata_files::{CURRENT, Directory, FileDirectory, parse_file_name, table_file_name};
use strata_table::PendingTable;

use crate::answer::largest_number;
use crate::failure::Failure;

/// A directory that is as it was unless [`OutDir::keep`] is called.
#[derive(Debug)]
pub(crate) struct OutDir {
    path: PathBuf,
    /// The directories that had to be made, the outermost first.
    made: Vec<PathBuf>,
    /// The files that have their final names, in the order in which they are removed.
    persisted: Vec<PathBuf>,
    is_kept: bool,
}

impl OutDir {
    /// For tables alone: makes the directory if it is not there, and refuses one that holds a
    /// database.
    pub(crate) fn for_tables(path: &Path, input: &Database) -> Result<Self, Failure> {
        let out = Self::new(path, input)?;
        if path.join(CURRENT).exists() {
            return Err(Failure::at(
                "won't write to",
                path,
                "it holds a database, which would delete tables it does not know; \
                 give --out another directory",
            ));
        }
        Ok(out)
    }

    /// Makes the directory if it is not there.
    pub(crate) fn new(path: &Path, input: &Database) -> Result<Self, Failure> {
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
        Ok(out)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number after `largest` and the largest of this directory's files, if `count` follow
    /// it: tables that get these can be put beside them, and count as the newest.
    pub(crate) fn next_number(&self, largest: u64, count: u64) -> Result<u64, Failure> {
        let names = FileDirectory::new(&self.path)
            .list()
            .map_err(|error| Failure::at("can't list", &self.path, error))?;
        let largest = largest.max(largest_number(names.iter().map(String::as_str)));
        match largest.checked_add(count) {
            Some(_) => Ok(largest.saturating_add(1)),
            None => Err(Failure::new(format!(
                "no number is left for a table after {largest}"
            ))),
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

    /// Takes the files of the database that was written here for its own. The directory was empty
    /// before, so these are all that have names of LevelDB's; `CURRENT` is removed first, without
    /// which the others are no database.
    pub(crate) fn hold_database(&mut self) -> Result<(), Failure> {
        let names = FileDirectory::new(&self.path)
            .list()
            .map_err(|error| Failure::at("can't list", &self.path, error))?;
        let numbered = names.iter().filter(|name| parse_file_name(name).is_some());
        let current = CURRENT.to_owned();
        let all = std::iter::once(&current).chain(numbered);
        self.persisted.extend(all.map(|name| self.path.join(name)));
        Ok(())
    }

    /// Lets everything stay.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

/// The input is only read: not even a directory is made in it.
fn refuse_within_input(path: &Path, input: &Database) -> Result<(), Failure> {
    if !input.path().is_dir() {
        return Ok(());
    }
    let unreadable = |error| Failure::at("can't read", input.path(), error);
    let forbidden = input.path().canonicalize().map_err(unreadable)?;
    let existing = path
        .ancestors()
        .find_map(|ancestor| match ancestor.as_os_str().is_empty() {
            true => Path::new(".").canonicalize().ok(),
            false => ancestor.canonicalize().ok(),
        });
    match existing {
        Some(existing) if existing.starts_with(&forbidden) => Err(Failure::at(
            "won't write to",
            path,
            "it is in the directory that is read; give --out another one",
        )),
        _ => Ok(()),
    }
}

impl Drop for OutDir {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for file in &self.persisted {
            let _ = fs::remove_file(file);
        }
        // Only empty ones are removed: somebody else may have come meanwhile.
        for directory in self.made.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

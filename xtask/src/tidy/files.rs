//! The files that the rules look at.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Failure, Result, output};
use crate::source::Source;

/// A file and its text.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the root, with forward slashes.
    pub(super) path: String,
    /// Empty if the file is not text.
    pub(super) text: String,
    /// Code and comments apart; both empty if the file is not Rust.
    pub(super) source: Source,
}

impl File {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let source = if has_extension(path, "rs") { text } else { "" };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            source: Source::scan(source),
        }
    }

    pub(super) fn has_extension(&self, extension: &str) -> bool {
        has_extension(&self.path, extension)
    }

    /// Whether this is source of one of our packages.
    pub(super) fn is_rust(&self) -> bool {
        let ours = ["crates/", "xtask/", "benches/"];
        self.has_extension("rs") && ours.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether this is a fixture, whose bytes are as LevelDB or a test made them.
    pub(super) fn is_fixture(&self) -> bool {
        self.path.contains("/tests/data/")
    }
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|found| found == extension)
}

/// The file that a package's documentation begins in: `lib.rs`, or `main.rs` of a mere program.
pub(super) fn front<'a>(files: &'a [File], folder: &str) -> Option<&'a File> {
    let find = |name: &str| {
        files
            .iter()
            .find(|file| file.path == format!("{folder}/src/{name}"))
    };
    find("lib.rs").or_else(|| find("main.rs"))
}

/// Every file that git tracks or would track; every file there is where git is absent.
pub(super) fn list(root: &Path) -> Result<Vec<File>> {
    let paths = listed_by_git(root).map_or_else(|| walked(root), Ok)?;
    let mut files = Vec::new();
    for path in paths {
        // A file may be tracked and deleted, or be a link to a folder.
        let full = root.join(&path);
        if full.is_file() {
            let bytes = fs::read(&full).map_err(|error| Failure::while_doing(&path, error))?;
            files.push(File::new(
                &path,
                &String::from_utf8(bytes).unwrap_or_default(),
            ));
        }
    }
    Ok(files)
}

/// What git tracks and what it would track; `None` without git or outside a repository.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let mut command = Command::new("git");
    command
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root);
    let mut paths: Vec<String> = output(&mut command)
        .ok()?
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Some(paths)
}

/// Every file beneath the root but for git's own and what Cargo builds.
fn walked(root: &Path) -> Result<Vec<String>> {
    let (mut paths, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        let full = root.join(&folder);
        let fault = |error| Failure::while_doing(full.display(), error);
        for entry in fs::read_dir(&full).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            if !entry.file_type().map_err(fault)?.is_dir() {
                paths.push(path);
            } else if name != "target" && name != ".git" {
                folders.push(path);
            }
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    #[test]
    fn git_and_a_walk_both_find_this_file() {
        let here = "xtask/src/tidy/files.rs".to_owned();
        assert!(walked(&root()).unwrap().contains(&here));
        if let Some(listed) = listed_by_git(&root()) {
            assert!(listed.contains(&here));
        }
    }

    #[test]
    fn a_library_goes_before_the_program_beside_it() {
        let files = [
            File::new("crates/cli/src/main.rs", ""),
            File::new("crates/cli/src/lib.rs", ""),
        ];
        assert_eq!(
            front(&files, "crates/cli").unwrap().path,
            "crates/cli/src/lib.rs"
        );
        assert_eq!(
            front(&files[..1], "crates/cli").unwrap().path,
            "crates/cli/src/main.rs"
        );
        assert!(front(&files, "crates/wal").is_none());
    }
}

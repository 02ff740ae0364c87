//! The rules that no compiler checks and that would rot: each is a function from text to violations.
//!
//! The files looked at are those that git tracks or would track.

mod files;
mod links;
mod rust;
mod safety;
mod text;

use std::fmt;

use crate::run::{Failure, Result};
use crate::workspace::Workspace;
use files::File;

/// A rule broken: where, and in a sentence how.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    /// Counted from 1; 0 if the whole file is meant.
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// `cargo xtask tidy`: name every violation.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    let files = files::list(&workspace.root)?;
    let packages: Vec<&str> = workspace
        .packages
        .iter()
        .map(|package| package.folder.as_str())
        .collect();
    let violations = violations(&files, &packages);
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        println!("{} files, all tidy", files.len());
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} violations of the rules in xtask/src/tidy",
        violations.len()
    )))
}

/// Every violation in these files, of which `packages` are the folders with a manifest.
fn violations(files: &[File], packages: &[&str]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        text::check(file, &mut found);
        if file.is_rust() {
            rust::check(file, &mut found);
        }
    }
    safety::check(files, packages, &mut found);
    links::check(files, &mut found);
    for folder in packages
        .iter()
        .filter(|folder| folder.starts_with("crates/"))
    {
        check_readme(files, folder, &mut found);
    }
    found.sort();
    found
}

/// A crate's README is its documentation.
fn check_readme(files: &[File], folder: &str, found: &mut Vec<Violation>) {
    let readme = format!("{folder}/README.md");
    if !files.iter().any(|file| file.path == readme) {
        found.push(Violation::new(&readme, 0, "is missing"));
    }
    if let Some(front) = files::front(files, folder)
        && !front
            .text
            .contains("#![doc = include_str!(\"../README.md\")]")
    {
        found.push(Violation::new(
            &front.path,
            1,
            "does not begin with #![doc = include_str!(\"../README.md\")]",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: &str = "#![doc = include_str!(\"../README.md\")]\n#![forbid(unsafe_code)]\n";

    fn sentences(files: &[(&str, &str)], packages: &[&str]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File::new(path, text))
            .collect();
        violations(&files, packages)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_tidy_crate_has_no_violation() {
        let files = [
            ("crates/wal/README.md", "# wal\n"),
            ("crates/wal/src/lib.rs", FRONT),
        ];
        assert_eq!(sentences(&files, &["crates/wal"]), [""; 0]);
    }

    #[test]
    fn a_crate_without_its_readme_is_found() {
        let files = [(
            "crates/wal/src/lib.rs",
            "//! The log.\n#![forbid(unsafe_code)]\n",
        )];
        assert_eq!(
            sentences(&files, &["crates/wal"]),
            [
                "crates/wal/README.md: is missing",
                "crates/wal/src/lib.rs:1: does not begin with #![doc = include_str!(\"../README.md\")]",
            ],
        );
    }

    #[test]
    fn a_program_without_a_library_has_its_readme_too() {
        let files = [
            ("crates/cli/README.md", "# cli\n"),
            ("crates/cli/src/main.rs", FRONT),
        ];
        assert_eq!(sentences(&files, &["crates/cli"]), [""; 0]);
    }

    #[test]
    fn violations_stand_in_the_order_of_files_and_lines() {
        let files = [("docs/b.md", "x \n"), ("docs/a.md", "x\ny \nz \n")];
        assert_eq!(
            sentences(&files, &[]),
            [
                "docs/a.md:2: white space at the end of the line",
                "docs/a.md:3: white space at the end of the line",
                "docs/b.md:1: white space at the end of the line",
            ],
        );
    }
}

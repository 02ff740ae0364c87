//! Where unsafe code and atomic orderings may stand.
//!
//! `docs/unsafe.md` is the ledger of unsafe code. A file is in it if its path stands in backticks at the
//! beginning of a heading, of a list's item or of a table's row; a path further along in a line (a test
//! that would fail, say) is not an entry.

use std::collections::BTreeMap;

use super::Violation;
use super::files::{self, File};
use crate::source::{line_of, words};

/// The ledger of unsafe code.
const LEDGER: &str = "docs/unsafe.md";

/// The orderings of atomics; those of comparisons have the same type name.
const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

pub(super) fn check(files: &[File], packages: &[&str], found: &mut Vec<Violation>) {
    let ledger = files
        .iter()
        .find(|file| file.path == LEDGER)
        .map_or(Vec::new(), |file| entries(&file.text));
    check_ledger(files, &ledger, found);
    check_forbidden(files, packages, &ledger, found);
    check_orderings(files, found);
}

/// The files of the ledger with the lines they stand on.
fn entries(text: &str) -> Vec<(&str, usize)> {
    let entry = |(number, line): (usize, &'_ str)| -> Option<(usize, usize, usize)> {
        let start = line.find(|c: char| !" |#-*".contains(c))?;
        let path = line[start..].strip_prefix('`')?.split_once('`')?.0;
        (path.ends_with(".rs") && path.contains('/')).then_some((start + 1, path.len(), number + 1))
    };
    text.lines()
        .enumerate()
        .filter_map(|(number, line)| {
            entry((number, line)).map(|(at, length, row)| (&line[at..at + length], row))
        })
        .collect()
}

/// The ledger lists the files with unsafe code, all of them and no others.
fn check_ledger(files: &[File], ledger: &[(&str, usize)], found: &mut Vec<Violation>) {
    for file in files.iter().filter(|file| file.is_rust()) {
        let first = words(&file.source.code, "unsafe").next();
        let listed = ledger.iter().find(|(path, _)| *path == file.path);
        match (first, listed) {
            (Some(at), None) => {
                let line = line_of(&file.source.code, at);
                found.push(Violation::new(
                    &file.path,
                    line,
                    format!("unsafe code in a file that {LEDGER} does not list"),
                ));
            }
            (None, Some((path, line))) => {
                found.push(Violation::new(
                    LEDGER,
                    *line,
                    format!("{path} is listed and has no unsafe code"),
                ));
            }
            _ => {}
        }
    }
    for (path, line) in ledger {
        if !files.iter().any(|file| file.path == *path) {
            found.push(Violation::new(
                LEDGER,
                *line,
                format!("{path} is listed and does not exist"),
            ));
        }
    }
}

/// A package without an entry in the ledger says so to the compiler.
fn check_forbidden(
    files: &[File],
    packages: &[&str],
    ledger: &[(&str, usize)],
    found: &mut Vec<Violation>,
) {
    for folder in packages {
        let within = format!("{folder}/src/");
        if ledger.iter().any(|(path, _)| path.starts_with(&within)) {
            continue;
        }
        let fronts = ["lib.rs", "main.rs"].map(|name| format!("{within}{name}"));
        for front in files.iter().filter(|file| fronts.contains(&file.path)) {
            if !front.source.code.contains("#![forbid(unsafe_code)]") {
                let message = format!(
                    "lacks #![forbid(unsafe_code)], and {LEDGER} lists nothing of {folder}"
                );
                found.push(Violation::new(&front.path, 1, message));
            }
        }
        if files::front(files, folder).is_none() {
            found.push(Violation::new(
                folder,
                0,
                "has neither src/lib.rs nor src/main.rs",
            ));
        }
    }
}

/// A crate names atomic orderings in one file, where they can be understood together.
fn check_orderings(files: &[File], found: &mut Vec<Violation>) {
    let mut first_of_crate: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files {
        let Some((folder, name)) = file.path.split_once("/src/") else {
            continue;
        };
        if !folder.starts_with("crates/") || name.ends_with("tests.rs") || name.contains("tests/") {
            continue;
        }
        let code = without_tests(&file.source.code);
        let Some(at) = first_ordering(code) else {
            continue;
        };
        match first_of_crate.get(folder) {
            None => {
                first_of_crate.insert(folder, &file.path);
            }
            Some(first) => {
                let message = format!(
                    "names an atomic ordering, and so does {first}: one file of a crate may"
                );
                found.push(Violation::new(&file.path, line_of(code, at), message));
            }
        }
    }
}

/// The code before the module of tests, which stands last in a file.
fn without_tests(code: &str) -> &str {
    let is_tests = |at: &usize| {
        code[*at..]
            .trim_start_matches("#[cfg(test)]")
            .trim_start()
            .starts_with("mod ")
    };
    code.match_indices("#[cfg(test)]")
        .map(|(at, _)| at)
        .find(is_tests)
        .map_or(code, |end| &code[..end])
}

/// Where an atomic ordering is named, by itself or within braces.
fn first_ordering(code: &str) -> Option<usize> {
    words(code, "Ordering").find(|at| {
        let Some(rest) = code[at + "Ordering".len()..].strip_prefix("::") else {
            return false;
        };
        let named = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => rest
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default(),
        };
        ORDERINGS
            .iter()
            .any(|ordering| words(named, ordering).next().is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: &str = "//! A.\n#![forbid(unsafe_code)]\n";
    const UNSAFE: &str = "//! B.\nfn f() {\n    unsafe { g() }\n}\n";

    fn sentences(files: &[(&str, &str)], packages: &[&str]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File::new(path, text))
            .collect();
        let mut found = Vec::new();
        check(&files, packages, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_ledger_lists_paths_at_the_beginning_of_rows_items_and_headings() {
        let text = "| file | test |\n| `a/b.rs` | `a/tests/it.rs` |\n- `c/d.rs`: why\n## `e/f.rs`\nsee `g/h.rs`\n";
        assert_eq!(entries(text), [("a/b.rs", 2), ("c/d.rs", 3), ("e/f.rs", 4)]);
    }

    #[test]
    fn unsafe_code_outside_the_ledger_is_found() {
        let files = [
            ("crates/arena/src/lib.rs", SAFE),
            ("crates/arena/src/block.rs", UNSAFE),
        ];
        assert_eq!(
            sentences(&files, &["crates/arena"]),
            [
                "crates/arena/src/block.rs:3: unsafe code in a file that docs/unsafe.md does not list"
            ],
        );
    }

    #[test]
    fn unsafe_code_in_the_ledger_is_allowed() {
        let files = [
            ("docs/unsafe.md", "- `crates/arena/src/block.rs`\n"),
            ("crates/arena/src/lib.rs", "//! A.\n"),
            ("crates/arena/src/block.rs", UNSAFE),
        ];
        assert_eq!(sentences(&files, &["crates/arena"]), [""; 0]);
    }

    #[test]
    fn the_word_in_a_comment_is_no_unsafe_code() {
        let text = format!("{SAFE}// unsafe\nfn f() {{ g(\"unsafe\") }}\n");
        assert_eq!(
            sentences(&[("crates/wal/src/lib.rs", &text)], &["crates/wal"]),
            [""; 0]
        );
    }

    #[test]
    fn a_ledger_that_is_out_of_date_is_found() {
        let ledger = "- `crates/arena/src/lib.rs`\n- `crates/arena/src/gone.rs`\n";
        let files = [
            ("docs/unsafe.md", ledger),
            ("crates/arena/src/lib.rs", SAFE),
        ];
        assert_eq!(
            sentences(&files, &["crates/arena"]),
            [
                "docs/unsafe.md:1: crates/arena/src/lib.rs is listed and has no unsafe code",
                "docs/unsafe.md:2: crates/arena/src/gone.rs is listed and does not exist",
            ],
        );
    }

    #[test]
    fn a_package_that_could_forbid_unsafe_code_and_does_not_is_found() {
        assert_eq!(
            sentences(&[("crates/wal/src/lib.rs", "//! A.\n")], &["crates/wal"]),
            [
                "crates/wal/src/lib.rs:1: lacks #![forbid(unsafe_code)], and docs/unsafe.md lists nothing of crates/wal",
            ],
        );
        let commented = "//! A.\n// #![forbid(unsafe_code)]\n";
        assert_eq!(
            sentences(&[("crates/wal/src/lib.rs", commented)], &["crates/wal"]).len(),
            1
        );
    }

    #[test]
    fn a_package_without_a_front_is_found() {
        assert_eq!(
            sentences(&[], &["benches"]),
            ["benches: has neither src/lib.rs nor src/main.rs"]
        );
    }

    #[test]
    fn atomic_orderings_in_a_second_file_are_found() {
        let one = "//! A.\nfn f() { a.load(Ordering::Acquire) }\n";
        let two = "//! B.\nuse std::sync::atomic::Ordering::{self, Relaxed};\n";
        let files = [
            ("crates/arena/src/a.rs", one),
            ("crates/arena/src/b.rs", two),
            ("crates/wal/src/c.rs", one),
        ];
        assert_eq!(
            sentences(&files, &[]),
            [
                "crates/arena/src/b.rs:2: names an atomic ordering, and so does crates/arena/src/a.rs: one file of a crate may",
            ],
        );
    }

    #[test]
    fn orderings_of_comparisons_and_of_tests_are_free() {
        let atomic = "//! A.\nfn f() { a.load(Ordering::Acquire) }\n";
        let compared = "//! B.\nfn g() -> Ordering { Ordering::Less }\n";
        let tested = "//! C.\n#[cfg(test)]\nmod tests { fn f() { a.load(Ordering::SeqCst) } }\n";
        let files = [
            ("crates/arena/src/a.rs", atomic),
            ("crates/arena/src/b.rs", compared),
            ("crates/arena/src/c.rs", tested),
            ("crates/arena/src/c/tests.rs", atomic),
            ("crates/arena/tests/it/main.rs", atomic),
        ];
        assert_eq!(sentences(&files, &[]), [""; 0]);
    }
}

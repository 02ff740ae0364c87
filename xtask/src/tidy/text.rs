//! Rules for every text file: white space, length, and no path of somebody's machine.

use super::Violation;
use super::files::File;

/// Longer and a file of source holds more than one concept.
const MOST_LINES: usize = 600;

/// The folders at a machine's root in which people keep a project.
const MACHINE_FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

pub(super) fn check(file: &File, found: &mut Vec<Violation>) {
    // Not by `lines`, which takes a carriage return for a part of the line's end.
    for (number, line) in file.text.split('\n').enumerate() {
        let mut report =
            |message: &str| found.push(Violation::new(&file.path, number + 1, message));
        if let Some(path) = machine_path(line) {
            report(&format!("the path {path} is of one machine only"));
        }
        if !file.is_fixture() {
            if line.ends_with([' ', '\t', '\r']) {
                report("white space at the end of the line");
            }
            if file.has_extension("rs") && line.contains('\t') {
                report("a tab");
            }
        }
    }
    let lines = file.text.lines().count();
    if (file.has_extension("rs") || file.has_extension("py")) && lines > MOST_LINES {
        found.push(Violation::new(
            &file.path,
            0,
            format!("has {lines} lines, of at most {MOST_LINES}"),
        ));
    }
}

/// The beginning of an absolute path into one of the folders in which people keep a project.
fn machine_path(line: &str) -> Option<String> {
    MACHINE_FOLDERS
        .iter()
        .map(|folder| format!("/{folder}/"))
        .find(|path| {
            line.match_indices(path.as_str()).any(|(at, _)| {
                // Further along in a path, or in the address of a page, the same letters mean nothing.
                let before = line[..at].chars().next_back();
                before.is_none_or(|c| !(c.is_alphanumeric() || "_-./}*~>$".contains(c)))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check(&File::new(path, text), &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn white_space_at_the_end_is_found_and_a_fixture_keeps_its_own() {
        assert_eq!(
            sentences("docs/a.md", "one\ntwo \n"),
            ["docs/a.md:2: white space at the end of the line"]
        );
        assert_eq!(
            sentences("crates/wal/tests/data/a.tsv", "1\tdel\t\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_tab_in_rust_is_found_and_one_elsewhere_is_not() {
        assert_eq!(
            sentences("xtask/src/a.rs", "\tx\n"),
            ["xtask/src/a.rs:1: a tab"]
        );
        assert_eq!(sentences("Makefile", "\tx\n"), [""; 0]);
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(
            sentences("xtask/src/a.rs", &"x\n".repeat(MOST_LINES)),
            [""; 0]
        );
        assert_eq!(
            sentences("xtask/src/a.rs", &"x\n".repeat(MOST_LINES + 1)),
            ["xtask/src/a.rs: has 601 lines, of at most 600"],
        );
        assert_eq!(
            sentences("docs/a.md", &"x\n".repeat(2 * MOST_LINES)),
            [""; 0]
        );
    }

    #[test]
    fn a_path_of_one_machine_is_found_in_any_file() {
        for folder in MACHINE_FOLDERS {
            let line = format!("cd '/{folder}/me'\n");
            let expected = format!("run.sh:1: the path /{folder}/ is of one machine only");
            assert_eq!(sentences("run.sh", &line), [expected]);
        }
    }

    #[test]
    fn the_same_letters_inside_another_path_are_not() {
        for folder in MACHINE_FOLDERS {
            let text = format!("https://example.com/{folder}/x target/{folder}/y ../{folder}/z\n");
            assert_eq!(sentences("docs/a.md", &text), [""; 0]);
        }
    }
}

//! Links in Markdown lead to files that exist.

use std::collections::BTreeSet;

use super::Violation;
use super::files::File;

pub(super) fn check(files: &[File], found: &mut Vec<Violation>) {
    let known = files_and_folders(files);
    for file in files.iter().filter(|file| file.has_extension("md")) {
        let is_docs_of_crate = file.path.starts_with("crates/");
        for (target, line) in targets(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || is_address(path) || (is_docs_of_crate && is_item(path)) {
                continue;
            }
            if !resolve(&file.path, path).is_some_and(|path| known.contains(&path)) {
                found.push(Violation::new(
                    &file.path,
                    line,
                    format!("the link to {target} leads nowhere"),
                ));
            }
        }
        check_examples(file, found);
    }
}

/// The examples of a crate's README are run.
fn check_examples(file: &File, found: &mut Vec<Violation>) {
    for (number, line) in file.text.lines().enumerate() {
        let language = line.trim_start().strip_prefix("```").unwrap_or_default();
        if file.path.starts_with("crates/")
            && language.split(',').any(|word| word.trim() == "ignore")
        {
            found.push(Violation::new(
                &file.path,
                number + 1,
                "an example that is passed over",
            ));
        }
    }
}

/// Every path, and every folder on the way to it.
fn files_and_folders(files: &[File]) -> BTreeSet<String> {
    let mut known = BTreeSet::from([String::new()]);
    for file in files {
        let mut path = file.path.as_str();
        while known.insert(path.to_owned())
            && let Some((folder, _)) = path.rsplit_once('/')
        {
            path = folder;
        }
    }
    known
}

/// Whether this leads out of the repository: it has a scheme.
fn is_address(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.starts_with(':')
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Whether rustdoc reads this as the name of an item, and checks it itself.
fn is_item(target: &str) -> bool {
    !target.contains(['/', '.'])
}

/// The target of a link in the file at `from`, relative to the root; `None` if it is outside of it.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Every target of a link, `[…](target)` or `[…]: target`, outside of code, with its line.
fn targets(text: &str) -> Vec<(&str, usize)> {
    let (mut found, mut in_code) = (Vec::new(), false);
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let definition = line
                .trim_start()
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("]: "));
            found.extend(
                definition
                    .and_then(|(_, target)| first_word(target))
                    .map(|target| (target, number + 1)),
            );
            found.extend(inline_targets(line).map(|target| (target, number + 1)));
        }
    }
    found
}

/// The targets of the links within a line, outside of code in backticks.
fn inline_targets(line: &str) -> impl Iterator<Item = &str> {
    let in_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    line.match_indices("](")
        .filter(move |&(at, _)| !in_code(at))
        .filter_map(|(at, open)| {
            let rest = &line[at + open.len()..];
            first_word(rest.split_once(')')?.0)
        })
}

/// The first word, without the angle brackets it may stand in; a link's title comes after it.
fn first_word(target: &str) -> Option<&str> {
    target
        .split_whitespace()
        .next()
        .map(|word| word.trim_matches(['<', '>']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(path: &str, text: &str) -> Vec<String> {
        let files = [
            File::new(path, text),
            File::new("docs/map.md", ""),
            File::new("LICENSE", ""),
        ];
        let mut found = Vec::new();
        check(&files, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_to_files_and_folders_resolve() {
        let text = "[a](docs/map.md) [b](docs/map.md#part \"title\") [c](./docs/) [d](LICENSE)\n[e]: docs/map.md\n";
        assert_eq!(sentences("README.md", text), [""; 0]);
        assert_eq!(
            sentences("docs/other.md", "[a](map.md) [b](../LICENSE) [c](..)\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        assert_eq!(
            sentences(
                "README.md",
                "one\n[a](docs/gone.md) [b](../outside.md)\n[c]: gone.md\n"
            ),
            [
                "README.md:2: the link to docs/gone.md leads nowhere",
                "README.md:2: the link to ../outside.md leads nowhere",
                "README.md:3: the link to gone.md leads nowhere",
            ],
        );
    }

    #[test]
    fn addresses_parts_of_the_page_and_code_are_no_files() {
        let text = "[a](https://example.com/x) [b](#part) `[c](d.md)`\n```\n[e](f.md)\n```\n[g](mailto:x@example.com)\n";
        assert_eq!(sentences("README.md", text), [""; 0]);
    }

    #[test]
    fn a_crates_readme_may_link_to_items() {
        assert_eq!(
            sentences(
                "crates/wal/README.md",
                "[a](Reader) [b](crate::Reader::next)\n[`c`]: Writer\n"
            ),
            [""; 0]
        );
        assert_eq!(
            sentences("docs/a.md", "[a](Reader)\n"),
            ["docs/a.md:1: the link to Reader leads nowhere"]
        );
    }

    #[test]
    fn an_example_of_a_crate_that_is_passed_over_is_found() {
        let found = sentences("crates/wal/README.md", "```rust,ignore\nx\n```\n");
        assert_eq!(
            found,
            ["crates/wal/README.md:1: an example that is passed over"]
        );
    }
}

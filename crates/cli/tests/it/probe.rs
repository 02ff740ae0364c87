//! Asking the program about an input, and what any answer must hold to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Answer, contents, data, strata, text};

/// An input of the kinds that people report.
pub(crate) fn case(name: &str) -> PathBuf {
    data("field-cases").join(name)
}

/// An entry as `dump --json` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sequence: u64,
    pub(crate) is_put: bool,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) file: String,
    pub(crate) live: Option<bool>,
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

pub(crate) fn lines(answer: &Answer) -> Vec<Line> {
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| {
            line[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} of {line}"))
        };
        assert!(line["offset"].is_u64(), "offset of {line}");
        Line {
            sequence: line["sequence"].as_u64().unwrap(),
            is_put: text("type") == "put",
            key: from_hex(text("key")),
            value: from_hex(text("value")),
            file: text("file").to_owned(),
            live: line["live"].as_bool(),
        }
    };
    answer.stdout.lines().map(line).collect()
}

/// `dump --json` must end with this status; what it lists, and what it says.
pub(crate) fn dump(input: &Path, options: &[&str], status: i32) -> (Vec<Line>, String) {
    let answer = strata(
        ["dump", text(input), "--json"]
            .iter()
            .chain(options)
            .copied(),
    );
    assert_eq!(
        answer.status,
        status,
        "dump {} {options:?}\n{}",
        input.display(),
        answer.stderr
    );
    (lines(&answer), answer.stderr)
}

/// `get` must end with this status and, if that is 0, this value.
pub(crate) fn get(input: &Path, key: &str, options: &[&str], expected: Result<&str, i32>) {
    let answer = strata(["get", text(input), key].iter().chain(options).copied());
    let (status, value) = match expected {
        Ok(value) => (0, format!("{value}\n")),
        Err(status) => (status, String::new()),
    };
    let context = format!(
        "get {} {key} {options:?}: {}",
        input.display(),
        answer.stderr
    );
    assert_eq!(answer.status, status, "{context}");
    if expected.is_ok() {
        assert_eq!(answer.stdout, value, "{context}");
    } else if status == 3 || status == 1 {
        assert!(!answer.stderr.is_empty(), "{context}: no reason is given");
    }
}

/// `recover` must end with this status, leave the input as it is, and give a sound database: the live
/// key-value pairs that it shows.
pub(crate) fn recover(input: &Path, options: &[&str], status: i32) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("out");
    let is_directory = input.is_dir();
    let before = is_directory.then(|| tree(input));
    let arguments = ["recover", text(input), "--out", text(&out)];
    let answer = strata(arguments.iter().chain(options).copied());
    let context = format!("recover {} {options:?}", input.display());
    assert_eq!(answer.status, status, "{context}\n{}", answer.stderr);
    assert_eq!(
        before,
        is_directory.then(|| tree(input)),
        "{context}: input"
    );
    shown_by_sound_database(&out, &context)
}

/// Every file beneath a directory with its bytes.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(tree(&entry.path()));
        } else if kind.is_file() {
            files.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// What a database that `recover` wrote shows; it has a manifest, and nothing in it is amiss.
pub(crate) fn shown_by_sound_database(out: &Path, context: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let names: Vec<String> = contents(out).into_keys().collect();
    let current = fs::read_to_string(out.join("CURRENT")).unwrap();
    let manifest = current.strip_suffix('\n').unwrap();
    assert!(manifest.starts_with("MANIFEST-"), "{context}: {current:?}");
    assert!(
        names.iter().any(|name| name == manifest),
        "{context}: {names:?}"
    );
    let (listed, said) = dump(out, &[], 0);
    assert_eq!(said, "", "{context}: of what was recovered");
    let verified = strata(["verify", text(out)]);
    assert_eq!(
        verified.status, 0,
        "{context}: {}{}",
        verified.stdout, verified.stderr
    );
    let pairs: BTreeMap<_, _> = listed
        .iter()
        .map(|line| (line.key.clone(), line.value.clone()))
        .collect();
    assert_eq!(
        pairs.len(),
        listed.len(),
        "{context}: a key has several versions"
    );
    assert!(
        listed.iter().all(|line| line.is_put),
        "{context}: a tombstone is left"
    );
    assert!(
        listed.iter().all(|line| line.live == Some(true)),
        "{context}: not live"
    );
    pairs
}

/// Panics unless each name is said on standard error.
pub(crate) fn names_all(said: &str, names: &[&str]) {
    for name in names {
        assert!(said.contains(name), "{name} is not named in:\n{said}");
    }
}

/// Panics unless a drop is told in the form that all have: file, bytes, offset, reason.
pub(crate) fn tells_drop(said: &str, file: &str, offset: u64) {
    let at = format!(" bytes at offset {offset} dropped: ");
    let is_drop = |line: &&str| line.starts_with("strata: ") && line.contains(file);
    assert!(
        said.lines().filter(is_drop).any(|line| line.contains(&at)),
        "no drop of {file} at {offset} in:\n{said}"
    );
}

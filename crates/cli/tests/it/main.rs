//! The program as it is run: its answers, its exit statuses, and what it leaves behind.

mod answers;
mod damaged_directories;
#[path = "../../../database/tests/it/faults.rs"]
mod faults;
mod field_cases;
mod field_variants;
mod fixtures;
mod folder;
mod generated;
mod hostile;
#[path = "../../../database/tests/it/made.rs"]
mod made;
mod outcomes;
mod probe;
#[path = "../../../database/tests/it/random.rs"]
mod random;
mod recovering;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

/// What the program answered.
struct Answer {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

fn strata<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Answer {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(arguments)
        .output()
        .unwrap();
    Answer {
        status: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// The same where the answer may be no text: status, standard output, standard error.
fn raw<'a>(arguments: impl IntoIterator<Item = &'a str>) -> (i32, Vec<u8>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), output.stdout, said)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The names and contents of a directory's files.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (
            entry.file_name().into_string().unwrap(),
            fs::read(entry.path()).unwrap(),
        )
    });
    files.collect()
}

/// A write as `writes.tsv` and `dump --json` say it, in hex: sequence, type, key, value.
type Write = (u64, String, String, String);

fn writes(file: &Path) -> Vec<Write> {
    let line = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        (next().parse().unwrap(), next(), next(), next())
    };
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(line)
        .collect()
}

fn dumped(answer: &Answer) -> Vec<Write> {
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        (
            line["sequence"].as_u64().unwrap(),
            text("type"),
            text("key"),
            text("value"),
        )
    };
    answer.stdout.lines().map(line).collect()
}

/// What a reader sees of writes: the newest version of each key, unless it is a deletion.
fn visible(writes: &[Write]) -> BTreeMap<String, String> {
    let mut newest: BTreeMap<&str, &Write> = BTreeMap::new();
    for write in writes {
        let slot = newest.entry(&write.2).or_insert(write);
        if slot.0 <= write.0 {
            *slot = write;
        }
    }
    let values = newest.into_iter().filter(|(_, write)| write.1 == "put");
    values
        .map(|(key, write)| (key.to_owned(), write.3.clone()))
        .collect()
}

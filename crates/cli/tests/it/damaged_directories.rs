//! Whole directories at random, damaged at random, given to the program.
//!
//! What is left whole in any file is listed and recovered, nothing is made up, and losses are told by the
//! exit status.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use strata_table::{Compression, TableOptions};

use crate::faults::Damaged;
use crate::folder::{BYTEWISE, Edit, Folder, log_of};
use crate::made::{self, Entry, Made, Part};
use crate::random::Random;
use crate::text;

/// How many directories are damaged.
const DIRECTORIES: u64 = 60;

/// A directory: its files, and what those that hold entries hold.
struct Directory {
    files: Vec<(String, Made)>,
    manifest: Option<Vec<u8>>,
}

/// Up to four tables at level 0 and two logs; in two of three cases with a manifest that names them all.
fn directory(random: &mut Random) -> Directory {
    let (mut files, mut first, mut number) = (Vec::new(), 1, 4);
    let mut edit = Edit::first(BYTEWISE, 0, 0, 0);
    for _ in 0..random.below(5) {
        let options = TableOptions {
            block_size: random.pick(&[200, 1000, 4096]),
            compression: random.pick(&[Compression::None, Compression::Snappy]),
            bloom_bits_per_key: random.pick(&[None, Some(10)]),
            ..TableOptions::default()
        };
        let made = made::table(random, first, &options);
        number += 1 + random.below(3) as u64;
        let keys: Vec<&[u8]> = made
            .parts
            .iter()
            .flat_map(|part| part.entries.iter().map(|entry| &entry.0[..]))
            .collect();
        let (smallest, largest) = (keys[0], keys[keys.len() - 1]);
        edit = edit.new_table_of(0, number, made.bytes.len(), smallest, largest);
        first += made.entries().len() as u64;
        files.push((format!("{number:06}.ldb"), made));
    }
    let first_log = number + 1;
    for _ in 0..1 + random.below(2) {
        number += 1;
        let made = made::log(random, first, 150);
        first += made.entries().len() as u64;
        files.push((format!("{number:06}.log"), made));
    }
    let edit = edit.numbers(first_log, number + 2, first);
    let manifest = (!random.one_of(3)).then(|| log_of(&[edit.encode()]));
    Directory { files, manifest }
}

/// What the program answers in this process: its status and its output.
fn answer(arguments: &[&str]) -> (u8, String) {
    let mut output = Vec::new();
    let status = strata_cli::run(["strata"].iter().chain(arguments), &mut output);
    (status, String::from_utf8(output).unwrap())
}

/// The entries that a line each of `dump --json` tells.
fn listed(output: &str) -> BTreeSet<Entry> {
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    };
    let line = |line: &str| -> Entry {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let tag = line["sequence"].as_u64().unwrap() << 8 | u64::from(line["type"] == "put");
        let mut key = bytes(line["key"].as_str().unwrap());
        key.extend_from_slice(&tag.to_le_bytes());
        (key, bytes(line["value"].as_str().unwrap_or_default()))
    };
    output.lines().map(line).collect()
}

/// What a database of these entries shows.
fn shown(entries: &BTreeSet<Entry>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut newest: BTreeMap<&[u8], (u64, &[u8])> = BTreeMap::new();
    for (key, value) in entries {
        let (user_key, tag) = key.split_at(key.len() - 8);
        let tag = u64::from_le_bytes(tag.try_into().unwrap());
        let slot = newest.entry(user_key).or_insert((tag, value));
        if slot.0 < tag {
            *slot = (tag, value);
        }
    }
    let puts = newest.into_iter().filter(|(_, (tag, _))| tag & 0xff == 1);
    puts.map(|(key, (_, value))| (key.to_vec(), value.to_vec()))
        .collect()
}

/// Writes a directory with one to three of its files damaged: what must be found, whether something is lost
/// in a file that is there, and what was done.
fn damaged<'a>(
    directory: &'a Directory,
    folder: &Folder,
    random: &mut Random,
) -> (BTreeSet<&'a Entry>, bool, String) {
    if let Some(manifest) = &directory.manifest {
        folder.add("CURRENT", b"MANIFEST-000002\n");
        folder.add("MANIFEST-000002", manifest);
        if random.one_of(5) {
            let whole = 0..manifest.len();
            let damaged = Damaged::random(manifest, std::slice::from_ref(&whole), random);
            folder.add("MANIFEST-000002", &damaged.bytes);
        }
    }
    let (mut left, mut is_lost, mut done) = (BTreeSet::new(), false, String::new());
    for (name, made) in &directory.files {
        let ranges: Vec<_> = made.parts.iter().map(|part| part.range.clone()).collect();
        let damaged = match random.below(3) {
            0 => Damaged::new(&made.bytes),
            _ => Damaged::random(&made.bytes, &ranges, random),
        };
        folder.add(name, &damaged.bytes);
        let whole = match name.ends_with(".log") {
            true => in_order(made.left_whole(&damaged), &damaged),
            false => made.left_whole(&damaged),
        };
        is_lost |= made.must_be_told(&whole);
        left.extend(whole.into_iter().flat_map(|part| &part.entries));
        done = format!("{done}{name} {:?}; ", damaged.faults);
    }
    (left, is_lost, done)
}

/// Those parts of a log that are in the order in which they were written. Records that were swapped
/// can't be told from records of a log that is a value.
fn in_order<'a>(whole: Vec<&'a Part>, damaged: &Damaged) -> Vec<&'a Part> {
    let place = |part: &Part| damaged.place_of(&part.range);
    let agrees = |a: &Part, b: &Part| {
        (a.range.start < b.range.start) == (place(a) < place(b)) || a.range == b.range
    };
    let is_in_order = |part: &&Part| whole.iter().all(|other| agrees(part, other));
    whole.iter().copied().filter(is_in_order).collect()
}

#[test]
fn what_is_left_whole_in_any_file_is_listed_and_recovered() {
    for seed in 0..DIRECTORIES {
        let mut random = Random::new(seed);
        let directory = directory(&mut random);
        let folder = Folder::new();
        let (left, is_lost, done) = damaged(&directory, &folder, &mut random);
        let context = format!("seed {seed}: {done}");
        let options = ["--all-files", "--salvage"];
        let dump = [&["dump", folder.text(), "--json"][..], &options].concat();
        let (status, output) = answer(&dump);
        assert!(matches!(status, 0 | 3), "{context}: {status}");
        let found = listed(&output);
        let all: BTreeSet<&Entry> = directory
            .files
            .iter()
            .flat_map(|(_, made)| made.entries())
            .collect();
        for entry in &left {
            assert!(
                found.contains(*entry),
                "{context}: {entry:?} is left whole and not listed"
            );
        }
        for entry in &found {
            assert!(all.contains(entry), "{context}: {entry:?} was not written");
        }
        if is_lost && found.len() < all.len() {
            assert_eq!(status, 3, "{context}: {} of {}", found.len(), all.len());
        }
        check_recovered(&folder, &options, &found, &context);
    }
}

fn check_recovered(folder: &Folder, options: &[&str], found: &BTreeSet<Entry>, context: &str) {
    let parent = tempfile::tempdir().unwrap();
    let out: &Path = &parent.path().join("out");
    let recover = [&["recover", folder.text(), "--out", text(out)][..], options].concat();
    let (status, _) = answer(&recover);
    assert!(matches!(status, 0 | 3), "{context}: recover {status}");
    let (status, output) = answer(&["dump", text(out), "--json"]);
    assert_eq!(status, 0, "{context}: of what was recovered");
    let entries = listed(&output);
    assert_eq!(entries.len(), output.lines().count(), "{context}");
    let pairs: BTreeMap<_, _> = entries
        .iter()
        .map(|(key, value)| (key[..key.len() - 8].to_vec(), value.clone()))
        .collect();
    assert_eq!(pairs.len(), entries.len(), "{context}: several versions");
    assert_eq!(pairs, shown(found), "{context}");
}

//! Random databases against a map of versions: listed, looked up, rebuilt.

use std::collections::BTreeMap;
use std::path::Path;

use strata_database::{Arrangement, Database, KeySelection, ReadOptions};
use strata_dbformat::SequenceNumber;
use strata_files::FileDirectory;
use strata_rebuild::{RebuildOptions, rebuild};

use crate::random::Random;
use crate::world::{Written, log, manifest, read, table, visible};

/// Every version, by user key and, of one user key, the newest first.
type Model = BTreeMap<(Vec<u8>, u64), Option<Vec<u8>>>;

fn key(random: &mut Random) -> Vec<u8> {
    let length = random.below(3);
    (0..length).map(|_| b"abcd"[random.below(4)]).collect()
}

/// Writes a database of random tables in level 0 and logs, and says what was written.
fn world(directory: &Path, random: &mut Random) -> Model {
    let mut model = Model::new();
    let (mut tables, mut sequence, mut number) = (Vec::new(), 0, 3);
    let tables_to_make = random.below(6);
    for chunk in 0..tables_to_make + 2 {
        let mut entries: Vec<Written> = Vec::new();
        for _ in 0..random.below(40) + 1 {
            sequence += 1;
            let value = match random.below(4) {
                0 => None,
                _ => Some(format!("{sequence}").into_bytes()),
            };
            entries.push((key(random), sequence, value));
        }
        for (key, sequence, value) in &entries {
            model.insert((key.clone(), u64::MAX - sequence), value.clone());
        }
        number += 1;
        if chunk < tables_to_make {
            entries.sort_by(|a, b| (&a.0, u64::MAX - a.1).cmp(&(&b.0, u64::MAX - b.1)));
            tables.push((0, table(directory, number, &entries)));
        } else {
            log(directory, number, &entries);
        }
    }
    manifest(directory, number - 1, &tables);
    model
}

fn all(model: &Model) -> Vec<Written> {
    let entry = |((key, sequence), value): (&(Vec<u8>, u64), &Option<Vec<u8>>)| {
        (key.clone(), u64::MAX - sequence, value.clone())
    };
    model.iter().map(entry).collect()
}

#[test]
fn what_is_listed_looked_up_and_rebuilt_is_what_was_written() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let directory = tempfile::tempdir().unwrap();
        let model = world(directory.path(), &mut random);
        let options = ReadOptions::default();
        let (listed, reports) = read(directory.path(), &options, Arrangement::ByKey);
        assert_eq!((listed, reports), (all(&model), vec![]), "seed {seed}");

        let (by_sequence, _) = read(directory.path(), &options, Arrangement::BySequence);
        let mut expected = all(&model);
        expected.sort_by_key(|entry| entry.1);
        assert_eq!(by_sequence, expected, "seed {seed}");

        ranges(directory.path(), &model, &mut random);
        lookups(directory.path(), &model, &mut random);
        rebuilt(directory.path(), &model);
    }
}

fn ranges(directory: &Path, model: &Model, random: &mut Random) {
    for _ in 0..5 {
        let mut bound = || (random.below(2) == 0).then(|| key(random));
        let keys = KeySelection {
            from: bound(),
            to: bound(),
            prefix: bound().unwrap_or_default(),
        };
        let options = ReadOptions {
            keys: keys.clone(),
            ..ReadOptions::default()
        };
        let expected: Vec<Written> = all(model)
            .into_iter()
            .filter(|(key, ..)| {
                key.starts_with(&keys.prefix)
                    && keys.from.as_ref().is_none_or(|from| from <= key)
                    && keys.to.as_ref().is_none_or(|to| key < to)
            })
            .collect();
        for arrangement in [Arrangement::ByKey, Arrangement::AsTheyLie] {
            let (mut listed, _) = read(directory, &options, arrangement);
            listed.sort_by(|a, b| (&a.0, u64::MAX - a.1).cmp(&(&b.0, u64::MAX - b.1)));
            assert_eq!(listed, expected, "{keys:?}");
        }
    }
}

fn lookups(directory: &Path, model: &Model, random: &mut Random) {
    let database = Database::open(directory).unwrap();
    for _ in 0..30 {
        let (key, snapshot) = (key(random), random.below(250) as u64);
        let newest = model
            .range((key.clone(), u64::MAX - snapshot)..=(key.clone(), u64::MAX))
            .next();
        let got = database
            .get(
                &key,
                SequenceNumber::new(snapshot).unwrap(),
                &ReadOptions::default(),
                &mut |report| panic!("{report}"),
            )
            .unwrap();
        assert!(!got.may_be_elsewhere);
        let found = got.found.map(|found| {
            let value = (!found.is_tombstone).then_some(found.value);
            (found.sequence.get(), value)
        });
        let expected = newest.map(|((_, sequence), value)| (u64::MAX - sequence, value.clone()));
        assert_eq!(found, expected, "{key:?} at {snapshot}");
    }
}

fn rebuilt(directory: &Path, model: &Model) {
    for all_versions in [false, true] {
        let out = tempfile::tempdir().unwrap();
        let options = RebuildOptions {
            all_versions,
            table_bytes: 100,
            ..RebuildOptions::default()
        };
        rebuild(
            &Database::open(directory).unwrap(),
            &ReadOptions::default(),
            &options,
            &FileDirectory::new(out.path()),
            &mut |report| panic!("{report}"),
        )
        .unwrap();
        let (listed, reports) = read(out.path(), &ReadOptions::default(), Arrangement::ByKey);
        assert_eq!(reports, []);
        assert_eq!(visible(&listed), visible(&all(model)));
        match all_versions {
            true => assert_eq!(listed, all(model)),
            false => assert_eq!(listed.len(), visible(&all(model)).len()),
        }
    }
}

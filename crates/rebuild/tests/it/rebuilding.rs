//! A database made of another, and what is left if that is interrupted anywhere.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use strata_database::{Arrangement, Database, ReadOptions};
use strata_files::testing::{FaultyDirectory, Kept};
use strata_files::{CURRENT, Directory, FileDirectory, ReadFile, WriteFile};
use strata_rebuild::{RebuildOptions, rebuild};
use strata_table::TableOptions;

use crate::world::{Written, put, read, small_world, small_world_visible, table, visible};

fn small_blocks() -> TableOptions {
    TableOptions {
        block_size: 64,
        ..RebuildOptions::default().table
    }
}

fn by_key(directory: &Path) -> Vec<Written> {
    let (entries, reports) = read(directory, &ReadOptions::default(), Arrangement::ByKey);
    assert_eq!(reports, []);
    entries
}

#[test]
fn the_newest_version_of_each_key_is_kept_and_nothing_else() {
    let input = tempfile::tempdir().unwrap();
    small_world(input.path());
    let out = tempfile::tempdir().unwrap();
    let database = Database::open(input.path()).unwrap();
    let rebuilt = rebuild(
        &database,
        &ReadOptions::default(),
        &RebuildOptions::default(),
        &FileDirectory::new(out.path()),
        &mut |report| panic!("{report}"),
    )
    .unwrap();
    let entries = by_key(out.path());
    assert_eq!(visible(&entries), small_world_visible());
    assert_eq!(
        entries.len(),
        small_world_visible().len(),
        "no old versions, no tombstones"
    );
    assert_eq!((rebuilt.entries, rebuilt.tombstones), (48, 3));
    assert_eq!(
        rebuilt.last_sequence.get(),
        50,
        "the manifest's, as it is the larger"
    );
    assert_eq!(rebuilt.kept.iter().sum::<u64>(), entries.len() as u64);
    assert_eq!(
        rebuilt.superseded.iter().sum::<u64>(),
        48 - entries.len() as u64
    );
}

#[test]
fn all_versions_are_kept_if_that_is_asked_for() {
    let input = tempfile::tempdir().unwrap();
    small_world(input.path());
    let out = tempfile::tempdir().unwrap();
    let options = RebuildOptions {
        all_versions: true,
        table: small_blocks(),
        table_bytes: 256,
        ..RebuildOptions::default()
    };
    let rebuilt = rebuild(
        &Database::open(input.path()).unwrap(),
        &ReadOptions::default(),
        &options,
        &FileDirectory::new(out.path()),
        &mut |report| panic!("{report}"),
    )
    .unwrap();
    assert_eq!(by_key(out.path()), {
        let (entries, _) = read(input.path(), &ReadOptions::default(), Arrangement::ByKey);
        entries
    });
    assert!(rebuilt.tables.len() > 3, "{} tables", rebuilt.tables.len());
    for pair in rebuilt.tables.windows(2) {
        let (last, first) = (pair[0].keys.1.user_key(), pair[1].keys.0.user_key());
        assert!(last < first, "versions of one user key are in one table");
    }
}

/// A table whose manifest names a wrong range, and which would be put in the wrong place of a run.
#[test]
fn a_table_that_lies_elsewhere_than_the_manifest_says_is_merged_all_the_same() {
    let input = tempfile::tempdir().unwrap();
    let mut first = table(input.path(), 4, &[put("a", 1, "1"), put("z", 2, "old")]);
    let second = table(input.path(), 6, &[put("b", 3, "3"), put("z", 4, "new")]);
    first.largest = first.smallest.clone();
    crate::world::manifest(input.path(), 9, &[(1, first), (1, second)]);
    let out = tempfile::tempdir().unwrap();
    let mut reports = Vec::new();
    rebuild(
        &Database::open(input.path()).unwrap(),
        &ReadOptions::default(),
        &RebuildOptions::default(),
        &FileDirectory::new(out.path()),
        &mut |report| reports.push(report.to_string()),
    )
    .unwrap();
    let pair = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
    assert_eq!(
        visible(&by_key(out.path())),
        [pair("a", "1"), pair("b", "3"), pair("z", "new")]
    );
    let [report] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert!(report.contains("are not in the order of"), "{report}");
}

/// Stopped after every operation on the output, and a power failure then: a whole database or,
/// without `CURRENT`, none.
#[test]
fn stopped_anywhere_the_output_is_a_whole_database_or_none() {
    let input = tempfile::tempdir().unwrap();
    small_world(input.path());
    let database = Database::open(input.path()).unwrap();
    let options = RebuildOptions {
        table: small_blocks(),
        table_bytes: 128,
        ..RebuildOptions::default()
    };
    let rebuilt = |out: &FaultyDirectory| {
        rebuild(
            &database,
            &ReadOptions::default(),
            &options,
            out,
            &mut |report| panic!("{report}"),
        )
    };
    let whole = FaultyDirectory::default();
    rebuilt(&whole).unwrap();
    let operations = whole.operations();
    assert!(operations > 20, "{operations}");
    let (mut databases, mut none) = (0, 0);
    for count in 0..operations {
        for times in [1, u64::MAX] {
            let out = FaultyDirectory::default();
            out.fail_after(count, times);
            let error = rebuilt(&out).unwrap_err().to_string();
            assert!(error.contains("was told to fail"), "{error}");
            for kept in [Kept::Nothing, Kept::Everything]
                .into_iter()
                .chain((0..20).map(Kept::Some))
            {
                match is_whole(&out.crash(kept)) {
                    true => databases += 1,
                    false => none += 1,
                }
            }
        }
    }
    assert!(databases > 0 && none > 0, "{databases}, {none}");
}

/// Whether a directory is a database, which must be whole then.
fn is_whole(out: &FaultyDirectory) -> bool {
    let contents = out.contents();
    if !contents.contains_key(CURRENT) {
        return false;
    }
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in contents {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    assert_eq!(visible(&by_key(directory.path())), small_world_visible());
    true
}

#[test]
fn what_was_written_is_removed_if_it_fails() {
    let input = tempfile::tempdir().unwrap();
    small_world(input.path());
    let database = Database::open(input.path()).unwrap();
    for count in 0.. {
        let out = FaultyDirectory::default();
        out.fail_after(count, 1);
        let rebuilt = rebuild(
            &database,
            &ReadOptions::default(),
            &RebuildOptions::default(),
            &out,
            &mut |report| panic!("{report}"),
        );
        if rebuilt.is_ok() {
            assert!(!out.has_failed());
            break;
        }
        assert_eq!(out.names(), [""; 0], "operation {count}");
    }
}

/// A directory that can't be synced any more once it has been so often.
#[derive(Debug)]
struct SyncsFail {
    directory: FaultyDirectory,
    left: AtomicU64,
}

impl Directory for SyncsFail {
    fn list(&self) -> io::Result<Vec<String>> {
        self.directory.list()
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn WriteFile>> {
        self.directory.create(name)
    }
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        self.directory.open(name)
    }
    fn sync_file(&self, name: &str) -> io::Result<()> {
        self.directory.sync_file(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.directory.rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.directory.rename_new(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.directory.remove(name)
    }
    fn sync(&self) -> io::Result<()> {
        match self
            .left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
        {
            Ok(_) => self.directory.sync(),
            Err(_) => Err(io::Error::other("the directory was told to fail")),
        }
    }
}

/// `CURRENT` may have reached the disk though the sync failed: what it names must stay, then.
#[test]
fn a_directory_that_can_not_be_synced_is_a_whole_database_or_none() {
    let input = tempfile::tempdir().unwrap();
    small_world(input.path());
    let database = Database::open(input.path()).unwrap();
    let mut databases = 0;
    for syncs in 0..2 {
        let directory = FaultyDirectory::default();
        let out = SyncsFail {
            directory: directory.clone(),
            left: AtomicU64::new(syncs),
        };
        let (read, options) = (ReadOptions::default(), RebuildOptions::default());
        let rebuilt = rebuild(&database, &read, &options, &out, &mut |report| {
            panic!("{report}")
        });
        rebuilt.unwrap_err();
        for kept in (0..50).map(Kept::Some) {
            databases += u32::from(is_whole(&directory.crash(kept)));
        }
    }
    assert!(databases > 0);
}

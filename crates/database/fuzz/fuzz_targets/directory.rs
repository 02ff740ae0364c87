//! Whole directories: tables, logs and a manifest made of one history of writes, then damaged,
//! misnamed, missing, or joined by any bytes; opened, listed in each arrangement, asked for keys,
//! verified and rebuilt.
//!
//! All that comes out was written. All that lies in sound files comes out, and each arrangement
//! and each selection of keys gives the same entries; those by key are sorted, or it is said that
//! they are not. `get` finds what is listed, and does not call a key absent, or a version the
//! newest, while a damaged table may have a newer one. The rebuilt database reads back without a
//! report and shows the newest version of each key that was listed; where writing it fails, it is
//! whole or none.

#![no_main]

mod world;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use strata_database::{
    Arrangement, Database, DatabaseError, KeySelection, Order, ReadOptions, Report, Standing,
    StoredKind,
};
use strata_dbformat::SequenceNumber;
use strata_files::CURRENT;
use strata_files::testing::{FaultyDirectory, Kept};
use strata_rebuild::{RebuildError, RebuildOptions, rebuild};
use strata_table::{Compression, TableOptions};
use world::{Made, Version, World};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    world: World<'a>,
    /// Two bits, and once in 16 times checksums are ignored.
    read: u8,
    keys: Option<Keys<'a>>,
    rebuild: Rebuild,
}

#[derive(Arbitrary, Debug)]
struct Keys<'a> {
    prefix: &'a [u8],
    from: Option<u8>,
    to: Option<u8>,
}

#[derive(Arbitrary, Debug)]
struct Rebuild {
    all_versions: bool,
    stop_at_loss: bool,
    compression: u8,
    table_bytes: u16,
    /// After so many operations on the output one fails, and the machine stops then.
    fail_after: Option<u8>,
}

/// What a listing gave.
#[derive(Debug, Default)]
struct Listing {
    entries: Vec<Version>,
    losses: usize,
    is_disordered: bool,
    has_repeated: bool,
}

impl Listing {
    fn set(&self) -> BTreeSet<&Version> {
        self.entries.iter().collect()
    }

    fn take(&mut self, report: &Report) {
        assert!(!report.to_string().is_empty());
        match report {
            Report::Lost(loss) => {
                self.losses += 1;
                self.has_repeated |= loss.reason == strata_database::LossReason::Repeated;
            }
            Report::Noted(note) => self.is_disordered |= note.what.contains("are not in the order"),
            _ => {}
        }
    }
}

/// `None` if the order is not known, or there is nothing to read.
fn possible<T>(outcome: Result<T, DatabaseError>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(error @ (DatabaseError::UnknownOrder { .. } | DatabaseError::NothingToRead { .. })) => {
            assert!(!error.to_string().is_empty());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn list(database: &Database, read: &ReadOptions, arrangement: Arrangement) -> Option<Listing> {
    let mut listing = Listing::default();
    let mut entries = Vec::new();
    let mut report = |event: Report| listing.take(&event);
    let mut source = possible(database.entries(read, arrangement, &mut report))?;
    while let Some(entry) = source.next(&mut report).unwrap() {
        assert!((entry.origin.file as usize) < database.files().len());
        assert!(!entry.is_tombstone() || entry.value.is_empty());
        let value = (!entry.is_tombstone()).then(|| entry.value.to_vec());
        entries.push((entry.user_key.to_vec(), entry.sequence().get(), value));
    }
    listing.entries = entries;
    Some(listing)
}

/// By user key, the newest first; of one sequence number what is no tombstone first.
fn by_key(order: Order, a: &Version, b: &Version) -> Ordering {
    let age = |version: &Version| (version.1, version.2.is_some());
    order.compare(&a.0, &b.0).then(age(b).cmp(&age(a)))
}

/// What a reader sees of these, sorted.
fn newest(order: Order, entries: &[Version]) -> Vec<Version> {
    let mut sorted = entries.to_vec();
    sorted.sort_by(|a, b| by_key(order, a, b));
    sorted.dedup_by(|later, first| order.compare(&later.0, &first.0).is_eq());
    sorted.retain(|version| version.2.is_some());
    sorted
}

impl Input<'_> {
    fn read(&self, keys: KeySelection) -> ReadOptions {
        ReadOptions {
            all_files: self.read & 1 != 0,
            salvage: self.read & 2 != 0,
            ignore_checksums: self.read & 0x3c == 0x3c,
            keys,
            ..ReadOptions::default()
        }
    }

    fn rebuild_options(&self) -> RebuildOptions {
        let rebuild = &self.rebuild;
        RebuildOptions {
            all_versions: rebuild.all_versions,
            stop_at_loss: rebuild.stop_at_loss,
            table: TableOptions {
                compression: Compression::ALL[usize::from(rebuild.compression) % 5],
                block_size: 200,
                ..TableOptions::default()
            },
            table_bytes: rebuild.table_bytes.into(),
        }
    }
}

/// What must be in a listing, and what may not.
fn check_entries(database: &Database, made: &Made, read: &ReadOptions, listing: &Listing) {
    let set = listing.set();
    for file in database.selected_files(read) {
        let stored = &database.files()[file as usize];
        let Some(file) = made.files.get(&stored.name).filter(|file| file.is_sound) else {
            continue;
        };
        for version in &file.versions {
            assert!(set.contains(version), "{} lacks {version:?}", stored.name);
        }
    }
    if !made.has_foreign && !read.ignore_checksums {
        let history: BTreeSet<&Version> = made.history.iter().collect();
        for entry in &set {
            assert!(history.contains(entry), "{entry:?} was never written");
        }
    }
}

fn check_sorted(order: Order, listing: &Listing) {
    let is_sorted = listing
        .entries
        .is_sorted_by(|a, b| by_key(order, a, b).is_lt());
    assert!(
        is_sorted || listing.is_disordered,
        "not sorted, and no word"
    );
}

/// Whether the order is that in which the tables were written, and what a manifest says of their
/// keys is so.
fn is_placed_right(database: &Database, made: &Made, read: &ReadOptions, order: Order) -> bool {
    let is_unlisted = |standing| matches!(standing, Standing::Unlisted | Standing::Ignored);
    database
        .order(read)
        .is_ok_and(|read| read.name() == order.name())
        && (made.is_placed_right
            || database
                .files()
                .iter()
                .all(|file| is_unlisted(file.standing)))
}

/// The newest version of the key in all that the selected files were made of, if that is known.
fn newest_made<'a>(
    database: &Database,
    made: &'a Made,
    read: &ReadOptions,
    key: &[u8],
) -> Option<&'a Version> {
    let selected = database.selected_files(read);
    let names = selected.map(|file| &database.files()[file as usize].name);
    // Records missing at the end of a log may as well never have been written.
    let files = names.filter_map(|name| made.files.get(name));
    files
        .filter(|file| !file.is_log)
        .flat_map(|file| &file.versions)
        .filter(|version| version.0 == key)
        .max_by_key(|version| version.1)
}

fn check_get(database: &Database, made: &Made, read: &ReadOptions, order: Order, all: &Listing) {
    let keys: BTreeSet<&[u8]> = made.history.iter().map(|version| &version.0[..]).collect();
    let more: [&[u8]; 3] = [b"", b"key/17x", b"\xff\xff"];
    for key in keys.into_iter().take(8).chain(more) {
        let got = database.get(key, SequenceNumber::MAX, read, &mut |report| {
            assert!(!report.to_string().is_empty());
        });
        let got = possible(got).unwrap();
        let listed = all
            .entries
            .iter()
            .filter(|version| order.compare(&version.0, key).is_eq())
            .map(|version| version.1)
            .max();
        let found = got.found.as_ref().map(|found| found.sequence.get());
        if got.may_be_elsewhere || made.has_foreign || read.ignore_checksums {
            continue;
        }
        assert_eq!(found, listed, "of {key:?}");
        if let Some(version) = newest_made(database, made, read, key) {
            assert!(found >= Some(version.1), "{version:?} could be lost");
        }
    }
}

fn check_verify(database: &Database, made: &Made, read: &ReadOptions, is_placed_right: bool) {
    for (position, stored) in (0..).zip(database.files()) {
        let verified = database.verify(position, read).unwrap();
        let is_readable = matches!(stored.kind, StoredKind::Table | StoredKind::Log);
        assert_eq!(verified.is_some(), is_readable);
        let (Some(verified), Some(file)) = (verified, made.files.get(&stored.name)) else {
            continue;
        };
        if file.is_sound && !made.has_foreign && is_placed_right {
            assert!(!verified.is_damaged, "{}: {verified:?}", stored.name);
            assert_eq!(verified.entries, file.versions.len() as u64);
        }
    }
}

/// What a directory in memory has as a database, which must be without fault.
fn reopened(out: &FaultyDirectory) -> (Vec<Version>, SequenceNumber) {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in out.contents() {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let database = Database::open(directory.path()).unwrap();
    database.report_findings(&mut |report| panic!("{report}"));
    let read = ReadOptions::default();
    for file in 0..u32::try_from(database.files().len()).unwrap() {
        if let Some(verified) = database.verify(file, &read).unwrap() {
            assert!(
                !verified.is_damaged && verified.reports.is_empty(),
                "{verified:?}"
            );
        }
    }
    let listing = list(&database, &read, Arrangement::ByKey).unwrap();
    assert!(listing.losses == 0 && !listing.is_disordered);
    (listing.entries, database.last_sequence())
}

fn check_rebuild(database: &Database, input: &Input<'_>, order: Order, listing: &Listing) {
    let read = input.read(KeySelection::default());
    let options = input.rebuild_options();
    let out = FaultyDirectory::default();
    if let Some(count) = input.rebuild.fail_after {
        out.fail_after(count.into(), u64::MAX);
    }
    let mut again = Listing::default();
    let rebuilt = rebuild(database, &read, &options, &out, &mut |report| {
        again.take(&report)
    });
    let expected = match options.all_versions {
        true => {
            let mut sorted = listing.entries.clone();
            sorted.sort_by(|a, b| by_key(order, a, b));
            sorted.dedup();
            sorted
        }
        false => newest(order, &listing.entries),
    };
    let has_failed = out.has_failed();
    let out = match has_failed {
        true => out.crash(Kept::Some(out.operations())),
        false => out,
    };
    match rebuilt {
        Ok(_) => assert!(!(options.stop_at_loss && again.losses > 0)),
        Err(RebuildError::Lossy) => {
            assert!(options.stop_at_loss && again.losses > 0);
            assert!(has_failed || out.names().is_empty());
        }
        Err(error) => assert!(has_failed, "{error}"),
    }
    if !out.names().iter().any(|name| name == CURRENT) {
        return;
    }
    let (entries, last_sequence) = reopened(&out);
    let last = entries.iter().map(|version| version.1).max();
    assert!(last_sequence.get() >= last.unwrap_or(0));
    if listing.has_repeated || again.has_repeated {
        // Which of two values is kept depends on which is met first.
        let keys = |versions: &[Version]| -> Vec<_> {
            let key = |version: &Version| (version.0.clone(), version.1, version.2.is_some());
            versions.iter().map(key).collect()
        };
        let mut expected = keys(&expected);
        expected.dedup();
        assert_eq!(keys(&entries), expected);
    } else {
        assert_eq!(entries, expected);
    }
}

fn check(directory: &Path, input: &Input<'_>) {
    let made = input.world.make(directory);
    let database = Database::open(directory).unwrap();
    database.report_findings(&mut |report| assert!(!report.to_string().is_empty()));
    let read = input.read(KeySelection::default());
    let is_placed_right = is_placed_right(&database, &made, &read, input.world.order());
    check_verify(&database, &made, &read, is_placed_right);
    let Some(lying) = list(&database, &read, Arrangement::AsTheyLie) else {
        return;
    };
    check_entries(&database, &made, &read, &lying);
    let by_sequence = list(&database, &read, Arrangement::BySequence).unwrap();
    assert!(by_sequence.entries.is_sorted_by_key(|version| version.1));
    let Some(sorted) = list(&database, &read, Arrangement::ByKey) else {
        return;
    };
    let order = database.order(&read).unwrap();
    check_sorted(order, &sorted);
    if !sorted.has_repeated && !by_sequence.has_repeated {
        assert_eq!(lying.set(), by_sequence.set());
        assert_eq!(lying.set(), sorted.set());
    }
    let is_in_order = is_placed_right && !sorted.is_disordered;
    if is_in_order {
        check_get(&database, &made, &read, order, &sorted);
    }
    if let Some(keys) = input
        .keys
        .as_ref()
        .filter(|_| is_in_order && !sorted.has_repeated)
    {
        check_selection(&database, input, keys, &sorted);
    }
    check_rebuild(&database, input, order, &sorted);
}

/// A selection gives what it selects of the whole.
fn check_selection(database: &Database, input: &Input<'_>, keys: &Keys<'_>, all: &Listing) {
    let bound = |number: Option<u8>| {
        let number = usize::from(number?);
        let bound = all.entries.get(number % (all.entries.len() + 1));
        Some(bound.map_or(b"key/2".to_vec(), |version| version.0.clone()))
    };
    let selection = KeySelection {
        prefix: keys.prefix[..keys.prefix.len().min(2)].to_vec(),
        from: bound(keys.from),
        to: bound(keys.to),
    };
    let read = input.read(selection.clone());
    let order = database.order(&read).unwrap();
    let is_selected = |version: &&Version| {
        let key = &version.0;
        let from = selection.from.as_ref();
        let to = selection.to.as_ref();
        key.starts_with(&selection.prefix)
            && from.is_none_or(|from| order.compare(from, key).is_le())
            && to.is_none_or(|to| order.compare(key, to).is_lt())
    };
    let expected: BTreeSet<&Version> = all.entries.iter().filter(is_selected).collect();
    for arrangement in [
        Arrangement::ByKey,
        Arrangement::BySequence,
        Arrangement::AsTheyLie,
    ] {
        let listing = list(database, &read, arrangement).unwrap();
        assert_eq!(listing.set(), expected, "{arrangement:?} {selection:?}");
    }
}

fuzz_target!(|input: Input<'_>| {
    let directory = tempfile::tempdir().unwrap();
    check(directory.path(), &input);
});

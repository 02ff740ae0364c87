//! The example's store: what it gives is what was put, through flushes and reopening.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen, QuickCheck};
use strata_files::{Directory, FileDirectory};
use strata_write_batch::WriteBatch;
use strata_write_buffer::{LogReport, WriteBufferOptions};

use crate::example::{Result, Sink, Store};
use strata_files::testing::{FaultyDirectory, Kept};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A step of a program. Keys are few, so that most are met again.
#[derive(Clone, Debug)]
enum Step {
    /// Keys, and values or that they are deleted; and whether it is synced.
    Write(Vec<(u8, Option<u8>)>, bool),
    Freeze,
    Flush,
    Reopen,
    Get(u8),
    Scan(Bound<u8>, Bound<u8>),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let bound = |g: &mut Gen| match u8::arbitrary(g) % 3 {
            0 => Bound::Included(u8::arbitrary(g)),
            1 => Bound::Excluded(u8::arbitrary(g)),
            _ => Bound::Unbounded,
        };
        match u8::arbitrary(g) % 12 {
            0..5 => {
                let operations = (0..=u8::arbitrary(g) % 6)
                    .map(|_| (u8::arbitrary(g), Option::arbitrary(g)))
                    .collect();
                Self::Write(operations, bool::arbitrary(g))
            }
            5 => Self::Freeze,
            6 | 7 => Self::Flush,
            8 => Self::Reopen,
            9 => Self::Get(u8::arbitrary(g)),
            _ => Self::Scan(bound(g), bound(g)),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self {
            Self::Write(operations, sync) => {
                let sync = *sync;
                Box::new(
                    operations
                        .shrink()
                        .map(move |shorter| Self::Write(shorter, sync)),
                )
            }
            _ => quickcheck::empty_shrinker(),
        }
    }
}

/// One of 24 keys, some of them prefixes of others, one empty.
fn key(choice: u8) -> Vec<u8> {
    let letter = b"\0ak\xff"[usize::from(choice) / 6 % 4];
    vec![letter; usize::from(choice % 6)]
}

fn value(choice: u8) -> Vec<u8> {
    vec![choice; usize::from(choice) * 3]
}

fn recovered(directory: &Arc<dyn Directory>) -> (Store, Sink) {
    let options = WriteBufferOptions {
        max_write_buffers: 100,
        ..WriteBufferOptions::default()
    };
    let report = &mut |report: LogReport| panic!("{report}");
    Store::recover(Arc::clone(directory), options, report).unwrap()
}

fn forward(store: &Store, bounds: (Bound<&[u8]>, Bound<&[u8]>)) -> Result<Pairs> {
    let mut scan = store.scan(bounds)?;
    let mut pairs = Vec::new();
    scan.seek_to_first()?;
    while let Some(entry) = scan.entry() {
        pairs.push((entry.user_key.to_vec(), entry.value.to_vec()));
        scan.next()?;
    }
    Ok(pairs)
}

fn backward(store: &Store, bounds: (Bound<&[u8]>, Bound<&[u8]>)) -> Result<Pairs> {
    let mut scan = store.scan(bounds)?;
    let mut pairs = Vec::new();
    scan.seek_to_last()?;
    while let Some(entry) = scan.entry() {
        pairs.push((entry.user_key.to_vec(), entry.value.to_vec()));
        scan.prev()?;
    }
    pairs.reverse();
    Ok(pairs)
}

const ALL: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Unbounded, Bound::Unbounded);

fn check_scan(store: &Store, model: &BTreeMap<Vec<u8>, Vec<u8>>, from: Bound<u8>, to: Bound<u8>) {
    let (from, to) = (from.map(key), to.map(key));
    let bounds = (
        from.as_ref().map(Vec::as_slice),
        to.as_ref().map(Vec::as_slice),
    );
    let is_after = |key: &[u8]| match bounds.0 {
        Bound::Included(from) => key >= from,
        Bound::Excluded(from) => key > from,
        Bound::Unbounded => true,
    };
    let is_before = |key: &[u8]| match bounds.1 {
        Bound::Included(to) => key <= to,
        Bound::Excluded(to) => key < to,
        Bound::Unbounded => true,
    };
    let within = model
        .iter()
        .filter(|(key, _)| is_after(key) && is_before(key));
    let expected: Pairs = within
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    assert_eq!(forward(store, bounds).unwrap(), expected);
    assert_eq!(backward(store, bounds).unwrap(), expected);
}

fn run(directory: &Arc<dyn Directory>, program: Vec<Step>) {
    let mut model = BTreeMap::new();
    let (mut store, mut sink) = recovered(directory);
    let end = [Step::Reopen, Step::Scan(Bound::Unbounded, Bound::Unbounded)];
    for step in program.into_iter().chain(end) {
        match step {
            Step::Write(operations, is_synced) => {
                let mut batch = WriteBatch::new();
                for (choice, new) in operations {
                    if let Some(new) = new {
                        batch.put(&key(choice), &value(new)).unwrap();
                        model.insert(key(choice), value(new));
                    } else {
                        batch.delete(&key(choice)).unwrap();
                        model.remove(&key(choice));
                    }
                }
                store.write(&batch, is_synced).unwrap();
            }
            Step::Freeze => store.flush().unwrap(),
            Step::Flush => drop(store.buffer().flush_oldest(&mut sink).unwrap()),
            Step::Reopen => (store, sink) = recovered(directory),
            Step::Get(choice) => {
                let found = store.get(&key(choice)).unwrap();
                assert_eq!(found.as_ref(), model.get(&key(choice)));
            }
            Step::Scan(from, to) => check_scan(&store, &model, from, to),
        }
    }
    for choice in 0..24 {
        let found = store.get(&key(choice)).unwrap();
        assert_eq!(found.as_ref(), model.get(&key(choice)));
    }
}

#[test]
fn a_store_is_a_map_in_memory() {
    fn property(program: Vec<Step>) {
        let directory: Arc<dyn Directory> = Arc::new(FaultyDirectory::default());
        run(&directory, program);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(80, 5))
        .tests(400)
        .quickcheck(property as fn(Vec<Step>));
}

#[test]
fn a_store_is_a_map_on_the_file_system() {
    fn property(program: Vec<Step>) {
        let temporary = tempfile::tempdir().unwrap();
        let directory: Arc<dyn Directory> = Arc::new(FileDirectory::new(temporary.path()));
        run(&directory, program);
    }
    QuickCheck::new()
        .rng(Gen::from_size_and_seed(40, 6))
        .tests(20)
        .quickcheck(property as fn(Vec<Step>));
}

fn opened(directory: &FaultyDirectory) -> Store {
    let options = WriteBufferOptions::default();
    let report = &mut |report: LogReport| panic!("{report}");
    Store::open(Arc::new(directory.clone()), options, report).unwrap()
}

/// A batch that gives every one of some keys the same value.
fn round(number: u32) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for key in 0..50_u8 {
        batch.put(&[key], &number.to_be_bytes()).unwrap();
    }
    batch
}

#[test]
fn scans_and_lookups_stay_right_while_flushes_go_on() {
    const ROUNDS: u32 = 60;
    let directory = FaultyDirectory::default();
    let store = opened(&directory);
    store.write(&round(0), false).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 1..=ROUNDS {
                store.write(&round(number), number % 8 == 0).unwrap();
                store.flush().unwrap();
            }
        });
        let mut newest = 0_u32;
        let mut is_last = false;
        while !is_last {
            is_last = writer.is_finished();
            for scan in [forward, backward] {
                let pairs = scan(&store, ALL).unwrap();
                let keys: Vec<u8> = pairs.iter().map(|(key, _)| key[0]).collect();
                assert_eq!(keys, (0..50).collect::<Vec<u8>>());
                assert!(
                    pairs.iter().all(|pair| pair.1 == pairs[0].1),
                    "half of a batch"
                );
                let found = u32::from_be_bytes(pairs[0].1[..].try_into().unwrap());
                assert!(found >= newest, "{found} after {newest}");
                newest = found;
            }
            let found = store.get(&[7]).unwrap().unwrap();
            let found = u32::from_be_bytes(found[..].try_into().unwrap());
            assert!(found >= newest, "{found} after {newest}");
            newest = found;
        }
        assert_eq!(newest, ROUNDS);
    });
    drop(store);
    let pairs = forward(&opened(&directory), ALL).unwrap();
    assert!(pairs.iter().all(|pair| pair.1 == ROUNDS.to_be_bytes()));
    assert_eq!(pairs.len(), 50);
}

/// A directory with a table and a log.
fn with_table_and_log() -> (FaultyDirectory, String, String) {
    let directory = FaultyDirectory::default();
    let (store, mut sink) = recovered(&(Arc::new(directory.clone()) as Arc<dyn Directory>));
    for number in 0..2 {
        store.write(&round(number), true).unwrap();
        store.flush().unwrap();
    }
    store.buffer().flush_oldest(&mut sink).unwrap();
    let named = |extension: &str| {
        let mut names = directory.names().into_iter();
        names.find(|name| name.ends_with(extension)).unwrap()
    };
    let (table, log) = (named(".ldb"), named(".log"));
    (directory, table, log)
}

fn refusal(directory: &FaultyDirectory) -> String {
    let options = WriteBufferOptions::default();
    let opened = Store::recover(Arc::new(directory.clone()), options, &mut |_| {});
    opened.err().expect("it must not open").to_string()
}

#[test]
fn a_store_does_not_open_over_a_damaged_table_and_says_where_it_is() {
    let (directory, table, _) = with_table_and_log();
    let sound = directory.contents().remove(&table).unwrap();
    let mut damaged = sound.clone();
    damaged[5] ^= 1;
    directory.put(&table, &damaged);
    let error = refusal(&directory);
    let expected = format!("{table}: corrupt table, at byte 0: the block's checksum is ");
    assert!(error.starts_with(&expected), "{error}");
    directory.put(&table, &sound[..20]);
    let error = refusal(&directory);
    assert!(
        error.starts_with(&format!("{table}: ")) && error.contains("20"),
        "{error}"
    );
    directory.put(&table, &sound);
    assert_eq!(forward(&opened(&directory), ALL).unwrap().len(), 50);
}

#[test]
fn a_table_that_is_removed_while_it_is_open_is_read_on() {
    let (directory, table, _) = with_table_and_log();
    let store = opened(&directory);
    directory.remove(&table).unwrap();
    assert_eq!(forward(&store, ALL).unwrap().len(), 50);
}

#[test]
fn a_store_that_can_not_be_opened_says_which_file_it_is_and_opens_later() {
    let (directory, table, log) = with_table_and_log();
    let before = directory.operations();
    let mut errors = Vec::new();
    for operation in 0.. {
        let copy = directory.crash(Kept::Everything);
        copy.stop_after(operation);
        let options = WriteBufferOptions::default();
        match Store::recover(Arc::new(copy.clone()), options, &mut |_| {}) {
            Ok(_) => break,
            Err(error) => errors.push(error.to_string()),
        }
        copy.fail_after(0, 0);
        assert_eq!(forward(&opened(&copy), ALL).unwrap().len(), 50);
    }
    assert_eq!(directory.operations(), before, "the copies were opened");
    for expected in [
        "can't list the directory: ",
        &format!("can't open {table}: "),
        &format!("can't open {log}: "),
        &format!("can't sync {log}: "),
        "can't begin a log: ",
        "can't remove what an earlier process has left: ",
    ] {
        assert!(
            errors.iter().any(|error| error.starts_with(expected)),
            "{expected}: {errors:?}"
        );
    }
    for error in errors {
        assert!(error.starts_with("can't "), "{error}");
    }
}

#[test]
fn the_newest_version_counts_whatever_the_name_of_its_table() {
    let directory = FaultyDirectory::default();
    let shared: Arc<dyn Directory> = Arc::new(directory.clone());
    let (store, mut sink) = recovered(&shared);
    for number in 0..2 {
        store.write(&round(number), false).unwrap();
        store.flush().unwrap();
        store.buffer().flush_oldest(&mut sink).unwrap();
    }
    let mut tables = directory.names();
    tables.retain(|name| name.ends_with(".ldb"));
    // A merged table has a new number, and old ones had another extension.
    for (name, merged) in [(&tables[0], "000100.ldb"), (&tables[1], "000001.sst")] {
        directory.rename(name, merged).unwrap();
        let store = opened(&directory);
        assert_eq!(store.get(&[7]).unwrap().unwrap(), 1_u32.to_be_bytes());
        let pairs = forward(&store, ALL).unwrap();
        assert!(pairs.iter().all(|pair| pair.1 == 1_u32.to_be_bytes()));
    }
}

//! Additions for which there is no memory, at whichever request the allocator refuses. A test
//! program of its own, as its allocator refuses.

#[path = "../../skiplist/tests/refusing/mod.rs"]
mod refusing;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use refusing::{Refuse, refuse};
use strata_arena::Meter;
use strata_dbformat::{BytewiseComparator, SequenceNumber, Tag, ValueType};
use strata_memtable::{AddError, Lookup, MemTable, MemTableOptions, MemoryUsage};

type Table = MemTable<BytewiseComparator>;

/// A user key and a value.
type Pair = (Vec<u8>, Vec<u8>);

fn sequence(number: u64) -> SequenceNumber {
    SequenceNumber::new(number).unwrap()
}

/// Which requests are refused, by how many come before.
const MODES: [fn(u32) -> Refuse; 2] = [Refuse::One, Refuse::AllAfter];

/// How a batch's user keys come.
#[derive(Clone, Copy, Debug)]
enum Order {
    Ascending,
    Random,
    /// Versions of few user keys, among them those that are there.
    FewKeys,
}

impl Order {
    const ALL: [Self; 3] = [Self::Ascending, Self::Random, Self::FewKeys];

    fn user_key(self, i: u64) -> Vec<u8> {
        match self {
            Self::Ascending => format!("tenant/1/{i:08}"),
            Self::Random => format!("tenant/0/{:08}", i * 7919 % 100_003),
            Self::FewKeys => format!("tenant/0/{:08}", i % 7),
        }
        .into_bytes()
    }

    fn batch(self, count: u64) -> Vec<Pair> {
        let value = |i| vec![b'v'; usize::try_from(i % 150).unwrap()];
        (0..count).map(|i| (self.user_key(i), value(i))).collect()
    }
}

/// What is said of a memtable's entries: of all but what the nodes take.
fn counts(table: &Table) -> impl PartialEq + std::fmt::Debug + use<> {
    let usage = table.memory();
    (
        (table.len(), table.tombstones(), table.is_empty()),
        (table.smallest_sequence(), table.largest_sequence()),
        (usage.key_bytes, usage.value_bytes, usage.encoding_bytes),
        (usage.shadowed_entries, usage.shadowed_bytes),
        (table.shadowed_entries(), table.shadowed_bytes()),
    )
}

fn sum(usage: MemoryUsage) -> usize {
    let entries = usage.key_bytes + usage.value_bytes + usage.encoding_bytes;
    entries + usage.index_bytes + usage.slack_bytes + usage.unused_bytes
}

/// A sum of what it is told.
#[derive(Debug, Default)]
struct Sum(AtomicUsize);

impl Meter for Sum {
    fn reserved(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn released(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A memtable with `present` entries, and what is told how much memory it has.
fn table_of(present: u64) -> (Table, Arc<Sum>) {
    let told = Arc::new(Sum::default());
    let options = MemTableOptions {
        meter: Some(Arc::clone(&told) as Arc<dyn Meter>),
        ..MemTableOptions::default()
    };
    let table = Table::with_options(BytewiseComparator, options);
    for i in 0..present {
        let user_key = format!("tenant/0/{:08}", i * 3);
        let value = vec![b'o'; usize::try_from(i % 100).unwrap()];
        table
            .add(sequence(i), ValueType::Value, user_key.as_bytes(), &value)
            .unwrap();
    }
    (table, told)
}

fn add_batch(table: &Table, first: u64, batch: &[Pair]) -> Result<(), AddError> {
    let entries = batch
        .iter()
        .map(|(user_key, value)| (ValueType::Value, &user_key[..], &value[..]));
    table.add_batch(sequence(first), entries)
}

fn encoded(table: &Table) -> Vec<Vec<u8>> {
    let entries = table.iter().map(|entry| entry.encoded().to_vec());
    let entries: Vec<_> = entries.collect();
    let mut backward: Vec<_> = table.iter().rev().map(|e| e.encoded().to_vec()).collect();
    backward.reverse();
    assert!(entries == backward);
    entries
}

/// Checks that nothing of a refused batch is in the memtable.
fn assert_untouched(table: &Table, told: &Sum, before: &[Vec<u8>], batch: &[Pair], first: u64) {
    assert!(encoded(table) == before, "entries are visible");
    for (i, (user_key, _)) in (first..).zip(batch).step_by(17) {
        let tag = Tag::new(sequence(i), ValueType::Value);
        assert!(!table.contains(user_key, tag));
    }
    let usage = table.memory();
    assert_eq!(sum(usage), usage.reserved_bytes);
    assert_eq!(usage.reserved_bytes, table.approximate_memory_usage());
    assert_eq!(told.0.load(Ordering::Relaxed), usage.reserved_bytes);
}

/// Adds the batch to memtables of `present` entries, each time with another request refused, until
/// nothing is.
fn check(order: Order, count: u64, present: u64) {
    let first = present + 1;
    let batch = order.batch(count);
    let (whole, _) = table_of(present);
    add_batch(&whole, first, &batch).unwrap();
    let expected = encoded(&whole);
    let (untouched, _) = table_of(present);
    let before = encoded(&untouched);
    assert_eq!(expected.len(), before.len() + batch.len());
    for mode in MODES {
        let mut failed = 0;
        for at in 0.. {
            let (table, told) = table_of(present);
            let counts_before = counts(&table);
            let (added, refusals) = refuse(mode(at), || add_batch(&table, first, &batch));
            if let Err(error) = added {
                let case = format!("{order:?}, {count} into {present}, {:?}", mode(at));
                assert!(matches!(error, AddError::Full(_)), "{case}: {error}");
                assert_eq!(
                    table.iter().count(),
                    before.len(),
                    "{case}: {error}, and entries are stored"
                );
                assert_eq!(counts(&table), counts_before, "{case}");
                assert_untouched(&table, &told, &before, &batch, first);
                failed += 1;
                add_batch(&table, first, &batch).unwrap();
            }
            assert!(encoded(&table) == expected);
            assert_eq!(counts(&table), counts(&whole));
            if refusals == 0 {
                break;
            }
        }
        // Where one request is refused, a smaller one may do; for few entries there may be room.
        let is_one = mode(0) == Refuse::One(0);
        assert!(failed > 0 || is_one || count < 100, "none failed");
    }
}

#[test]
fn a_batch_is_whole_whichever_request_is_refused() {
    for order in Order::ALL {
        for count in [1, 40, 5000] {
            for present in [0, 70, 5000] {
                check(order, count, present);
            }
        }
    }
}

/// What was set aside for a batch that was refused is not lost each time it is tried again.
#[test]
fn batches_that_are_refused_again_and_again_use_up_no_memory() {
    for order in Order::ALL {
        for present in [0, 5000] {
            let batch = order.batch(2000);
            let (whole, _) = table_of(present);
            add_batch(&whole, present, &batch).unwrap();
            let enough = 2 * whole.approximate_memory_usage();
            for at in 0.. {
                let (table, _) = table_of(present);
                let add = || refuse(Refuse::AllAfter(at), || add_batch(&table, present, &batch));
                if add().1 == 0 {
                    break;
                }
                let refused = (0..40).filter(|_| add().0.is_err()).count();
                let usage = table.approximate_memory_usage();
                assert!(
                    usage <= enough,
                    "{usage} bytes after {refused} refusals at request {at}: {order:?}, {present}"
                );
            }
        }
    }
}

/// The other ways to add one entry.
#[derive(Clone, Copy, Debug)]
enum Way {
    Add,
    Late,
    BatchOfOne,
}

fn add_one(table: &Table, way: Way, number: u64, (user_key, value): &Pair) -> Result<(), AddError> {
    let kind = ValueType::Value;
    match way {
        Way::Add => table.add(sequence(number), kind, user_key, value),
        Way::Late => table
            .add_late(kind, user_key, value, || Some(sequence(number)))
            .map(|added| assert!(added)),
        Way::BatchOfOne => {
            let entry = [(kind, &user_key[..], &value[..])];
            table.add_batch(sequence(number), entry.into_iter())
        }
    }
}

/// Every entry is first added with its first request refused, then with its second, and so on,
/// until it is there: in leaves that split, roots that do, and levels that begin.
#[test]
fn an_addition_that_is_refused_leaves_no_trace() {
    for way in [Way::Add, Way::Late, Way::BatchOfOne] {
        for order in Order::ALL {
            for mode in MODES {
                let (table, told) = table_of(0);
                let batch = order.batch(5000);
                let mut failed = 0;
                for (number, pair) in (0..).zip(&batch) {
                    for at in 0.. {
                        let before = counts(&table);
                        let (added, _) = refuse(mode(at), || add_one(&table, way, number, pair));
                        let Err(error) = added else { break };
                        assert!(matches!(error, AddError::Full(_)), "{error}");
                        failed += 1;
                        assert_eq!(counts(&table), before);
                        let tag = Tag::new(sequence(number), ValueType::Value);
                        assert!(!table.contains(&pair.0, tag));
                        assert_eq!(table.iter().count() as u64, number);
                        assert_eq!(table.iter().rev().count() as u64, number);
                        let usage = table.memory();
                        assert_eq!(sum(usage), usage.reserved_bytes);
                        assert_eq!(told.0.load(Ordering::Relaxed), usage.reserved_bytes);
                    }
                    let found = table.get_at(&pair.0, sequence(number));
                    assert_eq!(found, Lookup::Value(&pair.1));
                }
                // Where one request is refused, a smaller one may do.
                let is_one = mode(0) == Refuse::One(0);
                assert!(failed > 10 || is_one, "only {failed} failed");
                let whole = table_of(0).0;
                add_batch(&whole, 0, &batch).unwrap();
                assert!(encoded(&table) == encoded(&whole));
                assert_eq!(counts(&table), counts(&whole));
            }
        }
    }
}

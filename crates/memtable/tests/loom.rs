//! Freezing under loom, beside additions: interleavings with up to three preemptions, and every
//! result a relaxed or an acquiring load may give.
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`.
#![cfg(loom)]

use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;
use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};
use strata_memtable::{AddError, MemTable};

/// Which outcomes there were, one a bit.
struct Outcomes(AtomicUsize);

impl Outcomes {
    fn add(&self, outcome: usize) {
        self.0.fetch_or(1 << outcome, Ordering::Relaxed);
    }
}

fn add(table: &MemTable<BytewiseComparator>, number: u64) -> bool {
    let sequence = SequenceNumber::new(number).unwrap();
    let added = table.add(sequence, ValueType::Value, &number.to_be_bytes(), b"");
    assert!(matches!(added, Ok(()) | Err(AddError::Frozen)));
    added.is_ok()
}

fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// What is frozen has every entry that is accepted before or after, and is counted. One that is
/// refused is followed by no other.
#[test]
fn nothing_is_added_after_freezing() {
    static ACCEPTED: Outcomes = Outcomes(AtomicUsize::new(0));
    bounded(|| {
        let table = Arc::new(MemTable::new(BytewiseComparator));
        let writers_table = table.clone();
        let writer = thread::spawn(move || [1, 2].map(|number| add(&writers_table, number)));
        let frozen = table.freeze();
        let (entries, counted) = (frozen.iter().count(), frozen.len());
        let accepted = writer.join().unwrap();
        assert!(accepted[0] || !accepted[1]);
        let accepted = accepted.into_iter().filter(|accepted| *accepted).count();
        assert_eq!((entries, counted), (accepted, accepted as u64));
        ACCEPTED.add(accepted);
    });
    assert_eq!(ACCEPTED.0.load(Ordering::Relaxed), 0b111);
}

/// Two closures freeze at once: both additions are refused, and neither thread waits for ever.
#[test]
fn closures_that_freeze_at_once_have_their_additions_refused() {
    static FROZEN: Outcomes = Outcomes(AtomicUsize::new(0));
    bounded(|| {
        let table = Arc::new(MemTable::new(BytewiseComparator));
        let late = |table: &MemTable<BytewiseComparator>, key: &[u8]| {
            let mut froze = false;
            let added = table.add_late(ValueType::Value, key, b"", || {
                assert!(table.freeze().is_empty());
                froze = true;
                SequenceNumber::new(1).ok()
            });
            assert_eq!(added, Err(AddError::Frozen));
            usize::from(froze)
        };
        let others_table = table.clone();
        let other = thread::spawn(move || late(&others_table, b"b"));
        let froze = late(&table, b"a") + other.join().unwrap();
        assert!(table.is_empty());
        FROZEN.add(froze);
    });
    assert_eq!(FROZEN.0.load(Ordering::Relaxed), 0b110);
}

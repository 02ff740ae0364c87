//! The sequencer under loom: every interleaving of two or three threads, within two preemptions, and
//! every value a relaxed or an acquiring load may give.
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test loom`.
//!
//! What the sequencer publishes, entries in memtables, are plain relaxed cells here.
#![cfg(loom)]
#![expect(dead_code, reason = "of these files, the sequencer needs a part")]

#[path = "../src/atomic.rs"]
mod atomic;
#[path = "../src/sequencer.rs"]
mod sequencer;
#[path = "../src/sync.rs"]
mod sync;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use sequencer::{Dead, Sequencer};

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(run);
}

/// A sequencer, and a cell for each sequence number.
struct Cells {
    sequencer: Sequencer,
    cells: [AtomicU64; 3],
}

impl Cells {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            sequencer: Sequencer::new(0),
            cells: std::array::from_fn(|_| AtomicU64::new(0)),
        })
    }

    /// Writes the cells of these sequence numbers, and makes them visible.
    fn write(&self, first: u64, last: u64) -> Result<(), Dead> {
        for sequence in first..=last {
            self.cells[sequence as usize - 1].store(sequence, Ordering::Relaxed);
        }
        self.sequencer.publish(first, last)
    }

    /// Asserts that every cell is written that is visible, and says how many are.
    fn check(&self) -> u64 {
        let visible = self.sequencer.visible();
        for sequence in 1..=visible {
            let found = self.cells[sequence as usize - 1].load(Ordering::Relaxed);
            assert_eq!(found, sequence, "of {visible} that are visible");
        }
        visible
    }
}

/// Two writers, one of them of two numbers at once, beside a reader: it never sees a number before
/// its entry, nor one of the two.
#[test]
fn what_is_visible_is_whole() {
    model(|| {
        let cells = Cells::new();
        let (first, second) = (cells.clone(), cells.clone());
        let first = thread::spawn(move || first.write(1, 2).unwrap());
        let second = thread::spawn(move || second.write(3, 3).unwrap());
        assert_ne!(cells.check(), 1);
        assert_ne!(cells.check(), 1);
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(cells.check(), 3);
    });
}

/// A writer that is ahead of its predecessor sleeps until that is done, whichever of them looks when.
#[test]
fn who_waits_is_woken() {
    model(|| {
        let cells = Cells::new();
        let other = cells.clone();
        let other = thread::spawn(move || other.write(1, 1).unwrap());
        cells.write(2, 2).unwrap();
        assert_eq!(cells.check(), 2);
        other.join().unwrap();
    });
}

/// Two that wait for one are both woken.
#[test]
fn all_who_wait_are_woken() {
    model(|| {
        let cells = Cells::new();
        let (writer, waiter) = (cells.clone(), cells.clone());
        let writer = thread::spawn(move || writer.write(1, 1).unwrap());
        let waiter = thread::spawn(move || {
            waiter.sequencer.wait_for(1).unwrap();
            assert_eq!(waiter.cells[0].load(Ordering::Relaxed), 1);
        });
        // Waiting makes the entry visible by itself, without another look at the number.
        cells.sequencer.wait_for(1).unwrap();
        assert_eq!(cells.cells[0].load(Ordering::Relaxed), 1);
        writer.join().unwrap();
        waiter.join().unwrap();
    });
}

/// Who waits for a writer that dies is told, and what it has written is never visible.
#[test]
fn a_writer_that_dies_frees_the_others() {
    model(|| {
        let cells = Cells::new();
        let other = cells.clone();
        let other = thread::spawn(move || other.sequencer.die());
        assert_eq!(cells.write(2, 2), Err(Dead));
        assert_eq!(cells.check(), 0);
        assert!(cells.sequencer.is_dead());
        other.join().unwrap();
    });
}

//! What memory there is, what it is used for, and that all of it comes back.

use std::any::Any;
use std::sync::Arc;

use allocation_counter::measure;
use strata_arena::BlockPool;
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::MemoryUsage;
use strata_write_buffer::{MemoryBudget, Wait, WriteBuffer, WriteBufferOptions};

use crate::scripted::{Buffer, batch, both, flush, small};

fn sum_of_items(usage: MemoryUsage) -> usize {
    usage.key_bytes
        + usage.value_bytes
        + usage.encoding_bytes
        + usage.index_bytes
        + usage.slack_bytes
        + usage.unused_bytes
}

#[test]
fn the_items_are_what_was_written_and_add_up_to_what_is_reserved() {
    for buffer in both(&WriteBufferOptions {
        max_write_buffers: 4,
        ..small()
    }) {
        let (mut keys, mut values) = (0, 0);
        for i in 0..150_usize {
            let key = vec![b'k'; 1 + i % 40];
            buffer.write(&batch(&key, i * 7)).unwrap();
            keys += key.len();
            values += i * 7;
            let usage = buffer.memory();
            assert_eq!((usage.key_bytes, usage.value_bytes), (keys, values));
            assert_eq!(sum_of_items(usage), usage.reserved_bytes);
        }
        let memtables = buffer.memtables();
        assert!(memtables.len() >= 2);
        let all: MemoryUsage = memtables.iter().map(|memtable| memtable.memory).sum();
        assert_eq!(all, buffer.memory());
        for memtable in &memtables {
            assert_eq!(
                sum_of_items(memtable.memory),
                memtable.memory.reserved_bytes
            );
            // There are 40 user keys.
            assert_eq!(
                memtable.memory.shadowed_entries,
                memtable.entries.saturating_sub(40)
            );
        }
    }
}

/// To the byte, for the thread that writes.
#[test]
fn what_is_reserved_is_what_the_allocator_was_asked_for() {
    let buffer = WriteBuffer::new(BytewiseComparator, WriteBufferOptions::default());
    let batch = batch(b"batch", 50_000);
    buffer.write(&batch).unwrap();
    for round in 0..50_u32 {
        let before = buffer.memory().reserved_bytes;
        let seen = measure(|| {
            buffer.put(&round.to_be_bytes(), &[0; 777]).unwrap();
            buffer.write(&batch).unwrap();
        });
        let grown = buffer.memory().reserved_bytes - before;
        assert_eq!(seen.bytes_current, i64::try_from(grown).unwrap());
    }
    assert_eq!(buffer.memtables().len(), 1);
}

#[test]
fn everything_is_given_back_by_a_flush_and_by_dropping_the_buffer() {
    let run = |flushes: bool| {
        let budget = MemoryBudget::new(usize::MAX >> 1);
        let options = WriteBufferOptions {
            budget: Some(budget.clone()),
            max_write_buffers: 3,
            ..small()
        };
        for buffer in both(&options) {
            for i in 0..100_u32 {
                buffer.write(&batch(&i.to_be_bytes(), 1000)).unwrap();
            }
            assert_eq!(budget.used_bytes(), buffer.memory().reserved_bytes);
            if flushes {
                buffer.freeze(Wait::Never).unwrap();
                while flush(&buffer) {}
                assert_eq!((budget.used_bytes(), buffer.pinned_bytes()), (0, 0));
                assert_eq!(buffer.memory(), MemoryUsage::default());
            }
        }
        assert_eq!(budget.used_bytes(), 0);
    };
    // What a thread allocates once stays.
    run(true);
    for flushes in [true, false] {
        assert_eq!(measure(|| run(flushes)).bytes_current, 0);
    }
}

/// What is kept, and so keeps a memtable.
type Keep = fn(&Buffer) -> Box<dyn Any>;

#[test]
fn what_readers_keep_of_flushed_memtables_is_counted_apart() {
    let kept: [(&str, Keep); 5] = [
        ("view", |buffer| Box::new(buffer.view())),
        ("cursor", |buffer| Box::new(buffer.cursor(..))),
        ("internal cursor", |buffer| {
            Box::new(buffer.view().internal_cursor(..))
        }),
        ("entry", |buffer| {
            Box::new(buffer.get(b"key", SequenceNumber::MAX).unwrap())
        }),
        ("entries", |buffer| {
            Box::new(buffer.multi_get(&[b"key"], SequenceNumber::MAX))
        }),
    ];
    let budget = MemoryBudget::new(usize::MAX >> 1);
    for buffer in both(&WriteBufferOptions {
        budget: Some(budget.clone()),
        ..small()
    }) {
        for (what, keep) in kept {
            buffer.write(&batch(b"key", 5000)).unwrap();
            let reserved = buffer.memory().reserved_bytes;
            let held = keep(&buffer);
            let again = keep(&buffer);
            assert_eq!(
                buffer.pinned_bytes(),
                0,
                "{what}: it is in the write buffer"
            );
            buffer.freeze(Wait::Never).unwrap();
            assert_eq!(buffer.pinned_bytes(), 0, "{what}: it is still there");
            assert!(flush(&buffer));
            assert_eq!(buffer.pinned_bytes(), reserved, "{what}");
            assert_eq!(buffer.memory().reserved_bytes, 0, "{what}");
            assert_eq!(budget.used_bytes(), reserved, "{what}");
            let of_buffer = budget
                .holders()
                .into_iter()
                .find(|holder| holder.pinned_bytes > 0);
            assert_eq!(of_buffer.unwrap().pinned_bytes, reserved, "{what}");
            drop(held);
            assert_eq!(
                buffer.pinned_bytes(),
                reserved,
                "{what}: another one keeps it"
            );
            drop(again);
            assert_eq!(
                (buffer.pinned_bytes(), budget.used_bytes()),
                (0, 0),
                "{what}"
            );
        }
    }
}

#[test]
fn a_snapshot_keeps_no_memory() {
    for buffer in both(&small()) {
        buffer.put(b"key", b"value").unwrap();
        let snapshot = buffer.snapshot();
        buffer.freeze(Wait::Never).unwrap();
        assert!(flush(&buffer));
        assert_eq!(buffer.pinned_bytes(), 0);
        drop(snapshot);
    }
}

#[test]
fn what_a_pool_keeps_is_no_memtables() {
    let pool = Arc::new(BlockPool::new(1 << 20));
    let budget = MemoryBudget::new(usize::MAX >> 1);
    let options = WriteBufferOptions {
        pool: Some(Arc::clone(&pool)),
        budget: Some(budget.clone()),
        ..small()
    };
    for buffer in both(&options) {
        buffer.write(&batch(b"key", 50_000)).unwrap();
        buffer.freeze(Wait::Never).unwrap();
        assert!(flush(&buffer));
        assert_eq!(
            (budget.used_bytes(), buffer.memory().reserved_bytes),
            (0, 0)
        );
    }
}
